/*
 * lend.h - lends pipes to tasks that stream through them: fs/pipe.h.
 */
#ifndef SENTRY_SYSCALLS_LEND_H
#define SENTRY_SYSCALLS_LEND_H

#include "syscalls/syscall.h"

struct file;

/* The task, the caller's own, has moved n bytes by read or (write) write with these arguments. */
void lend_after(struct task *t, struct file *f, const uint64_t args[6], bool write, uint64_t n);

#endif
