/*
 * cgroup_bpf.c - the programs that control groups have to say which devices their processes may use.  Any thread.
 *
 * A group's processes are asked about to its own programs, and to those of the groups above that allow others below
 * (LINUX_BPF_F_ALLOW_MULTI); where it has none itself, to the nearest above.  The file systems ask from the first time on
 * that a program is attached.
 */
#include "kernel/bpf.h"

#include "abi/fs.h"
#include "kernel/cgroup.h"
#include "kernel/task_table.h"
#include "lib/ebpf.h"
#include "vfs/vfs.h"

#include <errno.h>
#include <stdlib.h>

#define SET_MAX 64u /* of a group */
#define HOW (LINUX_BPF_F_ALLOW_OVERRIDE | LINUX_BPF_F_ALLOW_MULTI)

struct bpf_set {
	struct ref ref;
	unsigned n; /* 1..SET_MAX */
	struct bpf_prog *progs[]; /* referenced */
};

void bpf_set_put(struct bpf_set *s)
{
	if (!s || !ref_put(&s->ref))
		return;
	for (unsigned i = 0; i < s->n; i++)
		bpf_prog_put(s->progs[i]);
	free(s);
}

/* --- who is asked -------------------------------------------------------------------------- */

/* Calls fn for each set that counts for g's processes. [T] */
static void for_each_set(const struct cgroup *g, void (*fn)(struct bpf_set *s, void *arg), void *arg)
{
	bool any = false;

	for (; g; g = g->parent) {
		if (!g->devices || (any && !(g->devices_flags & LINUX_BPF_F_ALLOW_MULTI)))
			continue;
		fn(g->devices, arg);
		any = true;
	}
}

struct held_sets {
	unsigned n;
	struct bpf_set *sets[CGROUP_DEPTH_MAX + 1];
};

static void hold(struct bpf_set *s, void *arg)
{
	struct held_sets *h = arg;

	ref_get(&s->ref);
	h->sets[h->n++] = s;
}

static bool all_allow(const struct held_sets *h, const struct linux_bpf_cgroup_dev *what)
{
	for (unsigned i = 0; i < h->n; i++)
		for (unsigned j = 0; j < h->sets[i]->n; j++)
			if (ebpf_run(h->sets[i]->progs[j]->insns, h->sets[i]->progs[j]->n, what, sizeof(*what)) != 1)
				return false;
	return true;
}

/* A device is to be used by the calling task, if it is one. */
static int ask(uint32_t mode, uint64_t rdev, unsigned access)
{
	const struct linux_bpf_cgroup_dev what = { access << 16 | (LINUX_S_ISCHR(mode) ? LINUX_BPF_DEVCG_DEV_CHAR : LINUX_BPF_DEVCG_DEV_BLOCK),
		linux_major(rdev), linux_minor(rdev) };
	const struct task *t = task_current();
	struct held_sets h = { 0 };
	bool allowed;

	if (!t)
		return 0;
	tasks_lock(t->k);
	for_each_set(t->tg->cgroup, hold, &h);
	tasks_unlock(t->k);
	allowed = all_allow(&h, &what);
	while (h.n)
		bpf_set_put(h.sets[--h.n]);
	return allowed ? 0 : -EPERM;
}

/* --- attaching ------------------------------------------------------------------------------- */

/* s (NULL: none) with p instead of that at `at`, which may be its end; p NULL: without that.  NULL in *out: nobody is left. */
static int changed(const struct bpf_set *s, unsigned at, struct bpf_prog *p, struct bpf_set **out)
{
	const unsigned old = s ? s->n : 0, rest = at < old ? old - 1 : old;
	struct bpf_set *new = rest || p ? malloc(sizeof(*new) + (rest + 1) * sizeof(new->progs[0])) : NULL;

	*out = new;
	if (!new)
		return rest || p ? -ENOMEM : 0;
	ref_init(&new->ref);
	new->n = 0;
	for (unsigned i = 0; i < old || i == at; i++) {
		struct bpf_prog *one = i == at ? p : s->progs[i];

		if (one)
			new->progs[new->n++] = bpf_prog_get(one);
	}
	return 0;
}

/* Where p is among g's; g->devices->n: nowhere. */
static unsigned place_of(const struct bpf_set *s, const struct bpf_prog *p)
{
	unsigned i = 0;

	while (s && i < s->n && s->progs[i] != p)
		i++;
	return i;
}

/* Which place the new program takes, or -errno. */
static int find_place_locked(const struct cgroup *g, const struct bpf_prog *p, unsigned flags, const struct bpf_prog *replace)
{
	const unsigned n = g->devices ? g->devices->n : 0;

	for (const struct cgroup *up = g->parent; up; up = up->parent) {
		if (!up->devices)
			continue;
		if (!(up->devices_flags & HOW))
			return -EPERM;
		if (up->devices_flags & LINUX_BPF_F_ALLOW_MULTI)
			break;
	}
	if (n && g->devices_flags != (flags & HOW))
		return -EPERM;
	if (n >= SET_MAX)
		return -E2BIG;
	if (!(flags & LINUX_BPF_F_ALLOW_MULTI))
		return 0;
	if (p != replace && place_of(g->devices, p) < n)
		return -EINVAL;
	if (!replace)
		return (int)n;
	return place_of(g->devices, replace) < n ? (int)place_of(g->devices, replace) : -ENOENT;
}

int cgroup_attach_device(struct cgroup *g, struct bpf_prog *p, unsigned flags, struct bpf_prog *replace)
{
	struct bpf_set *old = NULL, *new;
	int r;

	vfs_set_device_asked(g->k->vfs, ask);
	tasks_lock(g->k);
	r = g->removed ? -ENOENT : find_place_locked(g, p, flags, replace);
	if (r >= 0 && !(r = changed(g->devices, (unsigned)r, p, &new))) {
		old = g->devices;
		g->devices = new;
		g->devices_flags = flags & HOW;
	}
	tasks_unlock(g->k);
	bpf_set_put(old);
	return r;
}

int cgroup_detach_device(struct cgroup *g, struct bpf_prog *p)
{
	struct bpf_set *old = NULL, *new;
	unsigned at = 0;
	int r = 0;

	tasks_lock(g->k);
	if (g->removed)
		r = -ENOENT;
	else if (g->devices && g->devices_flags & LINUX_BPF_F_ALLOW_MULTI)
		r = p ? 0 : -EINVAL;
	if (!r && g->devices && g->devices_flags & LINUX_BPF_F_ALLOW_MULTI)
		at = place_of(g->devices, p);
	if (!r && (!g->devices || at == g->devices->n))
		r = -ENOENT;
	if (!r && !(r = changed(g->devices, at, NULL, &new))) {
		old = g->devices;
		g->devices = new;
	}
	tasks_unlock(g->k);
	bpf_set_put(old);
	return r;
}

struct listed {
	uint32_t *ids;
	unsigned n, max;
};

static void list(struct bpf_set *s, void *arg)
{
	struct listed *l = arg;

	for (unsigned i = 0; i < s->n; i++, l->n++)
		if (l->n < l->max)
			l->ids[l->n] = s->progs[i]->id;
}

unsigned cgroup_query_device(struct cgroup *g, bool effective, uint32_t *ids, unsigned max, unsigned *flags)
{
	struct listed l = { ids, 0, max };

	tasks_lock(g->k);
	*flags = effective || !g->devices ? 0 : g->devices_flags;
	if (effective)
		for_each_set(g, list, &l);
	else if (g->devices)
		list(g->devices, &l);
	tasks_unlock(g->k);
	return l.n;
}
