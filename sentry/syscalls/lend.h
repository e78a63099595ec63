/*
 * lend.h - lends pipes to tasks that stream through them: fs/pipe.h.
 */
#ifndef SENTRY_SYSCALLS_LEND_H
#define SENTRY_SYSCALLS_LEND_H

#include "syscalls/syscall.h"

struct file;

/* The task, the caller's own, has moved n bytes by read or (write) write with these arguments. */
void lend_after(struct task *t, struct file *f, const uint64_t args[6], bool write, uint64_t n);

/* The task's program itself has failed to copy n bytes from (ACCESS_READ) or to its memory there, if any:
 * it cannot where it has never touched any.  Now it can. */
void map_for_copy(struct task *t, uint64_t addr, int64_t n, unsigned access);

#endif
