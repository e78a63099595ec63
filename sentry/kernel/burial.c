/*
 * burial.c - see burial.h.  A thread of its own, which starts with the first process
 * that leaves anything to it; when it does not keep up, ending processes do it themselves.
 */
#include "kernel/burial.h"

#include "lib/threads.h"
#include "mm/mm.h"

#include <sched.h>
#include <string.h>

#define STACK (64 * 1024)

void burials_init(struct burials *b)
{
	mutex_init(&b->mu, RANK_LEAF);
	pthread_cond_init(&b->more, NULL);
}

static struct mm *next(struct burials *b)
{
	struct mm *mm;
	int from;

	mutex_lock(&b->mu);
	from = b->from;
	mutex_unlock(&b->mu);
	thread_keep_off(from); /* before it sleeps: it is woken elsewhere then */
	mutex_lock(&b->mu);
	while (!b->n)
		pthread_cond_wait(&b->more, &b->mu.m);
	mm = b->waiting[0];
	memmove(&b->waiting[0], &b->waiting[1], --b->n * sizeof(b->waiting[0]));
	mutex_unlock(&b->mu);
	return mm;
}

static void *dig(void *arg)
{
	thread_enter("burials");
	for (;;)
		mm_bury(next(arg));
	return NULL;
}

void burial(struct burials *b, struct mm *mm)
{
	bool taken;

	mutex_lock(&b->mu);
	b->from = sched_getcpu();
	if (!b->digs)
		b->digs = !thread_start(STACK, dig, b);
	taken = b->digs && b->n < BURIALS_MOST;
	if (taken) {
		b->waiting[b->n++] = mm;
		pthread_cond_signal(&b->more);
	}
	mutex_unlock(&b->mu);
	if (!taken)
		mm_bury(mm);
}
