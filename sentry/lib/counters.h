/*
 * counters.h - counters of what the sentry has done since it started; they only grow.
 *
 * Any thread counts; a few sets of counters keep threads out of each other's cache lines.  Readers add
 * the sets up (control.metrics).
 */
#ifndef SENTRY_LIB_COUNTERS_H
#define SENTRY_LIB_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum counter {
	COUNT_FAULTS, /* accesses of programs that faulted */
	COUNT_GOFER_REQUESTS,
	COUNT_EXECS,
	COUNT_CALLS, /* the first of COUNTERS_CALLS: system calls, by number */
};
#define COUNTERS_CALLS 512
#define COUNTERS (COUNT_CALLS + COUNTERS_CALLS)
#define COUNTER_SETS 4

extern _Atomic uint64_t counters[COUNTER_SETS][COUNTERS];
extern _Thread_local unsigned counter_set; /* thread_enter() deals them out */

static inline void count(unsigned which)
{
	atomic_fetch_add_explicit(&counters[counter_set][which], 1, memory_order_relaxed);
}

uint64_t counter_read(unsigned which);

#endif
