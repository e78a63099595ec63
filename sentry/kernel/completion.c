/*
 * completion.c - see completion.h.
 */
#include "kernel/completion.h"

#include "kernel/task.h"

#include <stdlib.h>

struct completion {
	struct ref ref;
	_Atomic bool done;
	struct waitq wq;
};

struct completion *completion_new(void)
{
	struct completion *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	ref_init(&c->ref);
	waitq_init(&c->wq);
	return c;
}

void completion_get(struct completion *c)
{
	ref_get(&c->ref);
}

void completion_put(struct completion *c)
{
	if (c && ref_put(&c->ref)) {
		waitq_destroy(&c->wq);
		free(c);
	}
}

void completion_done(struct completion *c)
{
	if (!c)
		return;
	atomic_store(&c->done, true);
	waitq_wake(&c->wq, EVENT_IN);
	completion_put(c);
}

void completion_wait(struct task *t, struct completion *c)
{
	struct waiter w;

	wait_begin(&w, &c->wq, EVENT_IN);
	/* only its own death ends the wait early */
	while (!atomic_load(&c->done) && !t->tg->exiting && (!t->tg->exec_task || t->tg->exec_task == t))
		wait_sleep_uninterruptible(WAIT_FOREVER);
	wait_end(&w);
}
