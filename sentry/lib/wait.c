/*
 * wait.c - wait queues and sleepers (see wait.h).  A sleeper's word is a latch
 * in private memory; the host's futex is the only call made here.
 */
#include "lib/wait.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Thread_local struct sleeper *current;

void waitq_init(struct waitq *q)
{
	mutex_init(&q->mu, RANK_WAITQ);
	TAILQ_INIT(&q->waiters);
	atomic_init(&q->n, 0);
	atomic_init(&q->n_early, 0);
}

void waitq_destroy(struct waitq *q)
{
	mutex_destroy(&q->mu);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	/* nested: a callback may chain queues (epoll) */
	mutex_lock_nested(&q->mu);
	w->q = q;
	if (w->exclusive)
		TAILQ_INSERT_TAIL(&q->waiters, w, link);
	else
		TAILQ_INSERT_HEAD(&q->waiters, w, link);
	atomic_fetch_add(&q->n, 1);
	atomic_fetch_add(&q->n_early, w->early);
	mutex_unlock(&q->mu);
}

void waitq_del(struct waiter *w)
{
	struct waitq *q = w->q;

	if (!q)
		return;
	mutex_lock_nested(&q->mu);
	TAILQ_REMOVE(&q->waiters, w, link);
	atomic_fetch_sub(&q->n, 1);
	atomic_fetch_sub(&q->n_early, w->early);
	w->q = NULL;
	mutex_unlock(&q->mu);
}

static void wake(struct waitq *q, uint32_t events, bool one)
{
	struct waiter *w, *next;

	/* pairs with the increment in waitq_add, which comes before the waiter
	 * checks its condition */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load(&q->n))
		return;
	mutex_lock_nested(&q->mu);
	for (w = TAILQ_FIRST(&q->waiters); w; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!(events & (w->mask | EVENT_ERR | EVENT_HUP)))
			continue;
		w->fn(w, events);
		if (one && w->exclusive)
			break;
	}
	mutex_unlock(&q->mu);
}

void waitq_wake(struct waitq *q, uint32_t events)
{
	wake(q, events, false);
}

void waitq_wake_lazily(struct waitq *q, uint32_t events)
{
	lock_state.lazily = true;
	wake(q, events, false);
	lock_state.lazily = false;
}

void waitq_wake_one(struct waitq *q, uint32_t events)
{
	wake(q, events, true);
}

void waitq_touch(struct waitq *q, uint32_t events)
{
	struct waiter *w;

	if (!atomic_load(&q->n_early))
		return;
	mutex_lock_nested(&q->mu);
	TAILQ_FOREACH(w, &q->waiters, link)
		if (w->early)
			w->fn(w, events);
	mutex_unlock(&q->mu);
}

void sleeper_init(struct sleeper *s)
{
	atomic_init(&s->word, SLEEPER_AWAKE);
	atomic_init(&s->interrupted, false);
	atomic_init(&s->tid, 0);
	atomic_init(&s->seat, 0);
	atomic_init(&s->seated, 0);
	atomic_init(&s->woken, 0);
	atomic_init(&s->brief, false);
	s->state = NULL;
	s->sleeps = NULL;
	s->wakes = NULL;
}

void sleeper_set_current(struct sleeper *s)
{
	static _Thread_local int seat; /* the thread keeps it */
	static _Thread_local uint64_t seated;
	static _Thread_local pid_t tid;

	if (current) {
		seat = atomic_load(&current->seat);
		seated = atomic_load_explicit(&current->seated, memory_order_relaxed);
	}
	current = s;
	if (!s)
		return;
	if (!tid)
		tid = (pid_t)syscall(SYS_gettid);
	atomic_store_explicit(&s->seated, seated, memory_order_relaxed);
	atomic_store(&s->seat, seat);
	atomic_store(&s->tid, tid);
}

struct sleeper *sleeper_current(void)
{
	return current;
}

void sleeper_wake(struct sleeper *s)
{
	if (atomic_exchange(&s->word, SLEEPER_WOKEN) != SLEEPER_SLEEPS || s == current)
		return;
	switch (s->wakes ? s->wakes(s) : WAKE_NOW) {
	case WAKE_LATER:
		lock_wake_later(&s->word);
		return;
	case WAKE_LAZILY:
		if (lock_state.lazily) {
			lock_wake_lazily(&s->word);
			return;
		}
		break;
	case WAKE_NOW:
		break;
	}
	lock_wake(&s->word);
}

void sleeper_interrupt(struct sleeper *s)
{
	atomic_store(&s->interrupted, true);
	sleeper_wake(s);
}

void sleeper_clear(struct sleeper *s)
{
	atomic_store(&s->interrupted, false);
}

static void wake_sleeper(struct waiter *w, uint32_t events)
{
	(void)events;
	sleeper_wake(w->arg);
}

bool waitq_is_watched(struct waitq *q)
{
	struct waiter *w;

	if (!atomic_load(&q->n))
		return false;
	mutex_lock_nested(&q->mu);
	TAILQ_FOREACH(w, &q->waiters, link)
		if (w->fn != wake_sleeper)
			break;
	mutex_unlock(&q->mu);
	return w;
}

void wait_begin(struct waiter *w, struct waitq *q, uint32_t mask)
{
	*w = (struct waiter){ .mask = mask, .fn = wake_sleeper, .arg = current };
	waitq_add(q, w);
}

void wait_end(struct waiter *w)
{
	waitq_del(w);
}

static void wake_owed(void)
{
	if (lock_state.owes || lock_state.owes_later || lock_state.lazy)
		lock_wake_owed();
}

/* Whether it is to sleep: it is not woken yet. */
static bool begins_to_sleep(struct sleeper *s)
{
	uint32_t awake = SLEEPER_AWAKE;

	if (s->sleeps)
		s->sleeps(s);
	wake_owed();
	return atomic_compare_exchange_strong(&s->word, &awake, SLEEPER_SLEEPS);
}

/* Its time to sleep is over already.  The host would have it sleep for its timer's slack all the same. */
static void let_others_run(void)
{
	wake_owed();
	sched_yield();
}

static int sleep_latched(int64_t deadline, bool interruptible)
{
	struct sleeper *s = current;
	struct timespec ts = { .tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000 };

	for (;;) {
		if (interruptible && atomic_load(&s->interrupted))
			return -ERESTARTSYS;
		if (atomic_exchange(&s->word, SLEEPER_AWAKE) == SLEEPER_WOKEN)
			return interruptible && atomic_load(&s->interrupted) ? -ERESTARTSYS : 0;
		if (deadline != WAIT_FOREVER && deadline <= now_monotonic()) {
			let_others_run();
			return -ETIMEDOUT;
		}
		if (!begins_to_sleep(s))
			continue;
		if (syscall(SYS_futex, &s->word, FUTEX_WAIT_BITSET_PRIVATE, SLEEPER_SLEEPS, deadline == WAIT_FOREVER ? NULL : &ts, NULL,
			    FUTEX_BITSET_MATCH_ANY) < 0 && errno == ETIMEDOUT)
			return -ETIMEDOUT;
	}
}

static int sleep_until(int64_t deadline, bool interruptible)
{
	_Atomic char *state = current->state;
	bool tell = state && atomic_load_explicit(state, memory_order_relaxed) == 'R';
	int r;

	if (tell)
		atomic_store_explicit(state, interruptible ? 'S' : 'D', memory_order_release); /* who sees it may look at the task */
	r = sleep_latched(deadline, interruptible);
	if (tell)
		atomic_store_explicit(state, 'R', memory_order_relaxed);
	return r;
}

int wait_sleep(int64_t deadline)
{
	return sleep_until(deadline < 0 ? 0 : deadline, true);
}

int wait_sleep_uninterruptible(int64_t deadline)
{
	return sleep_until(deadline < 0 ? 0 : deadline, false);
}

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t now_monotonic(void)
{
	return now(CLOCK_MONOTONIC);
}

int64_t now_realtime(void)
{
	return now(CLOCK_REALTIME);
}

int64_t now_realtime_coarse(void)
{
	return now(CLOCK_REALTIME_COARSE);
}
