/*
 * counters.c - see counters.h.
 */
#include "lib/counters.h"

_Atomic uint64_t counters[COUNTER_SETS][COUNTERS];
_Thread_local unsigned counter_set;

uint64_t counter_read(unsigned which)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < COUNTER_SETS; i++)
		sum += atomic_load_explicit(&counters[i][which], memory_order_relaxed);
	return sum;
}
