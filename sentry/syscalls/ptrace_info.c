/*
 * ptrace_info.c - ptrace(2): what a tracer may know of a stop, and of the
 * tracee's signals.
 */
#include "abi/seccomp.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"
#include "syscalls/ptrace_util.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SYSGOOD_TRAP (LINUX_SIGTRAP | 0x80)
#define MAX_ERRNO 4095
#define PEEKED 8u /* siginfos a time */

int64_t ptrace_geteventmsg(struct task *t, struct task *c, const uint64_t a[6])
{
	uint64_t message;
	int r = trace_begin(t, c);

	if (r)
		return r;
	message = c->tracing->message;
	trace_end(t);
	return copy_to_user(t->mm, UADDR(a[3]), &message, sizeof(message));
}

int64_t ptrace_getsiginfo(struct task *t, struct task *c, const uint64_t a[6])
{
	struct linux_siginfo info;
	int r = trace_begin(t, c);

	if (r)
		return r;
	info = c->tracing->info;
	r = c->tracing->has_info ? 0 : -EINVAL;
	trace_end(t);
	return r ? r : copy_to_user(t->mm, UADDR(a[3]), &info, sizeof(info));
}

int64_t ptrace_setsiginfo(struct task *t, struct task *c, const uint64_t a[6])
{
	struct linux_siginfo info;
	int r;

	if (copy_from_user(t->mm, &info, UADDR(a[3]), sizeof(info)))
		return -EFAULT;
	r = trace_begin(t, c);
	if (r)
		return r;
	if (c->tracing->has_info)
		c->tracing->info = info;
	else
		r = -EINVAL;
	trace_end(t);
	return r;
}

/* Queued entries from the off-th on: how many. */
static unsigned copy_queued(const struct sigpending *p, uint64_t off, struct linux_siginfo *out, unsigned max)
{
	const struct sigqueue *q;
	unsigned n = 0;

	TAILQ_FOREACH(q, &p->q, link) {
		if (off) {
			off--;
			continue;
		}
		if (n == max)
			break;
		out[n++] = q->info;
	}
	return n;
}

int64_t ptrace_peeksiginfo(struct task *t, struct task *c, const uint64_t a[6])
{
	struct linux_ptrace_peeksiginfo_args q;
	struct linux_siginfo infos[PEEKED];
	int32_t done = 0;
	unsigned n;

	if (copy_from_user(t->mm, &q, UADDR(a[2]), sizeof(q)))
		return -EFAULT;
	if (q.flags & ~LINUX_PTRACE_PEEKSIGINFO_SHARED || q.nr < 0)
		return -EINVAL;
	while (done < q.nr) {
		int r = trace_begin(t, c);

		if (r)
			return done ? done : r;
		n = (unsigned)(q.nr - done) < PEEKED ? (unsigned)(q.nr - done) : PEEKED;
		n = copy_queued(q.flags & LINUX_PTRACE_PEEKSIGINFO_SHARED ? c->tg->pending : c->pending, q.off + (uint64_t)done, infos, n);
		trace_end(t);
		if (!n)
			break;
		for (unsigned i = 0; i < n; i++, done++)
			if (copy_to_user(t->mm, UADDR(a[3] + (uint64_t)done * sizeof(infos[0])), &infos[i], sizeof(infos[0])))
				return done ? done : -EFAULT;
	}
	return done;
}

int64_t ptrace_getsigmask(struct task *t, struct task *c, const uint64_t a[6])
{
	uint64_t mask;
	int r;

	if (a[2] != sizeof(mask))
		return -EINVAL;
	r = trace_begin(t, c);
	if (r)
		return r;
	mask = c->restore_mask ? c->saved_mask : signal_blocked_locked(c);
	trace_end(t);
	return copy_to_user(t->mm, UADDR(a[3]), &mask, sizeof(mask));
}

int64_t ptrace_setsigmask(struct task *t, struct task *c, const uint64_t a[6])
{
	uint64_t mask;
	int r;

	if (a[2] != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(t->mm, &mask, UADDR(a[3]), sizeof(mask)))
		return -EFAULT;
	r = trace_begin(t, c);
	if (r)
		return r;
	c->restore_mask = false;
	signal_set_blocked_locked(c, mask);
	atomic_store(&c->work, true); /* what it lets in */
	trace_end(t);
	return 0;
}

/* --- the call that it has stopped at -------------------------------------------------- */

static void fill_entry(const struct regs *r, struct linux_ptrace_syscall_info *out)
{
	const uint64_t args[6] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	out->entry.nr = r->orig_rax;
	memcpy(out->entry.args, args, sizeof(args));
}

/* Returns how many bytes of out are of use. */
static size_t describe(const struct tracing *p, const struct regs *r, struct linux_ptrace_syscall_info *out)
{
	int code = p->has_info ? p->info.code : 0;

	out->arch = LINUX_AUDIT_ARCH_X86_64;
	out->ip = r->rip;
	out->sp = r->rsp;
	if (code == SYSGOOD_TRAP && p->message == LINUX_PTRACE_SYSCALL_INFO_ENTRY) {
		out->op = LINUX_PTRACE_SYSCALL_INFO_ENTRY;
		fill_entry(r, out);
		return offsetof(struct linux_ptrace_syscall_info, entry.ret_data);
	}
	if (code == SYSGOOD_TRAP && p->message == LINUX_PTRACE_SYSCALL_INFO_EXIT) {
		out->op = LINUX_PTRACE_SYSCALL_INFO_EXIT;
		out->exit.rval = (int64_t)r->rax;
		out->exit.is_error = out->exit.rval < 0 && out->exit.rval >= -MAX_ERRNO;
		return offsetof(struct linux_ptrace_syscall_info, exit.is_error) + 1;
	}
	if (code == (LINUX_PTRACE_EVENT_SECCOMP << 8 | LINUX_SIGTRAP)) {
		out->op = LINUX_PTRACE_SYSCALL_INFO_SECCOMP;
		fill_entry(r, out);
		out->entry.ret_data = (uint32_t)p->message;
		return offsetof(struct linux_ptrace_syscall_info, entry.ret_data) + sizeof(uint32_t);
	}
	return offsetof(struct linux_ptrace_syscall_info, entry);
}

int64_t ptrace_get_syscall_info(struct task *t, struct task *c, const uint64_t a[6])
{
	struct linux_ptrace_syscall_info info;
	size_t n;
	int r = trace_begin(t, c);

	if (r)
		return r;
	memset(&info, 0, sizeof(info));
	n = describe(c->tracing, &c->regs, &info);
	trace_end(t);
	r = copy_to_user(t->mm, UADDR(a[3]), &info, a[2] < n ? a[2] : n);
	return r ? r : (int64_t)n;
}

int64_t ptrace_get_rseq(struct task *t, struct task *c, const uint64_t a[6])
{
	struct linux_ptrace_rseq_configuration q = { 0 };
	int r = trace_begin(t, c);

	if (r)
		return r;
	q.rseq_abi_pointer = c->rseq.v;
	q.rseq_abi_size = c->rseq_len;
	q.signature = c->rseq_sig;
	trace_end(t);
	r = copy_to_user(t->mm, UADDR(a[3]), &q, a[2] < sizeof(q) ? a[2] : sizeof(q));
	return r ? r : (int64_t)sizeof(q);
}
