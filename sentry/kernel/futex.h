/*
 * futex.h - futexes: waiting on a word of program memory.  Waiters hang in
 * hashed buckets, each with a lock (RANK_FUTEX); the word is looked at under it.
 */
#ifndef SENTRY_KERNEL_FUTEX_H
#define SENTRY_KERNEL_FUTEX_H

#include "lib/lock.h"
#include "lib/wait.h"
#include "mm/usercopy.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct task;
struct kernel;

#define FUTEX_BUCKETS 256

struct futex_bucket {
	struct mutex mu; /* RANK_FUTEX */
	TAILQ_HEAD(futex_waiter_list, futex_waiter) waiters; /* [mu] in order of arrival */
};

struct futex_table {
	struct futex_bucket b[FUTEX_BUCKETS];
	_Atomic uint32_t pi_waiters; /* so that exits without any skip the search */
};

struct futex_waiter {
	TAILQ_ENTRY(futex_waiter) link; /* [bucket] */
	struct futex_bucket *_Atomic bucket; /* changed by requeue under both locks */
	struct futex_key key; /* [bucket] */
	uint32_t bitset; /* [I] */
	struct sleeper *sleeper; /* [I] */
	bool woken; /* [bucket] off the list: somebody woke it */
	/* priority-inheriting ones: the word's owner while we wait, and where it is */
	bool pi; /* [bucket] it waits for such a lock */
	bool wants_lock; /* [bucket] it is to be moved to the lock that has this key */
	struct futex_key lock; /* [I] */
	int32_t owner, tid; /* [bucket] the owner's thread id; the waiter's own: numbers of */
	const struct pid_ns *pid_ns; /* ... this namespace, the waiter's */
	struct mm *mm;
	uaddr addr;
	int result; /* [bucket] when woken: 0, or an error of the hand-over */
};

struct futex_table *futex_table_new(void);

/* --- queues (futex_queue.c) --- */
struct futex_bucket *futex_bucket(struct futex_table *ft, const struct futex_key *key);
static inline bool futex_key_same(const struct futex_key *a, const struct futex_key *b) { return a->a == b->a && a->b == b->b; }
void futex_enqueue_locked(struct futex_bucket *b, struct futex_waiter *w, const struct futex_key *key);
/* Takes w off its queue unless a waker did already: true if it was still queued. */
bool futex_dequeue(struct futex_waiter *w);
int futex_wake_locked(struct futex_bucket *b, const struct futex_key *key, int n, uint32_t bitset); /* how many; -EINVAL: a PI waiter is there */
int futex_requeue_locked(struct futex_bucket *from, struct futex_bucket *to, const struct futex_key *key, const struct futex_key *key2, int n);
bool futex_is_woken(struct futex_waiter *w);
/* After a sleep that ended with r: true if somebody woke it; else it leaves its queue if r is an error. *moved: it waits
 * for a priority-inheriting lock. */
bool futex_end_wait(struct futex_waiter *w, int r, bool *moved);
/* Locks two buckets in order of address (once if they are the same). */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* --- operations: -errno as futex(2) --- */
int futex_key_of(struct task *t, uaddr a, bool priv, struct futex_key *key); /* -EINVAL: not aligned; -EFAULT */
int futex_wait(struct task *t, uaddr a, uint32_t val, bool priv, uint32_t bitset, int64_t deadline);
int futex_wake(struct task *t, uaddr a, bool priv, int n, uint32_t bitset);
int futex_requeue(struct task *t, uaddr a, uaddr a2, bool priv, int n_wake, int n_requeue, const uint32_t *expected);
int futex_wake_op(struct task *t, uaddr a, uaddr a2, bool priv, int n1, int n2, uint32_t op);
int futex_lock_pi(struct task *t, uaddr a, bool priv, int64_t deadline, bool try_only);
int futex_unlock_pi(struct task *t, uaddr a, bool priv);
/* The lock at a (its queue b locked, which has this key) for the task with that number: 0 taken (set_waiters: with the WAITERS bit),
 * 1 it must wait (the bit is set, *owner tells for whom), -EAGAIN ... of futex(2). t: the caller. */
int futex_pi_take_locked(struct task *t, int32_t tid, struct futex_bucket *b, const struct futex_key *key, uaddr a, bool set_waiters, int32_t *owner);
int futex_wait_requeue_pi(struct task *t, uaddr a, uint32_t val, bool priv, int64_t deadline, uaddr lock);
int futex_cmp_requeue_pi(struct task *t, uaddr a, uaddr lock, bool priv, int n_wake, int n_requeue, uint32_t expected);

#define FUTEX_MANY_MAX 128
struct futex_want {
	uaddr addr;
	uint32_t val;
	bool priv;
};
/* n: 1 to FUTEX_MANY_MAX. The index of one that was woken; -EAGAIN (a word has another value), -ETIMEDOUT, -ERESTARTSYS ... */
int futex_wait_many(struct task *t, const struct futex_want *want, unsigned n, int64_t deadline);

/* The head of its robust list, 0: none.  Own thread; to read it, any with the task list locked. */
uint64_t futex_robust_list(struct task *t);
void futex_set_robust_list(struct task *t, uint64_t head);

/* The task lets go of its memory (exit, exec): robust list, the thread id word, PI locks. Own thread. */
void futex_task_exit(struct task *t);
void futex_pi_owner_dead(struct task *t);

#define LINUX_FUTEX_WAITERS 0x80000000u
#define LINUX_FUTEX_OWNER_DIED 0x40000000u
#define LINUX_FUTEX_TID_MASK 0x3fffffffu
#define LINUX_FUTEX_BITSET_ALL 0xffffffffu

#endif
