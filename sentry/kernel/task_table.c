/*
 * task_table.c - numbers of tasks, groups, process groups and sessions: an
 * ordered tree, so that /proc can list it.
 */
#include "kernel/task_table.h"

#include <errno.h>
#include <stdlib.h>

static int pid_cmp(const struct pid_entry *a, const struct pid_entry *b)
{
	return (a->nr > b->nr) - (a->nr < b->nr);
}
#define __unused __attribute__((unused)) /* libbsd's macro uses it */
RB_GENERATE_STATIC(pid_tree, pid_entry, link, pid_cmp)

struct task_table *task_table_new(void)
{
	struct task_table *tt = calloc(1, sizeof(*tt));

	if (!tt)
		return NULL;
	mutex_init(&tt->mu, RANK_TASKS);
	RB_INIT(&tt->pids);
	LIST_INIT(&tt->all);
	for (int i = 0; i < SIG_USERS; i++)
		LIST_INIT(&tt->sig_users[i]);
	waitq_init(&tt->signalfd_wq);
	waitq_init(&tt->ended_wq);
	waitq_init(&tt->freeze_wq);
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

struct pid_entry *pid_find_locked(struct task_table *tt, pid_t nr)
{
	struct pid_entry key = { .nr = nr };

	return RB_FIND(pid_tree, &tt->pids, &key);
}

pid_t pid_alloc_locked(struct task_table *tt, struct pid_entry **out)
{
	struct pid_entry *e;

	if (tt->n_tasks >= TASKS_MAX || (tt->tasks_max && tt->n_tasks >= tt->tasks_max))
		return -EAGAIN;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	for (int tries = 0; tries < PID_MAX; tries++) {
		e->nr = tt->last_pid + 1;
		if (e->nr >= PID_MAX)
			e->nr = PID_RESERVED;
		tt->last_pid = e->nr;
		if (!RB_INSERT(pid_tree, &tt->pids, e)) {
			*out = e;
			return e->nr;
		}
	}
	free(e);
	return -EAGAIN;
}

void pid_drop_if_unused_locked(struct task_table *tt, struct pid_entry *e)
{
	if (e->task || e->tg || e->pgrp || e->session)
		return;
	RB_REMOVE(pid_tree, &tt->pids, e);
	free(e);
}

struct task *task_find_locked(struct kernel *k, pid_t tid)
{
	struct pid_entry *e = pid_find_locked(k->tasks, tid);

	return e ? e->task : NULL;
}

struct thread_group *tg_find_locked(struct kernel *k, pid_t tgid)
{
	struct pid_entry *e = pid_find_locked(k->tasks, tgid);

	return e ? e->tg : NULL;
}

struct pgrp *pgrp_find_locked(struct kernel *k, pid_t pgid)
{
	struct pid_entry *e = pid_find_locked(k->tasks, pgid);

	return e ? e->pgrp : NULL;
}

struct task *task_find(struct kernel *k, pid_t tid)
{
	struct task *t;

	tasks_lock(k);
	t = task_find_locked(k, tid);
	if (t)
		task_get(t);
	tasks_unlock(k);
	return t;
}

struct thread_group *tg_find(struct kernel *k, pid_t tgid)
{
	struct thread_group *tg;

	tasks_lock(k);
	tg = tg_find_locked(k, tgid);
	if (tg)
		ref_get(&tg->ref);
	tasks_unlock(k);
	return tg;
}

struct thread_group *tg_next(struct kernel *k, pid_t after)
{
	struct pid_entry key = { .nr = after + 1 }, *e;
	struct thread_group *tg = NULL;

	tasks_lock(k);
	for (e = RB_NFIND(pid_tree, &k->tasks->pids, &key); e && !tg; e = RB_NEXT(pid_tree, &k->tasks->pids, e))
		tg = e->tg;
	if (tg)
		ref_get(&tg->ref);
	tasks_unlock(k);
	return tg;
}

struct task *tg_next_task(struct thread_group *tg, pid_t after)
{
	struct task *t, *best = NULL;

	tasks_lock(tg->k);
	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (t->tid > after && (!best || t->tid < best->tid))
			best = t;
	if (best)
		task_get(best);
	tasks_unlock(tg->k);
	return best;
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
