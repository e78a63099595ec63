/*
 * task_host.c - the host threads that tasks run on.
 *
 * A thread whose task has ended waits for another one, up to MAX_IDLE of them:
 * making a thread costs the host more than waking one.  All of it is under the
 * task list lock, but that a thread is woken when that is free again, as it takes
 * it first of all: it has been given its task then, and wakes for nothing else.
 */
#include "kernel/task_table.h"

#include "lib/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define TASK_STACK (128 * 1024)
#define TASK_GUARD 4096
#define MAX_IDLE 4

struct task_host {
	SLIST_ENTRY(task_host) link; /* [T] in idle */
	struct platform *platform; /* [I] */
	struct task *task; /* [T] to run, with a reference; NULL while idle. Its own once it is woken */
	struct sleeper sleeper;
};

static enum wake_when host_wakes(struct sleeper *s)
{
	struct task_host *h = (struct task_host *)(void *)((char *)s - offsetof(struct task_host, sleeper));

	return platform_wakes(h->platform, s);
}

/* Until there is another task to run. False: there are enough that wait. */
static bool next_task(struct task_host *h, struct task_table *tt)
{
	mutex_lock(&tt->mu);
	h->task = NULL;
	if (tt->n_idle >= MAX_IDLE) {
		mutex_unlock(&tt->mu);
		return false;
	}
	SLIST_INSERT_HEAD(&tt->idle, h, link);
	tt->n_idle++;
	mutex_unlock(&tt->mu);
	wait_sleep_uninterruptible(WAIT_FOREVER);
	return true;
}

static void *host_main(void *arg)
{
	struct task_host *h = arg;
	struct task_table *tt = h->task->k->tasks;

	thread_enter("task");
	do {
		task_run(h->task);
		sleeper_set_current(&h->sleeper);
	} while (next_task(h, tt));
	thread_leave();
	free(h);
	return NULL;
}

static int host_new(struct task *t)
{
	struct task_host *h = calloc(1, sizeof(*h));
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (!h)
		return -EAGAIN;
	h->task = t;
	h->platform = t->k->platform;
	sleeper_init(&h->sleeper);
	h->sleeper.wakes = host_wakes;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, TASK_STACK);
	pthread_attr_setguardsize(&attr, TASK_GUARD);
	r = pthread_create(&thread, &attr, host_main, h);
	pthread_attr_destroy(&attr);
	if (r)
		free(h);
	return r ? -EAGAIN : 0;
}

void task_host_wake(struct task_host *h)
{
	if (h)
		sleeper_wake(&h->sleeper);
}

/* There may be one more that waits than others find enough. */
void task_host_spare(struct task_host *h, struct task *t)
{
	struct task_table *tt = t->k->tasks;

	mutex_lock(&tt->mu);
	h->task = NULL;
	SLIST_INSERT_HEAD(&tt->idle, h, link);
	tt->n_idle++;
	mutex_unlock(&tt->mu);
	task_put(t);
}

bool task_host_awake(const struct task_host *h)
{
	return atomic_load(&h->sleeper.word) != SLEEPER_SLEEPS;
}

int task_spawn_locked(struct task *t, struct task_host **wake)
{
	struct task_table *tt = t->k->tasks;
	struct task_host *h = SLIST_FIRST(&tt->idle);
	int r;

	task_get(t);
	*wake = h;
	if (h) {
		SLIST_REMOVE_HEAD(&tt->idle, link);
		tt->n_idle--;
		h->task = t;
		return 0;
	}
	r = host_new(t);
	if (r)
		task_put(t);
	return r;
}
