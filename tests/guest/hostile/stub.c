/*
 * stub.c - programs that attack what lies above their address space.  On Linux
 * nothing is there, and each such program dies of SIGSEGV; inside, the sandbox's
 * own pages may be there: the program may die, or be stopped by a signal, but
 * neither the sandbox nor another process may suffer.
 */
#include "attack.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void jump(uint64_t target)
{
	uint64_t seed = target * 2654435761u + 1, v[8];
	static const long nrs[] = { SYS_mmap, SYS_munmap, SYS_clone, SYS_exit_group, SYS_getppid, SYS_write, SYS_futex, SYS_rt_sigreturn };
	static const uint64_t places[] = { SLOTS, SLOTS + 0x8000, ORDERS, TEXT, 0, 1, 0x11, 0x10000 };

	for (unsigned i = 0; i < 8; i++)
		v[i] = places[random64(&seed) % 8];
	__asm__ volatile("mov %0, %%rcx\n mov (%1), %%rdi\n mov 8(%1), %%rsi\n mov 16(%1), %%rdx\n mov 24(%1), %%r10\n"
			 "mov 32(%1), %%r8\n mov 40(%1), %%r9\n mov 48(%1), %%r12\n mov 56(%1), %%r15\n jmp *%%rcx"
			 :
			 : "r"(target), "b"(v), "a"(nrs[random64(&seed) % 8])
			 : "rcx", "rdi", "rsi", "rdx", "r10", "r8", "r9", "r12", "r15", "memory");
}

CASE(jumping_there)
{
	for (uint64_t at = 0; at < 0x300; at += 5)
		attack(jump, TEXT + at);
	for (uint64_t at = 0; at < 0x4b0; at += 7)
		attack(jump, PATCH + at);
	for (uint64_t at = 0; at < 0x100; at += 5)
		attack(jump, SITES + at);
	CHECK(attack(jump, ABOVE - 4096 + 1) != 0);
	CHECK(WIFSIGNALED(attack(jump, ORDERS)));
}

static void read_place(uint64_t at)
{
	(void)*(volatile uint64_t *)at;
	*(volatile uint64_t *)at = 0x4141414141414141;
}

CASE(writing_what_can_only_be_read)
{
	int st = attack(read_place, TEXT);

	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	for (int i = 0; i < 20; i++) /* that may make something appear at SITES */
		syscall(SYS_getppid);
	attack(read_place, PATCH); /* which some platform has as its own scratch memory */
	st = attack(read_place, SITES);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	CHECK(getppid() > 0);
	st = attack(read_place, ORDERS);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	st = attack(read_place, ORDERS + 0x1000);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
}

CASE(mapping_there)
{
	static const uint64_t places[] = { TEXT, SLOTS, ORDERS, ABOVE, PATCH };

	for (unsigned i = 0; i < 5; i++) {
		void *at = (void *)places[i];

		CHECK(mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at || munmap(at, 4096) == 0);
		(void)munmap(at, 4096);
		(void)mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
		(void)madvise(at, 4096, MADV_DONTNEED);
	}
	CHECK(getppid() > 0);
}

static void *call_all_the_time(void *arg)
{
	for (;;)
		syscall(SYS_getppid);
	return arg;
}

/* Writes wherever something is there, faults and goes on elsewhere. */
static void forge(uint64_t value)
{
	static volatile uint64_t slot; /* survives the jumps */
	pthread_t t;

	signal(SIGSEGV, on_segv);
	pthread_create(&t, NULL, call_all_the_time, NULL);
	for (;;) {
		slot = (slot + 1) % 64;
		if (sigsetjmp(skip, 1))
			continue;
		for (uint64_t offset = 0; offset < 0x8000; offset += offset < 256 ? 8 : 0x400)
			*(volatile uint64_t *)(SLOTS + slot * 0x8000 + offset) = value;
	}
}

CASE(forging_contexts)
{
	static const uint64_t values[] = { 1, 0x0000000100000001, 0x4141414141414141, 3, UINT64_MAX };

	for (unsigned i = 0; i < 5; i++)
		attack(forge, values[i]);
	CHECK(getppid() > 0);
}

/* Signal masks and what it may know of descriptors, of all slots that are there. */
static void forge_answers(uint64_t value)
{
	static volatile uint64_t slot;
	struct pollfd p = { .fd = 0, .events = POLLIN };
	sigset_t s;

	signal(SIGSEGV, on_segv);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	for (;;) {
		slot = (slot + 1) % 64;
		if (sigsetjmp(skip, 1))
			continue;
		*(volatile uint64_t *)(SLOTS + slot * 0x8000 + 352) = value;
		*(volatile uint32_t *)(SLOTS + slot * 0x8000 + 360) = (uint32_t)value;
		(void)sigprocmask(SIG_BLOCK, &s, NULL);
		(void)poll(&p, 1, 0);
	}
}

/* It hurts nobody else, and can still be stopped and killed. */
CASE(forging_answers)
{
	static const uint64_t values[] = { 0, UINT64_MAX, ~UINT64_C(0x100), 0x100, 0x40100, 0x7fffffff };
	sigset_t mine, now;
	int st;

	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR2);
	for (unsigned i = 0; i < 6; i++) {
		pid_t p = fork();

		if (!p) {
			forge_answers(values[i]);
			_exit(0);
		}
		for (int k = 0; k < 1000; k++) {
			CHECK(sigprocmask(SIG_SETMASK, &mine, NULL) == 0 && sigprocmask(SIG_BLOCK, NULL, &now) == 0);
			CHECK(sigismember(&now, SIGUSR2) == 1 && sigismember(&now, SIGUSR1) == 0);
		}
		kill(p, SIGUSR1);
		kill(p, SIGSTOP);
		CHECK(waitpid(p, &st, WUNTRACED) == p && (WIFSTOPPED(st) || WIFSIGNALED(st)));
		if (WIFSTOPPED(st)) {
			kill(p, SIGKILL);
			CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st));
		}
	}
}

/* What it may know of a file without asking: until when, of which descriptor, and what is in it. */
static int secret;

static void forge_told(uint64_t value)
{
	static volatile uint64_t slot;
	struct stat st;
	char buf[64];

	signal(SIGSEGV, on_segv);
	for (;;) {
		slot = (slot + 1) % 64;
		if (sigsetjmp(skip, 1))
			continue;
		for (unsigned offset = 640; offset < 704; offset += 8)
			*(volatile uint64_t *)(SLOTS + slot * 0x8000 + offset) = value;
		*(volatile uint64_t *)(SLOTS + slot * 0x8000 + 640) = UINT64_MAX;
		*(volatile uint32_t *)(SLOTS + slot * 0x8000 + 648) = (uint32_t)secret;
		(void)!pread(secret, buf, sizeof(buf), 0);
		(void)!pread(secret, buf, sizeof(buf), (off_t)(value >> 2));
		(void)!pread(secret, (char *)SLOTS + slot * 0x8000, 1, 0);
		(void)fstat(secret, &st);
		(void)lseek(secret, 0, SEEK_CUR);
	}
}

/* Who forges that deceives nobody but himself. */
CASE(forging_what_is_told)
{
	static const uint64_t values[] = { 0, 1, 0x400, 0xffffffff, UINT64_MAX, 0x7fff80000000 };
	char buf[8], name[32];
	struct stat st;
	pid_t p;

	for (unsigned i = 0; i < 6; i++) {
		FILE *f = tmpfile();

		CHECK(f && (secret = fileno(f)) >= 0 && pwrite(secret, "what it is", 10, 0) == 10);
		p = fork();
		if (!p) {
			forge_told(values[i]);
			_exit(0);
		}
		snprintf(name, sizeof(name), "/proc/self/fd/%d", secret);
		CHECK((secret = open(name, O_RDWR)) >= 0); /* the same file, but a descriptor of its own */
		for (int k = 0; k < 1000; k++) {
			CHECK(pread(secret, buf, 4, 5) == 4 && !memcmp(buf, "it i", 4));
			CHECK(fstat(secret, &st) == 0 && st.st_size == 10 && lseek(secret, 0, SEEK_CUR) == 0);
		}
		CHECK(kill(p, SIGKILL) == 0 && waitpid(p, NULL, 0) == p && close(secret) == 0 && fclose(f) == 0);
	}
}

static void own_frame(uint64_t sp)
{
	/* A signal frame made of whatever lies there. */
	__asm__ volatile("mov %0, %%rsp\n mov $15, %%eax\n jmp *%1" : : "r"(sp), "r"(TEXT + 0x10) : "memory");
}

CASE(returning_from_signals_that_never_were)
{
	static uint64_t frame[512];

	for (unsigned i = 0; i < 512; i++)
		frame[i] = i % 3 ? 0 : (uint64_t)frame;
	attack(own_frame, (uint64_t)frame);
	attack(own_frame, SLOTS + 0x808);
	attack(own_frame, 0);
	CHECK(getppid() > 0);
}

int main(void)
{
	return run_cases();
}
