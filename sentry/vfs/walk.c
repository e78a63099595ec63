/*
 * walk.c - from a name to a dentry.
 *
 * Through cached names the walk reads under the dcache lock, as others do at the same
 * time, and neither allocates nor counts references; `cur` is then borrowed.  Where it
 * must ask a file system (a miss, a revalidation, a magic link; walk_ask.c) it first pins
 * cur and root, drops the lock, and takes it again afterwards.
 */
#include "vfs/internal.h"

#include <stdlib.h>
#include <string.h>

struct nd {
	struct walk *w;
	struct vfs *v;
	struct path root, cur; /* borrowed: valid under the lock, or pinned */
	struct path root_pin, pin; /* references */
	const char *p; /* what is left of the name */
	char *buf; /* owned: the name with a link's target put in */
	const char *fresh_until; /* shared trees: up to here the cache was just asked about */
	unsigned links;
	struct mutex *held; /* of the dcache lock, to read under */
};

static void nd_lock(struct nd *n)
{
	n->held = brlock_read(&n->v->dc.lock);
}

/* Takes references to where the walk is, so that the lock can be dropped. */
static void nd_unlock(struct nd *n)
{
	struct path old = n->pin;

	mount_get_locked(n->cur.mnt);
	dentry_get_locked(n->cur.dentry);
	n->pin = n->cur;
	if (!n->root_pin.mnt) {
		mount_get_locked(n->root.mnt);
		dentry_get_locked(n->root.dentry);
		n->root_pin = n->root;
	}
	mutex_unlock(n->held);
	path_put(&old);
}

/* cur becomes p, whose references are taken over; not locked. */
static void nd_adopt(struct nd *n, const struct path *p)
{
	struct path old = n->pin;

	n->pin = n->cur = *p;
	path_put(&old);
}

/* Starts locked. fs->mu is held while the dcache lock is taken, so that root
 * and cwd cannot be put meanwhile. */
static void nd_start(struct nd *n, const char *name)
{
	struct walk *w = n->w;
	struct fs_context *fs = w->fs;

	mutex_lock(&fs->mu);
	n->v = fs->root.dentry->sb->vfs;
	n->root = fs->root;
	n->cur = w->base ? *w->base : fs->cwd;
	nd_lock(n);
	mutex_unlock(&fs->mu);
	if (w->flags & (WALK_BENEATH | WALK_IN_ROOT))
		n->root = n->cur;
	if (*name == '/')
		n->cur = n->root;
	w->sflags = UINT32_MAX;
	n->p = name;
}

static bool cur_is_dir(const struct nd *n)
{
	const struct inode *i = n->cur.dentry->inode;

	return i && LINUX_S_ISDIR(i->mode);
}

static int up_mount(struct nd *n)
{
	while (n->cur.dentry->flags & DENTRY_MOUNTED) {
		struct mount *m = mount_at_locked(n->v, n->cur.mnt, n->cur.dentry);

		if (!m)
			break;
		if (n->w->flags & WALK_NO_XDEV)
			return -EXDEV;
		n->cur = (struct path){ m, m->root };
	}
	return 0;
}

static int step_dotdot(struct nd *n)
{
	for (;;) {
		if (n->cur.dentry == n->root.dentry && n->cur.mnt == n->root.mnt)
			return n->w->flags & WALK_BENEATH ? -EXDEV : 0;
		if (n->cur.dentry != n->cur.mnt->root) {
			n->cur.dentry = n->cur.dentry->parent;
			return up_mount(n);
		}
		if (!n->cur.mnt->parent)
			return 0;
		if (n->w->flags & WALK_NO_XDEV)
			return -EXDEV;
		n->cur = (struct path){ n->cur.mnt->parent, n->cur.mnt->point };
	}
}

/* --- asking the file system ------------------------------------------------------ */

/* Not locked, cur pinned. */
static void ask_ahead(struct nd *n, const char *name, bool again)
{
	const char *end = dentry_ask_ahead(n->cur.dentry, name, again, n->w->flags);

	if (end)
		n->fresh_until = end;
}

/* Asks whether a cached name still holds. Called locked; returns locked. */
static int revalidate(struct nd *n, struct dentry **child, const struct qstr *q)
{
	const struct inode_ops *ops = n->cur.dentry->inode->ops;
	struct dentry *d = *child;
	int r;

	dentry_get_locked(d);
	nd_unlock(n);
	r = ops->revalidate ? ops->revalidate(d) : 1;
	if (r == 0)
		dentry_drop(d);
	dentry_put(d);
	nd_lock(n);
	*child = dcache_find_locked(&n->v->dc, n->cur.dentry, q->name, q->len);
	return r < 0 ? r : 0;
}

/* Finds a component; called and returns locked.  *child is borrowed. */
static int step_child(struct nd *n, const struct qstr *q, struct dentry **child)
{
	struct dentry *dir = n->cur.dentry, *d;
	const struct inode_ops *ops = dir->inode->ops;
	bool shared = dir->sb->sflags & SUPER_REVALIDATE;
	int r;

	if (shared && ops->lookup_many && (!n->fresh_until || q->name >= n->fresh_until)) {
		if (n->w->flags & WALK_CACHED)
			return -EAGAIN;
		nd_unlock(n);
		ask_ahead(n, q->name, false);
		nd_lock(n);
	}
	*child = d = dcache_find_locked(&n->v->dc, dir, q->name, q->len);
	if (d && shared && !ops->lookup_many) {
		if (n->w->flags & WALK_CACHED)
			return -EAGAIN;
		r = revalidate(n, child, q);
		if (r)
			return r;
		d = *child;
	}
	if (d && dentry_is_old(d)) {
		if (n->w->flags & WALK_CACHED)
			return -EAGAIN;
		nd_unlock(n);
		ask_ahead(n, q->name, true);
		nd_lock(n);
		*child = d = dcache_find_locked(&n->v->dc, dir, q->name, q->len);
	}
	if (d) {
		dentry_ahead_used(d);
		return 0;
	}
	if (n->w->flags & WALK_CACHED)
		return -EAGAIN;
	nd_unlock(n);
	if (ops->lookup_many && !shared) {
		ask_ahead(n, q->name, false);
		nd_lock(n);
		*child = d = dcache_find_locked(&n->v->dc, dir, q->name, q->len);
		if (d) {
			dentry_ahead_used(d);
			return 0;
		}
		nd_unlock(n);
	}
	r = dentry_lookup(dir, q, &d);
	if (!r) { /* held by the pin of the directory's replacement */
		struct path at = { n->cur.mnt, d };

		mount_get(at.mnt);
		nd_adopt(n, &at);
	}
	nd_lock(n);
	*child = d;
	return r;
}

/* --- symbolic links ---------------------------------------------------------------- */

/* The target followed by what is left of the name becomes the name. */
static int splice_name(struct nd *n, const char *target)
{
	size_t tl = strlen(target), rl = strlen(n->p);
	char *buf;

	if (!tl)
		return -ENOENT;
	buf = malloc(tl + rl + 2);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, target, tl);
	memcpy(buf + tl, n->p, rl + 1); /* which is empty or begins with a slash */
	free(n->buf);
	n->buf = buf;
	n->p = buf;
	n->fresh_until = NULL;
	if (*buf == '/') {
		if (n->w->flags & WALK_BENEATH)
			return -EXDEV;
		if (n->w->flags & WALK_NO_XDEV && n->cur.mnt != n->root.mnt)
			return -EXDEV;
		n->cur = n->root;
	}
	return 0;
}

static int follow_magic(struct nd *n, struct dentry *link)
{
	struct path to = { NULL, NULL };
	int r;

	if (n->w->flags & WALK_NO_MAGICLINKS)
		return -ELOOP;
	dentry_get_locked(link);
	nd_unlock(n);
	r = link->inode->ops->follow(link->inode, &to.mnt, &to.dentry);
	dentry_put(link);
	if (!r && (n->w->flags & (WALK_BENEATH | WALK_IN_ROOT) || (n->w->flags & WALK_NO_XDEV && to.mnt != n->cur.mnt))) {
		path_put(&to);
		r = -EXDEV;
	}
	if (!r)
		nd_adopt(n, &to);
	nd_lock(n);
	return r;
}

/* cur is the directory that holds link. */
static int follow_link(struct nd *n, struct dentry *link)
{
	struct inode *i = link->inode;
	char *target = NULL;
	int r;

	if (n->links++ >= LINKS_MAX || n->w->flags & WALK_NO_SYMLINKS || mount_flags(n->cur.mnt) & LINUX_MS_NOSYMFOLLOW)
		return -ELOOP;
	if (i->ops->follow)
		return follow_magic(n, link);
	if (i->link)
		return splice_name(n, i->link);
	if (!i->ops->readlink)
		return -EINVAL;
	dentry_get_locked(link);
	nd_unlock(n);
	r = i->ops->readlink(i, &target);
	dentry_put(link);
	nd_lock(n);
	if (!r)
		r = splice_name(n, target);
	free(target);
	return r;
}

/* --- the walk --------------------------------------------------------------------- */

/* Generic permission without leaving the lock; others' own checks may block. */
static int may_search(struct nd *n)
{
	struct inode *i = n->cur.dentry->inode;
	int r;

	if (!i->ops->permission)
		return inode_permission_at(n->cur.mnt, i, 1, n->w->cred);
	nd_unlock(n);
	r = inode_permission_at(n->cur.mnt, i, 1, n->w->cred);
	nd_lock(n);
	return r;
}

static bool special(const struct qstr *q)
{
	return q->name[0] == '.' && (q->len == 1 || (q->len == 2 && q->name[1] == '.'));
}

static void stop_at_parent(struct nd *n, const struct qstr *q, bool slash)
{
	struct walk *w = n->w;

	memcpy(w->last, q->name, q->len);
	w->last[q->len] = 0;
	w->last_len = q->len;
	w->last_special = special(q);
	w->trailing_slash = slash;
}

/* One component.  last: nothing but slashes follows. */
static int step(struct nd *n, const struct qstr *q, bool last, bool slash)
{
	struct dentry *d;
	struct mount *mnt = n->cur.mnt;
	int r;

	if (special(q))
		return q->len == 1 ? 0 : step_dotdot(n);
	r = step_child(n, q, &d);
	if (r)
		return r;
	if (!d || !d->inode)
		return -ENOENT;
	if (LINUX_S_ISLNK(d->inode->mode) && (!last || slash || n->w->flags & WALK_FOLLOW)) {
		/* cur may have been moved to the link itself by a miss */
		if (n->cur.dentry == d)
			n->cur.dentry = d->parent;
		return follow_link(n, d);
	}
	n->cur = (struct path){ mnt, d };
	return up_mount(n);
}

static int components(struct nd *n)
{
	for (;;) {
		struct qstr q;
		const char *rest;
		bool last;
		int r;

		n->w->sflags &= n->cur.dentry->sb->sflags;
		n->p += strspn(n->p, "/");
		if (!*n->p)
			return 0;
		if (!cur_is_dir(n))
			return -ENOTDIR;
		r = may_search(n);
		if (r)
			return r;
		q.name = n->p;
		q.len = (uint32_t)strcspn(n->p, "/");
		if (q.len > LINUX_NAME_MAX)
			return -ENAMETOOLONG;
		rest = n->p + q.len;
		last = !rest[strspn(rest, "/")];
		if (last && n->w->flags & WALK_PARENT) {
			stop_at_parent(n, &q, *rest == '/');
			return 0;
		}
		n->p = rest;
		r = step(n, &q, last, *rest == '/');
		if (r)
			return r;
		if (last && n->p == rest && *rest == '/' && !cur_is_dir(n))
			return -ENOTDIR;
	}
}

/* The result's references; unlocks. */
static void nd_finish(struct nd *n, int r, struct path *out)
{
	if (!r) {
		mount_get_locked(n->cur.mnt);
		dentry_get_locked(n->cur.dentry);
		*out = n->cur;
	}
	mutex_unlock(n->held);
	free(n->buf);
	if (n->pin.dentry)
		path_put(&n->pin);
	if (n->root_pin.dentry)
		path_put(&n->root_pin);
}

int vfs_walk(struct walk *w, const char *name, struct path *out)
{
	struct nd n = { .w = w };
	int r;

	if (!*name && !(w->flags & WALK_EMPTY))
		return -ENOENT;
	if (*name == '/' && w->flags & WALK_BENEATH)
		return -EXDEV;
	w->last_len = 0;
	w->last[0] = 0;
	w->last_special = true; /* "/" */
	w->trailing_slash = false;
	nd_start(&n, name);
	r = components(&n);
	if (!r && w->flags & WALK_DIRECTORY && !cur_is_dir(&n))
		r = -ENOTDIR;
	nd_finish(&n, r, out);
	return r;
}
