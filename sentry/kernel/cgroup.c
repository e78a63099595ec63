/*
 * cgroup.c - see cgroup.h: the groups of a container, and telling of changes.  Any thread.
 */
#include "kernel/cgroup.h"

#include "kernel/bpf.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct cgroups {
	struct kernel *k; /* [I] */
	void (*told)(struct cgroup *g, unsigned what); /* [I after boot] */
	STAILQ_HEAD(, cgroup) untold; /* [T] each with a reference */
	struct ktimer timer; /* runs out at once: calls told for them */
};

/* --- telling ---------------------------------------------------------------------------- */

static void tell(struct ktimer *timer)
{
	struct cgroups *all = timer->arg;
	struct cgroup *g;
	unsigned what;

	for (;;) {
		tasks_lock(all->k);
		if ((g = STAILQ_FIRST(&all->untold))) {
			STAILQ_REMOVE_HEAD(&all->untold, untold_link);
			what = g->untold;
			g->untold = 0;
		}
		tasks_unlock(all->k);
		if (!g)
			return;
		for (unsigned i = 0; i < CGROUP_TOLD; i++)
			if (what & 1u << i)
				atomic_fetch_add(&g->changes[i], 1);
		waitq_wake(&g->wq, EVENT_PRI | EVENT_ERR);
		if (all->told)
			all->told(g, what);
		cgroup_put(g);
	}
}

/* Nobody is told of a container's own group: who could ask is in it. */
void cgroup_changed_locked(struct cgroup *g, enum cgroup_told file)
{
	struct cgroups *all = g->k->cgroups;

	if (!g->parent || g->removed)
		return;
	if (!g->untold) {
		STAILQ_INSERT_TAIL(&all->untold, cgroup_get(g), untold_link);
		ktimer_arm(&all->timer, 0);
	}
	g->untold |= 1u << file;
}

struct cgroups *cgroups_new(struct kernel *k)
{
	struct cgroups *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->k = k;
	STAILQ_INIT(&all->untold);
	ktimer_init(&all->timer, k, tell, all);
	return all;
}

void cgroups_set_told(struct kernel *k, void (*told)(struct cgroup *g, unsigned what))
{
	k->cgroups->told = told;
}

/* --- groups ------------------------------------------------------------------------------ */

static void count_below_locked(struct cgroup *g, unsigned n)
{
	for (struct cgroup *up = g->parent; up; up = up->parent)
		up->below += n;
}

static int check_room_locked(const struct cgroup *g)
{
	if (g->parent->removed)
		return -ENODEV;
	if (g->level > CGROUP_DEPTH_MAX || g->root->below >= CGROUP_GROUPS_MAX)
		return -EAGAIN;
	for (const struct cgroup *up = g->parent; up; up = up->parent)
		if (up->below >= up->max_below || g->level - up->level > up->max_depth)
			return -EAGAIN;
	return 0;
}

int cgroup_new(struct kernel *k, struct cgroup *parent, const char *name, struct cgroup **out)
{
	struct cgroup *g = calloc(1, sizeof(*g));
	int r = 0;

	if (!g || !(g->name = strdup(name))) {
		free(g);
		return -ENOMEM;
	}
	ref_init(&g->ref);
	g->k = k;
	g->parent = cgroup_get(parent);
	g->root = parent ? parent->root : g;
	g->level = parent ? parent->level + 1 : 0;
	g->max_below = g->max_depth = UINT_MAX;
	g->weight = 100;
	g->cpu_quota = UINT64_MAX;
	g->cpu_period = 100000;
	LIST_INIT(&g->children);
	waitq_init(&g->wq);
	if (parent) {
		tasks_lock(k);
		if (!(r = check_room_locked(g))) {
			LIST_INSERT_HEAD(&parent->children, cgroup_get(g), link);
			count_below_locked(g, 1);
		}
		tasks_unlock(k);
	}
	if (r)
		cgroup_put(g);
	else
		*out = g;
	return r;
}

struct cgroup *cgroup_get(struct cgroup *g)
{
	if (g)
		ref_get(&g->ref);
	return g;
}

void cgroup_put(struct cgroup *g)
{
	struct cgroup *parent;

	for (; g && ref_put(&g->ref); g = parent) {
		parent = g->parent;
		bpf_set_put(g->devices);
		waitq_destroy(&g->wq);
		free(g->name);
		free(g);
	}
}

int cgroup_remove(struct cgroup *g, bool anyway)
{
	int r = 0;

	tasks_lock(g->k);
	if (!anyway && (g->procs || !LIST_EMPTY(&g->children)))
		r = -EBUSY;
	if (r || g->removed) {
		tasks_unlock(g->k);
		return r;
	}
	g->removed = true;
	g->dir = NULL;
	if (g->parent) {
		LIST_REMOVE(g, link);
		count_below_locked(g, -1u - g->below);
	}
	tasks_unlock(g->k);
	waitq_wake(&g->wq, EVENT_PRI | EVENT_ERR);
	if (g->parent)
		cgroup_put(g); /* that of its parent's list */
	return 0;
}

struct dentry *cgroup_dir(struct cgroup *g)
{
	struct dentry *d;

	tasks_lock(g->k);
	d = g->dir;
	if (d)
		dentry_get(d);
	tasks_unlock(g->k);
	return d;
}

void cgroup_set_max_tasks(struct cgroup *g, uint64_t max)
{
	tasks_lock(g->k);
	g->has_max_tasks = max < UINT_MAX;
	g->max_tasks = g->has_max_tasks ? (unsigned)max : 0;
	tasks_unlock(g->k);
}

static void path_below(FILE *f, const struct cgroup *g, const struct cgroup *top)
{
	if (g == top)
		return;
	path_below(f, g->parent, top);
	fprintf(f, "/%s", g->name);
}

void cgroup_path(FILE *f, const struct cgroup *g, const struct cgroup *root)
{
	const struct cgroup *common = root && root->root == g->root ? root : g->root;
	bool up = false;

	for (; !cgroup_is_below(g, common); common = common->parent, up = true)
		fputs("/..", f);
	if (common == g && !up)
		fputc('/', f);
	path_below(f, g, common);
}

struct cgroup *cgroup_of(struct thread_group *tg)
{
	struct cgroup *g;

	tasks_lock(tg->k);
	g = cgroup_get(tg->cgroup);
	tasks_unlock(tg->k);
	return g;
}
