/*
 * task_wait.h - waiting for children: wait4 and waitid.
 */
#ifndef SENTRY_KERNEL_TASK_WAIT_H
#define SENTRY_KERNEL_TASK_WAIT_H

#include "kernel/task.h"

struct wait_request {
	int type; /* LINUX_P_* */
	pid_t id; /* P_PID, P_PGID: as the caller's namespace counts; P_PGID 0: pgid tells */
	pid_t pgid; /* the kernel's number */
	struct thread_group *target; /* P_PIDFD: borrowed */
	unsigned options; /* LINUX_W* */
};

struct wait_result {
	pid_t pid; /* 0: nothing yet (WNOHANG) */
	uint32_t uid;
	int status; /* wait status */
	int code; /* LINUX_CLD_* */
	struct usage_sum usage;
};

/* 0, -ECHILD, -ERESTARTSYS. Own thread; blocks unless WNOHANG. */
int task_wait(struct task *t, const struct wait_request *q, struct wait_result *out);

#endif
