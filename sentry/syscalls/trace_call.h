/*
 * trace_call.h - trace sessions that want to know of system calls.
 */
#ifndef SENTRY_SYSCALLS_TRACE_CALL_H
#define SENTRY_SYSCALLS_TRACE_CALL_H

#include "syscalls/syscall.h"

/* row NULL: there is no such call */
typedef int64_t call_fn(struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6]);

/* Makes the call, and tells the sessions that want to know of its beginning and its end.  The calling task's thread. */
int64_t trace_call(struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6], call_fn *make);

#endif
