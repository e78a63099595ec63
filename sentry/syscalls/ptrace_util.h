/*
 * ptrace_util.h - what the files of ptrace(2) share: requests about a tracee that
 * stands in a stop.
 */
#ifndef SENTRY_SYSCALLS_PTRACE_UTIL_H
#define SENTRY_SYSCALLS_PTRACE_UTIL_H

#include "kernel/task.h"

/* t's request about its tracee c; a[2] and a[3] are ptrace's addr and data. */
typedef int64_t ptrace_fn(struct task *t, struct task *c, const uint64_t a[6]);

/* c stands in a stop, and does so until trace_end: 0, with the task list locked; or -ESRCH. */
int trace_begin(struct task *t, struct task *c);
void trace_end(struct task *t);

/* ptrace_regs.c */
ptrace_fn ptrace_peekusr, ptrace_pokeusr, ptrace_getregs, ptrace_setregs, ptrace_getfpregs, ptrace_setfpregs, ptrace_getregset, ptrace_setregset,
	ptrace_arch_prctl;
/* ptrace_info.c */
ptrace_fn ptrace_geteventmsg, ptrace_getsiginfo, ptrace_setsiginfo, ptrace_peeksiginfo, ptrace_getsigmask, ptrace_setsigmask, ptrace_get_syscall_info,
	ptrace_get_rseq;

#endif
