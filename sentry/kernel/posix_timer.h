/*
 * posix_timer.h - timers of a process: alarm/setitimer and timer_create.
 *
 * All are guarded by the task list lock; expiry runs on the timer thread.  A
 * timer on a CPU clock is polled: armed for the earliest moment it could expire,
 * and again for what is left then.
 */
#ifndef SENTRY_KERNEL_POSIX_TIMER_H
#define SENTRY_KERNEL_POSIX_TIMER_H

#include "abi/time.h"
#include "kernel/signal.h"
#include "kernel/task.h"

#define POSIX_TIMERS_MAX 4096 /* of one process */

struct posix_timers;
struct posix_timers *posix_timers_new(struct thread_group *tg);
void posix_timers_free(struct posix_timers *p); /* stopped already; NULL permitted */
void posix_timers_stop(struct thread_group *tg); /* the group ends: all are cancelled. No locks held */
void posix_timers_exec(struct thread_group *tg); /* timer_create's go, setitimer's stay */

void cpu_limit_set_locked(struct thread_group *tg); /* RLIMIT_CPU was set: from now on it is enforced.  [T] held */

/* which: LINUX_ITIMER_*. Times in ns; value 0: disarmed. */
struct itimer_value {
	int64_t value, interval;
};
void itimer_get(struct thread_group *tg, int which, struct itimer_value *out);
void itimer_set(struct thread_group *tg, int which, const struct itimer_value *v, struct itimer_value *old);

/* timer_create and friends: 0 (or the value) or -errno as the calls. */
int posix_timer_create(struct task *t, int clock, const struct linux_sigevent *ev /* NULL: SIGALRM */);
int posix_timer_set(struct task *t, int id, bool absolute, const struct itimer_value *v, struct itimer_value *old);
int posix_timer_get(struct task *t, int id, struct itimer_value *out);
int posix_timer_overrun(struct task *t, int id);
int posix_timer_delete(struct task *t, int id);
/* A timer's signal was taken: its overruns go into the siginfo. Task list lock held. */
void posix_timer_taken_locked(struct thread_group *tg, struct linux_siginfo *info);

/* What /proc/PID/timers tells of those that timer_create made. */
struct posix_timer_seen {
	int id, signo, notify, clock;
	uint64_t value; /* the signal's */
	pid_t target; /* as ns counts */
};
int posix_timers_seen(struct thread_group *tg, const struct pid_ns *ns, struct posix_timer_seen **out /* to be freed */); /* how many, or -ENOMEM */

/* --- clocks (clock.c) --- */
bool clock_valid(int clock);
bool clock_is_cpu(int clock);
/* ns; -EINVAL for what does not exist. CPU clocks of other processes are found by id. */
int clock_now(struct task *t, int clock, int64_t *ns);
int clock_resolution(struct task *t, int clock, int64_t *ns);
/* A deadline on `clock` (absolute) as ns of the host's monotonic clock. */
int64_t clock_to_monotonic(struct task *t, int clock, int64_t ns);
/* ns of CPU time used by the group; which: 0 user and system, 1 user only. */
int64_t tg_cpu_time_locked(struct thread_group *tg, int which);

#endif
