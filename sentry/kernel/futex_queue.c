/*
 * futex_queue.c - the hashed queues of futex waiters: no tasks, no memory.
 */
#include "kernel/futex.h"

#include <errno.h>
#include <stdlib.h>

struct futex_table *futex_table_new(void)
{
	struct futex_table *ft = calloc(1, sizeof(*ft));

	if (!ft)
		return NULL;
	for (int i = 0; i < FUTEX_BUCKETS; i++) {
		mutex_init(&ft->b[i].mu, RANK_FUTEX);
		TAILQ_INIT(&ft->b[i].waiters);
	}
	return ft;
}

struct futex_bucket *futex_bucket(struct futex_table *ft, const struct futex_key *key)
{
	uint64_t h = (key->a ^ key->b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);

	return &ft->b[h >> 56 & (FUTEX_BUCKETS - 1)];
}

void futex_enqueue_locked(struct futex_bucket *b, struct futex_waiter *w, const struct futex_key *key)
{
	w->key = *key;
	w->woken = false;
	atomic_store(&w->bucket, b);
	TAILQ_INSERT_TAIL(&b->waiters, w, link);
}

/* The bucket w is in, locked: requeue may move it meanwhile. */
static struct futex_bucket *lock_bucket(struct futex_waiter *w)
{
	for (;;) {
		struct futex_bucket *b = atomic_load(&w->bucket);

		mutex_lock(&b->mu);
		if (b == atomic_load(&w->bucket))
			return b;
		mutex_unlock(&b->mu);
	}
}

bool futex_dequeue(struct futex_waiter *w)
{
	struct futex_bucket *b = lock_bucket(w);
	bool queued = !w->woken;

	if (queued) {
		TAILQ_REMOVE(&b->waiters, w, link);
		w->woken = true;
	}
	mutex_unlock(&b->mu);
	return queued;
}

bool futex_is_woken(struct futex_waiter *w)
{
	struct futex_bucket *b = lock_bucket(w);
	bool woken = w->woken;

	mutex_unlock(&b->mu);
	return woken;
}

bool futex_end_wait(struct futex_waiter *w, int r, bool *moved)
{
	struct futex_bucket *b = lock_bucket(w);
	bool woken = w->woken;

	*moved = w->pi;
	if (r && !woken) {
		TAILQ_REMOVE(&b->waiters, w, link);
		w->woken = true;
	}
	mutex_unlock(&b->mu);
	return woken;
}

int futex_wake_locked(struct futex_bucket *b, const struct futex_key *key, int n, uint32_t bitset)
{
	struct futex_waiter *w, *next;
	int woken = 0;

	for (w = TAILQ_FIRST(&b->waiters); w && woken < n; w = next) {
		next = TAILQ_NEXT(w, link);
		if (!futex_key_same(&w->key, key))
			continue;
		if (w->pi || w->wants_lock)
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		TAILQ_REMOVE(&b->waiters, w, link);
		w->woken = true;
		/* the waiter takes this bucket's lock before it goes: w stays valid */
		sleeper_wake(w->sleeper);
		woken++;
	}
	return woken;
}

int futex_requeue_locked(struct futex_bucket *from, struct futex_bucket *to, const struct futex_key *key, const struct futex_key *key2, int n)
{
	struct futex_waiter *w, *next, *last = TAILQ_LAST(&from->waiters, futex_waiter_list);
	int moved = 0;

	for (w = TAILQ_FIRST(&from->waiters); w && moved < n; w = next) {
		next = w == last ? NULL : TAILQ_NEXT(w, link);
		if (!futex_key_same(&w->key, key))
			continue;
		if (w->pi || w->wants_lock)
			return -EINVAL;
		TAILQ_REMOVE(&from->waiters, w, link);
		w->key = *key2;
		TAILQ_INSERT_TAIL(&to->waiters, w, link);
		atomic_store(&w->bucket, to);
		moved++;
	}
	return moved;
}

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	struct futex_bucket *first = a < b ? a : b, *second = a < b ? b : a;

	mutex_lock(&first->mu);
	if (second != first)
		mutex_lock_nested(&second->mu);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	mutex_unlock(&a->mu);
	if (b != a)
		mutex_unlock(&b->mu);
}
