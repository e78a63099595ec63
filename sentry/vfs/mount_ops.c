/*
 * mount_ops.c - what mount(2), umount2(2) and pivot_root(2) do.  Capabilities are
 * the caller's to check.  Every function takes ns->mu.
 */
#include "vfs/internal.h"

#include <stdlib.h>

/* at must lie in ns; it is followed to the topmost mount there. */
static int check_point(struct mount_ns *ns, const struct path *at, struct path *top)
{
	if (!at->mnt || at->mnt->ns != ns)
		return -EINVAL;
	if (ns->vfs->dc.n_mounts >= MOUNTS_MAX)
		return -ENOSPC;
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

static void attach(struct mount *m, const struct path *at, struct mount_ns *ns)
{
	brlock_write(&ns->vfs->dc.lock);
	mount_attach_locked(m, at, ns);
	brlock_write_end(&ns->vfs->dc.lock);
}

int vfs_mount(struct mount_ns *ns, const struct path *at, struct superblock *sb, unsigned flags)
{
	struct dentry *root = sb->type->seen_root ? sb->type->seen_root(sb) : NULL;
	struct path top;
	struct mount *m;
	int r;

	mutex_lock(&ns->mu);
	r = check_point(ns, at, &top);
	if (r)
		goto out;
	r = -ENOTDIR;
	if (is_dir(top.dentry) != is_dir(sb->root))
		goto put;
	r = -ENOMEM;
	m = mount_new(sb, root ? root : sb->root, flags);
	if (!m)
		goto put;
	super_put(sb); /* the mount has its own */
	attach(m, &top, ns);
	r = 0;
put:
	path_put(&top);
out:
	mutex_unlock(&ns->mu);
	dentry_put(root);
	return r;
}

/* Copies what is mounted below from's dentry, under the copy made of from's mount. */
static int copy_below(struct mount_ns *ns, struct mount *src, struct dentry *root, struct mount *dst)
{
	struct mount *m, *last = TAILQ_LAST(&ns->mounts, mount_list);

	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		m->copy = NULL;
	src->copy = dst;
	for (m = TAILQ_FIRST(&ns->mounts); m; m = TAILQ_NEXT(m, ns_link)) {
		struct path at;

		if (m != dst && m->parent && m->parent->copy && (m->parent != src || dentry_is_below(m->point, root))) {
			m->copy = mount_new(m->sb, m->root, m->flags);
			if (!m->copy)
				return -ENOMEM;
			m->copy->locked = m->locked;
			m->copy->flags_locked = m->flags_locked;
			at = (struct path){ m->parent->copy, m->point };
			attach(m->copy, &at, ns);
		}
		if (m == last)
			break;
	}
	return 0;
}

static bool has_locked_below(struct mount_ns *ns, const struct path *p)
{
	struct mount *m;

	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		if (m->locked && m->parent == p->mnt && dentry_is_below(m->point, p->dentry))
			return true;
	return false;
}

/* Nothing of a file system is hidden by what is mounted on m, its root. */
static bool is_all_seen(struct mount_ns *ns, const struct mount *m)
{
	struct mount *c;

	TAILQ_FOREACH (c, &ns->mounts, ns_link)
		if (c->locked && c->parent == m && !(c->point->inode && c->point->inode->iflags & INODE_EMPTY))
			return false;
	return true;
}

#define ATIME_FLAGS (LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_RELATIME | LINUX_MS_STRICTATIME)

/* When a read counts as an access; relatime is what is not said. */
static unsigned atime_kind(unsigned flags)
{
	unsigned kind = flags & (LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_STRICTATIME);

	return kind & LINUX_MS_STRICTATIME ? kind & ~LINUX_MS_NOATIME : kind;
}

/* Flags that mean protection are not taken back where they are locked, nor is that of access times changed. */
static bool loosens(const struct mount *m, unsigned flags)
{
	const unsigned strict = LINUX_MS_RDONLY | LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC;

	return m->flags_locked && (m->flags & strict & ~flags || atime_kind(m->flags) != atime_kind(flags));
}

/* Of one that there is, as that does not let it be made otherwise. */
static bool may_be_made_again(const struct mount *m, unsigned flags)
{
	return !m->flags_locked || (!(m->flags & ~flags & LINUX_MS_RDONLY) && atime_kind(m->flags) == atime_kind(flags));
}

bool mount_ns_shows(struct mount_ns *ns, const struct fs_type *type, unsigned flags)
{
	struct mount *m;
	bool shows = false;

	mutex_lock(&ns->mu);
	TAILQ_FOREACH (m, &ns->mounts, ns_link)
		shows = shows || (m->sb->type == type && m->root == m->sb->root && may_be_made_again(m, flags) && is_all_seen(ns, m));
	mutex_unlock(&ns->mu);
	return shows;
}

int mount_ns_may_uncover(struct mount_ns *ns, const struct path *p)
{
	int r;

	mutex_lock(&ns->mu);
	r = p->mnt && p->mnt->ns == ns && !has_locked_below(ns, p) ? 0 : -EINVAL;
	mutex_unlock(&ns->mu);
	return r;
}

struct user_ns *mount_ns_owner(const struct mount_ns *ns)
{
	return ns->owner;
}

static bool may_bind_unmounted(const struct dentry *d)
{
	const struct super_ops *ops = d->sb->ops;

	return d->inode && ops->may_bind && ops->may_bind(d->inode);
}

int vfs_bind(struct mount_ns *ns, const struct path *from, const struct path *at, bool recursive)
{
	struct path top;
	struct mount *m;
	int r;

	mutex_lock(&ns->mu);
	r = check_point(ns, at, &top);
	if (r)
		goto out;
	r = -EINVAL;
	if (from->mnt ? from->mnt->ns != ns : !may_bind_unmounted(from->dentry))
		goto put;
	/* without what is mounted below it would be seen what that hides */
	if (from->mnt && !recursive && has_locked_below(ns, from))
		goto put;
	r = -ENOTDIR;
	if (is_dir(from->dentry) != is_dir(top.dentry))
		goto put;
	r = -ENOMEM;
	m = mount_new(from->dentry->sb, from->dentry, from->mnt ? from->mnt->flags : 0);
	if (!m)
		goto put;
	m->flags_locked = from->mnt && from->mnt->flags_locked;
	attach(m, &top, ns);
	r = recursive && from->mnt ? copy_below(ns, from->mnt, from->dentry, m) : 0;
put:
	path_put(&top);
out:
	mutex_unlock(&ns->mu);
	return r;
}

int vfs_remount(struct mount_ns *ns, const struct path *at, unsigned flags, const char *options, bool bind_only)
{
	struct superblock *sb = at->dentry->sb;
	int r = 0;

	if (!path_is_mount_root(at))
		return -EINVAL;
	mutex_lock(&ns->mu);
	if (!(flags & ATIME_FLAGS)) /* stays as it is */
		flags |= at->mnt->flags & ATIME_FLAGS;
	if (at->mnt->ns != ns)
		r = -EINVAL;
	if (!r && loosens(at->mnt, flags))
		r = -EPERM;
	if (!r && !bind_only && sb->ops->remount)
		r = sb->ops->remount(sb, flags, options);
	if (!r) {
		if (!bind_only)
			sb->flags = (sb->flags & ~LINUX_MS_RDONLY) | (flags & LINUX_MS_RDONLY);
		at->mnt->flags = flags & LINUX_MS_MOUNT_FLAGS;
		names_changed(ns->vfs);
		mount_ns_changed(ns);
	}
	mutex_unlock(&ns->mu);
	return r;
}

/* m was attached, last in the list: what is mounted below it stands after its parents again, as all do. */
static void list_after(struct mount_ns *ns, struct mount *m)
{
	__typeof__(ns->mounts) below;
	struct mount *c, *next, *up;

	TAILQ_INIT(&below);
	for (c = TAILQ_FIRST(&ns->mounts); c != m; c = next) {
		next = TAILQ_NEXT(c, ns_link);
		for (up = c->parent; up && up != m; up = up->parent)
			;
		if (!up)
			continue;
		TAILQ_REMOVE(&ns->mounts, c, ns_link);
		TAILQ_INSERT_TAIL(&below, c, ns_link);
	}
	TAILQ_CONCAT(&ns->mounts, &below, ns_link);
}

int vfs_mount_move(struct mount_ns *ns, const struct path *from, const struct path *at)
{
	struct vfs *v = ns->vfs;
	struct path top;
	struct mount *m = from->mnt, *a;
	int r;

	mutex_lock(&ns->mu);
	r = check_point(ns, at, &top);
	if (r)
		goto out;
	r = -EINVAL;
	if (!path_is_mount_root(from) || m->ns != ns || !m->parent || m->locked)
		goto put;
	r = -ENOTDIR;
	if (is_dir(from->dentry) != is_dir(top.dentry))
		goto put;
	r = -ELOOP;
	for (a = top.mnt; a; a = a->parent)
		if (a == m)
			goto put;
	mount_get(m); /* across the detaching */
	mount_detach(m);
	brlock_write(&v->dc.lock);
	mount_attach_locked(m, &top, ns);
	list_after(ns, m);
	brlock_write_end(&v->dc.lock);
	r = 0;
put:
	path_put(&top);
out:
	mutex_unlock(&ns->mu);
	return r;
}

static struct mount *child_of(struct mount_ns *ns, const struct mount *m)
{
	struct mount *c;

	TAILQ_FOREACH (c, &ns->mounts, ns_link)
		if (c->parent == m)
			return c;
	return NULL;
}

/* Those below m are marked, from m on, as children stand after their parents; then they go from the end.
 * Not by recursion: programs decide how deep it is. */
static void detach_tree(struct mount_ns *ns, struct mount *m)
{
	struct mount *c, *before;

	TAILQ_FOREACH (c, &ns->mounts, ns_link)
		c->copy = c == m || (c->parent && c->parent->copy == m) ? m : NULL;
	for (c = TAILQ_LAST(&ns->mounts, mount_list); c != m; c = before) {
		before = TAILQ_PREV(c, mount_list, ns_link);
		if (c->copy == m)
			mount_detach(c);
	}
	mount_detach(m);
}

int vfs_umount(struct mount_ns *ns, const struct path *at, int flags)
{
	struct mount *m = at->mnt;
	int r = 0;

	mutex_lock(&ns->mu);
	if (!path_is_mount_root(at) || m->ns != ns || m == ns->root || m->locked)
		r = -EINVAL;
	else if (flags & LINUX_MNT_DETACH)
		detach_tree(ns, m);
	else if (child_of(ns, m) || ref_count(&m->ref) > 2) /* the namespace's and the caller's */
		r = -EBUSY;
	else if (flags & LINUX_MNT_EXPIRE)
		r = -EAGAIN;
	else
		mount_detach(m);
	mutex_unlock(&ns->mu);
	return r;
}

/* The old root goes to put_old, the new root takes its place; tasks' root and cwd
 * are the caller's business. */
int vfs_pivot_root(struct mount_ns *ns, const struct path *new_root, const struct path *put_old)
{
	struct mount *n = new_root->mnt, *old = ns->root, *a;
	struct vfs *v = ns->vfs;
	struct dentry *point;
	struct mount *parent;
	int r = -EINVAL;

	mutex_lock(&ns->mu);
	if (!path_is_mount_root(new_root) || n->ns != ns || n->locked || !put_old->mnt || put_old->mnt->ns != ns)
		goto out;
	r = -EBUSY;
	if (n == old)
		goto out;
	r = -EINVAL;
	for (a = put_old->mnt; a && a != n; a = a->parent)
		;
	if (!a || (put_old->mnt == n && !dentry_is_below(put_old->dentry, new_root->dentry)))
		goto out;
	brlock_write(&v->dc.lock);
	parent = n->parent;
	point = n->point;
	LIST_REMOVE(n, hash_link);
	n->parent = NULL;
	n->point = NULL;
	TAILQ_REMOVE(&ns->mounts, old, ns_link);
	v->dc.n_mounts--;
	mount_attach_locked(old, put_old, ns);
	list_after(ns, old);
	TAILQ_REMOVE(&ns->mounts, n, ns_link);
	TAILQ_INSERT_HEAD(&ns->mounts, n, ns_link);
	ns->root = n;
	n->locked = old->locked; /* the new root is as fast as the old one was */
	old->locked = false;
	mount_left_locked(v, point);
	brlock_write_end(&v->dc.lock);
	dentry_put(point);
	mount_put(parent);
	r = 0;
out:
	mutex_unlock(&ns->mu);
	return r;
}

/* --- listing ----------------------------------------------------------------------- */

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

	mutex_lock(&ns->mu);
	TAILQ_FOREACH (m, &ns->mounts, ns_link) {
		r = list_one(m, seen_from, fn, arg);
		if (r)
			break;
	}
	mutex_unlock(&ns->mu);
	return r;
}
