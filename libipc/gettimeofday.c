/*
 * gettimeofday.c - gettimeofday() by clock_gettime(2), for libevent.  On hosts whose vDSO cannot read the
 * clock, gettimeofday() would be a system call of its own, and policies permit only clock_gettime.
 * Linked in place of the C library's (GNUmakefile: -u gettimeofday).
 */
#include <sys/time.h>
#include <time.h>

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts;

	(void)tz; /* obsolete: never set */
	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}
