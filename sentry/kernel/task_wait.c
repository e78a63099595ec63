/*
 * task_wait.c - looks through the children for one that ended, stopped or
 * continued; sleeps on the group's child queue.  Children belong to the group:
 * any of its threads may wait for any of them.
 */
#include "kernel/task_wait.h"

#include "abi/wait.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"

#include <errno.h>

/* By all but its number. */
static bool eligible(const struct wait_request *q, const struct thread_group *parent, const struct thread_group *c)
{
	bool clone_child = c->exit_signal != LINUX_SIGCHLD;

	if (q->type == LINUX_P_PGID && (!c->pgrp || (q->id ? pgrp_nr(c->pgrp, parent->pid_ns) != q->id : c->pgrp->pgid != q->pgid)))
		return false;
	if (q->options & LINUX_WALL)
		return true;
	return clone_child == !!(q->options & LINUX_WCLONE);
}

static void fill(struct thread_group *parent, struct thread_group *c, struct wait_result *out, int status, int code)
{
	*out = (struct wait_result){ .pid = tg_nr(c, parent->pid_ns), .status = status, .code = code };
	out->uid = c->leader && c->leader->cred ? c->leader->cred->ruid : 0;
	tg_usage_locked(c, &out->usage);
	usage_add(&out->usage, &c->reaped);
}

static void reap_locked(struct thread_group *parent, struct thread_group *c)
{
	struct usage_sum u;

	tg_usage_locked(c, &u);
	usage_add(&u, &c->reaped);
	usage_add(&parent->reaped, &u);
	tg_release_locked(c);
}

/* Whoever traces a child is told of its own stops, not of the group's. */
static bool traced_by_parent_locked(const struct thread_group *c)
{
	return c->leader && task_traced(c->leader) && !ptrace_reparented_locked(c->leader);
}

/* True when c has something to tell. */
static bool take_locked(struct thread_group *parent, struct thread_group *c, const struct wait_request *q, struct wait_result *out)
{
	bool keep = q->options & LINUX_WNOWAIT;

	if (c->zombie) {
		int sig = LINUX_WTERMSIG(c->exit_status);

		if (!(q->options & LINUX_WEXITED) || (c->leader && ptrace_reparented_locked(c->leader)))
			return false;
		fill(parent, c, out, c->exit_status, sig ? c->exit_status & 0x80 ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED : LINUX_CLD_EXITED);
		if (!keep)
			reap_locked(parent, c);
		return true;
	}
	if (c->stopped && !c->stop_reported && q->options & LINUX_WSTOPPED && !traced_by_parent_locked(c)) {
		fill(parent, c, out, LINUX_W_STOP(c->stop_signal), LINUX_CLD_STOPPED);
		c->stop_reported = !keep;
		return true;
	}
	if (c->cont_pending && q->options & LINUX_WCONTINUED) {
		fill(parent, c, out, LINUX_W_CONTINUED, LINUX_CLD_CONTINUED);
		c->cont_pending = keep;
		return true;
	}
	return false;
}

/* The only child that a request by number or descriptor can mean, eligible or not; NULL: there is none. */
static struct thread_group *named_locked(const struct thread_group *parent, const struct wait_request *q)
{
	struct thread_group *c = q->type == LINUX_P_PID ? tg_find_locked(parent->pid_ns, q->id) : q->target;

	return c && c->parent == parent ? c : NULL;
}

/* 0 with out->pid set or not, or -ECHILD. */
static int look(struct task *t, const struct wait_request *q, struct wait_result *out)
{
	bool one = q->type == LINUX_P_PID || q->type == LINUX_P_PIDFD;
	struct thread_group *c;
	int r = -ECHILD, traced;

	out->pid = 0;
	tasks_lock(t->k);
	for (c = one ? named_locked(t->tg, q) : LIST_FIRST(&t->tg->children); c; c = one ? NULL : LIST_NEXT(c, sibling)) {
		if (!eligible(q, t->tg, c))
			continue;
		r = 0;
		if (take_locked(t->tg, c, q, out))
			break;
	}
	traced = out->pid ? 0 : ptrace_look_locked(t, q, out);
	tasks_unlock(t->k);
	return r && traced ? r : 0;
}

int task_wait(struct task *t, const struct wait_request *q, struct wait_result *out)
{
	struct waiter w;
	int r, woken = 0;

	wait_begin(&w, &t->tg->child_wq, EVENT_IN);
	/* a signal that comes with a child's end does not hide that */
	while (!(r = look(t, q, out)) && !out->pid && !(q->options & LINUX_WNOHANG) && !(r = woken))
		woken = wait_sleep(WAIT_FOREVER);
	wait_end(&w);
	return r;
}
