/*
 * freeze.h - holding every task of a container before its program runs.
 */
#ifndef SENTRY_KERNEL_FREEZE_H
#define SENTRY_KERNEL_FREEZE_H

#include "kernel/task.h"

/* Any thread but a task's.  Freezing is done once no task that is to be frozen runs
 * program code: kernel_freeze_wq is woken when a task parks, but one that left its
 * program for a call is only found by asking again. */
void kernel_freeze(struct kernel *k, const struct container *c);
void kernel_thaw(struct kernel *k, const struct container *c);
bool kernel_freeze_done(struct kernel *k);
struct waitq *kernel_freeze_wq(struct kernel *k);

/* The task loop's: parks while frozen; back when thawed or when the task must end. */
void freeze_here(struct task *t);
void freeze_leave(struct task *t); /* a task that ends no longer takes part */

#endif
