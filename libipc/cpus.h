/*
 * cpus.h - the processors that a thread may be put on.
 */
#ifndef LIBIPC_CPUS_H
#define LIBIPC_CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <string.h>

/* Where the caller may run now; and where it may be told to run: wherever the host lets it, also on processors
 * that it gives later, unless the caller was started with fewer than it was given.  False: the latter cannot be had; now is
 * empty where that is not known either.  Its affinity is as it was. */
static inline bool cpus_usable(cpu_set_t *now, cpu_set_t *usable)
{
	cpu_set_t most;

	CPU_ZERO(now);
	if (sched_getaffinity(0, sizeof(*now), now))
		return false;
	memset(usable, 0xff, sizeof(*usable));
	if (sched_setaffinity(0, sizeof(*usable), usable) || sched_getaffinity(0, sizeof(most), &most))
		return false;
	if (CPU_EQUAL(now, &most))
		return true;
	*usable = *now;
	return !sched_setaffinity(0, sizeof(*now), now);
}

#endif
