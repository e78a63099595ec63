/*
 * futex_pi.c - futexes whose word holds the owner's thread id (PTHREAD_PRIO_INHERIT).
 * Ownership is handed over exactly; priorities are not inherited, as all tasks
 * run with the host's.
 */
#include "kernel/futex.h"

#include "kernel/task.h"

#include <errno.h>

static bool has_waiters(struct futex_bucket *b, const struct futex_key *key)
{
	struct futex_waiter *w;

	TAILQ_FOREACH(w, &b->waiters, link)
		if (w->pi && futex_key_same(&w->key, key))
			return true;
	return false;
}

static bool owner_exists(struct task *t, uint32_t tid)
{
	struct task *o = task_find(task_pid_ns(t), (pid_t)tid);
	bool r = o && !o->exiting;

	task_put(o);
	return r;
}

/* One attempt under the bucket's lock: as futex_pi_take_locked, -EAGAIN: try_only and it is held. */
static int try_lock(struct task *t, int32_t tid, struct futex_bucket *b, const struct futex_key *key, uaddr a, bool try_only, bool set_waiters, int32_t *owner)
{
	uint32_t me = (uint32_t)tid, val, want;
	bool done;
	int r = user_load32(t->mm, a, &val);

	for (;;) {
		if (r)
			return r;
		if (!(val & LINUX_FUTEX_TID_MASK)) {
			want = me | (val & LINUX_FUTEX_OWNER_DIED) | (set_waiters || has_waiters(b, key) ? LINUX_FUTEX_WAITERS : 0);
		} else if ((val & LINUX_FUTEX_TID_MASK) == me) {
			return -EDEADLK;
		} else if (try_only) {
			return -EAGAIN;
		} else if (!owner_exists(t, val & LINUX_FUTEX_TID_MASK)) {
			return -ESRCH;
		} else {
			want = val | LINUX_FUTEX_WAITERS;
		}
		*owner = (int32_t)(val & LINUX_FUTEX_TID_MASK);
		done = want == val;
		if (!done)
			r = user_cmpxchg32(t->mm, a, &val, want, &done);
		if (!r && done)
			return (want & LINUX_FUTEX_TID_MASK) == me ? 0 : 1;
	}
}

int futex_pi_take_locked(struct task *t, int32_t tid, struct futex_bucket *b, const struct futex_key *key, uaddr a, bool set_waiters, int32_t *owner)
{
	return try_lock(t, tid, b, key, a, false, set_waiters, owner);
}

static int wait_for_lock(struct futex_waiter *w, int64_t deadline)
{
	bool moved;
	int r;

	do {
		r = wait_sleep(deadline);
		if (futex_end_wait(w, r, &moved))
			return w->result;
	} while (!r);
	return r == -ERESTARTSYS ? -ERESTARTNOINTR : r;
}

int futex_lock_pi(struct task *t, uaddr a, bool priv, int64_t deadline, bool try_only)
{
	struct futex_table *ft = t->k->futexes;
	struct futex_waiter w = { .bitset = LINUX_FUTEX_BITSET_ALL, .sleeper = &t->sleeper, .pi = true, .tid = t->own_tid, .pid_ns = task_pid_ns(t), .mm = t->mm, .addr = a };
	struct futex_bucket *b;
	struct futex_key key;
	int r = futex_key_of(t, a, priv, &key);

	if (r)
		return r;
	b = futex_bucket(ft, &key);
	mutex_lock(&b->mu);
	r = try_lock(t, t->own_tid, b, &key, a, try_only, false, &w.owner);
	if (r == 1) {
		atomic_fetch_add(&ft->pi_waiters, 1);
		futex_enqueue_locked(b, &w, &key);
	}
	mutex_unlock(&b->mu);
	if (r != 1)
		return r;
	r = wait_for_lock(&w, deadline);
	atomic_fetch_sub(&ft->pi_waiters, 1);
	return r;
}

/* Gives the word to the first waiter; extra: FUTEX_OWNER_DIED or 0. 0 or -EFAULT. */
static int hand_over(struct futex_bucket *b, const struct futex_key *key, struct mm *mm, uaddr a, uint32_t extra)
{
	struct futex_waiter *w, *o, *next = NULL;
	uint32_t val, want;
	bool more = false, done = false;
	int r;

	TAILQ_FOREACH(w, &b->waiters, link) {
		if (!w->pi || !futex_key_same(&w->key, key))
			continue;
		if (next) {
			more = true;
			break;
		}
		next = w;
	}
	r = user_load32(mm, a, &val);
	while (!r && !done) {
		want = (next ? (uint32_t)next->tid : 0) | (more ? LINUX_FUTEX_WAITERS : 0) | extra;
		r = user_cmpxchg32(mm, a, &val, want, &done);
	}
	if (!next)
		return r;
	TAILQ_REMOVE(&b->waiters, next, link);
	next->woken = true;
	next->result = r;
	TAILQ_FOREACH(o, &b->waiters, link)
		if (o->pi && futex_key_same(&o->key, key))
			o->owner = next->tid;
	sleeper_wake(next->sleeper);
	return r;
}

int futex_unlock_pi(struct task *t, uaddr a, bool priv)
{
	struct futex_bucket *b;
	struct futex_key key;
	uint32_t val;
	int r = futex_key_of(t, a, priv, &key);

	if (r)
		return r;
	b = futex_bucket(t->k->futexes, &key);
	mutex_lock(&b->mu);
	r = user_load32(t->mm, a, &val);
	if (!r && (val & LINUX_FUTEX_TID_MASK) != (uint32_t)t->own_tid)
		r = -EPERM;
	if (!r)
		r = hand_over(b, &key, t->mm, a, 0);
	mutex_unlock(&b->mu);
	return r;
}

/* Those who wait for a lock of a task that is no more get it, marked. */
void futex_pi_owner_dead(struct task *t)
{
	struct futex_table *ft = t->k->futexes;

	if (!atomic_load(&ft->pi_waiters))
		return;
	for (int i = 0; i < FUTEX_BUCKETS; i++) {
		struct futex_bucket *b = &ft->b[i];
		struct futex_waiter *w;

		mutex_lock(&b->mu);
		do {
			TAILQ_FOREACH(w, &b->waiters, link)
				if (w->pi && w->owner == t->own_tid && w->pid_ns == task_pid_ns(t))
					break;
			if (w) {
				struct futex_key key = w->key;

				(void)hand_over(b, &key, w->mm, w->addr, LINUX_FUTEX_OWNER_DIED);
			}
		} while (w);
		mutex_unlock(&b->mu);
	}
}
