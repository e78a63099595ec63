/*
 * names.c - whose names a task's program may look up by itself: names.h.
 *
 * Who searches a path sees the same as another with the same root directory, user and group
 * ids for files, groups and capabilities: that is the key.  In user namespaces of its own, and
 * with many groups, a task has none.
 */
#include "kernel/names.h"

#include "kernel/kernel.h"
#include "kernel/task_table.h"
#include "vfs/named.h"

#include <string.h>

#define ASKED_FIRST 4 /* questions before it is worth the mapping */
#define KEY_GROUPS 8

struct key {
	uint64_t root, caps;
	uint32_t mount, fsuid, fsgid, n_groups, groups[KEY_GROUPS];
};
_Static_assert(sizeof(struct key) == PLATFORM_KEY_SIZE, "all of it");

static bool key_of(struct task *t, struct key *k)
{
	const struct cred *c = t->cred;

	if (c->user_ns || c->n_groups > KEY_GROUPS)
		return false;
	*k = (struct key){ .caps = c->cap_effective, .fsuid = c->fsuid, .fsgid = c->fsgid, .n_groups = c->n_groups };
	if (c->n_groups)
		memcpy(k->groups, c->groups, c->n_groups * sizeof(c->groups[0]));
	mutex_lock(&t->fs->mu);
	k->root = (uintptr_t)t->fs->root.dentry;
	k->mount = (uint32_t)mount_id(t->fs->root.mnt);
	mutex_unlock(&t->fs->mu);
	return true;
}

void task_names_look(struct task *t)
{
	struct key k;

	if (platform_names_used(t->ctx) && (!key_of(t, &k) || memcmp(&k, t->names.key, sizeof(k))))
		platform_names_leave(t->ctx);
}

/* The number of roots is taken before the root is looked at. */
static bool use(struct task *t)
{
	uint64_t roots = names_roots(t->k->vfs);
	struct key k;

	if (platform_names_used(t->ctx) == roots)
		return true;
	if (t->names.refused == t->mm || ++t->names.asked < ASKED_FIRST || task_must_ask(t))
		return false;
	if (key_of(t, &k) && platform_names_use(t->ctx, (const uint8_t *)&k, roots)) {
		memcpy(t->names.key, &k, sizeof(k));
		return true;
	}
	t->names.refused = t->mm;
	return false;
}

uint64_t task_names_begin(struct task *t, const char *path)
{
	return *path == '/' && use(t) ? names_changes(t->k->vfs) : 0;
}

void task_names_tell(struct task *t, struct platform_name *n)
{
	n->ns = names_hold_for(t->k->vfs);
	if (n->ns > 0)
		platform_tell_name(t->ctx, n);
}
