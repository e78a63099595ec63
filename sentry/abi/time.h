/*
 * time.h - Linux's time types, clocks and timers (linux/time.h, timex.h).
 */
#ifndef SENTRY_ABI_TIME_H
#define SENTRY_ABI_TIME_H

#include <stdint.h>

struct linux_timespec {
	int64_t sec, nsec;
};
struct linux_timeval {
	int64_t sec, usec;
};
struct linux_itimerspec {
	struct linux_timespec interval, value;
};
struct linux_itimerval {
	struct linux_timeval interval, value;
};

#define LINUX_CLOCK_REALTIME 0
#define LINUX_CLOCK_MONOTONIC 1
#define LINUX_CLOCK_PROCESS_CPUTIME_ID 2
#define LINUX_CLOCK_THREAD_CPUTIME_ID 3
#define LINUX_CLOCK_MONOTONIC_RAW 4
#define LINUX_CLOCK_REALTIME_COARSE 5
#define LINUX_CLOCK_MONOTONIC_COARSE 6
#define LINUX_CLOCK_BOOTTIME 7
#define LINUX_CLOCK_REALTIME_ALARM 8
#define LINUX_CLOCK_BOOTTIME_ALARM 9
#define LINUX_CLOCK_TAI 11

/* Dynamic CPU clock ids: ~pid << 3 | per-thread 4 | kind (0 prof, 1 virt, 2 sched, 3 fd). */
#define LINUX_CPUCLOCK_PERTHREAD 4
#define LINUX_CPUCLOCK_KIND 3

#define LINUX_TIMER_ABSTIME 1

#define LINUX_ITIMER_REAL 0
#define LINUX_ITIMER_VIRTUAL 1
#define LINUX_ITIMER_PROF 2

#define LINUX_SIGEV_SIGNAL 0
#define LINUX_SIGEV_NONE 1
#define LINUX_SIGEV_THREAD 2
#define LINUX_SIGEV_THREAD_ID 4
struct linux_sigevent {
	uint64_t value;
	int32_t signo, notify, tid;
	int32_t pad[11];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "sigevent");

struct linux_timex {
	uint32_t modes, pad0;
	int64_t offset, freq, maxerror, esterror;
	int32_t status, pad1;
	int64_t constant, precision, tolerance;
	struct linux_timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift, pad2;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai, pad3[11];
};
_Static_assert(sizeof(struct linux_timex) == 208, "timex");
#define LINUX_STA_UNSYNC 0x40
#define LINUX_TIME_ERROR 5

#define NSEC_PER_SEC INT64_C(1000000000)

#endif
