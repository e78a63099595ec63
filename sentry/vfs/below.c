/*
 * below.c - see below.h.
 */
#include "vfs/below.h"

#include "vfs/internal.h"

int below_find(struct dentry *dir, const struct qstr *name, const struct cred *c, struct dentry **out)
{
	struct dentry *d;
	int r = inode_permission(dir->inode, 1, c);

	if (r)
		return r;
	if (dir->sb->sflags & SUPER_REVALIDATE) /* what is cached there is to be asked for each time */
		dentry_prefetch(dir, name, 1);
	r = dentry_lookup(dir, name, &d);
	if (r)
		return r == -ESTALE ? -ENOENT : r;
	if (!d->inode) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = d;
	return 0;
}

/* --- making ----------------------------------------------------------------------------- */

static int make_in(struct inode *di, struct dentry *d, const struct below_new *n)
{
	const struct inode_ops *ops = di->ops;
	int r;

	switch (n->mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
		return ops->create ? ops->create(di, d, n->mode, n->owner) : -EPERM;
	case LINUX_S_IFDIR:
		return ops->mkdir ? ops->mkdir(di, d, n->mode, n->owner) : -EPERM;
	case LINUX_S_IFLNK:
		return ops->symlink ? ops->symlink(di, d, n->target, n->owner) : -EPERM;
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
		if ((r = may_make_device(di->sb->vfs, n->mode, n->rdev, n->by)))
			return r;
		break;
	default:
		break;
	}
	return ops->mknod ? ops->mknod(di, d, n->mode, n->rdev, n->owner) : -EPERM;
}

/* dir is locked, and a name in it is free for c: *d is negative. */
static int find_room(struct dentry *dir, const struct qstr *name, const struct cred *c, struct dentry **d)
{
	int r = dentry_lookup_locked(dir, name, d);

	if (r)
		return r;
	r = (*d)->inode ? -EEXIST : dir_may_create(&(struct path){ NULL, dir }, c);
	if (r)
		dentry_put(*d);
	return r;
}

int below_make(struct dentry *dir, const struct qstr *name, const struct below_new *n, struct dentry **out)
{
	struct inode *di = dir->inode;
	struct dentry *d;
	int r;

	mutex_lock_nested(&di->mu);
	r = find_room(dir, name, n->by, &d);
	if (!r) {
		super_change_begin(di->sb);
		r = make_in(di, d, n);
		super_change_end(di->sb);
		if (!r && !d->inode)
			r = -EIO;
		if (!r)
			notify_name(di, d->name, LINUX_S_ISDIR(n->mode), NOTIFY_CREATE, 0);
		if (!r && out)
			*out = d;
		else
			dentry_put(d);
	}
	mutex_unlock(&di->mu);
	return r;
}

int below_link(struct dentry *dir, const struct qstr *name, struct inode *target, const struct cred *c)
{
	struct inode *di = dir->inode;
	struct dentry *d;
	int r;

	if (target->sb != dir->sb)
		return -EXDEV;
	mutex_lock_nested(&di->mu);
	r = find_room(dir, name, c, &d);
	if (!r) {
		super_change_begin(di->sb);
		r = di->ops->link ? di->ops->link(di, d, target) : -EPERM;
		super_change_end(di->sb);
		if (!r)
			notify_name(di, d->name, false, NOTIFY_CREATE, 0);
		dentry_put(d);
	}
	mutex_unlock(&di->mu);
	return r;
}

/* --- removing --------------------------------------------------------------------------- */

static int remove_in(struct dentry *dir, struct dentry *d, const struct cred *c)
{
	struct inode *i = d->inode;
	bool directory = LINUX_S_ISDIR(i->mode);
	int r = dir_remove(&(struct path){ NULL, dir }, d, directory, c);

	if (!r)
		notify_inode(i, directory || !i->nlink ? NOTIFY_DELETE_SELF : NOTIFY_ATTRIB);
	return r;
}

int below_remove(struct dentry *dir, const struct qstr *name, const struct inode *what, const struct cred *c)
{
	struct inode *di = dir->inode;
	struct dentry *d;
	int r;

	mutex_lock_nested(&di->mu);
	r = dentry_lookup_locked(dir, name, &d);
	if (!r) {
		bool directory = d->inode && LINUX_S_ISDIR(d->inode->mode);

		r = d->inode == what ? remove_in(dir, d, c) : -ESTALE;
		if (!r)
			notify_name(di, d->name, directory, NOTIFY_DELETE, 0);
		dentry_put(d);
	}
	mutex_unlock(&di->mu);
	return r;
}

/* --- renaming --------------------------------------------------------------------------- */

static int may_rename(struct dentry *from, struct dentry *od, struct dentry *to, struct dentry *nd, bool exchange, const struct cred *c)
{
	struct path fp = { NULL, from }, tp = { NULL, to };
	bool is_dir = LINUX_S_ISDIR(od->inode->mode);
	int r;

	if (dentry_is_below(to, od))
		return -EINVAL;
	if (dentry_is_below(from, nd))
		return exchange ? -EINVAL : -ENOTEMPTY;
	r = dir_may_delete(&fp, od, is_dir, c);
	if (!r && !nd->inode)
		r = dir_may_create(&tp, c);
	else if (!r)
		r = dir_may_delete(&tp, nd, exchange ? LINUX_S_ISDIR(nd->inode->mode) : is_dir, c);
	if (!r && from != to && is_dir)
		r = inode_permission(od->inode, 2, c); /* its ".." changes */
	if (!r && (od->flags | nd->flags) & DENTRY_MOUNTED)
		r = -EBUSY;
	return r;
}

/* What the vfs does after a rename that its file system has carried out. */
static void move_names(struct dentry *od, struct dentry *nd, struct dentry *to, const struct qstr *name, bool exchange)
{
	if (od->sb->sflags & SUPER_MOVES_DENTRIES)
		return;
	if (exchange) {
		dcache_exchange(od, nd);
		return;
	}
	dentry_drop(nd);
	dcache_move(od, to, name->name, name->len);
}

static void tell_renamed(struct dentry *from, const char *old, struct dentry *to, const char *name, struct inode *moved, struct inode *gone)
{
	uint32_t cookie = notify_cookie(from->sb->vfs);
	bool is_dir = LINUX_S_ISDIR(moved->mode);

	notify_name(from->inode, old, is_dir, NOTIFY_MOVED_FROM, cookie);
	notify_name(to->inode, name, is_dir, NOTIFY_MOVED_TO, cookie);
	notify_inode(moved, NOTIFY_MOVE_SELF);
	if (gone)
		notify_inode(gone, gone->nlink ? NOTIFY_ATTRIB : NOTIFY_DELETE_SELF);
}

static void terminated(char out[LINUX_NAME_MAX + 1], const struct qstr *q)
{
	uint32_t n = q->len < LINUX_NAME_MAX ? q->len : LINUX_NAME_MAX;

	for (uint32_t i = 0; i < n; i++)
		out[i] = q->name[i];
	out[n] = 0;
}

static int rename_in(struct dentry *from, struct dentry *od, struct dentry *to, struct dentry *nd, const struct qstr *name, bool exchange,
	const struct cred *c)
{
	struct inode *moved = od->inode, *gone = nd->inode;
	char old_name[LINUX_NAME_MAX + 1], new_name[LINUX_NAME_MAX + 1];
	int r = may_rename(from, od, to, nd, exchange, c);

	if (r)
		return r;
	if (exchange && !gone)
		return -ENOENT;
	if (moved == gone)
		return 0;
	if (!from->inode->ops->rename)
		return -EPERM;
	terminated(old_name, &(struct qstr){ od->name, od->name_len });
	terminated(new_name, name);
	super_change_begin(from->sb);
	r = from->inode->ops->rename(from->inode, od, to->inode, nd, exchange ? LINUX_RENAME_EXCHANGE : 0);
	if (!r && gone && LINUX_S_ISDIR(gone->mode) && !exchange)
		gone->iflags |= INODE_DEAD;
	if (!r)
		move_names(od, nd, to, &(struct qstr){ new_name, name->len }, exchange);
	super_change_end(from->sb);
	if (!r)
		tell_renamed(from, old_name, to, new_name, moved, exchange ? NULL : gone);
	return r;
}

int below_rename(struct dentry *from, const struct qstr *old, const struct inode *what, struct dentry *to, const struct qstr *name, unsigned flags,
	const struct cred *c)
{
	struct dentry *od = NULL, *nd = NULL;
	int r;

	if (from->sb != to->sb)
		return -EXDEV;
	dirs_lock(from, to);
	r = dentry_lookup_locked(from, old, &od);
	if (!r && od->inode != what)
		r = -ESTALE;
	if (!r)
		r = dentry_lookup_locked(to, name, &nd);
	if (!r)
		r = rename_in(from, od, to, nd, name, flags & LINUX_RENAME_EXCHANGE, c);
	dirs_unlock(from, to);
	dentry_put(od);
	dentry_put(nd);
	return r;
}

/* --- opening ---------------------------------------------------------------------------- */

int below_open(struct dentry *d, int flags, const struct cred *c, struct file **out)
{
	static const unsigned masks[4] = { 4, 2, 6, 6 };
	struct path p = { NULL, d };
	int r = vfs_permission(&p, masks[flags & LINUX_O_ACCMODE], c);

	return r ? r : vfs_open_path(&p, flags, c, out);
}
