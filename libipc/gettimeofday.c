/*
 * gettimeofday.c - libevent's wall clock, by the call that reads every other clock:
 * where the host's are not in the vDSO each is a system call, and one in a policy
 * is enough.  Linked instead of the C library's (GNUmakefile: -u gettimeofday).
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
