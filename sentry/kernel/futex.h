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
	bool pi;
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
/* Locks two buckets in order of address (once if they are the same). */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* --- operations: -errno as futex(2) --- */
int futex_wait(struct task *t, uaddr a, uint32_t val, bool priv, uint32_t bitset, int64_t deadline);
int futex_wake(struct task *t, uaddr a, bool priv, int n, uint32_t bitset);
int futex_requeue(struct task *t, uaddr a, uaddr a2, bool priv, int n_wake, int n_requeue, const uint32_t *expected);
int futex_wake_op(struct task *t, uaddr a, uaddr a2, bool priv, int n1, int n2, uint32_t op);
int futex_lock_pi(struct task *t, uaddr a, bool priv, int64_t deadline, bool try_only);
int futex_unlock_pi(struct task *t, uaddr a, bool priv);

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
