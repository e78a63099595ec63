/*
 * freeze.h - holding every task of a container, or a control group, before its program runs.
 */
#ifndef SENTRY_KERNEL_FREEZE_H
#define SENTRY_KERNEL_FREEZE_H

#include "kernel/task.h"

/* Why a process stands still: bits of thread_group.frozen. */
#define FROZEN_CONTAINER 1u /* the operator has paused its container */
#define FROZEN_GROUP 2u /* its control group */

/* One that is under way.  A task is counted in its container's; others do not matter to it. */
struct freeze {
	const struct container *c; /* [I] */
	unsigned left; /* [T] its tasks that were in their program and have not left it */
	struct waitq wq; /* left has become 0 */
	LIST_ENTRY(freeze) link; /* [T] */
};

/* Any thread but a task's.  Freezing is done once no task that is to be frozen runs
 * program code: f->wq is woken when the last one parks, but one that left its program for a
 * call is only found by asking again.  f is the kernel's until kernel_freeze_forget;
 * w is told of its end. */
void kernel_freeze(struct kernel *k, const struct container *c, struct freeze *f, struct waiter *w);
bool kernel_freeze_done(struct kernel *k, struct freeze *f);
void kernel_freeze_forget(struct kernel *k, struct freeze *f, struct waiter *w);
void kernel_thaw(struct kernel *k, const struct container *c);

/* [T] held: because of its control group, or no longer.  Who runs its program leaves it soon. */
void freeze_group_locked(struct thread_group *tg, bool freeze);

/* The task loop's: parks while frozen; back when thawed or when the task must end. */
void freeze_here(struct task *t);
void freeze_leave(struct task *t); /* a task that ends no longer takes part */

#endif
