/*
 * futex_many.c - waiting on several words at once (futex_waitv): a waiter in the
 * queue of each, all with the one sleeper of the task.  Runs on the task's own thread.
 */
#include "kernel/futex.h"

#include "kernel/task.h"

#include <errno.h>
#include <stdlib.h>

/* Takes the first n off their queues: the last that somebody had woken, -1: none. */
static int leave(struct futex_waiter *w, unsigned n)
{
	int woken = -1;

	for (unsigned i = 0; i < n; i++)
		if (!futex_dequeue(&w[i]))
			woken = (int)i;
	return woken;
}

/* Into the queue of each word that still has its value; the first that has not ends it: its error, unless
 * one before it was woken meanwhile. *woken: that one, or -1. */
static int enter(struct task *t, const struct futex_want *want, const struct futex_key *keys, struct futex_waiter *w, unsigned n, int *woken)
{
	*woken = -1;
	for (unsigned i = 0; i < n; i++) {
		struct futex_bucket *b = futex_bucket(t->k->futexes, &keys[i]);
		uint32_t now;
		int r;

		mutex_lock(&b->mu);
		r = user_load32(t->mm, want[i].addr, &now);
		if (!r && now != want[i].val)
			r = -EAGAIN;
		if (!r)
			futex_enqueue_locked(b, &w[i], &keys[i]);
		mutex_unlock(&b->mu);
		if (r) {
			*woken = leave(w, i);
			return r;
		}
	}
	return 0;
}

static bool any_woken(struct futex_waiter *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (futex_is_woken(&w[i]))
			return true;
	return false;
}

static int wait_on(struct task *t, const struct futex_want *want, const struct futex_key *keys, struct futex_waiter *w, unsigned n, int64_t deadline)
{
	int woken, r = enter(t, want, keys, w, n, &woken);

	if (r)
		return woken >= 0 ? woken : r;
	do
		r = wait_sleep(deadline);
	while (!r && !any_woken(w, n));
	woken = leave(w, n);
	return woken >= 0 ? woken : r;
}

int futex_wait_many(struct task *t, const struct futex_want *want, unsigned n, int64_t deadline)
{
	struct futex_key keys[FUTEX_MANY_MAX];
	struct futex_waiter *w;
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++)
		r = futex_key_of(t, want[i].addr, want[i].priv, &keys[i]);
	if (r)
		return r;
	w = calloc(n, sizeof(*w));
	if (!w)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		w[i] = (struct futex_waiter){ .bitset = LINUX_FUTEX_BITSET_ALL, .sleeper = &t->sleeper };
	r = wait_on(t, want, keys, w, n, deadline);
	free(w);
	return r;
}
