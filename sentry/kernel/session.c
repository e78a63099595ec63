/*
 * session.c - process groups and sessions.  Everything here is guarded by the
 * task list lock, reference counts included.
 */
#include "kernel/task_table.h"

#include <errno.h>
#include <stdlib.h>

void session_put_locked(struct kernel *k, struct session *s)
{
	if (!ref_put(&s->ref))
		return;
	s->pid->session = NULL;
	pid_drop_if_unused_locked(s->pid);
	free(s);
}

static void pgrp_put_locked(struct kernel *k, struct pgrp *pg)
{
	if (!ref_put(&pg->ref))
		return;
	pg->pid->pgrp = NULL;
	pid_drop_if_unused_locked(pg->pid);
	session_put_locked(k, pg->session);
	free(pg);
}

void pgrp_join_locked(struct thread_group *tg, struct pgrp *to)
{
	ref_get(&to->ref);
	tg->pgrp = to;
	LIST_INSERT_HEAD(&to->members, tg, pgrp_link);
}

void pgrp_leave_locked(struct thread_group *tg)
{
	struct pgrp *old = tg->pgrp;

	if (!old)
		return;
	LIST_REMOVE(tg, pgrp_link);
	tg->pgrp = NULL;
	pgrp_put_locked(tg->k, old);
}

void pgrp_move_locked(struct thread_group *tg, struct pgrp *to)
{
	struct pgrp *old = tg->pgrp;

	if (old == to)
		return;
	if (old)
		LIST_REMOVE(tg, pgrp_link);
	pgrp_join_locked(tg, to);
	if (old)
		pgrp_put_locked(tg->k, old);
}

/* A group numbered like tg, holding the session, with one reference of the caller's. */
static struct pgrp *pgrp_new_locked(struct thread_group *tg, struct session *s)
{
	struct pgrp *pg = calloc(1, sizeof(*pg));

	if (!pg)
		return NULL;
	ref_init(&pg->ref);
	pg->pgid = tg->tgid;
	pg->pid = tg->pid;
	pg->session = s;
	ref_get(&s->ref);
	LIST_INIT(&pg->members);
	pg->pid->pgrp = pg;
	return pg;
}

int pgrp_create_locked(struct thread_group *tg)
{
	struct pgrp *pg = pgrp_new_locked(tg, tg->pgrp->session);

	if (!pg)
		return -ENOMEM;
	pgrp_move_locked(tg, pg);
	pgrp_put_locked(tg->k, pg);
	return 0;
}

int session_create_locked(struct thread_group *tg)
{
	struct session *s = calloc(1, sizeof(*s));
	struct pgrp *pg;

	if (!s)
		return -ENOMEM;
	ref_init(&s->ref);
	s->sid = tg->tgid;
	s->pid = tg->pid;
	pg = pgrp_new_locked(tg, s);
	if (!pg) {
		free(s);
		return -ENOMEM;
	}
	s->pid->session = s;
	pgrp_move_locked(tg, pg);
	pgrp_put_locked(tg->k, pg);
	session_put_locked(tg->k, s);
	return 0;
}

/* No member has a parent in another group of the same session. */
bool pgrp_is_orphaned_locked(struct pgrp *pg, const struct thread_group *ignored)
{
	struct thread_group *m;

	LIST_FOREACH(m, &pg->members, pgrp_link) {
		if (m == ignored || m->zombie || !m->parent)
			continue;
		if (m->parent->pgrp && m->parent->pgrp != pg && m->parent->pgrp->session == pg->session)
			return false;
	}
	return true;
}

bool pgrp_has_stopped_locked(const struct pgrp *pg)
{
	struct thread_group *m;

	LIST_FOREACH(m, &pg->members, pgrp_link)
		if (m->stopped)
			return true;
	return false;
}

bool pgrp_is_orphaned(struct kernel *k, pid_t pgid)
{
	struct pgrp *pg;
	bool r;

	tasks_lock(k);
	pg = pgrp_find_locked(k->root_pids, pgid);
	r = !pg || pgrp_is_orphaned_locked(pg, NULL);
	tasks_unlock(k);
	return r;
}

pid_t task_pgid(struct task *t)
{
	pid_t r;

	tasks_lock(t->k);
	r = t->tg->pgrp ? t->tg->pgrp->pgid : 0;
	tasks_unlock(t->k);
	return r;
}

struct session *session_find_locked(const struct pid_ns *ns, pid_t sid)
{
	struct pid *p = pid_find_locked(ns, sid);

	return p ? p->session : NULL;
}
