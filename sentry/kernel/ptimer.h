/*
 * ptimer.h - one timer of a process, whichever call made it (internal to posix_timer.c and ptimer.c).
 *
 * Guarded by the task list lock [T].  Its ktimer may be firing while the timer is deleted: so
 * the timer is taken out of its process's list under the lock first, and its ktimer cancelled (which
 * waits for one that is firing) without it.
 */
#ifndef SENTRY_KERNEL_PTIMER_H
#define SENTRY_KERNEL_PTIMER_H

#include "kernel/posix_timer.h"

#define CPU_POLL_MIN 1000000 /* a timer of a CPU clock is looked at again not sooner, ns */

struct ptimer {
	LIST_ENTRY(ptimer) link;
	struct ktimer kt; /* made when it is armed first (kt.k) */
	struct thread_group *tg; /* [I] borrowed: the timers end before their group */
	int id, clock; /* [I] clock of a LINUX_CLOCK_* number */
	int notify; /* [I] LINUX_SIGEV_* */
	struct task *target; /* [I] referenced: SIGEV_THREAD_ID; NULL: the group */
	bool itimer; /* [I] setitimer's: no overruns, plain SI_KERNEL signal */
	int signo; /* [I] */
	struct sigqueue *q; /* [I] its entry in the pending queue, unless itimer */
	int64_t expires, interval; /* [T] on its own clock; 0: disarmed */
	int64_t overrun, overrun_last; /* [T] */
};

/* The timers of a process. */
struct posix_timers {
	struct thread_group *tg;
	LIST_HEAD(, ptimer) list; /* [T] timer_create's */
	int n, next_id; /* [T] */
	struct ptimer it[3]; /* by LINUX_ITIMER_* */
	struct ktimer limit; /* RLIMIT_CPU: cpu_limit.c; made when there is one first (limit.k) */
	int64_t limit_used, limit_rest; /* [T] ns: what was used at the last look; not sooner is the next one */
	bool dead; /* [T] */
};

int64_t ptimer_now_locked(const struct ptimer *p); /* its clock, ns */
void ptimer_get_locked(const struct ptimer *p, int64_t now, struct itimer_value *out);
/* absolute: v->value is a time of its clock, not a time from now. */
void ptimer_set_locked(struct ptimer *p, int64_t now, bool absolute, const struct itimer_value *v);
/* Waits for one that is firing.  No locks held; p->expires is 0 by now, so that it is not armed again. */
void ptimer_cancel(struct ptimer *p);
void ptimer_free(struct ptimer *p); /* one that was never armed */
/* Ends and frees one that is in no list any more, and withdraws its pending signal.  No locks held. */
void ptimer_delete(struct ptimer *p);

#endif
