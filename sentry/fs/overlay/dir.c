/*
 * dir.c - names in an overlay.  Made and moved names are pinned dentries, removed lower ones
 * pinned negative dentries; nothing is ever asked of the lower tree but lookups.
 */
#include "fs/overlay/internal.h"

#include "vfs/told.h"

#include <stdlib.h>
#include <string.h>

/* --- lookups ------------------------------------------------------------------------ */

bool ovl_is_gone(int r) { return r == -ENOENT || r == -ESTALE; }

static int look_below(struct inode *dir, const struct qstr *name, struct inode **out)
{
	struct dentry *lower = onode(dir)->lower, *d;
	int r;

	if (!lower)
		return 0;
	r = dentry_lookup(lower, name, &d);
	if (r)
		return ovl_is_gone(r) ? 0 : r;
	if (!d->inode) {
		dentry_put(d);
		return 0;
	}
	return ovl_inode_lower(dir->sb, d, out);
}

static int ovl_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	struct dentry *lower = onode(dir)->lower;

	if (lower && lower->sb->sflags & SUPER_REVALIDATE) /* what is cached there is to be asked for each time */
		dentry_prefetch(lower, name, 1);
	return look_below(dir, name, out);
}

/* The lower tree brings what is likely to be next, too. */
static bool ovl_lookup_ahead(struct dentry *dir, const struct qstr *name, bool last, bool open)
{
	struct dentry *lower = onode(dir->inode)->lower, *d;

	if (!lower || !lower->inode->ops->lookup_ahead)
		return false;
	d = dcache_get(lower, name);
	if (!d || dentry_is_old(d))
		(void)lower->inode->ops->lookup_ahead(lower, name, last, open);
	dentry_put(d);
	return false;
}

/* What is not cached here, or is but old, has no changed names below it (they would hold it in
 * the cache, and it would not be old), so the lower tree alone answers. */
static int ovl_lookup_many(struct inode *dir, const struct qstr *names, unsigned n, struct inode **out, bool *negative)
{
	unsigned k;

	if (onode(dir)->lower)
		dentry_prefetch(onode(dir)->lower, names, n);
	for (k = 0; k < n; k++) {
		struct inode *i = NULL;
		int r = LINUX_S_ISDIR(dir->mode) ? look_below(dir, &names[k], &i) : -ENOTDIR;

		if (r)
			return k ? (int)k : r;
		if (!i) {
			*negative = true;
			break;
		}
		out[k] = dir = i;
		if (!LINUX_S_ISDIR(i->mode))
			return (int)k + 1;
	}
	return (int)k;
}

/* --- what a change does to a directory ------------------------------------------------ */

static void dir_changed(struct inode *dir, int links)
{
	int64_t now = now_realtime();

	ovl_changed(dir);
	mutex_lock(&dir->a_mu);
	dir->mtime = dir->ctime = now;
	dir->nlink += (uint32_t)links;
	mutex_unlock(&dir->a_mu);
	inode_changed(dir);
}

static void add_links(struct inode *i, int n)
{
	int64_t now = now_realtime();
	bool gone;

	ovl_own(i);
	mutex_lock(&i->a_mu);
	if (n < 0 && LINUX_S_ISDIR(i->mode))
		i->nlink = 0;
	else if (n > 0 || i->nlink)
		i->nlink += (uint32_t)n;
	i->ctime = now;
	gone = !i->nlink;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
	if (gone)
		ovl_forget(i);
	else
		ovl_changed(i);
}

/* dir's name must not show the lower one again.  The name is not cached now. */
static int whiteout(struct dentry *dir, const char *name, uint32_t len)
{
	struct dentry *lower = onode(dir->inode)->lower, *d;
	struct qstr q = { name, len };
	bool there;
	int r;

	if (!lower)
		return 0;
	r = dentry_lookup(lower, &q, &d);
	if (r)
		return ovl_is_gone(r) ? 0 : r;
	there = d->inode;
	dentry_put(d);
	if (!there)
		return 0;
	while (!(r = dcache_enter(dir, &q, NULL, &d))) {
		if (!d->inode)
			break;
		dentry_drop(d); /* who asked before the removal has only now entered it */
		dentry_put(d);
	}
	if (r)
		return r;
	dentry_pin(d);
	dentry_put(d);
	return 0;
}

/* --- creation ---------------------------------------------------------------------------- */

/* link: of a symbolic link, the target; owned once it has succeeded. */
static int add(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c, char *link)
{
	struct inode *i = ovl_inode_new(dir->sb, mode);

	if (!i)
		return -ENOMEM;
	inode_init_owner(i, dir, c);
	i->rdev = rdev;
	if (LINUX_S_ISDIR(mode))
		i->nlink = 2;
	if (link) {
		i->size = strlen(link);
		i->link = link;
	}
	dentry_instantiate(d, i);
	dentry_pin(d);
	dir_changed(dir, LINUX_S_ISDIR(mode) ? 1 : 0);
	return 0;
}

static int ovl_create(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c) { return add(dir, d, mode, 0, c, NULL); }
static int ovl_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c) { return add(dir, d, mode, 0, c, NULL); }
static int ovl_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c)
{
	return add(dir, d, mode, rdev, c, NULL);
}

static int ovl_symlink(struct inode *dir, struct dentry *d, const char *target, const struct cred *c)
{
	char *copy = strdup(target);
	int r = copy ? add(dir, d, LINUX_S_IFLNK | 0777, 0, c, copy) : -ENOMEM;

	if (r)
		free(copy);
	return r;
}

static int ovl_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	inode_get(target);
	add_links(target, 1);
	dentry_instantiate(d, target);
	dentry_pin(d);
	dir_changed(dir, 0);
	return 0;
}

static int ovl_tmpfile(struct inode *dir, uint32_t mode, const struct cred *c, struct inode **out)
{
	*out = ovl_inode_new(dir->sb, mode);
	if (!*out)
		return -ENOMEM;
	inode_init_owner(*out, dir, c);
	(*out)->nlink = 0;
	return 0;
}

/* --- removal and renaming ------------------------------------------------------------------- */

static int remove_name(struct inode *dir, struct dentry *d, int dir_links)
{
	struct dentry *parent = d->parent;

	dentry_drop(d); /* makes room for the whiteout; the caller holds d */
	add_links(d->inode, -1);
	dir_changed(dir, dir_links);
	return whiteout(parent, d->name, d->name_len);
}

static int ovl_unlink(struct inode *dir, struct dentry *d) { return remove_name(dir, d, 0); }

static int ovl_rmdir(struct inode *dir, struct dentry *d)
{
	int r = ovl_is_empty(d);

	if (r <= 0)
		return r ? r : -ENOTEMPTY;
	return remove_name(dir, d, -1);
}

static int replace(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *nd)
{
	struct dentry *from = old->parent, *to = nd->parent;
	struct inode *gone = nd->inode;
	bool is_dir = LINUX_S_ISDIR(old->inode->mode);
	char old_name[LINUX_NAME_MAX + 1];
	uint32_t len = old->name_len;
	int r;

	if (gone && LINUX_S_ISDIR(gone->mode)) {
		r = ovl_is_empty(nd);
		if (r <= 0)
			return r ? r : -ENOTEMPTY;
	}
	memcpy(old_name, old->name, len);
	if (gone)
		add_links(gone, -1);
	dir_changed(new_dir, (is_dir ? 1 : 0) - (gone && LINUX_S_ISDIR(gone->mode) ? 1 : 0));
	dir_changed(old_dir, is_dir ? -1 : 0);
	dentry_drop(nd);
	dentry_pin(old);
	dcache_move(old, to, nd->name, nd->name_len);
	return whiteout(from, old_name, len);
}

static int ovl_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *nd, unsigned flags)
{
	int od = LINUX_S_ISDIR(old->inode->mode), r = 0;

	if (flags & LINUX_RENAME_EXCHANGE) {
		int other = LINUX_S_ISDIR(nd->inode->mode);

		dentry_pin(old);
		dentry_pin(nd);
		dcache_exchange(old, nd);
		dir_changed(old_dir, other - od);
		dir_changed(new_dir, od - other);
	} else {
		r = replace(old_dir, old, new_dir, nd);
	}
	if (!r) {
		ovl_changed(old->inode);
		inode_touch(old->inode, ATTR_CTIME);
	}
	return r;
}

const struct inode_ops ovl_dir_inode_ops = {
	.lookup = ovl_lookup,
	.lookup_many = ovl_lookup_many,
	.lookup_ahead = ovl_lookup_ahead,
	.create = ovl_create,
	.mkdir = ovl_mkdir,
	.mknod = ovl_mknod,
	.symlink = ovl_symlink,
	.link = ovl_link,
	.unlink = ovl_unlink,
	.rmdir = ovl_rmdir,
	.rename = ovl_rename,
	.tmpfile = ovl_tmpfile,
	.getattr = ovl_getattr,
	.steady = ovl_attr_steady,
	.setattr = ovl_setattr,
	.open = ovl_open,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
	.listxattr = ovl_listxattr,
};
