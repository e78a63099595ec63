/*
 * seat.c - tasks that take turns do so on one processor.
 *
 * A task that wakes another and sleeps soon after it (a client and its server, a
 * thread and the one that waits for its end) never needs two processors; but the
 * host's scheduler sees an idle one and wakes the other there, which takes ten times
 * as long as a switch.  So of each task it is learnt whether it does so, and whom it
 * wakes then it calls to its own processor first: to its *seat*, where a thread is
 * held as place.c holds those whose two sides take turns, and as long.  There it cannot
 * run before the first sleeps, so that it is not woken before either: woken at once it
 * would often run at once, and the first one be switched to again, only to sleep.  That
 * waits for one call of the first one's program at most, and only if it has done nothing
 * else for a while.
 *
 * Of two that take turns one may never sleep: the other has run, and sleeps again, before the
 * first comes to wait for it.  So it counts as much that the one whom it wakes again and again
 * sleeps soon each time.
 *
 * st_seat_wakes runs on the waking thread, all else on a task's own.
 */
#include "platform/systrap/systrap.h"

#include "lib/wait.h"

#include <x86intrin.h>

#define TURN_NS (3 * ST_SPIN_NS) /* who sleeps within that time of waking another has done next to nothing meanwhile */
#define TURNS_SURE 4
#define TURNS_LATE 8
#define TURNS_MOST 16
#define TURNS_LOSS 4 /* turns that once doing more outweighs */
#define SEAT_ELSEWHERE (-2) /* it has none, but may not run on all processors */
#define CALLS_BRIEF 2 /* its sleep, and one beside */
#define CALLS_ALONE 16 /* so many calls without a wake-up or a rest: whom it took turns with has gone */

static bool sure(const struct st_ctx *c)
{
	return c->turns >= TURNS_SURE;
}

bool st_seat_turns(struct st_ctx *c)
{
	if (sure(c) && ++c->alone > CALLS_ALONE)
		c->turns = 0;
	return sure(c);
}

bool st_takes_turns(const struct platform_ctx *c)
{
	return sure((const struct st_ctx *)c);
}

bool st_ring_turns(void)
{
	const struct st_ctx *c = st_ctx_own();

	return c && sure(c);
}

static void learn(struct st_ctx *c, bool slept)
{
	if (!slept)
		c->turns = c->turns > TURNS_LOSS ? c->turns - TURNS_LOSS : 0;
	else if (c->turns < TURNS_MOST)
		c->turns++;
}

void st_seat_rests(struct st_ctx *c)
{
	struct sleeper *s = sleeper_current();
	uint64_t woken = s ? atomic_exchange_explicit(&s->woken, 0, memory_order_relaxed) : 0;

	if (woken)
		atomic_store_explicit(&s->brief, __rdtsc() - woken < st_place_ticks(c->p, TURN_NS), memory_order_relaxed);
	c->alone = 0;
	if (!c->woke)
		return;
	learn(c, __rdtsc() - c->woke < st_place_ticks(c->p, TURN_NS));
	c->woke = 0;
}

/* What its program wrote into a ring, somebody is woken for only now; if it has made no other call
 * since it slept last, that was at once. */
void st_seat_rested(struct st_ctx *c)
{
	if (c->woke && c->handovers - c->rested <= CALLS_BRIEF) {
		learn(c, true);
		c->woke = 0;
	}
	c->rested = c->handovers;
}

void st_seat_rests_soon(struct platform_ctx *c)
{
	((struct st_ctx *)c)->turns = TURNS_MOST;
}

/* s's thread may run at this moment, woken by somebody else: no harm. What it undoes of
 * this at the same time, it undoes of the seat first: st_place_free.  True: it is there
 * already. */
static bool call(const struct st_platform *p, struct sleeper *s)
{
	pid_t tid = atomic_load_explicit(&s->tid, memory_order_relaxed);
	unsigned cpu = st_place_own();
	cpu_set_t one;

	if (!tid || st_place_taken(p, cpu))
		return false;
	atomic_store_explicit(&s->seated, __rdtsc(), memory_order_relaxed);
	if (atomic_load(&s->seat) == (int)cpu + 1)
		return true;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (!sched_setaffinity(tid, sizeof(one), &one))
		atomic_store(&s->seat, (int)cpu + 1);
	return false;
}

/* The waker's program will wait for it spinning: not where that runs.  The host's scheduler would
 * not always see to that, even where another processor is idle. */
static void send_away(const struct st_platform *p, struct sleeper *s)
{
	pid_t tid = atomic_load_explicit(&s->tid, memory_order_relaxed);
	cpu_set_t others = p->cpu_set;

	CPU_CLR(st_place_own(), &others);
	if (tid && !sched_setaffinity(tid, sizeof(others), &others))
		atomic_store(&s->seat, SEAT_ELSEWHERE + 1);
}

/* c wakes s and has not slept since it has woken it, or another, last.  If that was s, which sleeps again, they have
 * taken turns all the same: it ran before c came to wait for it.  (Not a host thread that waits for its next task; and
 * not where all share one processor: nothing is won there, a byte there and back took 37 us instead of 27.) */
static void again(struct st_ctx *c, const struct sleeper *s, uint64_t now)
{
	bool several = atomic_load_explicit(&c->p->cpus, memory_order_relaxed) > 1;

	learn(c, several && s == c->whom && s->state && atomic_load_explicit(&s->brief, memory_order_relaxed) && now - c->woke < st_place_ticks(c->p, TURN_NS));
}

enum wake_when st_seat_wakes(struct platform *base, struct sleeper *s)
{
	struct st_platform *p = (struct st_platform *)base;
	struct st_ctx *c = st_ctx_own();
	uint64_t now;

	if ((!p->places && p->cpus > 1) || !c || s == sleeper_current())
		return WAKE_NOW;
	now = __rdtsc();
	if (c->woke)
		again(c, s, now);
	c->woke = now;
	c->whom = s;
	atomic_store_explicit(&s->woken, now, memory_order_relaxed);
	c->alone = 0;
	if (c->looks) {
		send_away(p, s);
		return WAKE_NOW;
	}
	if (!sure(c) || (p->cpus > 1 && !call(p, s)))
		return c->spins ? WAKE_LAZILY : WAKE_NOW; /* who spins sees when it is due */
	return c->turns >= TURNS_LATE ? WAKE_LATER : WAKE_NOW;
}

int st_seat_own(void)
{
	struct sleeper *s = sleeper_current();

	return s ? atomic_load_explicit(&s->seat, memory_order_relaxed) - 1 : -1;
}

void st_seat_set(int cpu)
{
	struct sleeper *s = sleeper_current();

	if (!s)
		return;
	atomic_store_explicit(&s->seated, __rdtsc(), memory_order_relaxed);
	atomic_store(&s->seat, cpu + 1);
}

bool st_seat_sent(void)
{
	return st_seat_own() == SEAT_ELSEWHERE;
}

uint64_t st_seat_since(void)
{
	return atomic_load_explicit(&sleeper_current()->seated, memory_order_relaxed);
}
