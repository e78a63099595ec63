/*
 * call.c - system calls made in a stopped stub thread: the thread is sent to an
 * entry point of the stub's text and runs up to the breakpoint there.
 *
 * Runs on the context's own host thread, its tracer.  The registers of the
 * program are lost: whoever resumes program code sets all of them.  Only
 * registers carry orders: program code in other threads of the stub cannot
 * change them.
 */
#include "platform/ptrace/ptrace.h"

#include "platform/ptrace/guest-code/stub.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

int pt_wait(struct pt_ctx *c)
{
	pid_t r;
	int st;

	for (;;) {
		r = wait4(c->tid, &st, __WALL | __WNOTHREAD, NULL);

		if (r == c->tid)
			break;
		if (r < 0 && errno != EINTR)
			break; /* reaped by pt_as_kill_locked */
	}
	if (r > 0 && WIFSTOPPED(st))
		return st;
	c->reaped = true;
	return -1;
}

static bool at_breakpoint(struct pt_ctx *c, int st, struct regs *r)
{
	if (st >> 8 != SIGTRAP)
		return false; /* an interruption; a signal from outside: dropped */
	if (ptrace(PTRACE_GETREGS, c->tid, NULL, r))
		return false;
	return r->rip > STUB_TEXT && r->rip < STUB_SCRATCH;
}

int pt_call_at(struct pt_ctx *c, uint64_t entry, long nr, const uint64_t a[6], int64_t *result)
{
	struct regs r = {
		.rip = entry,
		.rax = (uint64_t)nr,
		.orig_rax = UINT64_MAX,
		.rdi = a[0],
		.rsi = a[1],
		.rdx = a[2],
		.r10 = a[3],
		.r8 = a[4],
		.r9 = a[5],
		.cs = 0x33,
		.ss = 0x2b,
		.eflags = 0x202,
	};
	int st;

	if (ptrace(PTRACE_SETREGS, c->tid, NULL, &r))
		return -ESRCH;
	do {
		if (ptrace(PTRACE_CONT, c->tid, NULL, NULL))
			return -ESRCH;
		st = pt_wait(c);
		if (st < 0) {
			pt_ctx_lost_locked(c);
			return -ESRCH;
		}
	} while (!at_breakpoint(c, st, &r));
	*result = (int64_t)r.rax;
	return 0;
}

int pt_call(struct pt_ctx *c, long nr, const uint64_t args[6], int64_t *result)
{
	return pt_call_at(c, STUB_SYSCALL, nr, args, result);
}
