/*
 * clock.h - the monotonic clock, for deadlines.
 */
#ifndef REDOUBT_LAUNCHER_CLOCK_H
#define REDOUBT_LAUNCHER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* ms since the machine began. */
static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

#endif
