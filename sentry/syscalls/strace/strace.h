/*
 * strace.h - --strace: each call of the programs as a line of text, its arguments as
 * strace(1) shows them.  On the calling task's thread; nothing of it runs when off.
 *
 *	trace.c	a call's line: what is shown before it, after it, when it waits
 *	args.c	arguments by kind; args.def says which call has which
 *	structs.c	those that point to structures
 *	names.c	names of flags and numbers
 */
#ifndef SENTRY_SYSCALLS_STRACE_STRACE_H
#define SENTRY_SYSCALLS_STRACE_STRACE_H

#include "kernel/task.h"

struct strace_line;
struct syscall_row;

/* Runs the call and logs it. */
int64_t strace_call(struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6]);
/* Which calls are shown from now on: their names; n 0: all.  -EINVAL: *unknown is none.  The event thread. */
int strace_choose(const char *const *names, unsigned n, unsigned *unknown);
/* The calling task is about to sleep in a call: shows what is known of that, once. */
void strace_waits(void);

/* The same text without a log, for trace sessions: begin shows what the program passes,
 * end what is known once the call is over.  l is zeroed; its text ends with a NUL. */
void strace_text_begin(struct strace_line *l, struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6]);
void strace_text_end(struct strace_line *l, uint64_t nr, int64_t ret);
/* Whether a call's first argument is a descriptor. */
bool strace_begins_with_fd(uint64_t nr);

/* --- inside --- */

#define STRACE_LINE 1000 /* of a log line; what is longer is cut */
#define STRACE_STRING 64 /* bytes of a string or buffer that are shown */

struct strace_line {
	struct task *t;
	const uint64_t *args;
	int64_t ret; /* once the call is over */
	bool over;
	unsigned next; /* the argument to show */
	size_t n;
	char text[STRACE_LINE];
};

__attribute__((format(printf, 2, 3))) void line_put(struct strace_line *l, const char *format, ...);
void line_string(struct strace_line *l, const char *s, size_t n, bool more); /* quoted */

/* Shows arguments from l->next on, up to one that only the call fills in (all, once it is over). */
void strace_args(struct strace_line *l, uint64_t nr);
bool strace_result_is_address(uint64_t nr);

/* A set of flags or numbers with names. */
struct names;
extern const struct names names_open, names_prot, names_map, names_clone, names_at, names_access, names_seek, names_wait, names_family,
	names_socket_type, names_msg, names_futex, names_clock, names_rlimit, names_fcntl, names_madvise, names_sigprocmask, names_sigaction, names_epoll,
	names_epoll_op, names_poll, names_mremap, names_shutdown, names_level, names_ioctl, names_prctl, names_arch, names_mount, names_umount;
void names_put(struct strace_line *l, const struct names *n, uint64_t v);
void line_signal(struct strace_line *l, int signo);
void line_errno(struct strace_line *l, int64_t e); /* e < 0 */

#endif
