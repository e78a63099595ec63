/*
 * mount_ops.c - what mount(2), move_mount(2), umount2(2) and pivot_root(2) do.  Capabilities are
 * the caller's to check.  Every function takes mounts_mu.
 */
#include "vfs/internal.h"

/* at must lie in ns; it is followed to the topmost mount there. */
static int check_point(struct mount_ns *ns, const struct path *at, struct path *top)
{
	if (!at->mnt || at->mnt->ns != ns)
		return -EINVAL;
	*top = *at;
	path_get(top);
	path_cross_mounts(top);
	if (top->dentry->flags & DENTRY_UNHASHED) {
		path_put(top);
		return -ENOENT;
	}
	return 0;
}

static bool is_dir(const struct dentry *d) { return d->inode && LINUX_S_ISDIR(d->inode->mode); }

int vfs_mount(struct mount_ns *ns, const struct path *at, struct superblock *sb, unsigned flags)
{
	struct dentry *root = sb->type->seen_root ? sb->type->seen_root(sb) : NULL;
	struct path top = { NULL, NULL };
	struct mount *m = NULL;
	int r;

	mutex_lock(&ns->vfs->mounts_mu);
	r = ns->vfs->dc.n_mounts >= MOUNTS_MAX ? -ENOSPC : check_point(ns, at, &top);
	if (!r && is_dir(top.dentry) != is_dir(sb->root))
		r = -ENOTDIR;
	if (!r && (!(m = mount_new(sb, root ? root : sb->root, flags)) || !mount_tree_begin(ns, m)))
		r = -ENOMEM;
	if (!r)
		mount_attach_tree(m, &top, ns);
	mutex_unlock(&ns->vfs->mounts_mu);
	if (r)
		mount_put(m);
	else
		super_put(sb); /* the mount has its own */
	if (top.dentry)
		path_put(&top);
	dentry_put(root);
	return r;
}

int vfs_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool recursive)
{
	struct mount_list gone = TAILQ_HEAD_INITIALIZER(gone);
	struct path top = { NULL, NULL };
	struct mount *m;
	int r;

	mutex_lock(&ns->vfs->mounts_mu);
	r = check_point(ns, at, &top);
	if (!r)
		r = mount_tree_copy(ns, from, recursive, &m, &gone);
	if (!r && is_dir(from->dentry) != is_dir(top.dentry)) {
		mount_tree_end(m->ns, &gone);
		r = -ENOTDIR;
	}
	if (!r)
		mount_attach_tree(m, &top, ns);
	mutex_unlock(&ns->vfs->mounts_mu);
	mounts_gone(&gone);
	if (top.dentry)
		path_put(&top);
	return r;
}

/* --- moving ------------------------------------------------------------------------- */

/* What is mounted at top is to have m between itself and what it is mounted on. */
static int check_beneath(const struct path *top, const struct path *from, const struct path *root)
{
	if (!top->mnt->parent || !path_is_mount_root(top) || top->mnt->locked || top->mnt == root->mnt)
		return -EINVAL;
	if (mount_at_locked(from->dentry->sb->vfs, from->mnt, from->dentry))
		return -EINVAL; /* it would come to lie between two that are there */
	for (const struct mount *m = from->mnt; m; m = m->parent)
		if (m == top->mnt)
			return -EINVAL;
	return 0;
}

static int check_move(struct mount_ns *ns, const struct path *from, const struct path *top)
{
	const struct mount *m = from->mnt, *a;

	/* it is one of ns, and not its root, or a detached tree as a whole */
	if (!m->ns || (m->parent ? m->ns != ns : !m->ns->detached))
		return -EINVAL;
	if (m->locked || !path_is_mount_root(from) || is_dir(from->dentry) != is_dir(top->dentry))
		return -EINVAL;
	for (a = top->mnt; a; a = a->parent)
		if (a == m)
			return -ELOOP;
	return 0;
}

/* m, which is of ns, comes to lie on at. Gives what it was on. */
static struct path rehang(struct mount *m, const struct path *at)
{
	struct mount_ns *ns = m->ns;
	struct path was;

	brlock_write(&ns->vfs->dc.lock);
	was = mount_unhang_locked(m);
	mount_hang_locked(m, at);
	names_changed(ns->vfs);
	mount_ns_changed(ns);
	brlock_write_end(&ns->vfs->dc.lock);
	mount_tree_last(m);
	return was;
}

int vfs_mount_move(struct mount_ns *ns, const struct path *from, const struct path *at, const struct path *beneath_in)
{
	struct path top = { NULL, NULL }, was[2] = { { NULL, NULL }, { NULL, NULL } }, on;
	struct mount *m = from->mnt, *above = NULL;
	int r;

	mutex_lock(&ns->vfs->mounts_mu);
	r = check_point(ns, at, &top);
	if (!r && beneath_in)
		r = check_beneath(&top, from, beneath_in);
	if (!r)
		r = check_move(ns, from, &top);
	if (!r) {
		on = top;
		if (beneath_in) {
			above = top.mnt;
			on = (struct path){ above->parent, above->point };
			mount_get(on.mnt); /* across the moving of what is above */
			dentry_get(on.dentry);
		}
		if (m->ns == ns)
			was[0] = rehang(m, &on);
		else
			mount_attach_tree(m, &on, ns);
		if (above) {
			was[1] = rehang(above, &(struct path){ m, m->root });
			path_put(&on);
		}
	}
	mutex_unlock(&ns->vfs->mounts_mu);
	path_put(&was[0]);
	path_put(&was[1]);
	if (top.dentry)
		path_put(&top);
	return r;
}

/* --- away ------------------------------------------------------------------------------ */

static bool has_children(struct mount_ns *ns, const struct mount *m)
{
	struct mount *c;

	TAILQ_FOREACH (c, &ns->mounts, ns_link)
		if (c->parent == m)
			return true;
	return false;
}

int vfs_umount(struct mount_ns *ns, const struct path *at, int flags)
{
	struct mount_list gone = TAILQ_HEAD_INITIALIZER(gone);
	struct mount *m = at->mnt;
	int r = 0;

	mutex_lock(&ns->vfs->mounts_mu);
	if (!path_is_mount_root(at) || m->ns != ns || m == ns->root || m->locked)
		r = -EINVAL;
	else if (flags & LINUX_MNT_DETACH)
		mount_detach_tree(m, &gone);
	else if (has_children(ns, m) || ref_count(&m->ref) > 2) /* the namespace's and the caller's */
		r = -EBUSY;
	else if (flags & LINUX_MNT_EXPIRE)
		r = -EAGAIN;
	else
		mount_detach(m, &gone);
	mutex_unlock(&ns->vfs->mounts_mu);
	mounts_gone(&gone);
	return r;
}

/* n becomes the root of its namespace, and what was it comes to lie on put_old, below n. */
static struct path change_root(struct mount *n, const struct path *put_old)
{
	struct mount_ns *ns = n->ns;
	struct mount *old = ns->root;
	struct path was;

	brlock_write(&ns->vfs->dc.lock);
	was = mount_unhang_locked(n);
	mount_hang_locked(old, put_old);
	TAILQ_REMOVE(&ns->mounts, n, ns_link);
	TAILQ_INSERT_HEAD(&ns->mounts, n, ns_link);
	ns->root = n;
	n->locked = old->locked; /* the new root is as fast as the old one was */
	old->locked = false;
	names_changed(ns->vfs);
	mount_ns_changed(ns);
	brlock_write_end(&ns->vfs->dc.lock);
	mount_tree_last(old);
	return was;
}

/* The old root goes to put_old, the new root takes its place; tasks' root and cwd
 * are the caller's business. */
int vfs_pivot_root(struct mount_ns *ns, const struct path *new_root, const struct path *put_old)
{
	struct mount *n = new_root->mnt, *a;
	struct path was = { NULL, NULL };
	int r = -EINVAL;

	mutex_lock(&ns->vfs->mounts_mu);
	if (!path_is_mount_root(new_root) || n->ns != ns || n->locked || !put_old->mnt || put_old->mnt->ns != ns)
		goto out;
	r = -EBUSY;
	if (n == ns->root)
		goto out;
	r = -EINVAL;
	for (a = put_old->mnt; a && a != n; a = a->parent)
		;
	if (!a || (put_old->mnt == n && !dentry_is_below(put_old->dentry, new_root->dentry)))
		goto out;
	was = change_root(n, put_old);
	r = 0;
out:
	mutex_unlock(&ns->vfs->mounts_mu);
	path_put(&was);
	return r;
}
