/*
 * ptrace.c - who traces whom: beginning and ending it, who may, and what becomes
 * of it at clone and at a tracer's end.  Any thread; the relation is under the
 * task list lock.
 */
#include "kernel/ptrace.h"

#include "abi/capability.h"
#include "abi/sched.h"
#include "kernel/task_table.h"
#include "mm/mm.h"
#include "mm/text.h"

#include <errno.h>
#include <stdlib.h>

/* --- who may (Linux: kernel/ptrace.c __ptrace_may_access, commoncap.c) ------------ */

static bool same_ids(const struct cred *mine, const struct cred *c, unsigned flags)
{
	uint32_t uid = flags & PTRACE_ACCESS_FSCREDS ? mine->fsuid : mine->ruid, gid = flags & PTRACE_ACCESS_FSCREDS ? mine->fsgid : mine->rgid;

	return uid == c->euid && uid == c->suid && uid == c->ruid && gid == c->egid && gid == c->sgid && gid == c->rgid;
}

/* c has no capability that `mine` lacks. */
static bool within_rights(const struct cred *mine, const struct cred *c, unsigned flags)
{
	uint64_t caps = flags & PTRACE_ACCESS_FSCREDS ? mine->cap_effective : mine->cap_permitted;

	return mine->user_ns == c->user_ns && !(c->cap_permitted & ~caps);
}

bool ptrace_creds_may_access(const struct cred *mine, const struct cred *c, struct mm *mm, unsigned flags)
{
	if (mm && !mm_dumpable(mm) && !cred_capable_in(mine, mm_user_ns(mm), LINUX_CAP_SYS_PTRACE))
		return false;
	if (cred_capable_in(mine, c->user_ns, LINUX_CAP_SYS_PTRACE))
		return true;
	return same_ids(mine, c, flags) && within_rights(mine, c, flags);
}

/* PTRACE_TRACEME: whatever its ids, the parent has no fewer rights. */
static bool may_be_tracer(const struct cred *parent, const struct cred *c)
{
	return within_rights(parent, c, 0) || cred_capable_in(parent, c->user_ns, LINUX_CAP_SYS_PTRACE);
}

bool ptrace_may_access(struct task *t, struct task *target)
{
	struct cred *c;
	struct mm *mm;
	bool ok;

	if (t->tg == target->tg)
		return true;
	c = task_get_cred(target);
	if (!c)
		return ns_capable(t, LINUX_CAP_SYS_PTRACE);
	mm = task_get_mm(target);
	ok = ptrace_creds_may_access(t->cred, c, mm, 0);
	if (mm)
		mm_put(mm);
	cred_put(c);
	return ok;
}

bool ptrace_holds_rights(struct task *t)
{
	bool r;

	if (!task_traced(t))
		return false;
	tasks_lock(t->k);
	r = task_traced(t) && !cred_capable_in(t->tracing->tracer->cred, t->cred->user_ns, LINUX_CAP_SYS_PTRACE);
	tasks_unlock(t->k);
	return r;
}

/* --- beginning ------------------------------------------------------------------------ */

/* [T] held. NULL: no memory */
static struct tracing *tracing_of_locked(struct task *c)
{
	if (!c->tracing) {
		c->tracing = calloc(1, sizeof(*c->tracing));
		if (c->tracing)
			c->tracing->tracee = c;
	}
	return c->tracing;
}

static void link_locked(struct task *tracer, struct tracing *p, bool seize, uint32_t options)
{
	p->tracer = tracer;
	p->seized = seize;
	p->options = options;
	p->mode = TRACE_CONT;
	p->listening = p->trap_stop = p->trap_notify = p->has_info = p->at_end = false;
	p->message = 0;
	p->code = 0;
	LIST_INSERT_HEAD(&tracer->tracees, p, link);
	atomic_store(&p->tracee->traced, true);
}

/* From now on it asks for everything; that does not end a call in which it sleeps. */
static void must_ask_locked(struct task *c)
{
	atomic_store(&c->work, true);
	if (c != task_current() && c->ctx)
		platform_interrupt(c->ctx);
}

int ptrace_traceme(struct task *t)
{
	struct thread_group *parent;
	struct task *tracer = NULL, *o;
	struct tracing *p;
	int r = 0;

	tasks_lock(t->k);
	parent = t->tg->parent;
	if (parent) {
		tracer = parent->leader;
		TAILQ_FOREACH(o, &parent->tasks, tg_link)
			if (o->tid == t->tg->made_by)
				tracer = o;
	}
	p = tracing_of_locked(t);
	if (!p)
		r = -ENOMEM;
	else if (p->tracer || !tracer || !tracer->cred || !may_be_tracer(tracer->cred, t->cred))
		r = -EPERM;
	else if (!tracer->exited)
		link_locked(tracer, p, false, 0);
	atomic_store(&t->work, true);
	tasks_unlock(t->k);
	if (!r)
		mm_text_hold(t->mm);
	return r;
}

static int attach_locked(struct task *t, struct task *c, bool seize, uint32_t options)
{
	struct tracing *p = tracing_of_locked(c);

	if (!p)
		return -ENOMEM;
	if (c->exiting || c->exited || c->tg->released || p->tracer)
		return -EPERM;
	link_locked(t, p, seize, options);
	must_ask_locked(c);
	if (!seize)
		signal_send_locked(c->tg, c, LINUX_SIGSTOP, NULL, SEND_FORCED);
	if (c->parked && c->tg->stopping) { /* it stands in a group stop: now in one of the tracer's */
		p->trap_stop = true;
		sleeper_wake(&c->sleeper);
	}
	return 0;
}

int ptrace_attach(struct task *t, struct task *c, bool seize, uint32_t options)
{
	struct mm *mm;
	int r;

	if (t->tg == c->tg || !ptrace_may_access(t, c))
		return -EPERM;
	tasks_lock(t->k);
	r = attach_locked(t, c, seize, options);
	tasks_unlock(t->k);
	mm = r ? NULL : task_get_mm(c);
	if (mm) {
		mm_text_hold(mm);
		mm_put(mm);
	}
	return r;
}

int ptrace_clone_event(uint64_t flags, int exit_signal)
{
	if (flags & LINUX_CLONE_VFORK)
		return LINUX_PTRACE_EVENT_VFORK;
	return exit_signal == LINUX_SIGCHLD ? LINUX_PTRACE_EVENT_FORK : LINUX_PTRACE_EVENT_CLONE;
}

void ptrace_inherit_locked(struct task *t, struct task *c, uint64_t flags, int exit_signal)
{
	struct tracing *p = task_traced(t) ? t->tracing : NULL;
	bool wanted = p && p->options & 1u << ptrace_clone_event(flags, exit_signal) && !(flags & LINUX_CLONE_UNTRACED);

	if (!p || (!wanted && !(flags & LINUX_CLONE_PTRACE)) || !tracing_of_locked(c))
		return;
	link_locked(p->tracer, c->tracing, p->seized, p->options);
	c->tracing->trap_stop = p->seized;
	if (!p->seized)
		sigpending_push(c->pending, LINUX_SIGSTOP, NULL);
	atomic_store(&c->work, true);
	mm_text_hold_new(c->mm);
}

/* --- ending --------------------------------------------------------------------------- */

bool ptrace_reparented_locked(const struct task *t)
{
	return task_traced(t) && t->tracing->tracer->tg != t->tg->parent;
}

static bool group_traced_locked(const struct thread_group *tg)
{
	const struct task *t;

	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (task_traced(t))
			return true;
	return false;
}

/* It goes back to the group stop that there is meanwhile, if it does not stand in it. */
static void rejoin_stop_locked(struct task *c, bool in_own_stop)
{
	if (c->exiting || !c->tg->stopping || c->stop_todo || (c->parked && !in_own_stop))
		return;
	c->stop_todo = true;
	if (!c->tg->stopped)
		c->tg->stop_left++;
}

static void unlink_locked(struct task *c)
{
	struct tracing *p = c->tracing;
	bool stopped = p->stopped;

	LIST_REMOVE(p, link);
	p->tracer = NULL;
	p->mode = TRACE_CONT;
	p->stopped = p->trap_stop = p->trap_notify = p->listening = p->at_end = false;
	p->watches = (struct watches){ 0 };
	atomic_store(&c->traced, false);
	if (c->mm && !group_traced_locked(c->tg))
		mm_text_release(c->mm);
	rejoin_stop_locked(c, stopped);
	must_ask_locked(c); /* what it is told without asking is to be known again */
	sleeper_wake(&c->sleeper);
}

void ptrace_forget_locked(struct task *c)
{
	struct task *tracer = c->tracing->tracer;

	unlink_locked(c);
	waitq_wake(&tracer->tg->child_wq, EVENT_IN);
}

void ptrace_detach_locked(struct task *c, int signo)
{
	struct thread_group *tg = c->tg;
	bool reparented = ptrace_reparented_locked(c);

	c->tracing->signo = signo;
	unlink_locked(c);
	if (!c->exited)
		return;
	if (c != tg->leader) {
		task_unlink_locked(c);
		tg_end_if_empty_locked(tg);
	} else if (tg->zombie && reparented) {
		tg_tell_end_locked(tg);
	}
}

void ptrace_tracer_exit_locked(struct task *t)
{
	struct tracing *p;

	while ((p = LIST_FIRST(&t->tracees))) {
		struct task *c = p->tracee;

		if (p->options & LINUX_PTRACE_O_EXITKILL && !c->exited)
			signal_send_locked(c->tg, NULL, LINUX_SIGKILL, NULL, SEND_FORCED);
		ptrace_detach_locked(c, 0);
	}
}

void ptrace_free(struct task *t)
{
	free(t->tracing);
}

int ptrace_check_locked(struct task *t, struct task *c, bool running)
{
	const struct tracing *p = task_traced(c) ? c->tracing : NULL;

	if (!p || p->tracer != t)
		return -ESRCH;
	return running || (p->stopped && !p->listening) ? 0 : -ESRCH;
}
