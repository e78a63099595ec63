/*
 * burial.c - see burial.h.  A thread of its own, which starts with the first process
 * that leaves anything to it; when it does not keep up, ending processes do it themselves.
 */
#include "kernel/burial.h"

#include "abi/time.h"
#include "lib/threads.h"
#include "lib/wait.h"
#include "mm/memfile.h"
#include "mm/mm.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#define STACK (64 * 1024)
#define REST_NS INT64_C(200000000) /* pages that nobody has needed in that time are given back */

void burials_init(struct burials *b)
{
	pthread_condattr_t attr;

	mutex_init(&b->mu, RANK_LEAF);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->more, &attr);
	pthread_condattr_destroy(&attr);
}

/* Until there is something to do; as long as pages are held back, once in a while. */
static void await_locked(struct burials *b, int64_t *rest)
{
	const struct timespec until = { .tv_sec = *rest / NSEC_PER_SEC, .tv_nsec = *rest % NSEC_PER_SEC };

	if (!b->holds) {
		pthread_cond_wait(&b->more, &b->mu.m);
		*rest = now_monotonic() + REST_NS;
	} else if (pthread_cond_timedwait(&b->more, &b->mu.m, &until)) {
		struct memfile *m = b->holds;
		bool more;

		mutex_unlock(&b->mu);
		more = memfile_rest(m);
		mutex_lock(&b->mu);
		if (!more)
			b->holds = NULL;
		*rest = now_monotonic() + REST_NS;
	}
}

static struct mm *next(struct burials *b, int64_t *rest)
{
	struct mm *mm;
	int from;

	mutex_lock(&b->mu);
	from = b->from;
	mutex_unlock(&b->mu);
	thread_keep_off(from); /* before it sleeps: it is woken elsewhere then */
	mutex_lock(&b->mu);
	while (!b->n)
		await_locked(b, rest);
	mm = b->waiting[0];
	memmove(&b->waiting[0], &b->waiting[1], --b->n * sizeof(b->waiting[0]));
	mutex_unlock(&b->mu);
	return mm;
}

static void *dig(void *arg)
{
	int64_t rest = 0;

	thread_enter("burials");
	for (;;)
		mm_bury(next(arg, &rest));
	return NULL;
}

static bool digs_locked(struct burials *b)
{
	if (!b->digs)
		b->digs = !thread_start(STACK, dig, b);
	return b->digs;
}

void burial_leaves(struct burials *b, struct memfile *m)
{
	bool begins;

	mutex_lock(&b->mu);
	begins = !b->holds && digs_locked(b);
	if (begins) {
		b->holds = m;
		pthread_cond_signal(&b->more);
	}
	mutex_unlock(&b->mu);
	if (begins)
		memfile_hold_more(m);
}

void burial(struct burials *b, struct mm *mm)
{
	bool taken;

	mutex_lock(&b->mu);
	b->from = sched_getcpu();
	taken = digs_locked(b) && b->n < BURIALS_MOST;
	if (taken) {
		b->waiting[b->n++] = mm;
		pthread_cond_signal(&b->more);
	}
	mutex_unlock(&b->mu);
	if (!taken)
		mm_bury(mm);
}
