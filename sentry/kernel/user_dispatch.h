/*
 * user_dispatch.h - calls that go back to the program (PR_SET_SYSCALL_USER_DISPATCH): those
 * from outside a range of its text raise SIGSYS, while a byte of its memory says so.
 * Of one thread; children and new programs begin without.  All of it on its own thread.
 */
#ifndef SENTRY_KERNEL_USER_DISPATCH_H
#define SENTRY_KERNEL_USER_DISPATCH_H

#include "lib/uaddr.h"

#include <stdbool.h>
#include <stdint.h>

struct task;

struct user_dispatch {
	bool on;
	uint64_t start, len; /* from here no call goes back */
	uaddr selector; /* of the byte; 0: every call goes back */
};

void user_dispatch_set(struct task *t, const struct user_dispatch *d);
/* To be asked before a call of a task that has it on. True: the call is not to be made. */
bool user_dispatch_takes(struct task *t);

#endif
