/*
 * task_orphans.c - what the end of a process does to its family: its children get
 * another parent and their parent-death signals, and process groups that are
 * orphaned by it (POSIX: no member's parent is in another group of the session)
 * are woken.  Any thread, with the task list lock held.
 */
#include "kernel/task_table.h"

#include "kernel/ptrace.h"

/* The next subreaper above in the same namespace and container, else the namespace's first process. */
static struct thread_group *new_parent_locked(struct thread_group *tg)
{
	struct thread_group *p;

	for (p = tg->parent; p && p->pid_ns == tg->pid_ns; p = p->parent)
		if (p->is_subreaper && !p->exiting && p->n_live && p->container == tg->container)
			return p;
	p = tg->pid_ns->init;
	return p && p != tg && p->n_live ? p : NULL;
}

/* A group that has become orphaned and has stopped members gets SIGHUP and SIGCONT. */
static void wake_orphaned_pgrp_locked(struct pgrp *pg, const struct thread_group *leaving)
{
	struct thread_group *m;

	if (!pg || !pgrp_is_orphaned_locked(pg, leaving) || !pgrp_has_stopped_locked(pg))
		return;
	LIST_FOREACH(m, &pg->members, pgrp_link) {
		signal_send_locked(m, NULL, LINUX_SIGHUP, NULL, 0);
		signal_send_locked(m, NULL, LINUX_SIGCONT, NULL, 0);
	}
}

static void send_pdeathsig_locked(struct thread_group *child)
{
	struct task *t;

	TAILQ_FOREACH(t, &child->tasks, tg_link) {
		struct linux_siginfo info = { .signo = t->pdeathsig, .code = LINUX_SI_USER };

		if (!t->pdeathsig || t->exiting)
			continue;
		info.rt.pid = child->parent ? tg_nr(child->parent, child->pid_ns) : 0;
		signal_send_locked(child, NULL, t->pdeathsig, &info, 0);
	}
}

/* tg's parent, in another group of the same session, keeps tg's group from being orphaned. */
static bool keeps_pgrp(const struct thread_group *tg)
{
	const struct pgrp *pg = tg->pgrp, *parents = tg->parent ? tg->parent->pgrp : NULL;

	return pg && parents && pg != parents && pg->session == parents->session;
}

static void reparent_children_locked(struct thread_group *tg)
{
	struct thread_group *heir = new_parent_locked(tg), *c;

	while ((c = LIST_FIRST(&tg->children))) {
		struct pgrp *pg = c->pgrp;
		bool kept = keeps_pgrp(c);

		send_pdeathsig_locked(c);
		LIST_REMOVE(c, sibling);
		c->parent = heir;
		if (heir) {
			LIST_INSERT_HEAD(&heir->children, c, sibling);
			c->exit_signal = LINUX_SIGCHLD;
			if (c->zombie && !(c->leader && ptrace_reparented_locked(c->leader)))
				tg_tell_end_locked(c);
		} else if (c->zombie && !c->from_control) {
			tg_release_locked(c);
		}
		if (kept)
			wake_orphaned_pgrp_locked(pg, NULL);
	}
}

void tg_leave_family_locked(struct thread_group *tg)
{
	struct pgrp *pg = tg->pgrp;
	bool kept = keeps_pgrp(tg);

	reparent_children_locked(tg);
	if (kept)
		wake_orphaned_pgrp_locked(pg, tg);
}
