/*
 * pidfd.h - descriptors of processes (pidfd_open, CLONE_PIDFD).
 */
#ifndef SENTRY_FS_PIDFD_H
#define SENTRY_FS_PIDFD_H

#include "kernel/task.h"

/* A file that refers to tg (takes its own reference). flags: LINUX_O_NONBLOCK or 0. 0 or -errno. */
int pidfd_file_new(struct kernel *k, struct thread_group *tg, const struct cred *c, int flags, struct file **out);
struct thread_group *pidfd_group(struct file *f); /* borrowed while f is held; NULL: not a pidfd */

#endif
