/*
 * timer_queue.h - the kernel's one queue of timers and the thread that serves
 * it (timer.c).  The interface is struct ktimer in kernel/task.h.
 */
#ifndef SENTRY_KERNEL_TIMER_QUEUE_H
#define SENTRY_KERNEL_TIMER_QUEUE_H

#include "lib/lock.h"
#include "lib/wait.h"

#include <pthread.h>
#include <sys/tree.h>

struct kernel;
struct ktimer;
RB_HEAD(ktimer_tree, ktimer);

struct timer_queue {
	struct mutex mu; /* RANK_TIMER */
	struct ktimer_tree tree; /* [mu] by expiry, then address */
	struct ktimer *running; /* [mu] whose fn is being called */
	struct waitq done_wq; /* running has changed */
	struct sleeper sleeper; /* the thread's */
	bool started; /* [mu] the thread is made with the first timer */
};

struct timer_queue *timer_queue_new(void);

#endif
