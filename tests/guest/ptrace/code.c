/* Registers, breakpoints, steps and watchpoints: what a debugger does to code. */
#include "trace.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

__attribute__((noinline)) static int add(int a, int b)
{
	__asm__ volatile("");
	return a + b;
}

static int (*volatile add_p)(int, int) = add;

static int calls_add(void)
{
	return add_p(3, 4);
}

static void put_int3(pid_t p, uintptr_t at, long *was)
{
	*was = word_at(p, at);
	CHECK(ask(PTRACE_POKETEXT, p, at, (uintptr_t)((*was & ~0xffl) | 0xcc)) == 0);
	CHECK((word_at(p, at) & 0xff) == 0xcc);
}

CASE(breakpoint)
{
	pid_t p = tracee(calls_add, 0);
	struct user_regs_struct r;
	siginfo_t si;
	long was;

	put_int3(p, (uintptr_t)add, &was);
	CHECK(*(volatile unsigned char *)(uintptr_t)add != 0xcc); /* the page is its own now */
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGTRAP));
	r = regs_of(p);
	CHECK(r.rip == (uintptr_t)add + 1 && r.rdi == 3 && r.rsi == 4);
	CHECK(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si) == 0 && si.si_code == SI_KERNEL);
	CHECK(ask(PTRACE_POKETEXT, p, (uintptr_t)add, (uintptr_t)was) == 0);
	r.rip--;
	r.rdi = 10;
	CHECK(ask(PTRACE_SETREGS, p, 0, (uintptr_t)&r) == 0);
	CHECK(exited(after(PTRACE_CONT, p, 0), 14));
}

/* In code whose calls have been made often: the tracer sees and replaces the file's bytes. */
static long call_often(void)
{
	long r = 0;

	for (int i = 0; i < 1000; i++)
		r = syscall(SYS_getppid);
	return r;
}

static int busy(void)
{
	call_often();
	raise(SIGUSR2);
	return call_often() == getppid() ? 7 : 1;
}

CASE(breakpoint_at_a_call)
{
	struct user_regs_struct r;
	pid_t p = tracee(busy, PTRACE_O_TRACESYSGOOD);
	uintptr_t at;
	long was;
	int st;

	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR2));
	do {
		CHECK(stopped_by(st = after(PTRACE_SYSCALL, p, 0), SIGTRAP | 0x80));
		r = regs_of(p);
	} while (r.orig_rax != SYS_getppid);
	at = r.rip - 2;
	CHECK((word_at(p, at) & 0xffff) == 0x050f);
	put_int3(p, at, &was);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), SIGTRAP | 0x80)); /* the end of this one */
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGTRAP));
	r = regs_of(p);
	CHECK(r.rip == at + 1 && r.rax == SYS_getppid);
	CHECK(ask(PTRACE_POKETEXT, p, at, (uintptr_t)was) == 0);
	r.rip = at;
	CHECK(ask(PTRACE_SETREGS, p, 0, (uintptr_t)&r) == 0);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* What lies in its text, read in every way but by loading it. */
CASE(patched_text_reads_as_the_file)
{
	unsigned char b[64], c[64];
	uintptr_t at = (uintptr_t)syscall;
	struct iovec l = { c, sizeof(c) }, rem = { (void *)at, sizeof(c) };
	int fd = open("/proc/self/mem", O_RDONLY), ends[2];
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], path[256] = "";
	unsigned long lo, hi, off;
	int file;

	call_often();
	CHECK(fd >= 0 && maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &lo, &hi, &off, path) == 4 && lo <= at && at < hi)
			break;
	file = open(path, O_RDONLY);
	CHECK(file >= 0 && pread(file, b, sizeof(b), (off_t)(at - lo + off)) == sizeof(b));
	CHECK(pread(fd, c, sizeof(c), (off_t)at) == sizeof(c) && !memcmp(b, c, sizeof(c)));
	memset(c, 0, sizeof(c));
	CHECK(process_vm_readv(getpid(), &l, 1, &rem, 1, 0) == sizeof(c) && !memcmp(b, c, sizeof(c)));
	CHECK(pipe(ends) == 0 && write(ends[1], (void *)at, sizeof(c)) == sizeof(c));
	CHECK(read(ends[0], c, sizeof(c)) == sizeof(c) && !memcmp(b, c, sizeof(c)));
}

/* --- steps ------------------------------------------------------------------------------------ */

CASE(single_steps)
{
	pid_t p = tracee(calls_add, 0);
	struct user_regs_struct r;
	siginfo_t si;
	int steps = 0, seen = 0, st;

	while (stopped_by(st = after(PTRACE_SINGLESTEP, p, 0), SIGTRAP)) {
		r = regs_of(p);
		if (!steps++)
			CHECK(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si) == 0 && (si.si_code == TRAP_TRACE || si.si_code == TRAP_BRKPT));
		CHECK(!(r.eflags & 0x100));
		if (r.rip == (uintptr_t)add) {
			seen = steps;
			break;
		}
		CHECK(steps < 20000);
	}
	CHECK(seen);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* One instruction each, also where calls are made: never somewhere between. */
__attribute__((noinline)) static long raw_getppid(void)
{
	long r;

	__asm__ volatile("mov $110, %%eax\n\tsyscall\n\tnop\n\tnop" : "=a"(r) : : "rcx", "r11", "memory");
	return r;
}

static int steps_over_call(void)
{
	for (int i = 0; i < 100; i++)
		raw_getppid();
	raise(SIGUSR2);
	return raw_getppid() == getppid() ? 7 : 1;
}

CASE(steps_over_calls)
{
	pid_t p = tracee(steps_over_call, 0);
	uintptr_t before = 0, mov = 0;
	int st;

	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR2));
	for (int i = 0; i < 20000; i++) {
		CHECK(stopped_by(st = after(PTRACE_SINGLESTEP, p, 0), SIGTRAP));
		before = regs_of(p).rip;
		if ((word_at(p, before) & 0xffffffffffffff) == 0x050f0000006eb8) {
			mov = before;
			break;
		}
	}
	CHECK(mov);
	CHECK(stopped_by(after(PTRACE_SINGLESTEP, p, 0), SIGTRAP) && regs_of(p).rip == mov + 5 && regs_of(p).rax == 110);
	CHECK(stopped_by(after(PTRACE_SINGLESTEP, p, 0), SIGTRAP) && regs_of(p).rip == mov + 7 && (pid_t)regs_of(p).rax == getpid());
	CHECK(stopped_by(after(PTRACE_SINGLESTEP, p, 0), SIGTRAP) && regs_of(p).rip == mov + 8);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

static volatile int handled;

static void handler(int s) { handled = s; }

static int with_handler(void)
{
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	return handled ? 7 : 1;
}

CASE(step_into_handler)
{
	pid_t p = tracee(with_handler, 0);

	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR1));
	CHECK(stopped_by(after(PTRACE_SINGLESTEP, p, SIGUSR1), SIGTRAP) && regs_of(p).rip == (uintptr_t)handler);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* --- registers ------------------------------------------------------------------------------------ */

CASE(registers)
{
	pid_t p = tracee(calls_add, 0);
	struct user_regs_struct r = regs_of(p), s;
	struct iovec iov = { &s, 2 * sizeof(s) / 8 * 8 };
	long v;

	CHECK(r.cs == 0x33 && r.ss == 0x2b);
	CHECK(ask(PTRACE_GETREGSET, p, NT_PRSTATUS, (uintptr_t)&iov) == 0 && iov.iov_len == sizeof(s) && !memcmp(&r, &s, sizeof(s)));
	iov.iov_len = 16;
	CHECK(ask(PTRACE_GETREGSET, p, NT_PRSTATUS, (uintptr_t)&iov) == 0 && iov.iov_len == 16);
	CHECK(ask(PTRACE_PEEKUSER, p, offsetof(struct user, regs.rip), (uintptr_t)&v) == 0 && (unsigned long)v == r.rip);
	CHECK_ERR(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.cs), 0), EIO);
	CHECK_ERR(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.fs_base), 1ul << 63), EIO);
	CHECK_ERR(ask(PTRACE_POKEUSER, p, offsetof(struct user, u_tsize), 0), EIO);
	CHECK(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.r12), 0x123456789abcdef) == 0 && regs_of(p).r12 == 0x123456789abcdef);
	CHECK(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.eflags), 0x200000 | 0x3000 | 1) == 0);
	CHECK((regs_of(p).eflags & ~0x44ul) == ((r.eflags & 0x200202ul) | 1 | 0x202));
	CHECK(ask(PTRACE_KILL, p, 0, 0) == 0);
}

static volatile double d = 1.5;

static int floats(void)
{
	double x;

	__asm__ volatile("movsd %1, %%xmm7\n\tmov %2, %%edi\n\tmov %3, %%esi\n\tmov $62, %%eax\n\tsyscall\n\tmovsd %%xmm7, %0"
			 : "=m"(x)
			 : "m"(d), "r"(getpid()), "i"(SIGUSR1)
			 : "rax", "rdi", "rsi", "rcx", "r11", "xmm7", "memory");
	return x == 2.5 ? 7 : 1;
}

CASE(floating_point)
{
	static struct user_fpregs_struct f;
	static char x[16384];
	struct iovec iov = { x, sizeof(x) };
	pid_t p = tracee(floats, 0);
	double v;
	unsigned long features;

	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR1));
	CHECK(ask(PTRACE_GETFPREGS, p, 0, (uintptr_t)&f) == 0);
	memcpy(&v, (char *)f.xmm_space + 7 * 16, sizeof(v));
	CHECK(v == 1.5 && f.mxcsr == 0x1f80);
	v = 2.25;
	memcpy((char *)f.xmm_space + 7 * 16, &v, sizeof(v));
	CHECK(ask(PTRACE_SETFPREGS, p, 0, (uintptr_t)&f) == 0);
	CHECK(ask(PTRACE_GETREGSET, p, NT_X86_XSTATE, (uintptr_t)&iov) == 0 && iov.iov_len >= 576);
	memcpy(&v, x + 160 + 7 * 16, sizeof(v));
	memcpy(&features, x + 464, sizeof(features));
	CHECK(v == 2.25 && (features & 3) == 3);
	v = 2.5;
	memcpy(x + 160 + 7 * 16, &v, sizeof(v));
	CHECK(ask(PTRACE_SETREGSET, p, NT_X86_XSTATE, (uintptr_t)&iov) == 0);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* --- debug registers -------------------------------------------------------------------------------- */

static volatile long watched;

static int writes(void)
{
	watched = 1; /* not watched yet */
	raise(SIGUSR2);
	for (volatile int i = 0; i < 50; i++)
		;
	watched = 2;
	return add_p(3, 4);
}

static long debugreg(pid_t p, int i)
{
	long v = 0;

	CHECK(ask(PTRACE_PEEKUSER, p, offsetof(struct user, u_debugreg) + 8 * (size_t)i, (uintptr_t)&v) == 0);
	return v;
}

static int set_debugreg(pid_t p, int i, uintptr_t v)
{
	return (int)ask(PTRACE_POKEUSER, p, offsetof(struct user, u_debugreg) + 8 * (size_t)i, v);
}

CASE(watchpoint)
{
	pid_t p = tracee(writes, 0);
	siginfo_t si;

	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR2));
	CHECK_ERR(set_debugreg(p, 4, 1), EIO);
	CHECK(set_debugreg(p, 0, (uintptr_t)&watched) == 0 && set_debugreg(p, 1, (uintptr_t)add) == 0);
	CHECK_ERR(set_debugreg(p, 7, 3u << 28 | 2u << 24 | 1u << 4), EINVAL); /* for I/O */
	CHECK(set_debugreg(p, 7, 1 | 1u << 2 | 1u << 16 | 2u << 18) == 0);
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGTRAP));
	CHECK(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si) == 0 && si.si_code == 4 /* TRAP_HWBKPT */);
	CHECK(word_at(p, (uintptr_t)&watched) == 2 && (debugreg(p, 6) & 0xf) == 1);
	CHECK(set_debugreg(p, 6, 0) == 0);
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGTRAP));
	CHECK(regs_of(p).rip == (uintptr_t)add && (debugreg(p, 6) & 0xf) == 2);
	CHECK(set_debugreg(p, 7, 0) == 0);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

int main(void) { return run_cases(); }
