/*
 * child.h - forks a child that runs the launcher's own code and reports through a pipe whether it
 * started well.
 */
#ifndef LAUNCHER_CHILD_H
#define LAUNCHER_CHILD_H

#include "libipc/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* As fork(): *pid is 0 in the child.  *end is the caller's, close-on-exec: in the child what it
 * writes to, in its parent what reads that, to its end when the child ends or executes. */
struct err *child_fork(pid_t *pid, int *end) ERR_MUST_USE;

/* For a child that writes a text only if it could not begin, and then ends: NULL, it has
 * begun; else the text, and it is reaped. */
struct err *child_failure(pid_t pid, int end) ERR_MUST_USE;

/* Runs fn(arg) in a forked child that is in the mount namespace mount_ns (a descriptor), and waits for it
 * to return.  Not called if that namespace cannot be entered. */
struct err *child_run_in(int mount_ns, void (*fn)(const void *arg), const void *arg) ERR_MUST_USE;

/* In a forked child: network, IPC and UTS namespaces of its own, new and empty.  false: it stays in
 * the caller's (without privilege, in which case each component makes its own). */
bool child_unshare(void);

#endif
