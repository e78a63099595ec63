/*
 * handover.c - how a task's host thread and its stub thread wait for each other:
 * each by a word that the other counts up, spinning for a while where that pays,
 * else asleep, which a word of its own tells.
 *
 * Spinning pays when the other side answers before the time is over that going
 * to sleep and being woken costs, and when it has a processor to do so on: spin.h
 * keeps the account, place.c sees to the processors.  With one processor nobody spins.
 * More programs that spin than processors get along: the two sides of one of them run at
 * once, and when one side loses its processor the other soon sleeps, so that both are free
 * for the next one.  (To sleep then instead cost two programs on two processors twice to
 * seven times as much.)  Where other processes want the processors too, the two sides
 * seldom run at once: then it pays only for a program that does next to nothing between
 * its calls.
 *
 * On one processor a switch by sleeping takes 2 to 3 us, and half of that is sleeping and
 * waking.  Where there is only one, a side that is answered soon stays awake instead and lets
 * the other have it by sched_yield(): the same account tells whether that pays, and yield.h
 * whether others want the processor.  (Not for two sides that are held on one of several.)
 *
 * A thread that waits here wakes once in WAIT_NS: a program that has tampered with
 * the words, or lets itself not be interrupted, cannot keep its task from dying.
 * (An idle sandbox has no thread here: its tasks sleep in system calls.)
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define NS_PER_S INT64_C(1000000000)
#define WAIT_NS NS_PER_S
#define REST_NS 2000000 /* a program that rests is woken so often */
#define WAITS_INTERRUPTED 10 /* then a thread that has not stopped is taken for hostile */
#define SPIN_CONTENDED 8 /* this part of spin_max, where others want the processors */
#define SPIN_CROWDED 4 /* this part, where others wait in line for them: who takes longer loses less by sleeping */
#define SPIN_MOVED 5 /* spin_max's that a thread takes at most, as a rule, to begin on another processor */
#define SPIN_ORDER 3 /* spin_max's that an order takes at most, as a rule */
#define LATE 10 /* spin_max's: others had the processor, or the program has worked */
#define YIELD_REST_NS (ST_SPIN_NS * 20000) /* nobody yields for so long at most */
#define LAZY 2 /* spin_max's that a wake-up may wait for more to come */

static _Atomic uint32_t *word(uint8_t *slot, unsigned offset)
{
	return (_Atomic uint32_t *)(void *)(slot + offset);
}

void st_handover_wake_word(_Atomic uint32_t *sleeps)
{
	atomic_store(sleeps, 0);
	syscall(SYS_futex, sleeps, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void st_handover_wake(uint8_t *slot)
{
	st_handover_wake_word(word(slot, ST_SENTRY_SLEEPS));
}

bool st_handover_stub_sleeps(const struct st_ctx *c)
{
	return atomic_load(word(c->slot, ST_STUB_SLEEPS));
}

void st_handover_wake_stub(struct st_ctx *c)
{
	st_handover_wake_word(word(c->slot, ST_STUB_SLEEPS));
}

void st_handover_prepare(struct st_ctx *c)
{
	c->events = atomic_load(word(c->slot, ST_EVENT));
	c->goes = atomic_load(word(c->slot, ST_GO));
	atomic_store(word(c->slot, ST_YIELD), 0);
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

/* Whom it is to wake lazily may wait as long as this thread is awake itself, and not for long. */
static bool lazy_is_due(const struct st_ctx *c, uint64_t now)
{
	return now - lock_state.lazy >= LAZY * c->p->spin_max;
}

static bool spin(struct st_ctx *c)
{
	uint64_t start = __rdtsc(), last = start, most = c->spins + (c->near ? SPIN_ORDER * c->p->spin_max : 0), now;
	bool lazy = lock_state.lazy;

	while (!stopped(c)) {
		now = __rdtsc();
		if (now - last > c->p->spin_max * (ST_GAP_NS / ST_SPIN_NS))
			st_place_preempted(c->p, now);
		if (now - start >= most)
			return false;
		if (lazy && lazy_is_due(c, now)) {
			lock_wake_owed();
			lazy = false;
		}
		last = now;
	}
	return true;
}

/* Until there is something to look at, or for so long: false. */
static bool sleep_for(_Atomic uint32_t *sleeps, int64_t ns)
{
	const struct timespec limit = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	return !syscall(SYS_futex, sleeps, FUTEX_WAIT, 1, &limit, NULL, 0) || errno != ETIMEDOUT;
}

/* Whether it was woken, or it is time to look around. */
static bool sleep_once(struct st_ctx *c, _Atomic uint32_t *sleeps)
{
	bool woken;

	st_place_runs(c, true);
	woken = sleep_for(sleeps, c->brief ? PLATFORM_BRIEF_NS : c->rests ? REST_NS : c->held ? ST_HOLD_NS : WAIT_NS);
	st_place_runs(c, false);
	return woken;
}

/* Its program, on the same processor, is to stop soon; true: it has. */
static bool let_run(struct st_ctx *c)
{
	bool soon = c->soon && c->held, done;
	uint64_t start;

	c->soon = c->brief;
	if (!soon || stopped(c))
		return soon;
	if (!soon_pays(&c->p->soon))
		return false;
	lock_wake_owed();
	start = __rdtsc();
	sched_yield();
	done = stopped(c);
	soon_learn(&c->p->soon, __rdtsc() - start < LATE * c->p->spin_max);
	return done;
}

/* The program has the only processor; true: it has stopped. */
static bool yield(struct st_ctx *c)
{
	const struct st_platform *p = c->p;
	const struct st_yield_limits limits = { .late = LATE * p->spin_max, .slice = st_place_ticks(p, ST_GAP_NS), .most = st_place_ticks(p, YIELD_REST_NS) };
	uint64_t start = __rdtsc();
	bool done = stopped(c), in_time;

	lock_wake_owed();
	for (unsigned i = 0; !done && i < YIELD_TIMES; i++) {
		sched_yield();
		done = stopped(c);
	}
	in_time = yield_learn(&c->p->yield, &limits, start, __rdtsc() - start);
	spin_learn(&c->spin, done && in_time);
	return done;
}

static bool sleep_until_event(struct st_ctx *c)
{
	_Atomic uint32_t *sleeps = word(c->slot, ST_SENTRY_SLEEPS);
	unsigned late = 0, rests = 0;

	if (let_run(c))
		return true;
	for (;;) {
		atomic_store(sleeps, 1);
		if (stopped(c)) {
			atomic_store(sleeps, 0);
			return true;
		}
		if (atomic_load(&c->as->dead))
			return false;
		lock_wake_owed();
		if (sleep_once(c, sleeps))
			continue;
		if (c->near) /* another thread has kept the mapper from being woken */
			(void)st_near_leave(c);
		if (c->rests)
			st_look_ends(c);
		if (c->held && !c->brief)
			st_place_free(c);
		else if (c->rests && ++rests % (WAIT_NS / REST_NS))
			continue;
		else if (atomic_load(&c->interrupt) && ++late >= WAITS_INTERRUPTED)
			return false;
		else if (c->brief || st_told_is_closed(c)) /* a program that works and does not call */
			st_ctx_kick(c);
	}
}

/* How long both sides spin this time. */
static uint64_t budget(struct st_ctx *c)
{
	const struct st_platform *p = c->p;

	if (atomic_load_explicit(&p->cpus, memory_order_relaxed) < 2 || st_seat_turns(c))
		return 0;
	if (st_line_goes_at_once(c) || (!spin_pays(&c->spin) && !st_line_pays(c)))
		return 0;
	if (st_place_contended(p))
		return p->spin_max / SPIN_CONTENDED;
	return st_line_waits(p) ? p->spin_max / SPIN_CROWDED : p->spin_max;
}

static void set_spins(struct st_ctx *c, uint64_t ticks)
{
	c->spins = ticks;
	*(volatile uint64_t *)(void *)(c->slot + ST_SPIN) = ticks;
}

/* Whether both sides give one another the only processor this time.  (Not if it is time to see whether there are
 * others: for that the stub's thread is to sleep.) */
static bool to_yield(struct st_ctx *c)
{
	const struct st_platform *p = c->p;

	if (atomic_load_explicit(&p->cpus, memory_order_relaxed) > 1 || (p->places && st_cpus_due(p)))
		return false;
	return yield_pays(&p->yield, __rdtsc()) && spin_pays(&c->spin);
}

static void set_yields(struct st_ctx *c, bool yields)
{
	if (c->yields != yields)
		atomic_store_explicit(word(c->slot, ST_YIELD), yields ? YIELD_TIMES : 0, memory_order_relaxed);
	c->yields = yields;
}

/* Whom this thread was to wake later, for one call of its program. */
static void wake_others(struct st_ctx *c)
{
	if (lock_state.lazy && !lock_state.owes_later && !lazy_is_due(c, __rdtsc()))
		return;
	if (c->late || c->spins)
		lock_wake_owed();
	c->late = lock_state.owes_later;
}

/* One side was done after so long, while the other slept: what spinning would have been. */
static void saw(struct st_ctx *c, uint64_t ticks)
{
	if (!st_place_contended(c->p))
		spin_saw(&c->spin, ticks < c->p->spin_max);
}

/* Both sides sleep meanwhile: nothing is learnt of it. */
static bool wait_for_turn(struct st_ctx *c)
{
	uint64_t spins = c->spins;

	set_spins(c, 0);
	if (st_line_wait(c))
		set_spins(c, spins);
	return false;
}

static void let_go(struct st_ctx *c)
{
	bool spun = c->spins || c->yields, slept;

	st_line_awake(c, true);
	if (c->stopped)
		saw(c, __rdtsc() - c->stopped);
	set_spins(c, budget(c));
	set_yields(c, !c->spins && to_yield(c));
	if (c->spins && !st_line_has_turn(c))
		spun = wait_for_turn(c);
	st_look_went(c);
	wake_others(c);
	c->went = c->spins || c->yields ? 0 : __rdtsc();
	atomic_store(word(c->slot, ST_GO), ++c->goes); /* and a barrier before: */
	slept = atomic_load(word(c->slot, ST_STUB_SLEEPS));
	if (atomic_load(&c->interrupt) && atomic_load_explicit(&c->running, memory_order_relaxed))
		st_ctx_kick(c); /* whoever set it may have seen that it does not run yet */
	if (slept && (st_place_wake(c) || (c->spins && st_line_in_turn(c)))) /* a turn begins: it has slept in line */
		set_spins(c, SPIN_MOVED * c->p->spin_max);
	if (spun)
		spin_learn(&c->spin, !slept);
}

void st_handover_soon(struct st_ctx *c)
{
	if (c->spins == c->p->spin_max)
		*(volatile uint64_t *)(void *)(c->slot + ST_SPIN) = (1 + SPIN_ORDER) * c->p->spin_max;
}

void st_handover_rest(struct platform_ctx *base)
{
	struct st_ctx *c = (struct st_ctx *)base;

	st_seat_rests(c);
	st_rings_rest(c);
	st_seat_rested(c);
	c->stopped = 0; /* nothing is learnt of it */
	st_line_rests(c);
	if (c->as)
		set_yields(c, false);
	if (!c->as || !c->spins)
		return;
	c->spins = 0;
	*(volatile uint64_t *)(void *)(c->slot + ST_SPIN) = 0;
}

bool st_handover(struct st_ctx *c)
{
	bool ok = false;

	c->handovers++;
	let_go(c);
	if (c->spins) {
		ok = spin(c);
		spin_learn(&c->spin, ok);
		st_line_learn(c, ok);
	} else if (c->yields) {
		ok = yield(c);
	}
	if (!ok) {
		st_line_leave(c);
		ok = sleep_until_event(c);
	}
	st_look_stopped(c);
	c->stopped = c->went ? __rdtsc() : 0;
	if (c->went)
		saw(c, c->stopped - c->went);
	return ok && !atomic_load(&c->as->dead);
}
