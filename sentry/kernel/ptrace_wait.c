/*
 * ptrace_wait.c - wait(2) for tracees: their stops, and their ends, of which the
 * tracer learns before the parent does.  All under the task list lock.
 */
#include "abi/wait.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"
#include "kernel/task_wait.h"

#include <errno.h>

int task_end_status(const struct task *t)
{
	if (t->tg->exiting)
		return t->tg->exit_status;
	return t->leaving ? LINUX_W_EXIT(t->exit_code) : 0; /* 0: ended by another thread's exec */
}

static bool meant(const struct wait_request *q, const struct task *c, const struct pid_ns *ns)
{
	switch (q->type) {
	case LINUX_P_PID:
		return pid_nr(c->pid, ns) == q->id;
	case LINUX_P_PIDFD:
		return q->target == c->tg && c == c->tg->leader;
	case LINUX_P_PGID:
		return c->tg->pgrp && (q->id ? pgrp_nr(c->tg->pgrp, ns) == q->id : c->tg->pgrp->pgid == q->pgid);
	default:
		return true;
	}
}

static void fill(const struct pid_ns *ns, struct task *c, struct wait_result *out, int status, int code)
{
	*out = (struct wait_result){ .pid = pid_nr(c->pid, ns), .status = status, .code = code };
	out->uid = c->cred ? c->cred->ruid : 0;
	tg_usage_locked(c->tg, &out->usage);
	usage_add(&out->usage, &c->tg->reaped);
}

/* The end of a thread, or of a process whose parent is not to know yet. */
static bool take_end_locked(const struct pid_ns *ns, struct task *c, const struct wait_request *q, struct wait_result *out)
{
	int status = c->tg->exiting ? c->tg->exit_status : LINUX_W_EXIT(c->exit_code);

	if (!(q->options & LINUX_WEXITED) || (c == c->tg->leader && !c->tg->zombie))
		return false;
	fill(ns, c, out, status, LINUX_WTERMSIG(status) ? status & 0x80 ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED : LINUX_CLD_EXITED);
	if (!(q->options & LINUX_WNOWAIT))
		ptrace_detach_locked(c, 0); /* a thread is gone then */
	return true;
}

static bool take_locked(const struct pid_ns *ns, struct task *c, const struct wait_request *q, struct wait_result *out)
{
	struct tracing *p = c->tracing;

	if (c->exited)
		return take_end_locked(ns, c, q, out);
	if (!p->stopped || p->listening || !p->code)
		return false;
	fill(ns, c, out, LINUX_W_STOP(p->code), LINUX_CLD_TRAPPED);
	if (!(q->options & LINUX_WNOWAIT))
		p->code = 0;
	return true;
}

/* The tracees of one thread. */
static int look_at_locked(struct task *tracer, const struct pid_ns *ns, const struct wait_request *q, struct wait_result *out)
{
	struct tracing *p;
	int r = -ECHILD;

	LIST_FOREACH(p, &tracer->tracees, link) {
		struct task *c = p->tracee;

		/* an own child's end is its parent's to take */
		if (!meant(q, c, ns) || (c->exited && c == c->tg->leader && !ptrace_reparented_locked(c)))
			continue;
		r = 0;
		if (take_locked(ns, c, q, out))
			break;
	}
	return r;
}

int ptrace_look_locked(struct task *t, const struct wait_request *q, struct wait_result *out)
{
	struct task *o;
	int r = -ECHILD;

	if (q->options & LINUX_WNOTHREAD)
		return look_at_locked(t, task_pid_ns(t), q, out);
	TAILQ_FOREACH(o, &t->tg->tasks, tg_link) {
		if (!look_at_locked(o, task_pid_ns(t), q, out))
			r = 0;
		if (out->pid)
			break;
	}
	return r;
}

void ptrace_tell_end_locked(struct task *c)
{
	int status = task_end_status(c);
	struct thread_group *to = c->tracing->tracer->tg;
	struct linux_siginfo info = { .signo = LINUX_SIGCHLD, .code = LINUX_CLD_EXITED };

	info.chld.pid = pid_nr(c->pid, to->pid_ns);
	info.chld.uid = c->cred ? c->cred->ruid : 0;
	info.chld.status = LINUX_WEXITSTATUS(status);
	if (LINUX_WTERMSIG(status)) {
		info.code = status & 0x80 ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED;
		info.chld.status = LINUX_WTERMSIG(status);
	}
	signal_send_locked(to, NULL, LINUX_SIGCHLD, &info, 0);
	waitq_wake(&to->child_wq, EVENT_IN);
}
