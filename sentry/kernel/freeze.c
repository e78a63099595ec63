/*
 * freeze.c - tasks held before they run program code, for control.pause and cgroup.freeze.
 *
 * A task in its program is interrupted and parks in its loop; one blocked in a
 * call stays blocked, and parks when the call ends.  Signals queue up.  What
 * ends a group (SIGKILL) ends it also while frozen, as in a v2 cgroup.
 */
#include "kernel/freeze.h"

#include "kernel/task_table.h"

void kernel_freeze(struct kernel *k, const struct container *c, struct freeze *f, struct waiter *w)
{
	struct thread_group *tg;
	struct task *t;

	*f = (struct freeze){ .c = c };
	waitq_init(&f->wq);
	waitq_add(&f->wq, w);
	tasks_lock(k);
	LIST_INSERT_HEAD(&k->tasks->freezes, f, link);
	LIST_FOREACH(tg, &k->tasks->all, all_link) {
		if (tg->container != c)
			continue;
		atomic_fetch_or(&tg->frozen, FROZEN_CONTAINER);
		TAILQ_FOREACH(t, &tg->tasks, tg_link) {
			if (t->exiting || !t->ctx)
				continue;
			/* latched: one that is about to enter its program comes back at once */
			platform_interrupt(t->ctx);
			t->freeze_todo = task_in_program(&t->cpu);
			f->left += t->freeze_todo;
		}
	}
	tasks_unlock(k);
}

void kernel_thaw(struct kernel *k, const struct container *c)
{
	struct thread_group *tg;
	struct task *t;

	tasks_lock(k);
	LIST_FOREACH(tg, &k->tasks->all, all_link) {
		if (tg->container != c)
			continue;
		atomic_fetch_and(&tg->frozen, ~FROZEN_CONTAINER);
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			sleeper_wake(&t->sleeper);
	}
	tasks_unlock(k);
}

void freeze_group_locked(struct thread_group *tg, bool freeze)
{
	struct task *t;

	if (freeze)
		atomic_fetch_or(&tg->frozen, FROZEN_GROUP);
	else
		atomic_fetch_and(&tg->frozen, ~FROZEN_GROUP);
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		if (!freeze)
			sleeper_wake(&t->sleeper);
		else if (!t->exiting && t->ctx)
			platform_interrupt(t->ctx);
	}
}

/* It has left its program. */
static void count_locked(struct task *t)
{
	struct freeze *f;

	if (!t->freeze_todo)
		return;
	t->freeze_todo = false;
	LIST_FOREACH(f, &t->k->tasks->freezes, link)
		if (f->c == t->tg->container)
			break;
	if (f && !--f->left)
		waitq_wake(&f->wq, EVENT_IN);
}

/* One that left its program for a call, and maybe sleeps in it, does not say so:
 * that would cost every call. */
bool kernel_freeze_done(struct kernel *k, struct freeze *f)
{
	struct thread_group *tg;
	struct task *t;
	bool r;

	tasks_lock(k);
	if (f->left)
		LIST_FOREACH(tg, &k->tasks->all, all_link)
			TAILQ_FOREACH(t, &tg->tasks, tg_link)
				if (tg->container == f->c && t->freeze_todo && !task_in_program(&t->cpu))
					count_locked(t);
	r = !f->left;
	tasks_unlock(k);
	return r;
}

void kernel_freeze_forget(struct kernel *k, struct freeze *f, struct waiter *w)
{
	tasks_lock(k);
	LIST_REMOVE(f, link);
	tasks_unlock(k);
	waitq_del(w);
	waitq_destroy(&f->wq);
}

void freeze_leave(struct task *t)
{
	tasks_lock(t->k);
	count_locked(t);
	tasks_unlock(t->k);
}

void freeze_here(struct task *t)
{
	struct thread_group *tg = t->tg;

	tasks_lock(t->k);
	count_locked(t);
	while (atomic_load(&tg->frozen) && !tg->exiting && !t->leaving && !(tg->exec_task && tg->exec_task != t)) {
		tasks_unlock(t->k);
		wait_sleep_uninterruptible(WAIT_FOREVER);
		tasks_lock(t->k);
	}
	tasks_unlock(t->k);
}
