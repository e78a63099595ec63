/*
 * futex_requeue_pi.c - waiting on a word until somebody moves the waiter over to a
 * priority-inheriting lock (FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI): it returns
 * when it owns that lock.  The waiter says beforehand to which lock; a move to any
 * other, or a plain wake-up or move, is the program's mistake (EINVAL).
 */
#include "kernel/futex.h"

#include "kernel/task.h"

#include <errno.h>

/* Sleeps until it has the lock: 0; or w->result of the hand-over, or how it ended without. */
static int wait_for_move(struct futex_waiter *w, int64_t deadline)
{
	int r;

	do {
		bool woken, moved;

		r = wait_sleep(deadline);
		woken = futex_end_wait(w, r, &moved);
		if (woken)
			return w->result;
		/* once moved it cannot begin again: the word has another value by now */
		if (r == -ERESTARTSYS)
			r = moved ? -EAGAIN : -ERESTARTNOINTR;
	} while (!r);
	return r;
}

int futex_wait_requeue_pi(struct task *t, uaddr a, uint32_t val, bool priv, int64_t deadline, uaddr lock)
{
	struct futex_table *ft = t->k->futexes;
	struct futex_waiter w = { .bitset = LINUX_FUTEX_BITSET_ALL, .sleeper = &t->sleeper, .wants_lock = true, .tid = t->own_tid, .pid_ns = task_pid_ns(t), .mm = t->mm, .addr = lock };
	struct futex_bucket *b;
	struct futex_key key;
	uint32_t now;
	int r = a.v == lock.v ? -EINVAL : futex_key_of(t, lock, priv, &w.lock);

	r = r ? r : futex_key_of(t, a, priv, &key);
	if (!r && futex_key_same(&key, &w.lock))
		r = -EINVAL;
	if (r)
		return r;
	b = futex_bucket(ft, &key);
	mutex_lock(&b->mu);
	r = user_load32(t->mm, a, &now);
	if (!r && now != val)
		r = -EAGAIN;
	if (!r) {
		/* counted before it can be moved to a lock whose owner dies */
		atomic_fetch_add(&ft->pi_waiters, 1);
		futex_enqueue_locked(b, &w, &key);
	}
	mutex_unlock(&b->mu);
	if (r)
		return r;
	r = wait_for_move(&w, deadline);
	atomic_fetch_sub(&ft->pi_waiters, 1);
	return r;
}

static struct futex_waiter *first_of(struct futex_bucket *b, const struct futex_key *key)
{
	struct futex_waiter *w;

	TAILQ_FOREACH(w, &b->waiters, link)
		if (futex_key_same(&w->key, key))
			return w;
	return NULL;
}

/* Both locked. The first waiter gets the lock if it is free, the others wait for it behind those who do already:
 * how many of either, or -errno. */
static int move_locked(struct task *t, struct futex_bucket *from, struct futex_bucket *to, const struct futex_key *key, const struct futex_key *key2, uaddr lock, int n)
{
	struct futex_waiter *w = first_of(from, key), *next, *last = TAILQ_LAST(&from->waiters, futex_waiter_list);
	int32_t owner = 0;
	int moved = 0, r;

	if (!w)
		return 0;
	if (!w->wants_lock || !futex_key_same(&w->lock, key2))
		return -EINVAL;
	r = futex_pi_take_locked(t, w->tid, to, key2, lock, n > 0, &owner);
	if (r < 0)
		return r;
	for (; w; w = next) {
		next = w == last ? NULL : TAILQ_NEXT(w, link);
		if (!futex_key_same(&w->key, key))
			continue;
		if (moved - 1 >= n)
			break;
		if (!w->wants_lock || !futex_key_same(&w->lock, key2))
			return -EINVAL;
		TAILQ_REMOVE(&from->waiters, w, link);
		if (!r) { /* the lock was free */
			r = 1;
			owner = w->tid;
			w->woken = true;
			w->result = 0;
			/* it takes this queue's lock before it goes: w stays valid */
			sleeper_wake(w->sleeper);
		} else {
			w->pi = true;
			w->wants_lock = false;
			w->owner = owner;
			w->key = *key2;
			TAILQ_INSERT_TAIL(&to->waiters, w, link);
			atomic_store(&w->bucket, to);
		}
		moved++;
	}
	return moved;
}

int futex_cmp_requeue_pi(struct task *t, uaddr a, uaddr lock, bool priv, int n_wake, int n_requeue, uint32_t expected)
{
	struct futex_bucket *b, *b2;
	struct futex_key key, key2;
	uint32_t now;
	int r;

	if (a.v == lock.v || n_wake != 1 || n_requeue < 0)
		return -EINVAL;
	r = futex_key_of(t, a, priv, &key);
	r = r ? r : futex_key_of(t, lock, priv, &key2);
	if (!r && futex_key_same(&key, &key2))
		r = -EINVAL;
	if (r)
		return r;
	b = futex_bucket(t->k->futexes, &key);
	b2 = futex_bucket(t->k->futexes, &key2);
	futex_lock_two(b, b2);
	r = user_load32(t->mm, a, &now);
	if (!r && now != expected)
		r = -EAGAIN;
	if (!r)
		r = move_locked(t, b, b2, &key, &key2, lock, n_requeue);
	futex_unlock_two(b, b2);
	return r;
}
