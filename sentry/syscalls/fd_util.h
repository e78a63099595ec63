/*
 * fd_util.h - handing new files to the program.
 */
#ifndef SENTRY_SYSCALLS_FD_UTIL_H
#define SENTRY_SYSCALLS_FD_UTIL_H

#include "kernel/task.h"

/* Gives f (its reference is used up, also on failure) the lowest free number. fd or -EMFILE. */
int install_new(struct task *t, struct file *f, bool cloexec);
/* Two at once, stored at `out` as ints: pipe2, socketpair. 0 or -errno; the references are used up. */
int install_pair(struct task *t, struct file *f[2], bool cloexec, uaddr out);

#endif
