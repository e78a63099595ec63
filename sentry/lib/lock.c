/*
 * lock.c - mutexes, locks for many readers; wake-ups that wait until locks are given
 * back; the rank checks of debug builds.
 */
#include "lib/lock.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#define MOST_OWED 8

_Thread_local struct lock_state lock_state;
static _Thread_local _Atomic uint32_t *owed[MOST_OWED];
static _Thread_local unsigned n_owed;

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The words may be gone by now: those who find others asleep there wake them in vain,
 * and everybody who sleeps looks again. */
void lock_wake_owed(void)
{
	unsigned n = n_owed;

	n_owed = 0;
	lock_state.owes = lock_state.owes_later = false;
	lock_state.lazy = 0;
	for (unsigned i = 0; i < n; i++)
		futex_wake(owed[i]);
}

static void owe(_Atomic uint32_t *word)
{
	if (n_owed == MOST_OWED)
		lock_wake_owed();
	owed[n_owed++] = word;
}

void lock_wake(_Atomic uint32_t *word)
{
	if (!lock_state.held) {
		futex_wake(word);
		return;
	}
	owe(word);
	lock_state.owes = true;
}

void lock_wake_later(_Atomic uint32_t *word)
{
	owe(word);
	lock_state.owes_later = true;
}

void lock_wake_lazily(_Atomic uint32_t *word)
{
	owe(word);
	if (!lock_state.lazy)
		lock_state.lazy = __rdtsc();
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	pthread_mutex_init(&m->m, NULL);
	m->rank = rank;
}

void mutex_destroy(struct mutex *m)
{
	pthread_mutex_destroy(&m->m);
}

void brlock_init(struct brlock *l, enum lock_rank rank, unsigned cpus)
{
	l->n = !cpus ? 1 : cpus > BRLOCK_SHARDS ? BRLOCK_SHARDS : cpus;
	for (unsigned i = 0; i < l->n; i++)
		mutex_init(&l->shards[i].mu, rank);
}

struct mutex *brlock_read(struct brlock *l)
{
	int cpu = sched_getcpu();
	struct mutex *m = &l->shards[cpu > 0 ? (unsigned)cpu % l->n : 0].mu;

	mutex_lock(m);
	return m;
}

void brlock_write(struct brlock *l)
{
	mutex_lock(&l->shards[0].mu);
	for (unsigned i = 1; i < l->n; i++)
		mutex_lock_nested(&l->shards[i].mu);
}

void brlock_write_end(struct brlock *l)
{
	for (unsigned i = l->n; i-- > 0;)
		mutex_unlock(&l->shards[i].mu);
}

#ifdef REDOUBT_DEBUG
#define MAX_HELD 32

static _Thread_local const struct mutex *held[MAX_HELD];
static _Thread_local unsigned n_held;

static void lock_checked(struct mutex *m, int equal_ok)
{
	for (unsigned i = 0; i < n_held; i++) {
		if (held[i]->rank > m->rank || (held[i]->rank == m->rank && !equal_ok) || held[i] == m) {
			fprintf(stderr, "sentry: lock of rank %d taken while one of rank %d is held\n", m->rank, held[i]->rank);
			abort();
		}
	}
	if (n_held == MAX_HELD)
		abort();
	pthread_mutex_lock(&m->m);
	held[n_held++] = m;
	lock_taken();
}

void mutex_lock(struct mutex *m)
{
	lock_checked(m, 0);
}

void mutex_lock_nested(struct mutex *m)
{
	lock_checked(m, 1);
}

void mutex_unlock(struct mutex *m)
{
	for (unsigned i = n_held; i-- > 0;) {
		if (held[i] != m)
			continue;
		for (; i + 1 < n_held; i++)
			held[i] = held[i + 1];
		n_held--;
		pthread_mutex_unlock(&m->m);
		lock_given();
		return;
	}
	abort();
}

void mutex_assert_held(const struct mutex *m)
{
	for (unsigned i = 0; i < n_held; i++)
		if (held[i] == m)
			return;
	abort();
}
#endif
