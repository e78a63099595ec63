/*
 * clone.h - making tasks: what clone, clone3, fork and vfork have in common.
 */
#ifndef SENTRY_KERNEL_CLONE_H
#define SENTRY_KERNEL_CLONE_H

#include "kernel/task.h"

struct clone_request {
	uint64_t flags; /* LINUX_CLONE_*, without the exit signal */
	int exit_signal;
	uint64_t stack; /* new stack pointer; 0: the caller's */
	uint64_t tls;
	uaddr parent_tid, child_tid, pidfd;
	const pid_t *set_tid; /* the numbers it wants: struct pid_wanted */
	unsigned n_set_tid;
	struct cgroup *cgroup; /* where a new process is to be; NULL: where the caller is */
	/* With CLONE_PIDFD: makes the file that names tg (fs/pidfd.h), 0 or -errno */
	int (*pidfd_file)(struct kernel *k, struct thread_group *tg, const struct cred *c, int flags, struct file **out);
};

/* The new task's id, or -errno as clone(2).  Own thread of t. With CLONE_VFORK
 * returns when the child has exec'ed or ended. */
int64_t task_clone(struct task *t, const struct clone_request *q);

#endif
