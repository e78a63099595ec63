/*
 * freeze.c - every task held before it runs program code, for control.pause.
 *
 * A task in its program is interrupted and parks in its loop; one blocked in a
 * call stays blocked, and parks when the call ends.  Signals queue up.  What
 * ends a group (SIGKILL) ends it also while frozen, as in a v2 cgroup.
 */
#include "kernel/freeze.h"

#include "kernel/task_table.h"

void kernel_freeze(struct kernel *k, const struct container *c)
{
	struct task_table *tt = k->tasks;
	struct thread_group *tg;
	struct task *t;

	tasks_lock(k);
	LIST_FOREACH(tg, &tt->all, all_link) {
		if (tg->container != c)
			continue;
		atomic_store(&tg->frozen, true);
		TAILQ_FOREACH(t, &tg->tasks, tg_link) {
			if (t->exiting || !t->ctx)
				continue;
			/* latched: one that is about to enter its program comes back at once */
			platform_interrupt(t->ctx);
			if (!t->freeze_todo && atomic_load(&t->program_since)) {
				t->freeze_todo = true;
				tt->freeze_left++;
			}
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
		atomic_store(&tg->frozen, false);
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			sleeper_wake(&t->sleeper);
	}
	tasks_unlock(k);
}

/* It has left its program. */
static void count_locked(struct task *t)
{
	struct task_table *tt = t->k->tasks;

	if (!t->freeze_todo)
		return;
	t->freeze_todo = false;
	if (!--tt->freeze_left)
		waitq_wake(&tt->freeze_wq, EVENT_IN);
}

/* One that left its program for a call, and maybe sleeps in it, does not say so:
 * that would cost every call. */
bool kernel_freeze_done(struct kernel *k)
{
	struct thread_group *tg;
	struct task *t;
	bool r;

	tasks_lock(k);
	if (k->tasks->freeze_left)
		LIST_FOREACH(tg, &k->tasks->all, all_link)
			TAILQ_FOREACH(t, &tg->tasks, tg_link)
				if (t->freeze_todo && !atomic_load(&t->program_since))
					count_locked(t);
	r = !k->tasks->freeze_left;
	tasks_unlock(k);
	return r;
}

struct waitq *kernel_freeze_wq(struct kernel *k)
{
	return &k->tasks->freeze_wq;
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
