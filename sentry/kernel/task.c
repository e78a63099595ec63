/*
 * task.c - making and freeing tasks and thread groups, their links, accounting,
 * and the ways to another task's resources.
 */
#include "kernel/task_table.h"

#include "kernel/cgroup.h"

#include "abi/capability.h"
#include "abi/sched.h"
#include "kernel/ns.h"
#include "kernel/posix_timer.h"
#include "kernel/ptrace.h"
#include "kernel/seccomp.h"
#include "kernel/sigio.h"
#include "kernel/user_count.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct task *current_task;

struct task *task_current(void)
{
	return current_task;
}

void task_set_current(struct task *t)
{
	current_task = t;
}

/* Its program waits for a call that takes its time; what it has woken is to be told of first. */
static void program_rests(struct sleeper *s)
{
	struct task *t = (struct task *)(void *)((char *)s - offsetof(struct task, sleeper));

	t->rests++;
	sigio_send(t->k);
	if (t->k->strace)
		t->k->strace_waits();
	if (t->ctx)
		platform_rest(t->ctx);
	child_first_over(t);
}

static enum wake_when program_wakes(struct sleeper *s)
{
	struct task *t = (struct task *)(void *)((char *)s - offsetof(struct task, sleeper));

	return platform_wakes(t->k->platform, s);
}

struct task *task_alloc(struct kernel *k)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->pending = calloc(1, sizeof(*t->pending));
	if (!t->pending) {
		free(t);
		return NULL;
	}
	ref_init(&t->ref);
	t->k = k;
	sigpending_init(t->pending, k->tasks);
	sleeper_init(&t->sleeper);
	window_init(&t->told.window);
	LIST_INIT(&t->tracees);
	t->sleeper.state = &t->state;
	t->sleeper.sleeps = program_rests;
	t->sleeper.wakes = program_wakes;
	t->altstack.ss_flags = LINUX_SS_DISABLE;
	t->start_time = now_monotonic();
	t->timer_slack = TIMER_SLACK_DEFAULT;
	t->loginuid = t->sessionid = AUDIT_UNSET;
	t->state = 'R';
	memset(t->affinity, 0xff, sizeof(t->affinity));
	return t;
}

struct thread_group *tg_alloc(struct kernel *k)
{
	struct thread_group *tg = calloc(1, sizeof(*tg));

	if (!tg)
		return NULL;
	tg->pending = calloc(1, sizeof(*tg->pending));
	tg->timers = posix_timers_new(tg);
	if (!tg->pending || !tg->timers) {
		posix_timers_free(tg->timers);
		free(tg->pending);
		free(tg);
		return NULL;
	}
	ref_init(&tg->ref);
	tg->k = k;
	sigpending_init(tg->pending, k->tasks);
	TAILQ_INIT(&tg->tasks);
	LIST_INIT(&tg->children);
	waitq_init(&tg->child_wq);
	waitq_init(&tg->thread_wq);
	waitq_init(&tg->end_wq);
	tg->start_time = now_monotonic();
	tg->start_realtime = now_realtime();
	return tg;
}

void tg_put(struct thread_group *tg)
{
	if (!tg || !ref_put(&tg->ref))
		return;
	sigpending_destroy(tg->pending);
	free(tg->pending);
	sighand_put(tg->sighand);
	posix_timers_free(tg->timers);
	pid_put(tg->pid);
	pid_ns_put(tg->pid_ns);
	cgroup_put(tg->cgroup);
	waitq_destroy(&tg->child_wq);
	waitq_destroy(&tg->thread_wq);
	waitq_destroy(&tg->end_wq);
	free(tg);
}

void task_get(struct task *t)
{
	ref_get(&t->ref);
}

void task_put(struct task *t)
{
	if (!t || !ref_put(&t->ref))
		return;
	if (t->pending)
		sigpending_destroy(t->pending);
	free(t->pending);
	free(t->fp);
	cred_put(t->cred);
	seccomp_put(atomic_load(&t->seccomp));
	ptrace_free(t);
	nsproxy_put(t->ns);
	pid_put(t->pid);
	tg_put(t->tg);
	window_destroy(&t->told.window);
	free(t);
}

/* At the end, but where numbers have begun again from low ones. */
static void insert_by_number(struct thread_group *tg, struct task *t)
{
	struct task *before = TAILQ_LAST(&tg->tasks, task_list);

	while (before && before->tid > t->tid)
		before = TAILQ_PREV(before, task_list, tg_link);
	if (before)
		TAILQ_INSERT_AFTER(&tg->tasks, before, t, tg_link);
	else
		TAILQ_INSERT_HEAD(&tg->tasks, t, tg_link);
}

void task_link_locked(struct task *t, struct pid *p)
{
	struct task_table *tt = t->k->tasks;
	struct thread_group *tg = t->tg;

	t->tid = p->numbers[0].nr;
	t->own_tid = pid_own_nr(p);
	ref_get(&p->ref);
	t->pid = p;
	p->task = t;
	if (!tg->leader) {
		tg->leader = t;
		tg->tgid = t->tid;
		tg->own_tgid = t->own_tid;
		ref_get(&p->ref);
		tg->pid = p;
		p->tg = tg;
		if (tg->own_tgid == 1 && !tg->pid_ns->init)
			tg->pid_ns->init = tg;
		ref_get(&tg->ref);
		LIST_INSERT_HEAD(&tt->all, tg, all_link);
	}
	task_get(t);
	insert_by_number(tg, t);
	tg->n_live++;
	tt->n_tasks++;
	cgroup_count_task_locked(tg, 1);
	user_count_task(t);
	tt->n_forks++;
}

void task_unlink_locked(struct task *t)
{
	struct task_table *tt = t->k->tasks;

	if (task_traced(t))
		ptrace_forget_locked(t);
	TAILQ_REMOVE(&t->tg->tasks, t, tg_link);
	tt->n_tasks--;
	cgroup_count_task_locked(t->tg, -1);
	user_count_leave(t);
	if (t->pid->task == t) {
		t->pid->task = NULL;
		pid_drop_if_unused_locked(t->pid);
	}
	waitq_wake(&t->tg->thread_wq, EVENT_IN);
	task_put(t);
}

void tg_release_locked(struct thread_group *tg)
{
	struct task *t;

	if (tg->released)
		return;
	tg->released = true;
	cgroup_leave_locked(tg);
	while ((t = TAILQ_FIRST(&tg->tasks)))
		task_unlink_locked(t);
	tg->leader = NULL;
	if (tg->parent)
		LIST_REMOVE(tg, sibling);
	tg->parent = NULL;
	pgrp_leave_locked(tg);
	LIST_REMOVE(tg, all_link);
	if (tg->pid_ns->init == tg) {
		tg->pid_ns->init = NULL;
		tg->pid_ns->dying = true;
	}
	tg->pid->tg = NULL;
	pid_drop_if_unused_locked(tg->pid);
	tg_put(tg);
}

/* --- other tasks' resources -------------------------------------------------- */

struct mm *task_get_mm(struct task *t)
{
	struct mm *mm;

	tasks_lock(t->k);
	mm = t->mm;
	if (mm)
		mm_get(mm);
	tasks_unlock(t->k);
	return mm;
}

struct fdtable *task_get_files(struct task *t)
{
	struct fdtable *f;

	tasks_lock(t->k);
	f = t->files;
	if (f)
		fdtable_get_table(f);
	tasks_unlock(t->k);
	return f;
}

struct fs_context *task_get_fs(struct task *t)
{
	struct fs_context *fs;

	tasks_lock(t->k);
	fs = t->fs;
	if (fs)
		ref_get(&fs->ref);
	tasks_unlock(t->k);
	return fs;
}

struct cred *task_get_cred(struct task *t)
{
	struct cred *c;

	tasks_lock(t->k);
	c = t->cred;
	cred_get(c);
	tasks_unlock(t->k);
	return c;
}

void task_set_cred(struct task *t, struct cred *c)
{
	struct cred *old;

	tasks_lock(t->k);
	old = t->cred;
	t->cred = c;
	user_count_task(t);
	tasks_unlock(t->k);
	atomic_store(&t->work, true); /* what the program is told of it is not true any more */
	cred_put(old);
}

bool ns_capable(struct task *t, int cap)
{
	return cred_capable(t->cred, cap);
}

uint64_t rlimit_get(struct task *t, unsigned resource)
{
	/* a torn read cannot happen: aligned words; set under the task list lock */
	return __atomic_load_n(&t->tg->rlimits[resource].cur, __ATOMIC_RELAXED);
}

bool task_interrupted(struct task *t)
{
	return atomic_load(&t->work);
}

struct fpstate *task_fp(struct task *t)
{
	if (!t->fp)
		t->fp = aligned_alloc(64, sizeof(*t->fp));
	return t->fp;
}

void tasks_tell_again(struct kernel *k)
{
	struct thread_group *tg;
	struct task *t;

	tasks_lock(k);
	LIST_FOREACH (tg, &k->tasks->all, all_link) {
		TAILQ_FOREACH (t, &tg->tasks, tg_link) {
			atomic_store(&t->work, true);
			if (t != current_task && t->ctx)
				platform_interrupt(t->ctx); /* one that sleeps in a call finds the flag when it goes back */
		}
	}
	tasks_unlock(k);
}

void task_kick_locked(struct task *t)
{
	atomic_store(&t->work, true);
	sleeper_interrupt(&t->sleeper);
	if (t != current_task && t->ctx)
		platform_interrupt(t->ctx);
}
