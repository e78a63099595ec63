/*
 * syscall.h - system call handlers.  Each takes the calling task (its own
 * thread runs it) and the six raw arguments, and returns the result or
 * negative errno (or -ERESTART*, see lib/wait.h).  Arguments that are C ints in
 * Linux must be truncated by the handler: (int)a[0].
 */
#ifndef SENTRY_SYSCALLS_SYSCALL_H
#define SENTRY_SYSCALLS_SYSCALL_H

#include "kernel/task.h"

typedef int64_t syscall_fn(struct task *t, const uint64_t a[6]);

enum syscall_support { SUPPORT_FULL, SUPPORT_PARTIAL, SUPPORT_NONE };

struct syscall_row {
	const char *name;
	syscall_fn *fn; /* NULL: ENOSYS, logged once */
	enum syscall_support support;
	const char *note; /* what is missing, when partial or none */
};

#define SYSCALL_MAX 470
extern const struct syscall_row syscall_table[SYSCALL_MAX];

/* Runs the call in t->regs; result in *ret.  Called by the task loop. */
int64_t syscall_dispatch(struct task *t);
/* sentry --syscalls[=FORMAT]: table, json, csv (-EINVAL: another). How many rows disagree with the handlers there are (told on stderr). */
int syscall_print_table(const char *format);

/* Declarations of all handlers, from table.def. */
#define SYSCALL(nr, name, family, support, note) syscall_fn sys_##name;
#include "syscalls/table.def"
#undef SYSCALL

/* --- small helpers for handlers (syscalls/util.c) --- */
int copy_path_from_user(struct task *t, uaddr a, char buf[4096]); /* 0, -ENAMETOOLONG, -EFAULT; -ENOENT for "" is the walker's */
struct linux_timespec;
int copy_timespec_from_user(struct task *t, uaddr a, int64_t *ns); /* checks ranges: EINVAL */
int copy_timespec_to_user(struct task *t, uaddr a, int64_t ns);
int copy_timeval_from_user(struct task *t, uaddr a, int64_t *ns);
int copy_timeval_to_user(struct task *t, uaddr a, int64_t ns);
int copy_sigset_from_user(struct task *t, uaddr a, uint64_t size, uint64_t *mask);
/* base path for *at calls: *out borrowed from *f (put it after) or NULL for AT_FDCWD */
int at_base(struct task *t, int dirfd, const char *name, struct file **f, const struct path **out);

#endif
