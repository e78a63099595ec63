/*
 * proc.h - the proc file system.
 */
#ifndef SENTRY_FS_PROC_PROC_H
#define SENTRY_FS_PROC_PROC_H

#include <stdbool.h>

struct file;
struct kernel;
struct thread_group;

int proc_register(struct kernel *k);
/* The process whose directory /proc/PID is open as f (a pidfd of old): new reference, NULL: it is not one, *gone: it has ended. */
struct thread_group *proc_dir_group(struct file *f, bool *gone);

#endif
