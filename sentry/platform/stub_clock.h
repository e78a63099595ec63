/*
 * stub_clock.h - the processor time of a stub process, which the host tells the sentry: the clock of
 * a process that it can see, not the clocks of that one's threads.
 */
#ifndef SENTRY_PLATFORM_STUB_CLOCK_H
#define SENTRY_PLATFORM_STUB_CLOCK_H

#include "platform/platform.h"

#include <sys/types.h>
#include <time.h>

#define STUB_CLOCK_SCHED 2 /* the kind: what the scheduler has counted.  <linux/posix-timers.h>, which no header for programs has */

/* pid: the process, which was not reaped yet; 0: none.  False: it is gone. */
static inline bool stub_clock(pid_t pid, struct platform_cpu_time *out)
{
	clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | STUB_CLOCK_SCHED);
	struct timespec ts;

	if (!pid || clock_gettime(clock, &ts))
		return false;
	out->process = pid;
	out->ns = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
	return true;
}

#endif
