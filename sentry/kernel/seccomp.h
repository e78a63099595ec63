/*
 * seccomp.h - a task's system call filters.
 *
 * Filters form chains that only grow: each holds a reference to the one that was
 * there before it.  A task's chain is replaced by a longer one only, so that its
 * own thread reads it without a lock.
 */
#ifndef SENTRY_KERNEL_SECCOMP_H
#define SENTRY_KERNEL_SECCOMP_H

#include "abi/seccomp.h"

#include <stdbool.h>
#include <stdint.h>

struct task;
struct listener;
struct seccomp_filter;

/* To be asked before a call of a task with t->seccomp_mode set; a tracer may change the call then.  False: it is not to be made,
 * and *ret is its result. */
bool seccomp_permits(struct task *t, int64_t *ret);

int seccomp_set_strict(struct task *t); /* -EINVAL: there are filters */
/* Checks and puts a filter before the others.  flags: LINUX_SECCOMP_FILTER_FLAG_*, checked.  0; a thread's number that TSYNC
 * could not follow, or -ESRCH for it; -EINVAL, -ENOMEM; -EBUSY: there is a listener already.  Takes over a reference of
 * listener (may be NULL) if it succeeds. */
int seccomp_add(struct task *t, const struct linux_sock_filter *prog, unsigned n, unsigned flags, struct listener *listener);
void seccomp_leave(struct task *t); /* it ends: who listens to its filters alone hears of that */
void seccomp_inherit_locked(struct task *parent, struct task *child); /* clone; task list lock held */
void seccomp_put(struct seccomp_filter *f); /* NULL is fine */
unsigned seccomp_count(struct task *t); /* filters in the chain, for /proc */

#endif
