/*
 * cgroup_members.c - see cgroup.h: who is in a control group, and what it does to them.  Any thread, but where
 * a function waits: there the caller's own.
 */
#include "kernel/cgroup.h"

#include "kernel/freeze.h"
#include "kernel/task_table.h"

#include <errno.h>

/* --- who is in it ------------------------------------------------------------------------- */

static void come_locked(struct thread_group *tg, struct cgroup *g)
{
	g->procs++;
	for (; g; g = g->parent)
		if (!g->live++)
			cgroup_changed_locked(g, CGROUP_EVENTS);
}

/* What it has used since it came is the group's for ever. */
static void go_locked(struct thread_group *tg)
{
	struct cgroup *g = tg->cgroup;
	struct usage_sum u;

	tg_usage_locked(tg, &u);
	g->procs--;
	for (; g; g = g->parent) {
		g->ended.utime += u.utime - tg->cgroup_before.utime;
		g->ended.stime += u.stime - tg->cgroup_before.stime;
		if (!--g->live)
			cgroup_changed_locked(g, CGROUP_EVENTS);
	}
	tg->cgroup_before.utime = u.utime;
	tg->cgroup_before.stime = u.stime;
}

void cgroup_enter_locked(struct thread_group *tg, struct cgroup *g)
{
	tg->cgroup = cgroup_get(g);
	tg->in_cgroup = true;
	come_locked(tg, g);
	if (cgroup_frozen_locked(g))
		atomic_fetch_or(&tg->frozen, FROZEN_GROUP);
	else
		atomic_fetch_and(&tg->frozen, ~FROZEN_GROUP);
}

void cgroup_leave_locked(struct thread_group *tg)
{
	if (!tg->in_cgroup)
		return;
	go_locked(tg);
	tg->in_cgroup = false;
}

static void count_tasks_locked(struct cgroup *g, unsigned n)
{
	for (; g; g = g->parent)
		g->tasks += n;
}

void cgroup_count_task_locked(struct thread_group *tg, int n)
{
	count_tasks_locked(tg->cgroup, (unsigned)n);
}

bool cgroup_full_locked(struct cgroup *g)
{
	for (; g; g = g->parent) {
		if (!g->has_max_tasks || g->tasks < g->max_tasks)
			continue;
		g->refused++;
		cgroup_changed_locked(g, CGROUP_PIDS_EVENTS);
		return true;
	}
	return false;
}

int cgroup_may_enter_locked(const struct cgroup *g)
{
	return g->removed ? -ENODEV : g->control ? -EBUSY : 0;
}

/* --- standing still ----------------------------------------------------------------------- */

static bool any_runs_locked(struct cgroup *g)
{
	struct thread_group *tg;
	struct task *t;

	LIST_FOREACH(tg, &g->k->tasks->all, all_link) {
		if (!tg->in_cgroup || !cgroup_is_below(tg->cgroup, g))
			continue;
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			if (task_in_program(&t->cpu))
				return true;
	}
	return false;
}

bool cgroup_frozen_locked(const struct cgroup *g)
{
	while (g && !g->freeze)
		g = g->parent;
	return g;
}

static void tell_below_locked(struct cgroup *g)
{
	struct cgroup *c;

	cgroup_changed_locked(g, CGROUP_EVENTS);
	LIST_FOREACH(c, &g->children, link)
		tell_below_locked(c);
}

#define LOOK_NS INT64_C(1000000) /* between two looks at who still runs */

/* Who is to stand still there has been told: waits until they do, then tells of it.  Own thread. */
static int settle_locked(struct cgroup *g)
{
	int r = 0;

	while (cgroup_frozen_locked(g) && any_runs_locked(g) && r != -ERESTARTSYS) {
		tasks_unlock(g->k);
		r = wait_sleep(now_monotonic() + LOOK_NS);
		tasks_lock(g->k);
	}
	tell_below_locked(g);
	return r == -ERESTARTSYS ? r : 0;
}

/* --- moving ------------------------------------------------------------------------------- */

int cgroup_move(struct thread_group *tg, struct cgroup *to)
{
	struct cgroup *from;
	struct task *t;
	unsigned n = 0;
	int r;

	tasks_lock(tg->k);
	from = tg->cgroup;
	r = from == to && !to->removed ? 0 : cgroup_may_enter_locked(to);
	if (r || from == to || !tg->in_cgroup) {
		tasks_unlock(tg->k);
		return r;
	}
	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		n++;
	come_locked(tg, to); /* first: what is above both does not become empty */
	count_tasks_locked(to, n);
	go_locked(tg);
	count_tasks_locked(from, -n);
	tg->cgroup = cgroup_get(to);
	freeze_group_locked(tg, cgroup_frozen_locked(to));
	if (cgroup_frozen_locked(to))
		(void)settle_locked(to); /* it has moved, whether that was waited for or not */
	tasks_unlock(tg->k);
	cgroup_put(from);
	return 0;
}

void cgroup_cpu(struct cgroup *g, int64_t *utime, int64_t *stime)
{
	struct thread_group *tg;
	struct usage_sum u;

	tasks_lock(g->k);
	*utime = g->ended.utime;
	*stime = g->ended.stime;
	LIST_FOREACH(tg, &g->k->tasks->all, all_link) {
		if (!tg->in_cgroup || !cgroup_is_below(tg->cgroup, g))
			continue;
		tg_usage_locked(tg, &u);
		*utime += u.utime - tg->cgroup_before.utime;
		*stime += u.stime - tg->cgroup_before.stime;
	}
	tasks_unlock(g->k);
}

/* --- what is done to it ---------------------------------------------------------------------------- */

int cgroup_kill(struct cgroup *g)
{
	struct thread_group *tg;
	int r;

	tasks_lock(g->k);
	r = g->removed ? -ENODEV : 0;
	LIST_FOREACH(tg, &g->k->tasks->all, all_link)
		if (tg->in_cgroup && cgroup_is_below(tg->cgroup, g))
			signal_send_locked(tg, NULL, LINUX_SIGKILL, NULL, SEND_FORCED);
	tasks_unlock(g->k);
	return r;
}

bool cgroup_is_frozen(struct cgroup *g)
{
	bool r;

	tasks_lock(g->k);
	r = cgroup_frozen_locked(g) && !any_runs_locked(g);
	tasks_unlock(g->k);
	return r;
}

int cgroup_freeze(struct cgroup *g, bool freeze)
{
	struct thread_group *tg;
	int r = 0;

	tasks_lock(g->k);
	if (g->removed || g->freeze == freeze) {
		r = g->removed ? -ENODEV : 0;
		tasks_unlock(g->k);
		return r;
	}
	g->freeze = freeze;
	LIST_FOREACH(tg, &g->k->tasks->all, all_link)
		if (tg->in_cgroup && cgroup_is_below(tg->cgroup, g))
			freeze_group_locked(tg, cgroup_frozen_locked(tg->cgroup));
	r = settle_locked(g);
	tasks_unlock(g->k);
	return r;
}
