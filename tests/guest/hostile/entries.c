/*
 * entries.c - every other way into a kernel than a plain `syscall` of 64-bit code:
 * int 0x80, sysenter, x32 numbers, 32-bit code, the vsyscall page, numbers out of
 * range; stacks for signals and returns from signals that lead above the program;
 * mappings moved onto and from there.  What a way answers depends on the host's
 * kernel; what it must never do is reach that kernel (tests/integration/hostile.sh
 * looks), nor harm anyone else.
 */
#include "attack.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* --- instructions --------------------------------------------------------------------- */

#define NR32_GETPID 20
#define NR32_MKDIR 39
#define X32 0x40000000u

static void int80(uint64_t nr)
{
	__asm__ volatile("int $0x80" : "+a"(nr) : "b"("/tmp/int80"), "c"(0755ul) : "memory", "r8", "r9", "r10", "r11");
}

static void sysenter(uint64_t nr)
{
	__asm__ volatile("mov %%rsp, %%rbp\n sysenter" : "+a"(nr) : "b"("/tmp/sysenter"), "c"(0755ul) : "memory", "rdx", "r11");
}

static void number(uint64_t nr)
{
	__asm__ volatile("syscall" : "+a"(nr) : "D"("/tmp/number"), "S"(0755ul) : "memory", "rcx", "r11");
}

static void vsyscall(uint64_t at)
{
	struct timeval tv;

	((long (*)(struct timeval *, void *))at)(&tv, NULL);
}

/* Far to a 32-bit segment, where int 0x80 and sysenter are at home. */
static void code32(uint64_t nr)
{
	static const uint8_t code[] = { 0xcd, 0x80, 0x0f, 0x34, 0xf4 }; /* int 0x80; sysenter; hlt */
	uint8_t *low = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	struct {
		uint32_t ip;
		uint16_t cs;
	} __attribute__((packed)) to = { 0x10000000, 0x23 };

	memcpy(low, code, sizeof(code));
	memcpy(low + 64, "/tmp/code32", 12);
	__asm__ volatile("mov %2, %%rsp\n ljmp *%0" : : "m"(to), "a"(nr), "r"(0x10001800ul), "b"(0x10000040ul), "c"(0755ul) : "memory");
}

CASE(other_instructions)
{
	static const uint64_t nrs[] = { NR32_GETPID, NR32_MKDIR, 1 /* exit */, 120 /* clone */, 192 /* mmap2 */, UINT64_MAX };

	for (unsigned i = 0; i < 6; i++) {
		attack(int80, nrs[i]);
		attack(sysenter, nrs[i]);
		attack(code32, nrs[i]);
	}
	CHECK(syscall(SYS_rmdir, "/tmp/code32") == 0 || errno == ENOENT);
}

CASE(numbers_out_of_range)
{
	static const uint64_t nrs[] = { X32 | SYS_mkdir, X32 | 520 /* execve */, 0x80000000u | SYS_mkdir, UINT64_C(1) << 32 | SYS_mkdir, 512, 547, 1u << 20 };

	for (unsigned i = 0; i < 7; i++)
		attack(number, nrs[i]);
	CHECK(syscall(SYS_rmdir, "/tmp/number") == 0 || errno == ENOENT);
}

CASE(the_vsyscall_page)
{
	for (uint64_t at = 0xffffffffff600000; at < 0xffffffffff601000; at += 0x200)
		attack(vsyscall, at);
	CHECK(getppid() > 0);
}

/* --- signals -------------------------------------------------------------------------------- */

static void nothing(int sig) {}

static void *kill_all_the_time(void *arg)
{
	for (uint64_t i = 0;; i++)
		syscall(SYS_tgkill, getpid(), *(pid_t *)arg, i & 1 ? SIGUSR1 : SIGUSR2);
	return arg;
}

/* Handlers on a stack at `at`, from all sides, while calls are made at patched sites. */
static void storm(uint64_t at)
{
	const stack_t stack = { .ss_sp = (void *)at, .ss_size = 16384 };
	struct sigaction sa = { .sa_handler = nothing, .sa_flags = SA_ONSTACK | SA_RESTART | SA_NODEFER };
	pid_t self = (pid_t)syscall(SYS_gettid);
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	sigaltstack(&stack, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&t, NULL, kill_all_the_time, &self);
	for (;;)
		syscall(SYS_getppid);
}

CASE(signal_storms)
{
	static char own[16384];
	int st = attack_for(300, storm, (uint64_t)own);

	CHECK(WIFSIGNALED(st) && (WTERMSIG(st) == SIGALRM || WTERMSIG(st) == SIGSEGV)); /* SA_NODEFER: the stack may end */
	attack_for(100, storm, SLOTS + 0x4000);
	attack_for(100, storm, ORDERS);
	attack_for(100, storm, TEXT);
	attack_for(100, storm, UINT64_MAX - 0x8000);
	CHECK(getppid() > 0);
}

/* rt_sigreturn of a frame that says: go on at f[168], with such segments and flags. */
static void frame(uint64_t rip)
{
	static uint64_t f[128] __attribute__((aligned(64)));
	enum { RSP = 20, RIP = 21, EFLAGS = 22, SEGMENTS = 23, FPSTATE = 28 }; /* of ucontext, with its return address */

	f[RSP] = (uint64_t)(f + 64);
	f[RIP] = rip;
	f[EFLAGS] = 0x3202 | 0x100; /* I/O privilege, single steps */
	f[SEGMENTS] = 0x0023002b00000033 ^ rip % 2; /* a wrong code segment */
	f[FPSTATE] = rip % 3 ? SLOTS + 0x1000 : (uint64_t)(f + 64);
	__asm__ volatile("mov %0, %%rsp\n mov $15, %%eax\n syscall" : : "r"(f + 1) : "memory");
}

CASE(frames_that_lead_elsewhere)
{
	static const uint64_t places[] = { TEXT, TEXT + 0x101, PATCH, PATCH + 0x10, SITES, SLOTS, ORDERS, ABOVE, 0x8000000000000000, 0xffffffff80000000 };

	for (unsigned i = 0; i < 10; i++)
		attack(frame, places[i]);
	CHECK(getppid() > 0);
}

static void bases(uint64_t at)
{
	__asm__ volatile("syscall" : : "a"(SYS_arch_prctl), "D"(ARCH_SET_GS), "S"(at) : "rcx", "r11", "memory");
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	__asm__ volatile("syscall" : : "a"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"(at) : "rcx", "r11", "memory");
	for (;;)
		__asm__ volatile("syscall" : : "a"(SYS_getppid) : "rcx", "r11", "memory");
}

CASE(bases_that_lead_there)
{
	static const uint64_t places[] = { SLOTS, SLOTS + SLOT_SIZE, ORDERS, TEXT, SITES, 0x8000000000000000, UINT64_MAX };

	for (unsigned i = 0; i < 7; i++)
		attack(bases, places[i]);
	CHECK(getppid() > 0);
}

/* --- mappings onto and from there --------------------------------------------------------------- */

static void remap(uint64_t at)
{
	char *own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *there = (void *)at;
	struct iovec from = { own, 4096 }, to = { there, 4096 };
	int id = shmget(IPC_PRIVATE, 4096, 0600);

	for (int i = 0; i < 20; i++)
		syscall(SYS_getppid); /* whatever that makes appear */
	mremap(there, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, own);
	mremap(own, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, there);
	mremap(own, 4096, UINT64_C(1) << 46, MREMAP_MAYMOVE);
	process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	process_vm_readv(getpid(), &from, 1, &to, 1, 0);
	shmat(id, there, SHM_REMAP);
	shmctl(id, IPC_RMID, NULL);
	mlock(there, 4096);
	msync(there, 4096, MS_SYNC);
	madvise(there, 4096, MADV_REMOVE);
	syscall(SYS_mincore, there, 4096, own);
	syscall(SYS_remap_file_pages, there, 4096, 0, 0, 0);
	syscall(SYS_brk, at);
	syscall(SYS_futex, there, 0, 0, &(struct timespec){ 0 }, NULL, 0);
	syscall(SYS_getppid);
	munmap((void *)(at & ~0xfffffffful), UINT64_C(1) << 32);
	mprotect((void *)(at & ~0xfffffffful), UINT64_C(1) << 32, PROT_READ | PROT_WRITE | PROT_EXEC);
	munmap(NULL, at); /* everything of the program's own */
	for (;;)
		syscall(SYS_getppid);
}

CASE(remapping_there)
{
	static const uint64_t places[] = { SLOTS, ORDERS, TEXT, PATCH, SCRATCH, SITES, ABOVE, 0x7ffffffff000, 0xffffffffff600000 };

	for (unsigned i = 0; i < 9; i++)
		attack_for(100, remap, places[i]);
	CHECK(getppid() > 0);
}

int main(void)
{
	return run_cases();
}
