/*
 * line.c - in a crowd, whose turn it is to spin.
 *
 * Two sides that spin need two processors at once.  Where many more tasks call than there
 * are processors, the host's scheduler seldom lets both sides of one run at the same time:
 * nearly each call then sleeps, on both sides, and most of them to be woken on another
 * processor.  So in a crowd there are as many turns as pairs of processors.  Who has one
 * spins; who would spin waits in line for one, its program with it, as long as the one
 * before it makes use of its turn, and that is a time slice at most, where a program on
 * the host may wait for many.  Who does not spin (a program that works between its calls,
 * or sleeps in them) does not wait.
 *
 * A turn ends when its task sleeps, on any ground, or with its slice.  Who is first in the
 * line waits for no longer than that, whatever the turn's owner does meanwhile, and nobody
 * for longer than LINE_NS: it then sleeps for its program as it would without the line.
 *
 * A task that has slept in a call, and is woken in a crowd, does not wait behind all of it, as
 * it would not for a processor on the host: its program goes on at once, for a call or two, and
 * if that calls on, the task waits behind others of its kind only, and for no more than a part
 * of a slice.
 *
 * All of it runs on the task's own host thread, but st_line_look.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define CROWD 8 /* tasks a processor that are awake */
#define SLICE_NS (50 * ST_SPIN_NS) /* a millisecond */
#define SLICE_WOKEN_NS (SLICE_NS / 5) /* the same while somebody waits who was woken */
#define LINE_NS (1000 * SLICE_NS)
#define WOKEN_AT_ONCE 2 /* hand-overs after it was woken: its return, and one call: many then sleep again, or end */
#define WOKEN_RUN 16 /* so many turns of such come before one of another */
#define NS_PER_S INT64_C(1000000000)
#define TURN_GOOD (2 * SPIN_LOSS) /* answers in a turn for which to wait for the next one */

enum { OUT, WAITS, FIRST, HAS_TURN }; /* st_ctx.line: FIRST waits too */

static bool crowded(const struct st_platform *p)
{
	unsigned cpus = atomic_load_explicit(&p->cpus, memory_order_relaxed);

	return atomic_load_explicit(&p->awake, memory_order_relaxed) > CROWD * cpus;
}

bool st_line_waits(const struct st_platform *p)
{
	return atomic_load_explicit(&p->waiting, memory_order_relaxed);
}

/* The processors that it did not have when spinning failed, it has in its turn. */
bool st_line_pays(const struct st_ctx *c)
{
	return !c->turn_in_vain && (c->line == HAS_TURN || crowded(c->p));
}

void st_line_learn(struct st_ctx *c, bool answered)
{
	if (answered)
		c->turn_answers++;
	else if (c->line == HAS_TURN)
		c->turn_in_vain = c->turn_answers < TURN_GOOD;
}

void st_line_awake(struct st_ctx *c, bool awake)
{
	if (c->awake == awake)
		return;
	c->awake = awake;
	atomic_fetch_add_explicit(&c->p->awake, awake ? 1 : -1u, memory_order_relaxed);
}

/* Its first hand-overs after a rest. */
bool st_line_goes_at_once(struct st_ctx *c)
{
	if (!c->at_once)
		return false;
	c->at_once--;
	return crowded(c->p);
}

void st_line_look(struct st_ctx *c)
{
	if (!atomic_load(&c->in_line))
		return;
	atomic_fetch_add(&c->line_looks, 1);
	syscall(SYS_futex, &c->line_looks, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static struct st_ctx *first_locked(const struct st_platform *p)
{
	struct st_ctx *woken = TAILQ_FIRST(&p->line_woken), *other = TAILQ_FIRST(&p->line);

	return woken && (!other || p->woken_run < WOKEN_RUN) ? woken : other;
}

/* Where it stands, or is to. */
static struct st_line *line_of(struct st_ctx *c) { return c->woken ? &c->p->line_woken : &c->p->line; }

static void step_in_locked(struct st_ctx *c)
{
	struct st_platform *p = c->p;

	c->line = WAITS;
	atomic_store(&c->in_line, true);
	TAILQ_INSERT_TAIL(line_of(c), c, line_link);
	atomic_fetch_add_explicit(&p->waiting, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&p->waiting_woken, c->woken, memory_order_relaxed);
}

/* The first of the line, who does not know yet; to be told when line_mu is free, which
 * it takes before it goes: so it is told under it. */
static void tell_first_locked(struct st_platform *p)
{
	struct st_ctx *first = first_locked(p);

	if (!first || first->line == FIRST)
		return;
	first->line = FIRST;
	st_line_look(first);
}

static void step_out_locked(struct st_ctx *c, bool turn)
{
	struct st_platform *p = c->p;

	TAILQ_REMOVE(line_of(c), c, line_link);
	atomic_fetch_sub_explicit(&p->waiting, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&p->waiting_woken, c->woken, memory_order_relaxed);
	c->line = turn ? HAS_TURN : OUT;
	p->turns += turn;
	p->woken_run = c->woken ? p->woken_run + turn : 0;
}

/* c's turn is over: the first in line has it. */
static void pass_locked(struct st_ctx *c)
{
	struct st_platform *p = c->p;
	struct st_ctx *first;

	c->line = OUT;
	p->turns--;
	first = first_locked(p);
	if (!first || p->turns >= p->cpus / 2)
		return;
	step_out_locked(first, true);
	st_line_look(first);
}

void st_line_leave(struct st_ctx *c)
{
	if (c->line != HAS_TURN)
		return;
	mutex_lock(&c->p->line_mu);
	pass_locked(c);
	mutex_unlock(&c->p->line_mu);
}

void st_line_rests(struct st_ctx *c)
{
	st_line_leave(c);
	st_line_awake(c, false);
	c->woken = true;
	c->at_once = WOKEN_AT_ONCE;
}

static void sleep_for(struct st_ctx *c, uint32_t looks, int64_t ns)
{
	const struct timespec limit = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	syscall(SYS_futex, &c->line_looks, FUTEX_WAIT_PRIVATE, looks, &limit, NULL, 0);
}

/* Whether c has a turn, or will not wait for one any longer. */
static bool stand_locked(struct st_ctx *c, bool *first, uint64_t since, uint64_t now)
{
	struct st_platform *p = c->p;

	if (c->line == HAS_TURN)
		return true;
	if (atomic_load(&c->interrupt) || atomic_load(&c->as->dead) || now - since > st_place_ticks(p, LINE_NS))
		step_out_locked(c, false);
	else if (*first) /* it was told so, a slice ago */
		step_out_locked(c, true);
	if (c->line == WAITS || c->line == FIRST) {
		*first = c->line == FIRST;
		return false;
	}
	return true;
}

static void wait_in_line(struct st_ctx *c)
{
	uint64_t since = __rdtsc();
	bool first = false, done;
	uint32_t looks;

	for (;;) {
		looks = atomic_load(&c->line_looks);
		mutex_lock(&c->p->line_mu);
		done = stand_locked(c, &first, since, __rdtsc());
		if (done)
			tell_first_locked(c->p);
		mutex_unlock(&c->p->line_mu);
		if (done)
			return;
		sleep_for(c, looks, !first ? LINE_NS : c->woken ? SLICE_WOKEN_NS : SLICE_NS);
	}
}

static bool take_or_stand_locked(struct st_ctx *c)
{
	struct st_platform *p = c->p;

	if (p->turns < p->cpus / 2 && !first_locked(p)) {
		c->line = HAS_TURN;
		p->turns++;
		return true;
	}
	step_in_locked(c);
	tell_first_locked(p);
	return false;
}

bool st_line_in_turn(const struct st_ctx *c)
{
	return c->line == HAS_TURN;
}

bool st_line_has_turn(const struct st_ctx *c)
{
	const struct st_platform *p = c->p;
	bool woken = atomic_load_explicit(&p->waiting_woken, memory_order_relaxed);

	if (c->line == HAS_TURN)
		return !st_line_waits(p) || __rdtsc() - c->turn_since < st_place_ticks(p, woken ? SLICE_WOKEN_NS : SLICE_NS);
	return !crowded(p);
}

bool st_line_wait(struct st_ctx *c)
{
	bool has;

	mutex_lock(&c->p->line_mu);
	if (c->line == HAS_TURN) {
		c->woken = c->woken && c->turn_answers < TURN_GOOD; /* its program was not there yet */
		pass_locked(c);
	}
	has = take_or_stand_locked(c);
	mutex_unlock(&c->p->line_mu);
	if (!has) {
		lock_wake_owed();
		wait_in_line(c);
		atomic_store(&c->in_line, false);
		has = c->line == HAS_TURN;
	}
	c->turn_since = __rdtsc();
	c->turn_answers = 0;
	return has;
}
