/*
 * task_table.c - the task list's lock, and finding tasks and groups by number.
 */
#include "kernel/task_table.h"

#include <stdlib.h>

struct task_table *task_table_new(void)
{
	struct task_table *tt = calloc(1, sizeof(*tt));

	if (!tt)
		return NULL;
	mutex_init(&tt->mu, RANK_TASKS);
	LIST_INIT(&tt->all);
	SLIST_INIT(&tt->idle);
	for (int i = 0; i < USER_COUNTS; i++)
		LIST_INIT(&tt->users[i]);
	waitq_init(&tt->signalfd_wq);
	waitq_init(&tt->ended_wq);
	LIST_INIT(&tt->freezes);
	burials_init(&tt->burials);
	return tt;
}

void tasks_lock(struct kernel *k)
{
	mutex_lock(&k->tasks->mu);
}

void tasks_unlock(struct kernel *k)
{
	mutex_unlock(&k->tasks->mu);
}

struct task *task_find_locked(const struct pid_ns *ns, pid_t tid)
{
	struct pid *p = pid_find_locked(ns, tid);

	return p ? p->task : NULL;
}

struct thread_group *tg_find_locked(const struct pid_ns *ns, pid_t tgid)
{
	struct pid *p = pid_find_locked(ns, tgid);

	return p ? p->tg : NULL;
}

struct pgrp *pgrp_find_locked(const struct pid_ns *ns, pid_t pgid)
{
	struct pid *p = pid_find_locked(ns, pgid);

	return p ? p->pgrp : NULL;
}

struct task *task_find(const struct pid_ns *ns, pid_t tid)
{
	struct task *t;

	tasks_lock(ns->k);
	t = task_find_locked(ns, tid);
	if (t)
		task_get(t);
	tasks_unlock(ns->k);
	return t;
}

struct thread_group *tg_find(const struct pid_ns *ns, pid_t tgid)
{
	struct thread_group *tg;

	tasks_lock(ns->k);
	tg = tg_find_locked(ns, tgid);
	if (tg)
		ref_get(&tg->ref);
	tasks_unlock(ns->k);
	return tg;
}

struct thread_group *tg_next(const struct pid_ns *ns, pid_t after, pid_t *nr)
{
	struct thread_group *tg = NULL;
	struct pid *p;

	tasks_lock(ns->k);
	while (!tg && (p = pid_next_locked(ns, after, nr))) {
		after = *nr;
		tg = p->tg;
	}
	if (tg)
		ref_get(&tg->ref);
	tasks_unlock(ns->k);
	return tg;
}

struct task *tg_next_task(struct thread_group *tg, pid_t after)
{
	struct task *t;

	tasks_lock(tg->k);
	t = task_find_locked(tg->k->root_pids, after); /* often it is still there */
	if (t && t->tg == tg) {
		t = TAILQ_NEXT(t, tg_link);
	} else {
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			if (t->tid > after)
				break;
	}
	if (t)
		task_get(t);
	tasks_unlock(tg->k);
	return t;
}

struct task *tg_any_task(struct thread_group *tg)
{
	struct task *t;

	tasks_lock(tg->k);
	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (!t->exiting)
			break;
	if (t)
		task_get(t);
	tasks_unlock(tg->k);
	return t;
}
