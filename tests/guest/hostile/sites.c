/*
 * sites.c - system calls made over and over at one place, where an application
 * kernel may put something else there: registers, flags, signals, single steps,
 * jumps into the middle, the text read and written, mapped twice and elsewhere.
 */
#include "../test.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#define STR(x) #x
#define XSTR(x) STR(x)
#define OFTEN 20

/* sets: mov $nr, %eax; syscall.  compares: syscall; cmp $-4096, %rax; seta.
 * computes: lea 0x1234(%rdx), %rsi; syscall, and relative to rip.  moves: mov $nr, %eax; moves; syscall.
 * stores: as musl makes calls that can be cancelled; the last three registers come from the stack. */
__asm__(".text\n.balign 64\n"
	"text_begin:\n"
	"sets: nop\n mov $110, %eax\n"
	"sets_call: syscall\n"
	"sets_end: ret\n"
	".balign 64\n"
	"compares: nop\n syscall\n"
	"compares_cmp: cmp $-4096, %rax\n"
	"compares_end: seta %dl\n movzx %dl, %edx\n ret\n"
	"into_sets: mov $39, %eax\n jmp sets_call\n"
	"into_compares: mov %rdi, %rax\n jmp compares_cmp\n"
	"reads: nop\n mov $0, %eax\n syscall\n ret\n"
	".balign 64\n"
	"computes: nop\n .byte 0x48, 0x8d, 0xb2\n .long 0x1234\n"
	"computes_call: syscall\n ret\n"
	"computes_rip: nop\n lea computes_data(%rip), %rsi\n syscall\n ret\n"
	"into_computes: nop\n jmp computes_call\n"
	"computes_data: .ascii \"written\"\n"
	".balign 64\n"
	"moves: nop\n mov $110, %eax\n"
	"moves_first: mov %rdx, %rsi\n"
	"moves_second: mov %ebp, %edi\n"
	"moves_call: syscall\n"
	"moves_end: ret\n"
	"moves_too: mov %rdi, %rdx\n mov $5, %esi\n mov $8, %eax\n mov %edx, %edi\n xor %edx, %edx\n syscall\n ret\n" /* lseek(, 5, SEEK_SET) */
	"into_moves_first: mov %rdi, %rax\n jmp moves_first\n"
	"into_moves_second: mov %rdi, %rax\n jmp moves_second\n"
	"into_moves_call: mov %rdi, %rax\n jmp moves_call\n"
	".balign 64\n"
	"stores: lea -32(%rsp), %rsp\n mov %rdi, %r11\n"
	"stores_loads: .byte 0x4c, 0x8b, 0x44, 0x24, 0x08, 0x4c, 0x8b, 0x4c, 0x24, 0x10\n .byte 0x4c, 0x89, 0x5c, 0x24, 0x08\n"
	"stores_call: syscall\n"
	" mov 8(%rsp), %rdx\n lea 32(%rsp), %rsp\n ret\n"
	"into_stores: lea -32(%rsp), %rsp\n jmp stores_call\n"
	".balign 64\n"
	"text_end:\n");
extern const uint8_t text_begin[], sets[], sets_call[], sets_end[], compares[], compares_cmp[], compares_end[], into_sets[], into_compares[], reads[],
	computes[], computes_rip[], into_computes[], moves[], moves_end[],
	moves_too[], into_moves_first[], into_moves_second[], into_moves_call[], stores[], into_stores[], text_end[];

static long call(const uint8_t *f, long nr, long a, long b, long c, long *above)
{
	long ret = nr, d = c;

	__asm__ volatile("call *%4" : "+a"(ret), "+d"(d), "+S"(b) : "D"(a), "r"(f) : "rcx", "r11", "memory", "cc");
	if (above)
		*above = d;
	return ret;
}

static long call_often(const uint8_t *f, long nr)
{
	long r = 0;

	for (int i = 0; i < OFTEN; i++)
		r = call(f, nr, 0, 0, 0, NULL);
	return r;
}

/* --- registers ------------------------------------------------------------------- */

struct all {
	uint64_t r[16], flags, red[16];
};

/* Loads everything from *in, goes to the code at f, whose last instruction before
 * its ret leaves all as a call leaves it, and stores everything to *out. */
void with_all(const struct all *in, struct all *out, const uint8_t *f);
__asm__(".text\n"
	"with_all:\n"
	" push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rsi\n push %rdx\n"
	" lea -8(%rsp), %rcx\n" /* where the return address will be: the red zone is below */
	" mov $16, %eax\n"
	"1: mov 136-8(%rdi,%rax,8), %rdx\n neg %rax\n mov %rdx, (%rcx,%rax,8)\n neg %rax\n dec %eax\n jnz 1b\n"
	" pushq 128(%rdi)\n popfq\n"
	" mov 8(%rdi), %rbx\n mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n mov 64(%rdi), %r8\n mov 72(%rdi), %r9\n"
	" mov 80(%rdi), %r10\n mov 96(%rdi), %r12\n mov 104(%rdi), %r13\n mov 112(%rdi), %r14\n mov 120(%rdi), %r15\n"
	" mov 0(%rdi), %rax\n mov 24(%rdi), %rdx\n mov 40(%rdi), %rdi\n"
	" call *(%rsp)\n"
	" pushfq\n push %rdi\n mov 24(%rsp), %rdi\n" /* out */
	" mov %rax, 0(%rdi)\n mov %rbx, 8(%rdi)\n mov %rcx, 16(%rdi)\n mov %rdx, 24(%rdi)\n mov %rsi, 32(%rdi)\n mov %rbp, 48(%rdi)\n"
	" mov %r8, 64(%rdi)\n mov %r9, 72(%rdi)\n mov %r10, 80(%rdi)\n mov %r11, 88(%rdi)\n mov %r12, 96(%rdi)\n mov %r13, 104(%rdi)\n"
	" mov %r14, 112(%rdi)\n mov %r15, 120(%rdi)\n"
	" pop %rax\n mov %rax, 40(%rdi)\n pop %rax\n mov %rax, 128(%rdi)\n cld\n"
	" lea -8(%rsp), %rcx\n mov $16, %eax\n"
	"1: neg %rax\n mov (%rcx,%rax,8), %rdx\n neg %rax\n mov %rdx, 136-8(%rdi,%rax,8)\n dec %eax\n jnz 1b\n"
	" pop %rdx\n pop %rsi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

#define FLAGS_ALL 0xcd5ul /* CF PF AF ZF SF DF OF */

static bool same_but(const struct all *a, const struct all *b, uint64_t skip)
{
	for (int i = 0; i < 16; i++)
		if (!(skip & 1u << i) && a->r[i] != b->r[i])
			return false;
	return true;
}

CASE(registers_and_flags)
{
	static const uint64_t flags[] = { 0x202, 0x202 | FLAGS_ALL, 0x202 | 0x400, 0x202 | 0x801, 0x202 | 0x8d4 };
	struct all in, out;

	for (int i = 0; i < 200; i++) {
		for (int k = 0; k < 16; k++) {
			in.r[k] = 0x1111111111111111ul * (uint64_t)k + (uint64_t)i;
			in.red[k] = ~in.r[k];
		}
		in.flags = flags[i % 5];
		with_all(&in, &out, sets);
		CHECK(same_but(&in, &out, 1 << 0 | 1 << 2 | 1 << 7 | 1 << 11));
		CHECK(!memcmp(in.red + 1, out.red + 1, sizeof(in.red) - 8)); /* but for what with_all itself has pushed */
		CHECK(out.r[0] == (uint64_t)getppid() && out.r[2] == (uint64_t)sets_end);
		CHECK((out.flags & FLAGS_ALL) == (in.flags & FLAGS_ALL) && (out.r[11] & FLAGS_ALL) == (in.flags & FLAGS_ALL));
	}
}

CASE(moves_before_the_call)
{
	struct all in, out;
	int fd = open("numbers", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 0; i < 200; i++) {
		for (int k = 0; k < 16; k++) {
			in.r[k] = 0x1111111111111111ul * (uint64_t)k + (uint64_t)i;
			in.red[k] = ~in.r[k];
		}
		in.flags = 0x202 | (i % 2 ? FLAGS_ALL : 0);
		with_all(&in, &out, moves);
		CHECK(same_but(&in, &out, 1 << 0 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 11));
		CHECK(out.r[0] == (uint64_t)getppid() && out.r[2] == (uint64_t)moves_end && out.r[4] == in.r[3] && out.r[5] == (uint32_t)in.r[6]);
		CHECK((out.flags & FLAGS_ALL) == (in.flags & FLAGS_ALL));
		CHECK(call(moves_too, 0, fd, 0, 0, NULL) == 5);
	}
	close(fd);
	unlink("numbers");
}

CASE(stored_before_the_call)
{
	long stored;

	for (int i = 0; i < OFTEN; i++) {
		CHECK(call(stores, SYS_getppid, 0x1234 + i, 0, 0, &stored) == getppid() && stored == 0x1234 + i);
		CHECK(call(into_stores, SYS_getpid, 0, 0, 0, NULL) == getpid());
	}
}

CASE(comparison)
{
	long above;

	for (int i = 0; i < OFTEN; i++) {
		CHECK(call(compares, SYS_getppid, 0, 0, 7, &above) == getppid() && above == 0);
		CHECK(call(compares, SYS_close, -1, 0, 7, &above) == -EBADF && above == 1);
	}
}

CASE(computed_argument)
{
	static uint8_t copy[7];
	int fd = open("numbers", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	for (int i = 0; i < OFTEN; i++) {
		CHECK(call(computes, SYS_lseek, fd, i, SEEK_SET, NULL) == 0x1234);
		CHECK(call(computes, SYS_lseek, fd, i, SEEK_CUR, NULL) == 2 * 0x1234 + 1);
		CHECK(call(into_computes, SYS_lseek, fd, i, SEEK_SET, NULL) == i);
		CHECK(call(computes_rip, SYS_write, fd, 0, 7, NULL) == 7);
		CHECK(pread(fd, copy, 7, i) == 7 && !memcmp(copy, "written", 7));
	}
	close(fd);
	unlink("numbers");
}

CASE(computed_argument_after_fork)
{
	int status, fd = open("numbers", O_RDWR | O_CREAT | O_TRUNC, 0600);
	pid_t pid;

	for (int i = 0; i < OFTEN; i++)
		call(computes, SYS_lseek, fd, 0, SEEK_SET, NULL);
	pid = fork();
	if (!pid)
		_exit(call(computes, SYS_lseek, fd, 0, SEEK_SET, NULL) != 0x1234);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	close(fd);
	unlink("numbers");
}

/* --- into the middle --------------------------------------------------------------- */

CASE(jumps_into_the_middle)
{
	long above;

	call_often(sets, 0);
	call_often(compares, SYS_getppid);
	for (int i = 0; i < OFTEN; i++) {
		CHECK(call(into_sets, 0, 0, 0, 0, NULL) == getpid());
		CHECK(call(into_compares, 0, -5, 0, 0, &above) == -5 && above == 1);
		CHECK(call(into_compares, 0, -4096, 0, 0, &above) == -4096 && above == 0);
		CHECK(call(into_compares, 0, 5, 0, 0, &above) == 5 && above == 0);
		CHECK(call(sets, 0, 0, 0, 0, NULL) == getppid());
	}
}

CASE(jumps_between_the_moves)
{
	call_often(moves, 0);
	for (int i = 0; i < OFTEN; i++) {
		CHECK(call(into_moves_first, 0, SYS_getpid, 0, 0, NULL) == getpid());
		CHECK(call(into_moves_second, 0, SYS_getpid, 0, 0, NULL) == getpid());
		CHECK(call(into_moves_call, 0, SYS_getpid, 0, 0, NULL) == getpid());
		CHECK(call(moves, 0, 0, 0, 0, NULL) == getppid());
	}
}

/* --- text as data --------------------------------------------------------------------- */

CASE(others_read_what_the_file_has)
{
	uint8_t copy[8];
	struct iovec to = { copy, 8 }, from = { (void *)(uintptr_t)sets, 8 };

	call_often(sets, 0);
	CHECK(process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 8);
	CHECK(!memcmp(copy, "\x90\xb8\x6e\x00\x00\x00\x0f\x05", 8));
}

CASE(written_text)
{
	uint8_t *page = (uint8_t *)((uintptr_t)sets & ~4095ul);
	volatile uint8_t *nr = (volatile uint8_t *)(uintptr_t)sets + 2;

	call_often(sets, 0);
	CHECK(mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	CHECK(*nr == SYS_getppid);
	*nr = SYS_getpgrp;
	CHECK(call_often(sets, 0) == getpgrp());
	*nr = SYS_getppid;
	CHECK(call_often(sets, 0) == getppid());
	CHECK(mprotect(page, 8192, PROT_READ | PROT_EXEC) == 0 && call_often(sets, 0) == getppid());
}

/* --- files ----------------------------------------------------------------------------- */

static uint8_t *map(int fd, void *at)
{
	void *m = mmap(at, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, 0);

	return m == MAP_FAILED ? NULL : m;
}

static int text_file(const char *name)
{
	static uint8_t page[4096];
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0700);

	memcpy(page, text_begin, (size_t)(text_end - text_begin));
	if (write(fd, page, sizeof(page)) != sizeof(page))
		return -1;
	return fd;
}

CASE(mapped_twice_and_elsewhere)
{
	int fd = text_file("code");
	uint8_t *a = map(fd, NULL), *b = map(fd, NULL);

	CHECK(fd >= 0 && a && b && a != b);
	for (int i = 0; i < 3; i++)
		CHECK(call_often(a, 0) == getppid() && call_often(b, 0) == getppid());
	CHECK(munmap(a, 4096) == 0 && call_often(b, 0) == getppid());
	CHECK(map(fd, b) == b && call_often(b, 0) == getppid());
	CHECK(mremap(b, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, a) == a && call_often(a, 0) == getppid());
	CHECK(mmap(a, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == a && a[0] == 0);
	unlink("code");
}

CASE(another_file_in_its_place)
{
	for (int i = 0; i < 5; i++) {
		uint8_t nr = i % 2 ? SYS_getpid : SYS_getppid;
		int fd = text_file("code");
		uint8_t *a;

		CHECK(fd >= 0 && pwrite(fd, &nr, 1, 2) == 1);
		a = map(fd, NULL);
		CHECK(a && call_often(a, 0) == (i % 2 ? getpid() : getppid()));
		CHECK(munmap(a, 4096) == 0 && close(fd) == 0);
	}
	unlink("code");
}

CASE(file_changes_under_its_mapping)
{
	static const uint8_t nrs[] = { SYS_getppid, SYS_getpgrp, SYS_getuid };
	int fd = text_file("code");
	uint8_t *a = map(fd, NULL), *w;

	CHECK(fd >= 0 && a && call_often(a, 0) == getppid());
	CHECK(pwrite(fd, &nrs[1], 1, 2) == 1 && call_often(a, 0) == getpgrp());
	CHECK(pwrite(fd, &nrs[0], 1, 2) == 1 && call_often(a, 0) == getppid());
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(w != MAP_FAILED && call_often(a, 0) == getppid());
	w[2] = nrs[2];
	CHECK(call_often(a, 0) == (long)getuid());
	w[2] = nrs[1];
	CHECK(call_often(a, 0) == getpgrp());
	unlink("code");
}

/* --- signals ------------------------------------------------------------------------------ */

static volatile sig_atomic_t signals, strange;

static void on_alarm(int sig, siginfo_t *si, void *ctx)
{
	uint64_t rip = (uint64_t)((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP];

	signals++;
	if (rip < 0x80000 || rip >= 0x7fff00000000)
		strange++; /* nothing of the program's lies there */
	__asm__ volatile("pxor %%xmm7, %%xmm7\n pxor %%xmm15, %%xmm15" : : : "xmm7", "xmm15");
	syscall(SYS_getppid);
	(void)sig;
	(void)si;
}

static void alarms(long us)
{
	struct sigaction sa = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_RESTART };
	const struct itimerval it = { { 0, us }, { 0, us } };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void no_alarms(void)
{
	const struct itimerval it = { 0 };

	setitimer(ITIMER_REAL, &it, NULL);
}

CASE(signals_at_calls)
{
	long ppid = getppid(), above;
	uint64_t x7, x15;

	signals = strange = 0;
	alarms(150);
	for (int i = 0; i < 2000000 && signals < 300; i++) {
		long r;

		__asm__ volatile("movq %3, %%xmm7\n movq %4, %%xmm15\n call *%5\n movq %%xmm7, %1\n movq %%xmm15, %2"
				 : "=a"(r), "=&r"(x7), "=&r"(x15)
				 : "r"((uint64_t)i), "r"(~(uint64_t)i), "r"(sets)
				 : "rcx", "r11", "memory", "cc", "xmm7", "xmm15");
		CHECK(r == ppid && x7 == (uint64_t)i && x15 == ~(uint64_t)i);
		CHECK(call(compares, SYS_close, -1, 0, 0, &above) == -EBADF && above == 1);
		CHECK(call(into_sets, 0, 0, 0, 0, NULL) == getpid());
	}
	no_alarms();
	CHECK(signals > 20 && strange == 0);
}

CASE(signals_between_moves)
{
	long ppid = getppid(), stored;

	signals = strange = 0;
	alarms(150);
	for (int i = 0; i < 2000000 && signals < 300; i++) {
		CHECK(call(moves, 0, 0, 0, 0, NULL) == ppid);
		CHECK(call(into_moves_first, 0, SYS_getpid, 0, 0, NULL) == getpid());
		CHECK(call(stores, SYS_getppid, i, 0, 0, &stored) == ppid && stored == i);
	}
	no_alarms();
	CHECK(signals > 20 && strange == 0);
}

static void *write_late(void *arg)
{
	usleep(30000);
	return write(*(int *)arg, "x", 1) == 1 ? arg : NULL;
}

CASE(interrupted_call_goes_on)
{
	int p[2], null = open("/dev/null", O_RDONLY);
	char c = 0;
	pthread_t t;

	CHECK(pipe(p) == 0 && null >= 0);
	for (int i = 0; i < OFTEN; i++)
		CHECK(call(reads, 0, null, (long)&c, 1, NULL) == 0);
	CHECK(pthread_create(&t, NULL, write_late, &p[1]) == 0);
	alarms(1000);
	CHECK(call(reads, 0, p[0], (long)&c, 1, NULL) == 1 && c == 'x');
	no_alarms();
	pthread_join(t, NULL);
}

/* --- where nothing can be put in place of a call ----------------------------------------------- */

/* The same code in memory that is no file's. */
static uint8_t *copied(void)
{
	uint8_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return m == MAP_FAILED ? NULL : memcpy(m, text_begin, (size_t)(text_end - text_begin));
}

CASE(calls_in_anonymous_memory)
{
	uint8_t *m = copied(), *f = m + (sets - text_begin), *cmp = m + (compares - text_begin);
	uint64_t set = 1ul << (SIGUSR1 - 1), old;
	struct all in = { 0 }, out;
	long above;

	CHECK(m);
	for (int i = 0; i < 200; i++) {
		for (int k = 0; k < 16; k++)
			in.red[k] = ~(in.r[k] = 0x1111111111111111ul * (uint64_t)k + (uint64_t)i);
		in.flags = 0x202 | (i % 2 ? FLAGS_ALL : 0);
		with_all(&in, &out, f);
		CHECK(same_but(&in, &out, 1 << 0 | 1 << 2 | 1 << 7 | 1 << 11));
		CHECK(!memcmp(in.red + 1, out.red + 1, sizeof(in.red) - 8));
		CHECK(out.r[0] == (uint64_t)getppid() && out.r[2] == (uint64_t)f + 8 && (out.r[11] & FLAGS_ALL) == (in.flags & FLAGS_ALL));
		CHECK((out.flags & FLAGS_ALL) == (in.flags & FLAGS_ALL));
		CHECK(call(cmp, SYS_close, -1, 0, 7, &above) == -EBADF && above == 1);
		__asm__ volatile("mov $8, %%r10d\n call *%1" : "=a"(above) : "r"(cmp), "a"((long)SYS_rt_sigprocmask), "D"((long)(i & 1)), "S"(&set), "d"(&old) : "rcx", "r10", "r11", "memory", "cc");
		CHECK(above == 0 && !(old & set) == !(i & 1)); /* 0: block, 1: unblock */
	}
	CHECK(munmap(m, 4096) == 0);
}

CASE(signals_at_calls_in_anonymous_memory)
{
	uint8_t *m = copied(), *f = m + (sets - text_begin);
	int p[2], null = open("/dev/null", O_RDONLY);
	long ppid = getppid();
	pthread_t t;
	char c = 0;

	CHECK(m && null >= 0 && pipe(p) == 0);
	signals = strange = 0;
	alarms(150);
	for (int i = 0; i < 2000000 && signals < 300; i++)
		CHECK(call(f, 0, 0, 0, 0, NULL) == ppid);
	no_alarms();
	CHECK(signals > 20 && strange == 0);
	f = m + (reads - text_begin);
	for (int i = 0; i < OFTEN; i++)
		CHECK(call(f, 0, null, (long)&c, 1, NULL) == 0);
	CHECK(pthread_create(&t, NULL, write_late, &p[1]) == 0);
	alarms(1000);
	CHECK(call(f, 0, p[0], (long)&c, 1, NULL) == 1 && c == 'x');
	no_alarms();
	pthread_join(t, NULL);
	CHECK(munmap(m, 4096) == 0);
}

/* The place keeps its name when something else comes there. */
CASE(another_call_in_anonymous_memory)
{
	uint8_t *m = copied(), *f = m + (sets - text_begin);

	CHECK(m);
	for (int i = 0; i < 3; i++) {
		f[2] = SYS_getppid;
		CHECK(call_often(f, 0) == getppid());
		f[2] = SYS_getpid;
		CHECK(call_often(f, 0) == getpid());
		memset(f, 0x90, 8); /* no call any more */
		CHECK(call_often(f, 0x77) == 0x77);
		memcpy(f, sets, 8);
	}
	CHECK(munmap(m, 4096) == 0);
}

/* --- single steps ---------------------------------------------------------------------------- */

static volatile uint64_t steps, steps_outside, last_step;

static void on_step(int sig, siginfo_t *si, void *ctx)
{
	last_step = (uint64_t)((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP];
	steps++;
	if (last_step < 0x80000 || last_step >= 0x7fff00000000)
		steps_outside++;
	(void)sig;
	(void)si;
}

CASE(single_steps)
{
	struct sigaction sa = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	long r;

	call_often(sets, 0);
	sigaction(SIGTRAP, &sa, NULL);
	for (int i = 0; i < 5; i++) {
		__asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n call *%1\n pushfq\n andl $~0x100, (%%rsp)\n popfq"
				 : "=a"(r)
				 : "r"(sets)
				 : "rcx", "r11", "memory", "cc");
		CHECK(r == getppid());
	}
	signal(SIGTRAP, SIG_DFL);
	CHECK(steps >= 25 && !steps_outside);
}

CASE(single_steps_elsewhere)
{
	struct sigaction sa = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	uint8_t *m = copied(), *const at[] = { m + (sets - text_begin), (uint8_t *)(uintptr_t)moves };
	long r;

	CHECK(m);
	sigaction(SIGTRAP, &sa, NULL);
	for (int i = 0; i < 10; i++) {
		uint64_t before = steps;

		call_often(at[i % 2], 0);
		__asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n call *%1\n pushfq\n andl $~0x100, (%%rsp)\n popfq"
				 : "=a"(r)
				 : "r"(at[i % 2])
				 : "rcx", "r11", "rsi", "rdi", "memory", "cc");
		CHECK(r == getppid() && steps - before >= 5);
	}
	signal(SIGTRAP, SIG_DFL);
	CHECK(!steps_outside && munmap(m, 4096) == 0);
}

/* --- threads, processes -------------------------------------------------------------------------- */

static pthread_barrier_t together;

static void *first_call(void *arg)
{
	const uint8_t *f = arg;
	long bad = 0, ppid = getppid();

	pthread_barrier_wait(&together);
	for (int i = 0; i < 200; i++)
		bad += call(f, 0, 0, 0, 0, NULL) != ppid;
	return (void *)bad;
}

CASE(many_threads_at_once)
{
	int fd = text_file("code");
	pthread_t t[24];

	for (int round = 0; round < 3; round++) {
		uint8_t *a = map(fd, NULL);

		CHECK(fd >= 0 && a && !pthread_barrier_init(&together, NULL, 24));
		for (int i = 0; i < 24; i++)
			CHECK(pthread_create(&t[i], NULL, first_call, a) == 0);
		for (int i = 0; i < 24; i++) {
			void *bad;

			CHECK(pthread_join(t[i], &bad) == 0 && !bad);
		}
		CHECK(munmap(a, 4096) == 0);
	}
	unlink("code");
}

static void *map_again(void *arg)
{
	uint8_t **a = arg;
	int fd = open("code", O_RDONLY);

	for (int i = 0; i < 300; i++)
		if (map(fd, a[0]) != a[0])
			return arg;
	a[1] = NULL;
	close(fd);
	return NULL;
}

CASE(mapped_anew_under_a_caller)
{
	int fd = text_file("code");
	uint8_t *volatile a[2] = { map(fd, NULL), (uint8_t *)1 };
	pthread_t t;
	void *bad;

	CHECK(fd >= 0 && a[0] && pthread_create(&t, NULL, map_again, (void *)a) == 0);
	while (a[1])
		CHECK(call(a[0], 0, 0, 0, 0, NULL) == getppid());
	CHECK(pthread_join(t, &bad) == 0 && !bad);
	unlink("code");
}

CASE(forked_child)
{
	int st;
	pid_t p;

	call_often(sets, 0);
	p = fork();
	if (!p)
		_exit(call_often(sets, 0) != getppid() || call_often(into_sets, 0) != getpid());
	CHECK(waitpid(p, &st, 0) == p && !st);
}

/* --- the GS base --------------------------------------------------------------------------------- */

static uint64_t read_gs(void)
{
	uint64_t v;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

CASE(gs_base_of_its_own)
{
	static uint64_t mine[1024] = { 0x1234 };
	uint8_t *m = copied(), *there = m + (sets - text_begin);
	uint64_t v = 1;

	CHECK(m);
	call_often(sets, 0);
	call_often(there, 0);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0 && v == 0);
	CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, mine) == 0);
	for (int i = 0; i < OFTEN; i++) {
		CHECK(call(sets, 0, 0, 0, 0, NULL) == getppid() && read_gs() == 0x1234);
		CHECK(call(there, 0, 0, 0, 0, NULL) == getppid() && read_gs() == 0x1234);
	}
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0 && v == (uint64_t)mine);
	CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0) == 0 && call_often(sets, 0) == getppid());
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0 && v == 0);
}

CASE(gs_base_set_by_the_program)
{
	static uint64_t mine[1024] = { 0x5678 };
	uint64_t v = 1;

	if (!(getauxval(AT_HWCAP2) & 2))
		return;
	call_often(sets, 0);
	__asm__ volatile("wrgsbase %0" : : "r"(mine));
	for (int i = 0; i < OFTEN; i++)
		CHECK(call(sets, 0, 0, 0, 0, NULL) == getppid() && read_gs() == 0x5678);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0 && v == (uint64_t)mine);
	__asm__ volatile("wrgsbase %0" : : "r"(1ul)); /* an unmapped page */
	for (int i = 0; i < OFTEN; i++)
		CHECK(call(sets, 0, 0, 0, 0, NULL) == getppid());
	__asm__ volatile("wrgsbase %0" : : "r"(0ul));
	CHECK(call_often(sets, 0) == getppid());
}

int main(void)
{
	return run_cases();
}
