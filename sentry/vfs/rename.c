/*
 * rename.c - rename(2), renameat2(2).
 *
 * Locks: rename_mu when the directories differ (no other such rename can change who is
 * above whom), the superblock's two_mu, then the two directories (the one nearer to the root first, else
 * by address), then the inodes replaced and moved are left to the file system's own locks.
 *
 * Nobody's order depends on an address alone: who removes a directory locks it after the one above it, and
 * with two who rename by address the three could wait for each other.  two_mu keeps everybody where he is
 * meanwhile, for an overlay renames in its layers without rename_mu (below.h).
 */
#include "vfs/internal.h"

#include <string.h>

struct rename {
	struct walk *ow, *nw;
	struct path odir, ndir;
	struct dentry *od, *nd; /* references */
	unsigned flags;
};

void dirs_lock(struct dentry *a, struct dentry *b)
{
	unsigned above_a, above_b;

	if (a->inode == b->inode) {
		mutex_lock_nested(&a->inode->mu);
		return;
	}
	mutex_lock_nested(&a->sb->two_mu);
	above_a = dentry_depth(a);
	above_b = dentry_depth(b);
	if (above_b < above_a || (above_b == above_a && b->inode < a->inode)) {
		struct dentry *t = a;

		a = b;
		b = t;
	}
	mutex_lock_nested(&a->inode->mu);
	mutex_lock_nested(&b->inode->mu);
}

void dirs_unlock(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->inode->mu);
	if (a->inode == b->inode)
		return;
	mutex_unlock(&b->inode->mu);
	mutex_unlock(&a->sb->two_mu);
}

static void lock_dirs(struct rename *r)
{
	struct dentry *a = r->odir.dentry, *b = r->ndir.dentry;

	if (a->inode != b->inode)
		mutex_lock(&a->sb->vfs->rename_mu);
	dirs_lock(a, b);
}

static void unlock_dirs(struct rename *r)
{
	struct dentry *a = r->odir.dentry, *b = r->ndir.dentry;

	dirs_unlock(a, b);
	if (a->inode != b->inode)
		mutex_unlock(&a->sb->vfs->rename_mu);
}

static int lookup_both(struct rename *r)
{
	struct qstr o = { r->ow->last, r->ow->last_len }, n = { r->nw->last, r->nw->last_len };
	int e = dentry_lookup_locked(r->odir.dentry, &o, &r->od);

	return e ? e : dentry_lookup_locked(r->ndir.dentry, &n, &r->nd);
}

/* The order of Linux's do_renameat2 and vfs_rename. */
static int check_names(struct rename *r)
{
	bool old_dir, exchange = r->flags & LINUX_RENAME_EXCHANGE;

	if (!r->od->inode)
		return -ENOENT;
	if (r->flags & LINUX_RENAME_NOREPLACE && r->nd->inode)
		return -EEXIST;
	if (exchange) {
		if (!r->nd->inode)
			return -ENOENT;
		if (!LINUX_S_ISDIR(r->nd->inode->mode) && r->nw->trailing_slash)
			return -ENOTDIR;
	}
	old_dir = LINUX_S_ISDIR(r->od->inode->mode);
	if (!old_dir && (r->ow->trailing_slash || (!exchange && r->nw->trailing_slash)))
		return -ENOTDIR;
	if (dentry_is_below(r->ndir.dentry, r->od))
		return -EINVAL;
	if (dentry_is_below(r->odir.dentry, r->nd))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_permissions(struct rename *r)
{
	const struct cred *c = r->ow->cred;
	IDMAP_BUF;
	bool old_dir = LINUX_S_ISDIR(r->od->inode->mode), exchange = r->flags & LINUX_RENAME_EXCHANGE;
	int e = dir_may_delete(&r->odir, r->od, old_dir, c);

	if (e)
		return e;
	if (!r->nd->inode)
		e = dir_may_create(&r->ndir, c);
	else
		e = dir_may_delete(&r->ndir, r->nd, exchange ? LINUX_S_ISDIR(r->nd->inode->mode) : old_dir, c);
	if (e)
		return e;
	c = idmap_cred(r->odir.mnt, c, &buf);
	/* moving a directory changes its ".." */
	if (r->odir.dentry != r->ndir.dentry) {
		if (old_dir && (e = inode_permission(r->od->inode, 2, c)))
			return e;
		if (exchange && LINUX_S_ISDIR(r->nd->inode->mode) && (e = inode_permission(r->nd->inode, 2, c)))
			return e;
	}
	if ((r->od->flags | r->nd->flags) & DENTRY_MOUNTED)
		return -EBUSY;
	return 0;
}

static void tell(struct rename *r, const char *old_name, bool is_dir, struct inode *moved, struct inode *gone)
{
	uint32_t cookie = notify_cookie(moved->sb->vfs);

	if (r->odir.dentry->inode == r->ndir.dentry->inode)
		notify_name(r->odir.dentry->inode, old_name, is_dir, NOTIFY_RENAME, 0);
	notify_name(r->odir.dentry->inode, old_name, is_dir, NOTIFY_MOVED_FROM, cookie);
	notify_name(r->ndir.dentry->inode, r->nw->last, is_dir, NOTIFY_MOVED_TO, cookie);
	notify_inode(moved, NOTIFY_MOVE_SELF);
	if (gone)
		notify_inode(gone, gone->nlink ? NOTIFY_ATTRIB : NOTIFY_DELETE_SELF);
}

/* What is to be left at the old name, a new reference without one yet; NULL: nothing is. */
static int make_whiteout(struct rename *r, struct dentry **out)
{
	struct inode *oi = r->odir.dentry->inode, *i;
	IDMAP_BUF;
	int e;

	*out = NULL;
	if (!(r->flags & LINUX_RENAME_WHITEOUT))
		return 0;
	e = oi->ops->whiteout ? oi->ops->whiteout(oi, idmap_cred(r->odir.mnt, r->ow->cred, &buf), &i) : -EINVAL;
	if (e)
		return e;
	*out = dentry_new_anon(oi->sb, r->ow->last, i);
	if (*out)
		return 0;
	inode_put(i);
	return -ENOMEM;
}

static int rename_locked(struct rename *r)
{
	struct inode *oi = r->odir.dentry->inode, *ni = r->ndir.dentry->inode, *moved, *gone;
	struct dentry *whiteout = NULL;
	int e = check_names(r);

	if (e)
		return e;
	moved = r->od->inode;
	gone = r->nd->inode;
	if (moved == gone)
		return 0; /* two names of one file: nothing happens */
	e = check_permissions(r);
	if (e)
		return e;
	e = oi->ops->rename ? make_whiteout(r, &whiteout) : -EPERM;
	if (e)
		return e;
	super_change_begin(oi->sb);
	e = oi->ops->rename(oi, r->od, ni, r->nd, r->flags);
	if (!e && gone && LINUX_S_ISDIR(gone->mode) && !(r->flags & LINUX_RENAME_EXCHANGE))
		gone->iflags |= INODE_DEAD;
	if (e || oi->sb->sflags & SUPER_MOVES_DENTRIES) {
		; /* nothing happened, or all is done */
	} else if (r->flags & LINUX_RENAME_EXCHANGE) {
		dcache_exchange(r->od, r->nd);
	} else {
		dentry_drop(r->nd);
		dcache_move(r->od, r->ndir.dentry, r->nw->last, r->nw->last_len);
		if (whiteout)
			dcache_place(whiteout, r->odir.dentry);
	}
	super_change_end(oi->sb);
	dentry_put(whiteout);
	if (!e)
		tell(r, r->ow->last, LINUX_S_ISDIR(moved->mode), moved, r->flags & LINUX_RENAME_EXCHANGE ? NULL : gone);
	return e;
}

int vfs_rename(struct walk *ow, const char *old, struct walk *nw, const char *new_name, unsigned flags)
{
	struct rename r = { .ow = ow, .nw = nw, .flags = flags };
	int e;

	if (flags & ~(LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE | LINUX_RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & LINUX_RENAME_EXCHANGE && flags != LINUX_RENAME_EXCHANGE)
		return -EINVAL;
	ow->flags |= WALK_PARENT;
	nw->flags |= WALK_PARENT;
	e = vfs_walk(ow, old, &r.odir);
	if (e)
		return e;
	e = vfs_walk(nw, new_name, &r.ndir);
	if (e) {
		path_put(&r.odir);
		return e;
	}
	if (r.odir.mnt != r.ndir.mnt)
		e = -EXDEV;
	else if (ow->last_special)
		e = -EBUSY;
	else if (nw->last_special)
		e = flags & LINUX_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (!e) {
		lock_dirs(&r);
		e = lookup_both(&r);
		if (!e)
			e = rename_locked(&r);
		unlock_dirs(&r);
	}
	dentry_put(r.od);
	dentry_put(r.nd);
	path_put(&r.odir);
	path_put(&r.ndir);
	return e;
}
