/*
 * child_first.h - a new thread runs before its maker goes on.
 *
 * A maker that waits for its thread's end would be switched to in between, only to say
 * so.  Where the process's threads have all ended soon lately, clone runs the next one's
 * program on the maker's own host thread, until it first stops (task_run_here): mostly it
 * ends there.  If not, it goes on on its own host thread, and clone lets it run until it
 * ends or sleeps, on the same processor.  Either way the join finds it gone, and asks
 * nobody.  A maker that has other things to do loses about what waking another processor
 * takes.  It never waits for long, and where a thread has run on all the same, threads
 * are left out for a while.
 */
#ifndef SENTRY_KERNEL_CHILD_FIRST_H
#define SENTRY_KERNEL_CHILD_FIRST_H

#include <stdbool.h>

/* How long the maker waits at most.  Beyond the host's next tick: arming a timer before that costs
 * as much as all the rest. */
#define FIRST_NS 5000000
#define FIRST_SOON_NS 100000 /* a thread that lives no longer has ended soon */
#define FIRST_SURE 16 /* so many of them, one after the other, and the next one will too */
#define FIRST_REST 8 /* threads that are left out after one has run on; doubled each time, */
#define FIRST_REST_MOST 256 /* up to this, and halved */
#define FIRST_GOOD 64 /* after so many that have not */

/* What a maker has learnt. All zero: nothing. */
struct child_first {
	unsigned rest; /* threads still to be left out */
	unsigned next_rest; /* 0: FIRST_REST */
	unsigned good; /* went first, and ended or slept in time */
};

/* Once a thread; so many before it, in its process, have ended soon: may it go first? */
static inline bool child_first_pays(struct child_first *f, unsigned soon)
{
	if (!f->rest)
		return soon >= FIRST_SURE;
	f->rest--;
	return false;
}

/* One that went first has slept or ended in time, or not. */
static inline void child_first_learn(struct child_first *f, bool in_time)
{
	unsigned rest = f->next_rest ? f->next_rest : FIRST_REST;

	if (!in_time) {
		f->good = 0;
		f->rest = rest;
		f->next_rest = rest < FIRST_REST_MOST ? rest * 2 : rest;
	} else if (++f->good == FIRST_GOOD) {
		f->good = 0;
		f->next_rest = rest / 2 > FIRST_REST ? rest / 2 : FIRST_REST;
	}
}

struct task;
struct task_host;
/* c, a new thread of t, its maker, which shares all that threads of a process do, may run: on h, which sleeps, if
 * it does not end before.  On t's thread. */
void child_first_start(struct task *t, struct task *c, struct task_host *h);
/* On c's thread. */
void child_first_over(struct task *c); /* it sleeps: its maker goes on */
void child_first_ended(struct task *c); /* it ends */

#endif
