/*
 * soon.h - whether a host thread that waits for a program which stops soon gives it the
 * processor that both are on by sched_yield(), instead of going to sleep.
 *
 * The program then need not wake it, nor be let go on once more only to fall asleep
 * itself: two calls and a switch less.  But where others want the processor they have it
 * then for all of a time slice, which is a hundred times what was to be saved; and a
 * program that runs on takes it too.  So one that comes back late outweighs many that do not.
 *
 * Pure, and for all threads at once: two that learn at the same time may undo one
 * another's count, it is a guess all the same.
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_SOON_H
#define SENTRY_PLATFORM_SYSTRAP_SOON_H

#include <stdatomic.h>
#include <stdbool.h>

#define SOON_REST 256 /* times that are slept through after one was late; doubled each time, */
#define SOON_REST_MOST 16384 /* up to this, and halved */
#define SOON_GOOD 1024 /* after so many that were not */

/* All zero: nothing is known. */
struct st_soon {
	_Atomic unsigned rest; /* times still to be slept through */
	_Atomic unsigned next_rest; /* 0: SOON_REST */
	_Atomic unsigned good; /* that were not late, on end */
};

/* Once a time: is it to be tried? */
static inline bool soon_pays(struct st_soon *s)
{
	unsigned rest = atomic_load_explicit(&s->rest, memory_order_relaxed);

	if (rest)
		atomic_store_explicit(&s->rest, rest - 1, memory_order_relaxed);
	return !rest;
}

/* It was tried. */
static inline void soon_learn(struct st_soon *s, bool in_time)
{
	unsigned good = atomic_load_explicit(&s->good, memory_order_relaxed) + 1, next = atomic_load_explicit(&s->next_rest, memory_order_relaxed);

	next = next ? next : SOON_REST;
	if (!in_time) {
		atomic_store_explicit(&s->rest, next, memory_order_relaxed);
		atomic_store_explicit(&s->next_rest, next < SOON_REST_MOST ? next * 2 : next, memory_order_relaxed);
	} else if (good == SOON_GOOD) {
		atomic_store_explicit(&s->next_rest, next / 2 > SOON_REST ? next / 2 : SOON_REST, memory_order_relaxed);
	}
	atomic_store_explicit(&s->good, in_time && good < SOON_GOOD ? good : 0, memory_order_relaxed);
}

#endif
