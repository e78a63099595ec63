/*
 * user_ns.c - see user_ns.h.  Any thread.
 */
#include "vfs/user_ns.h"

#include "abi/capability.h"
#include "vfs/cred.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- how many there are: inc_ucount() ---------------------------------------------------- */

#define ROOT_MAX 8192u /* as a Linux has that permits 16384 threads */

static struct mutex family_mu = MUTEX_INIT(RANK_LEAF); /* every struct user_ns_family */
static struct user_ns_family root = { .max = ROOT_MAX };

static struct user_ns_family *family_of(struct user_ns *ns) { return ns ? &ns->family : &root; }

/* Those that count as uid's in f. */
static unsigned of_user(const struct user_ns_family *f, uint32_t uid)
{
	struct user_ns *c;
	unsigned n = 0;

	LIST_FOREACH(c, &f->children, family.sibling)
		n += c->owner == uid ? 1 + c->family.descendants : 0;
	return n;
}

/* ns, made by its owner, joins its parent's. -ENOSPC */
static int join(struct user_ns *ns)
{
	int r = 0;

	mutex_lock(&family_mu);
	for (struct user_ns *c = ns; c && !r; c = c->parent)
		if (of_user(family_of(c->parent), c->owner) >= family_of(c->parent)->max)
			r = -ENOSPC;
	if (!r) {
		LIST_INSERT_HEAD(&family_of(ns->parent)->children, ns, family.sibling);
		for (struct user_ns *c = ns; c; c = c->parent)
			family_of(c->parent)->descendants++;
	}
	mutex_unlock(&family_mu);
	return r;
}

static void leave(struct user_ns *ns)
{
	mutex_lock(&family_mu);
	LIST_REMOVE(ns, family.sibling);
	for (struct user_ns *c = ns; c; c = c->parent)
		family_of(c->parent)->descendants--;
	mutex_unlock(&family_mu);
}

unsigned user_ns_max(const struct user_ns *ns)
{
	unsigned max;

	mutex_lock(&family_mu);
	max = ns ? ns->family.max : root.max;
	mutex_unlock(&family_mu);
	return max;
}

void user_ns_set_max(struct user_ns *ns, unsigned max)
{
	mutex_lock(&family_mu);
	family_of(ns)->max = max;
	mutex_unlock(&family_mu);
}

/* --- namespaces ---------------------------------------------------------------------------- */

int user_ns_new(const struct cred *by, uint64_t ino, struct user_ns **out)
{
	struct user_ns *ns = calloc(1, sizeof(*ns));
	int r;

	if (!ns)
		return -ENOMEM;
	ref_init(&ns->ref);
	mutex_init(&ns->mu, RANK_LEAF);
	ns->ino = ino;
	ns->parent = by->user_ns;
	user_ns_get(ns->parent);
	ns->level = user_ns_level(ns->parent) + 1;
	ns->owner = by->euid;
	ns->group = by->egid;
	/* what the parent was refused its child is */
	ns->no_setgroups = ns->parent && ns->parent->no_setgroups;
	ns->family.max = INT32_MAX;
	if (!(r = join(ns))) {
		*out = ns;
		return 0;
	}
	user_ns_put(ns->parent);
	mutex_destroy(&ns->mu);
	free(ns);
	return r;
}

void user_ns_get(struct user_ns *ns)
{
	if (ns)
		ref_get(&ns->ref);
}

void user_ns_put(struct user_ns *ns)
{
	while (ns && ref_put(&ns->ref)) {
		struct user_ns *parent = ns->parent;

		leave(ns);
		free(ns->uids.v);
		free(ns->gids.v);
		mutex_destroy(&ns->mu);
		free(ns);
		ns = parent;
	}
}

/* --- ids ----------------------------------------------------------------------------- */

static const struct id_map *map_of(const struct user_ns *ns, bool group)
{
	return group ? &ns->gids : &ns->uids;
}

uint32_t user_ns_kernel_id(const struct user_ns *ns, bool group, uint32_t number)
{
	const struct id_map *m;

	if (!ns || number == ID_NONE)
		return number;
	m = map_of(ns, group);
	for (uint32_t i = 0, n = atomic_load(&m->n); i < n; i++)
		if (number >= m->v[i].first && number - m->v[i].first < m->v[i].count)
			return m->v[i].kernel + (number - m->v[i].first);
	return ID_NONE;
}

uint32_t user_ns_number(const struct user_ns *ns, bool group, uint32_t id)
{
	const struct id_map *m;

	if (!ns || id == ID_NONE)
		return id;
	m = map_of(ns, group);
	for (uint32_t i = 0, n = atomic_load(&m->n); i < n; i++)
		if (id >= m->v[i].kernel && id - m->v[i].kernel < m->v[i].count)
			return m->v[i].first + (id - m->v[i].kernel);
	return ID_NONE;
}

/* --- maps ------------------------------------------------------------------------------ */

static bool overlap(uint32_t a, uint32_t b, uint32_t n, uint32_t m)
{
	return a < (uint64_t)b + m && b < (uint64_t)a + n;
}

static bool well_formed(const struct id_extent *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!v[i].count || (uint64_t)v[i].first + v[i].count > ID_NONE || (uint64_t)v[i].kernel + v[i].count > ID_NONE)
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (overlap(v[i].first, v[k].first, v[i].count, v[k].count) || overlap(v[i].kernel, v[k].kernel, v[i].count, v[k].count))
				return false;
	}
	return n > 0 && n <= USER_NS_EXTENTS;
}

/* Of a range of the parent's numbers: it must have all of them, in one piece. */
static uint32_t kernel_range(const struct user_ns *parent, bool group, uint32_t first, uint32_t count)
{
	const struct id_map *m;

	if (!parent)
		return first;
	m = map_of(parent, group);
	for (uint32_t i = 0, n = atomic_load(&m->n); i < n; i++)
		if (first >= m->v[i].first && (uint64_t)first + count <= (uint64_t)m->v[i].first + m->v[i].count)
			return m->v[i].kernel + (first - m->v[i].first);
	return ID_NONE;
}

/* new_idmap_permitted: one's own id by anyone, others by who may be anyone in the parent. */
static bool permitted(const struct user_ns *ns, bool group, const struct id_extent *v, uint32_t n, const struct cred *by)
{
	if (n == 1 && v[0].count == 1 && by->euid == ns->owner) {
		uint32_t id = user_ns_kernel_id(ns->parent, group, v[0].kernel);

		if (!group ? id == by->euid : ns->no_setgroups && id == by->egid)
			return true;
	}
	return cred_capable_in(by, ns->parent, group ? LINUX_CAP_SETGID : LINUX_CAP_SETUID);
}

static int set_locked(struct user_ns *ns, bool group, struct id_extent *v, uint32_t n, const struct cred *by)
{
	struct id_map *m = group ? &ns->gids : &ns->uids;

	if (atomic_load(&m->n) || !cred_capable_in(by, ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (!well_formed(v, n))
		return -EINVAL;
	if ((by->user_ns != ns && by->user_ns != ns->parent) || !permitted(ns, group, v, n, by))
		return -EPERM;
	for (uint32_t i = 0; i < n; i++) {
		v[i].kernel = kernel_range(ns->parent, group, v[i].kernel, v[i].count);
		if (v[i].kernel == ID_NONE)
			return -EPERM;
	}
	m->v = v;
	atomic_store(&m->n, n);
	return 0;
}

int user_ns_set_map(struct user_ns *ns, bool group, const struct id_extent *v, uint32_t n, const struct cred *by)
{
	struct id_extent *copy = calloc(n ? n : 1, sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, v, n * sizeof(*copy));
	mutex_lock(&ns->mu);
	r = set_locked(ns, group, copy, n, by);
	mutex_unlock(&ns->mu);
	if (r)
		free(copy);
	return r;
}

int user_ns_set_setgroups(struct user_ns *ns, bool allow)
{
	int r = 0;

	mutex_lock(&ns->mu);
	if (allow ? ns->no_setgroups : atomic_load(&ns->gids.n) != 0)
		r = -EPERM;
	else if (!allow)
		ns->no_setgroups = true;
	mutex_unlock(&ns->mu);
	return r;
}

bool user_ns_may_setgroups(const struct user_ns *ns)
{
	return !ns || (!ns->no_setgroups && atomic_load(&ns->gids.n));
}
