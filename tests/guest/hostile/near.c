/*
 * near.c - programs that race the changes of their own mappings: their words for them are
 * overwritten, whoever carries them out is woken or kept asleep, and what was given back is used
 * all the same.  On Linux nothing of that is there.  What others get is empty and stays theirs.
 */
#include "attack.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define AREA (64 << 10)
#define PAGE 4096
#define MAPPER_WORD (ORDERS + 0xfc0)
#define MAPPER_TOKEN (ORDERS + 0xfd0)
#define SLOT_OP 68
#define SLOT_NEAR 204
#define OP_NEAR 3
#define TEXT_END (TEXT + 0x1000)
#define PIPE_FD 4
#define CANARY 0x5a

static void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = on_segv, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSYS, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
}

/* --- by the sandbox's own code ------------------------------------------------------- */

static uint64_t found;

/* xor r10d, r10d; mov $SYS_futex, eax; syscall; jmp *rbx */
static void find_futex(uint64_t at, uint64_t len)
{
	static const unsigned char code[] = { 0x45, 0x31, 0xd2, 0xb8, 0xca, 0, 0, 0, 0x0f, 0x05, 0xff, 0xe3 };

	for (uint64_t a = at; a + sizeof(code) <= at + len && !found; a++)
		if (!memcmp((const void *)a, code, sizeof(code)))
			found = a;
}

/* What that code does for the sandbox's own threads, if it is there. */
static void stub_futex(uint64_t word, uint64_t op, uint64_t value)
{
	register uint64_t rdx __asm__("rdx") = value;

	if (!found) {
		syscall(SYS_getppid);
		return;
	}
	__asm__ volatile("lea 1f(%%rip), %%rbx\n jmp *%[to]\n1:"
			 : "+r"(rdx), "+D"(word), "+S"(op)
			 : [to] "r"(found)
			 : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "memory", "cc");
}

/* Without a call: not so often that who looks on (hostile.sh) loses something. */
static void for_a_moment(void)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < 30000);
}

static void *wakes(void *arg)
{
	for (;;) {
		for_a_moment();
		stub_futex(MAPPER_WORD, 1, INT32_MAX);
		syscall(SYS_getppid); /* who only is where the sandbox's code is takes longer to be ended */
	}
	return arg;
}

static void look(uint64_t at, uint64_t arg) { *(uint64_t *)arg = *(volatile uint32_t *)at; }

static void *sleeps_in_its_place(void *arg)
{
	for (;;) {
		uint64_t value = 0;

		(void)tried(look, MAPPER_WORD, (uint64_t)&value);
		for_a_moment();
		stub_futex(MAPPER_WORD, 0, value);
		syscall(SYS_getppid);
	}
	return arg;
}

/* --- by its words ---------------------------------------------------------------------- */

static uint64_t op_value, near_value;

static void forge_slot(uint64_t at, uint64_t arg)
{
	*(volatile uint32_t *)(at + SLOT_NEAR) = (uint32_t)near_value;
	if (*(volatile uint32_t *)(at + SLOT_OP) == OP_NEAR)
		*(volatile uint32_t *)(at + SLOT_OP) = (uint32_t)op_value;
}

static void *forges(void *arg)
{
	uint64_t mine[16];
	unsigned n = 0;

	for (uint64_t s = 0; s < 512 && n < 16; s++)
		if (tried(forge_slot, SLOTS + s * SLOT_SIZE, 0))
			mine[n++] = SLOTS + s * SLOT_SIZE;
	for (unsigned round = 0; n; round++)
		for (unsigned i = 0; i < n; i++)
			if (tried(forge_slot, mine[i], 0) && (round + i) % 32768 == 0)
				stub_futex(mine[i] + SLOT_NEAR, 1, INT32_MAX);
	return arg;
}

/* --- what it is after ---------------------------------------------------------------- */

static void spoil(uint64_t at, uint64_t arg)
{
	for (unsigned i = 0; i < 20; i++)
		for (uint64_t a = at; a < at + AREA; a += PAGE)
			*(volatile uint64_t *)a = arg;
}

/* Areas that come and go, and are then written to. */
static void use_areas(unsigned rounds, int gone)
{
	for (unsigned i = 0; i < rounds; i++) {
		char *m = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (m == MAP_FAILED)
			continue;
		m[0] = m[AREA - PAGE] = 1;
		munmap(m, AREA);
		if (gone)
			(void)tried(spoil, (uint64_t)m, 0x4141414141414141);
	}
}

enum { WAKES = 1, SLEEPS = 2, FORGES = 4 };

static void attack_others(uint64_t how)
{
	void *(*const f[])(void *) = { wakes, sleeps_in_its_place, forges };
	pthread_t t;

	use_areas(1000, 0); /* alone: a sandbox may take more trouble over such a program */
	catch_faults();
	if (!sigsetjmp(skip, 1))
		find_futex(PATCH, 0x1000);
	op_value = how & 8 ? OP_NEAR : 0;
	near_value = how >> 4;
	for (unsigned i = 0; i < 3; i++)
		if (how & 1u << i)
			pthread_create(&t, NULL, f[i], NULL);
	use_areas(UINT32_MAX, 1);
}

/* Whose memory must be its own. */
static void minds_its_own(void)
{
	usleep(120000);
	for (unsigned i = 0; i < 600; i++) {
		size_t len = i % 3 ? AREA : 4 * AREA;
		unsigned char *m = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (m == MAP_FAILED)
			_exit(8);
		for (size_t at = 0; at < len; at += 8)
			if (*(volatile uint64_t *)(m + at))
				_exit(9);
		memset(m, CANARY, len);
		for (size_t at = 0; at < len; at++)
			if (((volatile unsigned char *)m)[at] != CANARY)
				_exit(9);
		munmap(m, len);
	}
	_exit(0);
}

CASE(using_what_was_given_back)
{
	static const uint64_t hows[] = { WAKES, SLEEPS, FORGES, WAKES | FORGES, SLEEPS | FORGES, FORGES | 1 << 4, FORGES | 8 };

	for (unsigned i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		pid_t p = fork();
		int st;

		if (!p)
			minds_its_own();
		attack_for(250, attack_others, hows[i]);
		CHECK(p > 0 && waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 0);
	}
}

/* Who never goes on is stopped, continued and killed all the same. */
CASE(waiting_for_ever)
{
	static const uint64_t hows[] = { FORGES | 8 | 6 << 4, SLEEPS };

	for (unsigned i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		pid_t p = fork();
		int st;

		if (!p)
			attack_others(hows[i]);
		usleep(200000);
		CHECK(p > 0 && !kill(p, SIGSTOP) && waitpid(p, &st, WUNTRACED) == p && (WIFSTOPPED(st) || WIFSIGNALED(st)));
		if (WIFSIGNALED(st))
			continue;
		CHECK(!kill(p, SIGCONT) && !kill(p, SIGKILL) && waitpid(p, &st, 0) == p && WIFSIGNALED(st));
	}
	CHECK(getppid() > 0);
}

/* --- saying that it is done -------------------------------------------------------------- */

static void say_done(uint64_t at, uint64_t from)
{
	register uint64_t rdx __asm__("rdx") = 8;

	if (*(const volatile unsigned char *)at != 0x0f || *(const volatile unsigned char *)(at + 1) != 0x05)
		return;
	/* whatever follows the call ends it, or a fault does */
	__asm__ volatile("jmp *%[to]" : : [to] "r"(at), "a"(SYS_write), "D"(PIPE_FD), "S"(from), "r"(rdx) : "rcx", "r11", "memory");
}

/* By each call of the sandbox's own code: a sandbox that lets one of them through is seen by who looks on. */
CASE(saying_that_it_is_done)
{
	static uint64_t token = 0x10000;

	static volatile uint64_t at;
	static volatile int is_one;

	for (at = TEXT; at < TEXT_END - 1; at++) {

		is_one = 0;
		signal(SIGSEGV, on_segv);
		if (!sigsetjmp(skip, 1))
			is_one = *(const volatile unsigned char *)at == 0x0f && *(const volatile unsigned char *)(at + 1) == 0x05;
		signal(SIGSEGV, SIG_DFL);
		if (!is_one)
			continue;
		pid_t p = fork();
		int st;

		if (!p) {
			alarm(1);
			say_done(at, at % 2 ? (uint64_t)&token : MAPPER_TOKEN);
			_exit(0);
		}
		CHECK(p > 0 && waitpid(p, &st, 0) == p);
	}
	CHECK(getppid() > 0);
}

int main(void) { return run_cases(); }
