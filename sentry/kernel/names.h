/*
 * names.h - a task's program looks up by itself what paths lead to: vfs/named.h, platform_tell_name.
 *
 * Its process is shown what others with the same root directory and the same rights to search
 * directories have asked, from its first questions on.  All on the task's own thread.
 */
#ifndef SENTRY_KERNEL_NAMES_H
#define SENTRY_KERNEL_NAMES_H

#include "platform/platform.h"

struct task;
struct mm;
struct path;
struct kstat;

/* A task's. */
struct task_names {
	unsigned asked; /* so often, at first */
	const struct mm *refused; /* where it cannot look them up; only to compare with */
	uint8_t key[PLATFORM_KEY_SIZE]; /* whose names it looks at */
};

/* Its rights, its root directory or who watches its calls may have changed. */
void task_names_look(struct task *t);

/* While it asks what a path leads to:
 *	changes = task_names_begin(t, path);    0: it is not to be told, and nothing else follows
 *	... walk; and if that succeeds: inode_mark_named, vfs_getattr ...
 *	task_names_tell(t, &name);              with path, len, nofollow, changes, and what was found */
uint64_t task_names_begin(struct task *t, const char *path);
void task_names_tell(struct task *t, struct platform_name *n);

#endif
