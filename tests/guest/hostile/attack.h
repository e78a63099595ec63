/*
 * attack.h - what the hostile programs share: where a sandbox's own pages may lie
 * above a program's, and children in which to do what may end them.
 */
#ifndef TESTS_GUEST_HOSTILE_ATTACK_H
#define TESTS_GUEST_HOSTILE_ATTACK_H

#include "../test.h"

#include <setjmp.h>
#include <stdint.h>
#include <sys/time.h>

#define ABOVE 0x7fff00000000ul /* where programs end */
#define TEXT 0x7fffe0000000ul
#define PATCH (TEXT + 0x2000)
#define SCRATCH (TEXT + 0x4000)
#define SCRATCH_END (TEXT + 0x7000)
#define SITES 0x60000ul
#define SLOTS 0x7fff80000000ul
#define SLOT_SIZE 0x8000ul
#define ORDERS 0x7fffd0000000ul

static inline uint64_t random64(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Runs f in a child that ends after a while, if nothing else ends it; its wait status. */
static inline int attack_for(unsigned ms, void (*f)(uint64_t), uint64_t arg)
{
	const struct itimerval soon = { .it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 } };
	pid_t p = fork();
	int st;

	if (!p) {
		signal(SIGALRM, SIG_DFL);
		setitimer(ITIMER_REAL, &soon, NULL);
		f(arg);
		_exit(0);
	}
	CHECK(p > 0 && waitpid(p, &st, 0) == p);
	return st;
}

static inline int attack(void (*f)(uint64_t), uint64_t arg) { return attack_for(30, f, arg); }

static __thread sigjmp_buf skip;

static inline void on_segv(int sig) { siglongjmp(skip, sig); }

/* Calls f(at, arg), unless that faults; SIGSEGV and SIGBUS must go to on_segv. */
static inline int tried(void (*f)(uint64_t at, uint64_t arg), uint64_t at, uint64_t arg)
{
	if (sigsetjmp(skip, 1))
		return 0;
	f(at, arg);
	return 1;
}

#endif
