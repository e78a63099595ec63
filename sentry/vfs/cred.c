/*
 * cred.c - credentials: made, copied, counted.  Immutable once a task has them.
 */
#include "vfs/cred.h"

#include "abi/capability.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct cred *cred_new(void)
{
	struct cred *c = calloc(1, sizeof(*c));

	if (c)
		ref_init(&c->ref);
	return c;
}

struct cred *cred_new_capable(void)
{
	struct cred *c = cred_new();

	if (c)
		c->cap_effective = c->cap_permitted = LINUX_CAP_ALL;
	return c;
}

struct cred *cred_dup(const struct cred *old)
{
	size_t counted = offsetof(struct cred, ref) + sizeof(old->ref);
	struct cred *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	/* all but old's count, which others are changing */
	memcpy((char *)c + counted, (const char *)old + counted, sizeof(*c) - counted);
	ref_init(&c->ref);
	if (!old->n_groups) {
		c->groups = NULL;
		user_ns_get(c->user_ns);
		return c;
	}
	c->groups = malloc(old->n_groups * sizeof(*c->groups));
	if (!c->groups) {
		free(c);
		return NULL;
	}
	memcpy(c->groups, old->groups, old->n_groups * sizeof(*c->groups));
	user_ns_get(c->user_ns);
	return c;
}

void cred_get(struct cred *c)
{
	ref_get(&c->ref);
}

void cred_put(struct cred *c)
{
	if (!c || !ref_put(&c->ref))
		return;
	user_ns_put(c->user_ns);
	free(c->groups);
	free(c);
}

bool cred_capable_in(const struct cred *c, const struct user_ns *ns, int cap)
{
	for (;;) {
		if (ns == c->user_ns)
			return cred_capable_own(c, cap);
		if (user_ns_level(ns) <= user_ns_level(c->user_ns))
			return false;
		/* who made a namespace has all capabilities in it, from outside */
		if (ns->parent == c->user_ns && ns->owner == c->euid)
			return true;
		ns = ns->parent;
	}
}

uint32_t cred_idmap_seen(const struct user_ns *map, const struct user_ns *fs_ns, bool group, uint32_t id)
{
	uint32_t n = user_ns_number(fs_ns, group, id);

	return n == ID_NONE ? n : user_ns_kernel_id(map, group, n);
}

void cred_borrow(const struct cred *c, struct cred *copy)
{
	size_t counted = offsetof(struct cred, ref) + sizeof(c->ref);

	memcpy((char *)copy + counted, (const char *)c + counted, sizeof(*copy) - counted);
	ref_init(&copy->ref);
}

bool cred_capable_over(const struct cred *c, uint32_t uid, uint32_t gid, int cap)
{
	if (c->idmap) {
		uid = cred_idmap_seen(c->idmap, c->fs_ns, false, uid);
		gid = cred_idmap_seen(c->idmap, c->fs_ns, true, gid);
		if (uid == ID_NONE || gid == ID_NONE)
			return false;
	}
	return cred_capable_own(c, cap) &&
	       (!c->user_ns || (user_ns_number(c->user_ns, false, uid) != ID_NONE && user_ns_number(c->user_ns, true, gid) != ID_NONE));
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
	uint32_t lo = 0, hi = c->n_groups;

	if (c->fsgid == gid)
		return true;
	if (c->idmap) {
		gid = cred_idmap_seen(c->idmap, c->fs_ns, true, gid);
		if (gid == ID_NONE)
			return false;
	}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->groups[mid] == gid)
			return true;
		if (c->groups[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}
