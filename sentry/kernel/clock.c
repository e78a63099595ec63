/*
 * clock.c - the guest's clocks: the host's, and CPU time of tasks and groups.
 */
#include "kernel/ns.h"
#include "kernel/posix_timer.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"

#include <errno.h>
#include <time.h>
#include <x86intrin.h>

/* Host clock that a guest clock reads; -1: none. */
static const int host_clock[] = {
	[LINUX_CLOCK_REALTIME] = CLOCK_REALTIME,
	[LINUX_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
	[LINUX_CLOCK_PROCESS_CPUTIME_ID] = -1,
	[LINUX_CLOCK_THREAD_CPUTIME_ID] = -1,
	[LINUX_CLOCK_MONOTONIC_RAW] = CLOCK_MONOTONIC_RAW,
	[LINUX_CLOCK_REALTIME_COARSE] = CLOCK_REALTIME_COARSE,
	[LINUX_CLOCK_MONOTONIC_COARSE] = CLOCK_MONOTONIC_COARSE,
	[LINUX_CLOCK_BOOTTIME] = CLOCK_BOOTTIME,
	[LINUX_CLOCK_REALTIME_ALARM] = CLOCK_REALTIME,
	[LINUX_CLOCK_BOOTTIME_ALARM] = CLOCK_BOOTTIME,
	[10] = -1,
	[LINUX_CLOCK_TAI] = CLOCK_TAI,
};
#define N_CLOCKS ((int)(sizeof(host_clock) / sizeof(host_clock[0])))
#define COARSE_RESOLUTION 4000000 /* as with CONFIG_HZ=250 */

/* --- the processor's counter ------------------------------------------------------ */

#define CALIBRATED_NS 20000000 /* long enough to know how fast it counts */

static uint64_t first_ticks;
static int64_t first_ns;

__attribute__((constructor)) static void begin_calibration(void)
{
	first_ticks = __rdtsc();
	first_ns = now_monotonic();
}

/* ns a tick, times 2^32: the same always once the sandbox is some ms old. */
static uint64_t tick_length(void)
{
	static _Atomic uint64_t known;
	uint64_t v = atomic_load(&known);
	int64_t ns;

	if (v)
		return v;
	ns = now_monotonic() - first_ns;
	v = (uint64_t)(((unsigned __int128)ns << 32) / (__rdtsc() - first_ticks + 1));
	if (ns >= CALIBRATED_NS)
		atomic_store(&known, v);
	return v;
}

int64_t ticks_to_ns(uint64_t ticks)
{
	return (int64_t)((unsigned __int128)ticks * tick_length() >> 32);
}

static bool is_host_clock(int clock)
{
	return clock >= 0 && clock < N_CLOCKS && host_clock[clock] >= 0;
}

bool clock_is_cpu(int clock)
{
	return clock == LINUX_CLOCK_PROCESS_CPUTIME_ID || clock == LINUX_CLOCK_THREAD_CPUTIME_ID ||
		(clock < 0 && (clock & LINUX_CPUCLOCK_KIND) != LINUX_CPUCLOCK_KIND);
}

bool clock_valid(int clock)
{
	return is_host_clock(clock) || clock_is_cpu(clock);
}

int64_t tg_cpu_time_locked(struct thread_group *tg, int which)
{
	struct usage_sum u;

	tg_usage_locked(tg, &u);
	return which ? u.utime : u.utime + u.stime;
}

static int64_t task_cpu_time_locked(struct task *t, int which)
{
	int64_t u, s;

	task_times_locked(t, &u, &s);
	return which ? u : u + s;
}

/* Kinds: 0 CPUCLOCK_PROF, 1 VIRT, 2 SCHED. */
static int cpu_clock_now(struct task *t, int clock, int64_t *ns)
{
	pid_t pid = clock < 0 ? ~(clock >> 3) : 0;
	bool thread = clock < 0 ? clock & LINUX_CPUCLOCK_PERTHREAD : clock == LINUX_CLOCK_THREAD_CPUTIME_ID;
	int which = clock < 0 && (clock & LINUX_CPUCLOCK_KIND) == 1, r = 0;
	struct task *o;

	tasks_lock(t->k);
	if (thread) {
		o = pid ? task_find_locked(task_pid_ns(t), pid) : t;
		if (o && o->tg == t->tg)
			*ns = task_cpu_time_locked(o, which);
		else
			r = -EINVAL;
	} else {
		struct thread_group *tg = pid ? tg_find_locked(task_pid_ns(t), pid) : t->tg;

		if (tg)
			*ns = tg_cpu_time_locked(tg, which);
		else
			r = -EINVAL;
	}
	tasks_unlock(t->k);
	return r;
}

int clock_now(struct task *t, int clock, int64_t *ns)
{
	struct timespec ts;

	if (clock_is_cpu(clock))
		return cpu_clock_now(t, clock, ns);
	if (!is_host_clock(clock) || clock_gettime(host_clock[clock], &ts))
		return -EINVAL;
	*ns = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec + time_ns_offset(t->ns->time, clock);
	return 0;
}

int clock_resolution(struct task *t, int clock, int64_t *ns)
{
	int64_t now;

	if (clock_is_cpu(clock)) {
		int r = cpu_clock_now(t, clock, &now);

		*ns = 1;
		return r;
	}
	if (!is_host_clock(clock))
		return -EINVAL;
	*ns = clock == LINUX_CLOCK_REALTIME_COARSE || clock == LINUX_CLOCK_MONOTONIC_COARSE ? COARSE_RESOLUTION : 1;
	return 0;
}

int64_t clock_to_monotonic(struct task *t, int clock, int64_t ns)
{
	struct timespec ts;
	int64_t now, left;

	ns = time_ns_to_host(t->ns->time, clock, ns);
	if (clock == LINUX_CLOCK_MONOTONIC || !is_host_clock(clock) || clock_gettime(host_clock[clock], &ts))
		return ns;
	now = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	if (__builtin_sub_overflow(ns, now, &left) || __builtin_add_overflow(now_monotonic(), left, &now))
		return ns < 0 ? 0 : WAIT_FOREVER;
	return now;
}
