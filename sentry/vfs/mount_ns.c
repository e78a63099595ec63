/*
 * mount_ns.c - mount namespaces: their life, copies, what is seen in them.
 */
#include "vfs/internal.h"

#include <stdlib.h>

struct mount_ns *mount_ns_alloc(struct vfs *v, struct user_ns *owner)
{
	struct mount_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	TAILQ_INIT(&ns->mounts);
	waitq_init(&ns->wq);
	ns->vfs = v;
	user_ns_get(ns->owner = owner);
	return ns;
}

void mount_ns_free(struct mount_ns *ns)
{
	waitq_destroy(&ns->wq);
	user_ns_put(ns->owner);
	free(ns);
}

struct mount_ns *mount_ns_new(struct superblock *root, unsigned flags)
{
	struct mount_ns *ns = mount_ns_alloc(root->vfs, NULL);
	struct mount *m = ns ? mount_new(root, root->root, flags) : NULL;

	if (!m) {
		if (ns)
			mount_ns_free(ns);
		return NULL;
	}
	super_put(root); /* the mount has one of its own */
	ns->root = m;
	brlock_write(&ns->vfs->dc.lock);
	mount_join_locked(m, ns);
	brlock_write_end(&ns->vfs->dc.lock);
	return ns;
}

void mount_ns_get(struct mount_ns *ns) { ref_get(&ns->ref); }

/* As its root's number is, apart from those that the kernel gives to other namespaces. */
uint64_t mount_ns_ino(const struct mount_ns *ns) { return UINT64_C(0xf8000000) + (uint64_t)ns->root->id; }

struct user_ns *mount_ns_owner(const struct mount_ns *ns) { return ns->owner; }

void mount_ns_put(struct mount_ns *ns)
{
	struct mount_list gone = TAILQ_HEAD_INITIALIZER(gone);
	struct mount *m;

	if (!ns || !ref_put(&ns->ref))
		return;
	mutex_lock(&ns->vfs->mounts_mu);
	while ((m = TAILQ_LAST(&ns->mounts, mount_list)))
		mount_detach(m, &gone);
	mutex_unlock(&ns->vfs->mounts_mu);
	mounts_gone(&gone);
	mount_ns_free(ns);
}

void mount_ns_root(struct mount_ns *ns, struct path *out)
{
	struct mutex *held = brlock_read(&ns->vfs->dc.lock);

	*out = (struct path){ ns->root, ns->root->root };
	mount_get_locked(out->mnt);
	dentry_get_locked(out->dentry);
	mutex_unlock(held);
	path_cross_mounts(out);
}

void mount_ns_changed(struct mount_ns *ns)
{
	atomic_fetch_add(&ns->changes, 1);
	waitq_wake(&ns->wq, EVENT_READABLE | EVENT_PRI | EVENT_ERR);
}

const _Atomic unsigned *mount_ns_changes(struct mount_ns *ns, struct waitq **wq)
{
	*wq = &ns->wq;
	return &ns->changes;
}

/* --- copies ------------------------------------------------------------------------ */

/* mounts_mu is held, and all of ns is copied: p is moved to the same place in the copy; *old: what is to be put. */
static void move_to_copy(const struct mount_ns *ns, struct path *p, struct path *old)
{
	*old = (struct path){ NULL, NULL };
	if (!p->mnt || p->mnt->ns != ns)
		return;
	*old = *p;
	p->mnt = old->mnt->copy;
	path_get(p);
}

/* Mounts stand in the list after their parents, so one pass copies the tree.  Which copy is
 * whose is noted in the mounts themselves, and so not known any more when mounts_mu is let go. */
static bool copy_all(struct mount_ns *ns, struct mount_ns *n)
{
	struct mount *m, *c;

	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		m->copy = NULL;
	TAILQ_FOREACH (m, &ns->mounts, ns_link) {
		m->copy = c = mount_copy(m, m->root);
		if (!c)
			return false;
		c->locked = m->locked || n->owner != ns->owner;
		c->flags_locked = m->flags_locked || n->owner != ns->owner;
		brlock_write(&ns->vfs->dc.lock);
		if (m == ns->root)
			n->root = c;
		mount_join_locked(c, n);
		if (m->parent)
			mount_hang_locked(c, &(struct path){ m->parent->copy, m->point });
		brlock_write_end(&ns->vfs->dc.lock);
	}
	return true;
}

struct mount_ns *mount_ns_dup(struct mount_ns *ns, struct user_ns *owner, struct path *root, struct path *cwd)
{
	struct mount_ns *n = mount_ns_alloc(ns->vfs, owner);
	struct path old[2] = { { NULL, NULL }, { NULL, NULL } };
	bool ok;

	if (!n)
		return NULL;
	mutex_lock(&ns->vfs->mounts_mu);
	ok = copy_all(ns, n);
	if (ok) {
		move_to_copy(ns, root, &old[0]);
		move_to_copy(ns, cwd, &old[1]);
	}
	mutex_unlock(&ns->vfs->mounts_mu);
	path_put(&old[0]);
	path_put(&old[1]);
	if (ok)
		return n;
	mount_ns_put(n);
	return NULL;
}

/* --- what is seen there ---------------------------------------------------------------- */

/* Nothing of a file system is hidden by what is mounted on m, its root. */
static bool is_all_seen(struct mount_ns *ns, const struct mount *m)
{
	struct mount *c;

	TAILQ_FOREACH (c, &ns->mounts, ns_link)
		if (c->locked && c->parent == m && !(c->point->inode && c->point->inode->iflags & INODE_EMPTY))
			return false;
	return true;
}

bool mount_ns_shows(struct mount_ns *ns, const struct fs_type *type, unsigned flags)
{
	struct mount *m;
	bool shows = false;

	mutex_lock(&ns->vfs->mounts_mu);
	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		shows = shows || (m->sb->type == type && m->root == m->sb->root && mount_may_be_made_again(m, flags) && is_all_seen(ns, m));
	mutex_unlock(&ns->vfs->mounts_mu);
	return shows;
}

int mount_ns_may_uncover(struct mount_ns *ns, const struct path *p)
{
	int r;

	mutex_lock(&ns->vfs->mounts_mu);
	r = p->mnt && p->mnt->ns == ns && !mount_has_locked_below(ns, p) ? 0 : -EINVAL;
	mutex_unlock(&ns->vfs->mounts_mu);
	return r;
}

static int list_one(struct mount *m, const struct path *from, int (*fn)(const struct mount_info *, void *), void *arg)
{
	char point[LINUX_PATH_MAX], root[LINUX_PATH_MAX];
	struct path at = { m, m->root }, top = { NULL, m->sb->root }, in = { NULL, m->root };
	struct mount_info info = { .id = m->id, .parent_id = m->parent ? m->parent->id : 0, .dev = m->sb->dev, .flags = m->flags, .sb = m->sb };

	info.point = vfs_path_name(&at, from, point, sizeof(point));
	info.root = vfs_path_name(&in, &top, root, sizeof(root));
	if (!info.point || !info.root || info.point[0] != '/')
		return 0; /* not to be seen from there */
	return fn(&info, arg);
}

int mount_ns_for_each(struct mount_ns *ns, const struct path *seen_from, int (*fn)(const struct mount_info *m, void *arg), void *arg)
{
	struct mount *m;
	int r = 0;

	mutex_lock(&ns->vfs->mounts_mu);
	TAILQ_FOREACH (m, &ns->mounts, ns_link) {
		r = list_one(m, seen_from, fn, arg);
		if (r)
			break;
	}
	mutex_unlock(&ns->vfs->mounts_mu);
	return r;
}
