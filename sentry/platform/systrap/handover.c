/*
 * handover.c - how a task's host thread and its stub thread wait for each other:
 * each by a word that the other counts up, spinning for a while where that pays,
 * else asleep, which a word of its own tells.
 *
 * Spinning pays when the other side answers before the time is over that going
 * to sleep and being woken costs, and when it has a processor to do so on.  Each
 * direction spins the full time as long as that succeeds, half as long each time
 * it does not, and after too many failures sleeps at once for a number of times
 * before it is tried again.  Nobody spins when the contexts that run program
 * code leave no processor for the sentry.
 *
 * A thread that waits here wakes once in WAIT_S: a program that has tampered with
 * the words, or lets itself not be interrupted, cannot keep its task from dying.
 * (An idle sandbox has no thread here: its tasks sleep in system calls.)
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define WAIT_S 1
#define WAITS_INTERRUPTED 10 /* then a thread that has not stopped is taken for hostile */
#define SPIN_REST 100
#define SPIN_ORDER 3 /* spin_max's that an order takes at most, as a rule */
#define SPIN_LEAST 16 /* a fraction of spin_max that is not worth it */

static _Atomic uint32_t *word(uint8_t *slot, unsigned offset)
{
	return (_Atomic uint32_t *)(void *)(slot + offset);
}

/* Whoever sleeps until that word is 0. */
static void wake(_Atomic uint32_t *sleeps)
{
	atomic_store(sleeps, 0);
	syscall(SYS_futex, sleeps, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void st_handover_wake(uint8_t *slot)
{
	wake(word(slot, ST_SENTRY_SLEEPS));
}

void st_handover_prepare(struct st_ctx *c)
{
	c->events = atomic_load(word(c->slot, ST_EVENT));
	c->goes = atomic_load(word(c->slot, ST_GO));
}

/* --- budgets ------------------------------------------------------------------------ */

static bool cpu_free(const struct st_platform *p)
{
	return atomic_load_explicit(&p->running, memory_order_relaxed) * 2 <= p->cpus;
}

/* How long to spin this time. */
static uint64_t budget(const struct st_platform *p, struct st_spin *s)
{
	if (!cpu_free(p))
		return 0;
	if (s->rest) {
		s->rest--;
		return 0;
	}
	return s->ticks;
}

static void learn(const struct st_platform *p, struct st_spin *s, uint64_t spun, bool success)
{
	if (!spun)
		return;
	if (success) {
		s->ticks = p->spin_max;
		return;
	}
	s->ticks /= 2;
	if (s->ticks < p->spin_max / SPIN_LEAST) {
		s->ticks = p->spin_max;
		s->rest = SPIN_REST;
	}
}

/* --- waiting ------------------------------------------------------------------------- */

static bool stopped(struct st_ctx *c)
{
	uint32_t v = atomic_load_explicit(word(c->slot, ST_EVENT), memory_order_acquire);

	if (v == c->events)
		return false;
	c->events = v;
	return true;
}

static bool spin(struct st_ctx *c, uint64_t ticks)
{
	uint64_t start;

	if (!ticks)
		return false;
	start = __rdtsc();
	do {
		if (stopped(c))
			return true;
	} while (__rdtsc() - start < ticks);
	return false;
}

static bool sleep_until_event(struct st_ctx *c)
{
	const struct timespec limit = { .tv_sec = WAIT_S };
	_Atomic uint32_t *sleeps = word(c->slot, ST_SENTRY_SLEEPS);
	unsigned late = 0;

	for (;;) {
		atomic_store(sleeps, 1);
		if (stopped(c)) {
			atomic_store(sleeps, 0);
			return true;
		}
		if (atomic_load(&c->as->dead))
			return false;
		if (!syscall(SYS_futex, sleeps, FUTEX_WAIT, 1, &limit, NULL, 0) || errno != ETIMEDOUT)
			continue;
		if (atomic_load(&c->interrupt) && ++late >= WAITS_INTERRUPTED)
			return false;
	}
}

/* The stub spins for that long when it has stopped the next time. */
static void let_go(struct st_ctx *c)
{
	_Atomic uint32_t *sleeps = word(c->slot, ST_STUB_SLEEPS);
	uint64_t spun = c->theirs.given;
	bool slept;

	c->theirs.given = budget(c->p, &c->theirs);
	*(volatile uint64_t *)(void *)(c->slot + ST_SPIN) = c->theirs.given;
	atomic_store(word(c->slot, ST_GO), ++c->goes); /* and a barrier before: */
	slept = atomic_load(sleeps);
	if (atomic_load(&c->interrupt) && atomic_load_explicit(&c->running, memory_order_relaxed))
		st_ctx_kick(c); /* whoever set it may have seen that it does not run yet */
	if (slept)
		wake(sleeps);
	learn(c->p, &c->theirs, spun, !slept);
}

void st_handover_soon(struct st_ctx *c)
{
	if (c->theirs.given)
		*(volatile uint64_t *)(void *)(c->slot + ST_SPIN) = c->theirs.given + SPIN_ORDER * c->p->spin_max;
}

bool st_handover(struct st_ctx *c)
{
	bool ok;

	let_go(c);
	c->ours.given = budget(c->p, &c->ours);
	ok = spin(c, c->ours.given);
	learn(c->p, &c->ours, c->ours.given, ok);
	if (!ok)
		ok = sleep_until_event(c);
	return ok && !atomic_load(&c->as->dead);
}
