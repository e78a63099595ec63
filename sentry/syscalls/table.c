/*
 * table.c - the system call table, from table.def, and dispatch.
 */
#include "syscalls/syscall.h"

#include "kernel/seccomp.h"
#include "lib/counters.h"
#include "libipc/log.h"
#include "syscalls/strace/strace.h"
#include "syscalls/told.h"
#include "syscalls/trace_call.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Handlers that no file defines are NULL. */
#define SYSCALL(nr, name, family, support, note) extern syscall_fn sys_##name __attribute__((weak));
#include "syscalls/table.def"
#undef SYSCALL

#define SYSCALL(nr, name_, family, support_, note_) [nr] = { .name = #name_, .fn = sys_##name_, .support = SUPPORT_##support_, .note = note_ },
const struct syscall_row syscall_table[SYSCALL_MAX] = {
#include "syscalls/table.def"
};
#undef SYSCALL

/* Once a call. A note "as a ..." tells of a refusal that programs know from other kernels: nothing to warn of. */
static void log_missing(struct task *t, uint64_t nr, const struct syscall_row *row)
{
	static _Atomic uint64_t seen[SYSCALL_MAX / 64 + 1];

	if (nr < SYSCALL_MAX && atomic_fetch_or(&seen[nr / 64], UINT64_C(1) << nr % 64) & UINT64_C(1) << nr % 64)
		return;
	if (row && row->name)
		log_user("system call %s (%" PRIu64 ") is refused with ENOSYS, %s (asked by %s)", row->name, nr, *row->note ? row->note : "not supported", t->comm);
	if (row && row->name && !strncmp(row->note, "as a ", 5))
		log_debug("system call %s (%" PRIu64 ") is refused with ENOSYS, %s (asked by %s)", row->name, nr, row->note, t->comm);
	else if (row && row->name)
		log_warning("system call %s (%" PRIu64 ") is not supported: ENOSYS (asked by %s)", row->name, nr, t->comm);
	else
		log_debug("system call number %" PRIu64 " does not exist: ENOSYS", nr);
}

/* The call, where somebody may be watching, or there is none of that number. */
static int64_t make_watched(struct task *t, uint64_t nr, const struct syscall_row *row, const uint64_t args[6])
{
	if (!row || !row->fn) {
		log_missing(t, nr, row);
		return -ENOSYS;
	}
	return t->k->strace ? strace_call(t, nr, row, args) : row->fn(t, args);
}

static int64_t make_call(struct task *t)
{
	const struct regs *r = &t->regs;
	const uint64_t args[6] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };
	uint64_t nr = regs_syscall_nr(r);
	const struct syscall_row *row = nr < SYSCALL_MAX ? &syscall_table[nr] : NULL;

	count(COUNT_CALLS + (row ? (unsigned)nr : COUNTERS_CALLS - 1));
	if (t->told.file && !call_leaves_told(nr))
		told_drop(&t->told);
	if (__builtin_expect(!row || !row->fn || t->k->strace || atomic_load_explicit(&t->k->traces_calls, memory_order_relaxed), 0))
		return trace_call(t, nr, row, args, make_watched);
	return row->fn(t, args);
}

int64_t syscall_dispatch(struct task *t)
{
	int64_t ret;

	if (__builtin_expect(atomic_load_explicit(&t->seccomp_mode, memory_order_relaxed), 0) && !seccomp_permits(t, &ret))
		return ret;
	return make_call(t);
}
