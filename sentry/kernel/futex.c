/*
 * futex.c - wait, wake, requeue and wake-op.  The word is read under its bucket's
 * lock: a waker that changed it before taking the lock is never missed.
 * Reading may fault pages in, which takes only higher-ranked locks.
 */
#include "kernel/futex.h"

#include "kernel/task.h"

#include <errno.h>

int futex_key_of(struct task *t, uaddr a, bool priv, struct futex_key *key)
{
	return a.v % 4 ? -EINVAL : user_futex_key(t->mm, a, priv, key);
}

/* Sleeps until woken; 0, -ETIMEDOUT, -ERESTARTSYS. */
static int sleep_until_woken(struct futex_waiter *w, int64_t deadline)
{
	int r;

	do {
		r = wait_sleep(deadline);
		if (r)
			return futex_dequeue(w) ? r : 0;
	} while (!futex_is_woken(w));
	return 0;
}

int futex_wait(struct task *t, uaddr a, uint32_t val, bool priv, uint32_t bitset, int64_t deadline)
{
	struct futex_waiter w = { .bitset = bitset, .sleeper = &t->sleeper };
	struct futex_bucket *b;
	struct futex_key key;
	uint32_t now;
	int r;

	if (!bitset)
		return -EINVAL;
	r = futex_key_of(t, a, priv, &key);
	if (r)
		return r;
	b = futex_bucket(t->k->futexes, &key);
	mutex_lock(&b->mu);
	r = user_load32(t->mm, a, &now);
	if (!r && now != val)
		r = -EAGAIN;
	if (!r)
		futex_enqueue_locked(b, &w, &key);
	mutex_unlock(&b->mu);
	return r ? r : sleep_until_woken(&w, deadline);
}

int futex_wake(struct task *t, uaddr a, bool priv, int n, uint32_t bitset)
{
	struct futex_bucket *b;
	struct futex_key key;
	int r;

	if (!bitset)
		return -EINVAL;
	r = futex_key_of(t, a, priv, &key);
	if (r)
		return r;
	b = futex_bucket(t->k->futexes, &key);
	mutex_lock(&b->mu);
	r = futex_wake_locked(b, &key, n > 0 ? n : 1, bitset);
	mutex_unlock(&b->mu);
	return r;
}

int futex_requeue(struct task *t, uaddr a, uaddr a2, bool priv, int n_wake, int n_requeue, const uint32_t *expected)
{
	struct futex_bucket *b, *b2;
	struct futex_key key, key2;
	uint32_t now;
	int r, moved;

	if (n_wake < 0 || n_requeue < 0)
		return -EINVAL;
	r = futex_key_of(t, a, priv, &key);
	r = r ? r : futex_key_of(t, a2, priv, &key2);
	if (r)
		return r;
	b = futex_bucket(t->k->futexes, &key);
	b2 = futex_bucket(t->k->futexes, &key2);
	futex_lock_two(b, b2);
	if (expected) {
		r = user_load32(t->mm, a, &now);
		if (!r && now != *expected)
			r = -EAGAIN;
	}
	if (!r && n_wake)
		r = futex_wake_locked(b, &key, n_wake, LINUX_FUTEX_BITSET_ALL);
	if (r >= 0) {
		moved = futex_requeue_locked(b, b2, &key, &key2, n_requeue);
		r = moved < 0 ? moved : r + moved;
	}
	futex_unlock_two(b, b2);
	return r;
}

/* FUTEX_OP: op:4 cmp:4 oparg:12 cmparg:12. */
struct wake_op {
	unsigned op, cmp;
	int32_t oparg, cmparg;
};

static int32_t sign12(uint32_t v)
{
	return (int32_t)(v << 20) >> 20;
}

static int wake_op_decode(uint32_t v, struct wake_op *o)
{
	*o = (struct wake_op){ .op = v >> 28 & 7, .cmp = v >> 24 & 15, .oparg = sign12(v >> 12 & 0xfff), .cmparg = sign12(v & 0xfff) };
	if (v & 0x80000000u)
		o->oparg = (int32_t)(1u << (o->oparg & 31));
	return o->op > 4 || o->cmp > 5 ? -ENOSYS : 0;
}

static uint32_t wake_op_value(const struct wake_op *o, uint32_t old)
{
	uint32_t arg = (uint32_t)o->oparg;

	switch (o->op) {
	case 0:
		return arg;
	case 1:
		return old + arg;
	case 2:
		return old | arg;
	case 3:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static bool wake_op_compare(const struct wake_op *o, int32_t old)
{
	switch (o->cmp) {
	case 0:
		return old == o->cmparg;
	case 1:
		return old != o->cmparg;
	case 2:
		return old < o->cmparg;
	case 3:
		return old <= o->cmparg;
	case 4:
		return old > o->cmparg;
	default:
		return old >= o->cmparg;
	}
}

int futex_wake_op(struct task *t, uaddr a, uaddr a2, bool priv, int n1, int n2, uint32_t op)
{
	struct futex_bucket *b, *b2;
	struct futex_key key, key2;
	struct wake_op o;
	uint32_t old = 0;
	bool done = false;
	int r, more;

	r = futex_key_of(t, a, priv, &key);
	r = r ? r : futex_key_of(t, a2, priv, &key2);
	r = r ? r : wake_op_decode(op, &o);
	if (r)
		return r;
	b = futex_bucket(t->k->futexes, &key);
	b2 = futex_bucket(t->k->futexes, &key2);
	futex_lock_two(b, b2);
	r = user_load32(t->mm, a2, &old);
	while (!r && !done)
		r = user_cmpxchg32(t->mm, a2, &old, wake_op_value(&o, old), &done);
	if (!r)
		r = futex_wake_locked(b, &key, n1 > 0 ? n1 : 1, LINUX_FUTEX_BITSET_ALL);
	if (r >= 0 && wake_op_compare(&o, (int32_t)old)) {
		more = futex_wake_locked(b2, &key2, n2 > 0 ? n2 : 1, LINUX_FUTEX_BITSET_ALL);
		r = more < 0 ? more : r + more;
	}
	futex_unlock_two(b, b2);
	return r;
}
