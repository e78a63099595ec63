/*
 * cpu_limit.c - RLIMIT_CPU: who has used so many seconds of processors gets SIGXCPU, again after each second
 * more, and SIGKILL at the hard limit.  As Linux (check_process_timers, kernel/time/posix-cpu-timers.c) does
 * it: the soft limit goes up by a second each time, and the hard one counts only where there is a soft one.
 *
 * The time is looked at on the timer thread, when the limit may be reached at the earliest; of a process that
 * has used none since the last time, ever more seldom.
 */
#include "kernel/ptimer.h"

#include "abi/resource.h"
#include "kernel/task_table.h"

#define REST_MOST NSEC_PER_SEC

static int64_t limit_ns(uint64_t seconds)
{
	return seconds < INT64_MAX / NSEC_PER_SEC ? (int64_t)seconds * NSEC_PER_SEC : INT64_MAX;
}

/* True: nothing more is to come. */
static bool enforce_locked(struct thread_group *tg, struct linux_rlimit *rl, int64_t used)
{
	if (rl->max != LINUX_RLIM_INFINITY && used >= limit_ns(rl->max)) {
		signal_send_locked(tg, NULL, LINUX_SIGKILL, NULL, SEND_FORCED);
		return true;
	}
	if (used >= limit_ns(rl->cur)) {
		signal_send_locked(tg, NULL, LINUX_SIGXCPU, NULL, 0);
		rl->cur++;
	}
	return rl->cur == LINUX_RLIM_INFINITY;
}

/* When it may be reached, with all tasks running. */
static void arm_locked(struct posix_timers *ts, const struct linux_rlimit *rl, int64_t used)
{
	unsigned tasks = ts->tg->n_live ? ts->tg->n_live : 1;
	int64_t left = (limit_ns(rl->cur < rl->max ? rl->cur : rl->max) - used) / tasks, at;

	if (left < ts->limit_rest)
		left = ts->limit_rest;
	if (__builtin_add_overflow(now_monotonic(), left, &at))
		at = WAIT_FOREVER - 1;
	ktimer_arm(&ts->limit, at);
}

/* Since the last look.  Who has not is not told that it has used too much: on Linux the ticks tell it. */
static bool ran_locked(struct posix_timers *ts, int64_t used)
{
	bool ran = used != ts->limit_used;

	ts->limit_used = used;
	if (ran)
		ts->limit_rest = CPU_POLL_MIN;
	else if (ts->limit_rest < REST_MOST)
		ts->limit_rest *= 2;
	return ran;
}

static void look(struct ktimer *kt)
{
	struct posix_timers *ts = kt->arg;
	struct thread_group *tg = ts->tg;
	struct linux_rlimit *rl = &tg->rlimits[LINUX_RLIMIT_CPU];
	bool ended;
	int64_t used;

	tasks_lock(tg->k);
	if (!ts->dead && rl->cur != LINUX_RLIM_INFINITY) {
		used = tg_cpu_time_locked(tg, 0);
		ended = ran_locked(ts, used) && enforce_locked(tg, rl, used);
		if (!ended)
			arm_locked(ts, rl, used);
	}
	tasks_unlock(tg->k);
}

void cpu_limit_set_locked(struct thread_group *tg)
{
	const struct linux_rlimit *rl = &tg->rlimits[LINUX_RLIMIT_CPU];
	struct posix_timers *ts = tg->timers;

	if (rl->cur == LINUX_RLIM_INFINITY || !ts || ts->dead)
		return;
	if (!ts->limit.k)
		ktimer_init(&ts->limit, tg->k, look, ts);
	ts->limit_rest = CPU_POLL_MIN;
	ts->limit_used = tg_cpu_time_locked(tg, 0);
	arm_locked(ts, rl, ts->limit_used);
}
