/*
 * timer.c - timers: one tree by expiry, one thread that sleeps until the first
 * (and for ever when there is none: no tick).  The thread is made when the first
 * timer is armed.
 */
#include "kernel/timer_queue.h"

#include "kernel/task.h"
#include "lib/threads.h"
#include "libipc/log.h"

#include <stdlib.h>

#define TIMER_STACK (128 * 1024)

static int timer_cmp(const struct ktimer *a, const struct ktimer *b)
{
	if (a->expires != b->expires)
		return a->expires < b->expires ? -1 : 1;
	return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}
#define __unused __attribute__((unused)) /* libbsd's macro uses it */
RB_GENERATE_STATIC(ktimer_tree, ktimer, link, timer_cmp)

struct timer_queue *timer_queue_new(void)
{
	struct timer_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	mutex_init(&q->mu, RANK_TIMER);
	RB_INIT(&q->tree);
	waitq_init(&q->done_wq);
	sleeper_init(&q->sleeper);
	return q;
}

/* Calls what is due. Returns when the next is, or WAIT_FOREVER. */
static int64_t run_due(struct timer_queue *q)
{
	struct ktimer *t;
	int64_t next = WAIT_FOREVER;

	mutex_lock(&q->mu);
	while ((t = RB_MIN(ktimer_tree, &q->tree))) {
		if (t->expires > now_monotonic()) {
			next = t->expires;
			break;
		}
		RB_REMOVE(ktimer_tree, &q->tree, t);
		t->armed = false;
		q->running = t;
		mutex_unlock(&q->mu);
		t->fn(t);
		mutex_lock(&q->mu);
		q->running = NULL;
		waitq_wake(&q->done_wq, EVENT_IN);
	}
	mutex_unlock(&q->mu);
	return next;
}

static void *timer_main(void *arg)
{
	struct timer_queue *q = arg;

	thread_enter("timers");
	sleeper_set_current(&q->sleeper);
	for (;;)
		wait_sleep_uninterruptible(run_due(q));
	return NULL;
}

static void start_thread_locked(struct timer_queue *q)
{
	if (q->started)
		return;
	q->started = !thread_start(TIMER_STACK, timer_main, q);
	if (!q->started)
		log_error("no host thread for timers");
}

void ktimer_init(struct ktimer *t, struct kernel *k, void (*fn)(struct ktimer *t), void *arg)
{
	*t = (struct ktimer){ .k = k, .fn = fn, .arg = arg };
}

void ktimer_arm(struct ktimer *t, int64_t expires)
{
	struct timer_queue *q = t->k->timers;

	mutex_lock(&q->mu);
	if (t->armed)
		RB_REMOVE(ktimer_tree, &q->tree, t);
	t->expires = expires;
	t->armed = true;
	RB_INSERT(ktimer_tree, &q->tree, t);
	start_thread_locked(q);
	if (RB_MIN(ktimer_tree, &q->tree) == t)
		sleeper_wake(&q->sleeper);
	mutex_unlock(&q->mu);
}

bool ktimer_cancel(struct ktimer *t)
{
	struct timer_queue *q = t->k->timers;
	struct waiter w;
	bool was;

	mutex_lock(&q->mu);
	was = t->armed;
	if (was)
		RB_REMOVE(ktimer_tree, &q->tree, t);
	t->armed = false;
	if (q->running == t && sleeper_current() != &q->sleeper) {
		mutex_unlock(&q->mu);
		wait_begin(&w, &q->done_wq, EVENT_IN);
		mutex_lock(&q->mu);
		while (q->running == t) {
			mutex_unlock(&q->mu);
			wait_sleep_uninterruptible(WAIT_FOREVER);
			mutex_lock(&q->mu);
		}
		if (t->armed) { /* it armed itself again meanwhile */
			RB_REMOVE(ktimer_tree, &q->tree, t);
			t->armed = false;
		}
		mutex_unlock(&q->mu);
		wait_end(&w);
		return was;
	}
	mutex_unlock(&q->mu);
	return was;
}
