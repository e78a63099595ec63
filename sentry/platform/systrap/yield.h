/*
 * yield.h - whether the two sides of a hand-over give one another the only processor by
 * sched_yield() before they go to sleep.
 *
 * Who waits stays ready to run then, and nobody is put to sleep or woken: that is half of what
 * such a switch costs.  But whoever else wants the processor has it before the other side does,
 * for all of a time slice.  So when it takes long until a side has it back, all programs of the
 * sandbox sleep for many times as long; for twice as many when that happens again, so that a
 * neighbour who always wants it costs little, and one who seldom does keeps nobody from
 * yielding for long.
 *
 * Pure, and for all threads at once: two that learn at the same time may undo one another's,
 * it is a guess all the same.  Times are ticks.
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_YIELD_H
#define SENTRY_PLATFORM_SYSTRAP_YIELD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define YIELD_TIMES 3 /* in one hand-over: the host may go on with who gives its processor away, if that has had too little of it */
#define YIELD_LOSS 8 /* nobody yields for so many times as long as the processor was lost, */
#define YIELD_LOSS_SLICE 64 /* or so many, if that was for all of a time slice; */
#define YIELD_LOSS_MOST 256 /* twice as many each time, up to this */

/* All zero: nothing is known. */
struct st_yield {
	_Atomic uint64_t after; /* nobody yields before that */
	_Atomic unsigned loss; /* for how many times a loss that is put off the next time, at least */
};

/* Ticks. */
struct st_yield_limits {
	uint64_t late; /* what takes longer is a loss, */
	uint64_t slice; /* or a time slice of somebody else; */
	uint64_t most; /* the longest rest, and when all has gone well for so long the next one is short again */
};

static inline bool yield_pays(const struct st_yield *y, uint64_t now)
{
	return (int64_t)(atomic_load_explicit(&y->after, memory_order_relaxed) - now) <= 0;
}

/* Who yielded at `start` had the processor back after `took`.  True: that was in time. */
static inline bool yield_learn(struct st_yield *y, const struct st_yield_limits *l, uint64_t start, uint64_t took)
{
	const unsigned least = took < l->slice ? YIELD_LOSS : YIELD_LOSS_SLICE;
	unsigned loss = atomic_load_explicit(&y->loss, memory_order_relaxed);

	if (took <= l->late) {
		if (loss && start - atomic_load_explicit(&y->after, memory_order_relaxed) > l->most)
			atomic_store_explicit(&y->loss, 0, memory_order_relaxed);
		return true;
	}
	loss = loss < least ? least : loss;
	atomic_store_explicit(&y->after, start + took + (took < l->most / loss ? took * loss : l->most), memory_order_relaxed);
	atomic_store_explicit(&y->loss, loss < YIELD_LOSS_MOST ? loss * 2 : loss, memory_order_relaxed);
	return false;
}

#endif
