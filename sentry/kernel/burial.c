/*
 * burial.c - see burial.h.  A thread of its own, which starts with the first process
 * that leaves anything to it; when it does not keep up, ending processes do it themselves.
 */
#include "kernel/burial.h"

#include "lib/threads.h"
#include "mm/mm.h"

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

static bool start(struct burials *b)
{
	pthread_attr_t attr;
	pthread_t t;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	r = pthread_create(&t, &attr, dig, b);
	pthread_attr_destroy(&attr);
	return !r;
}

void burial(struct burials *b, struct mm *mm)
{
	bool taken;

	mutex_lock(&b->mu);
	if (!b->digs)
		b->digs = start(b);
	taken = b->digs && b->n < BURIALS_MOST;
	if (taken) {
		b->waiting[b->n++] = mm;
		pthread_cond_signal(&b->more);
	}
	mutex_unlock(&b->mu);
	if (!taken)
		mm_bury(mm);
}
