/*
 * dir.c - tmpfs's names.  The dentry tree is the directory; these functions only make inodes
 * and count links.  The directories' mu are held by the vfs.
 */
#include "fs/tmpfs/internal.h"
#include "vfs/told.h"

#include <stdlib.h>
#include <string.h>

static void dir_changed(struct inode *dir, int entries, int links)
{
	int64_t now = now_realtime();

	mutex_lock(&dir->a_mu);
	dir->mtime = dir->ctime = now;
	dir->size += (uint64_t)(int64_t)(entries * ENTRY_SIZE);
	dir->nlink += (uint32_t)links;
	mutex_unlock(&dir->a_mu);
	inode_changed(dir);
}

static void add_link(struct inode *i, int n)
{
	int64_t now = now_realtime();

	mutex_lock(&i->a_mu);
	i->nlink += (uint32_t)n;
	i->ctime = now;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}

static int make(struct inode *dir, uint32_t mode, const struct cred *c, struct inode **out)
{
	struct tmpfs_super *s = tmpfs_sb(dir->sb);

	if (s->max_inodes && s->inodes >= s->max_inodes)
		return -ENOSPC;
	*out = tmpfs_inode(dir->sb, mode);
	if (!*out)
		return -ENOMEM;
	inode_init_owner(*out, dir, c);
	return 0;
}

static int tmpfs_mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c)
{
	struct inode *i;
	int r = make(dir, mode, c, &i);

	if (r)
		return r;
	i->rdev = rdev;
	dentry_instantiate(d, i);
	dir_changed(dir, 1, 0);
	return 0;
}

static int tmpfs_create(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	return tmpfs_mknod(dir, d, mode, 0, c);
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	struct inode *i;
	int r = make(dir, mode, c, &i);

	if (r)
		return r;
	i->nlink = 2;
	i->size = 2 * ENTRY_SIZE;
	dentry_instantiate(d, i);
	dir_changed(dir, 1, 1);
	return 0;
}

static int tmpfs_symlink(struct inode *dir, struct dentry *d, const char *target, const struct cred *c)
{
	struct inode *i;
	int r = make(dir, LINUX_S_IFLNK | 0777, c, &i);

	if (r)
		return r;
	i->link = strdup(target);
	if (!i->link) {
		inode_put(i);
		return -ENOMEM;
	}
	i->size = strlen(target);
	dentry_instantiate(d, i);
	dir_changed(dir, 1, 0);
	return 0;
}

static int tmpfs_link(struct inode *dir, struct dentry *d, struct inode *target)
{
	inode_get(target);
	add_link(target, 1);
	dentry_instantiate(d, target);
	dir_changed(dir, 1, 0);
	return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	add_link(d->inode, -1);
	dir_changed(dir, -1, 0);
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	if (dentry_has_children(d))
		return -ENOTEMPTY;
	add_link(d->inode, -2);
	dir_changed(dir, -1, -1);
	return 0;
}

static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *nd, unsigned flags)
{
	bool is_dir = LINUX_S_ISDIR(old->inode->mode), exchange = flags & LINUX_RENAME_EXCHANGE;
	struct inode *gone = nd->inode;

	if (gone && !exchange) {
		if (LINUX_S_ISDIR(gone->mode) && dentry_has_children(nd))
			return -ENOTEMPTY;
		add_link(gone, LINUX_S_ISDIR(gone->mode) ? -2 : -1);
		dir_changed(new_dir, -1, LINUX_S_ISDIR(gone->mode) ? -1 : 0);
	}
	if (exchange) {
		bool other = LINUX_S_ISDIR(gone->mode);

		dir_changed(old_dir, 0, (other ? 1 : 0) - (is_dir ? 1 : 0));
		dir_changed(new_dir, 0, (is_dir ? 1 : 0) - (other ? 1 : 0));
		inode_touch(gone, ATTR_CTIME);
	} else {
		dir_changed(old_dir, flags & LINUX_RENAME_WHITEOUT ? 0 : -1, is_dir ? -1 : 0);
		dir_changed(new_dir, 1, is_dir ? 1 : 0);
	}
	inode_touch(old->inode, ATTR_CTIME);
	return 0;
}

static int tmpfs_whiteout(struct inode *dir, const struct cred *c, struct inode **out) { return make(dir, LINUX_S_IFCHR, c, out); }

static int tmpfs_tmpfile(struct inode *dir, uint32_t mode, const struct cred *c, struct inode **out)
{
	int r = make(dir, mode, c, out);

	if (!r)
		(*out)->nlink = 0;
	return r;
}

static int tmpfs_open(struct inode *i, struct file *f)
{
	f->ops = LINUX_S_ISDIR(i->mode) ? &tmpfs_dir_ops : &tmpfs_file_ops;
	return 0;
}

static int dir_readdir(struct file *f, struct dirent_sink *s)
{
	int r;

	mutex_lock_nested(&f->inode->mu); /* an overlay may hold its own */
	r = dcache_readdir(f, s);
	mutex_unlock(&f->inode->mu);
	file_accessed(f);
	return r;
}

static int64_t dir_llseek(struct file *f, int64_t off, int whence)
{
	return whence == LINUX_SEEK_SET || whence == LINUX_SEEK_CUR ? llseek_size(f, off, whence, 0) : -EINVAL;
}

static int dir_fsync(struct file *f, bool data_only) { return 0; }

const struct file_ops tmpfs_dir_ops = { .readdir = dir_readdir, .llseek = dir_llseek, .fsync = dir_fsync };

static bool tmpfs_attr_steady(const struct inode *i)
{
	return !tmpfs_node(i)->mapped;
}

const struct inode_ops tmpfs_dir_inode_ops = {
	.create = tmpfs_create,
	.mkdir = tmpfs_mkdir,
	.mknod = tmpfs_mknod,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.whiteout = tmpfs_whiteout,
	.steady = tmpfs_attr_steady,
	.setattr = tmpfs_setattr,
	.open = tmpfs_open,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
};

const struct inode_ops tmpfs_inode_ops = {
	.setattr = tmpfs_setattr,
	.getattr = tmpfs_getattr,
	.steady = tmpfs_attr_steady,
	.open = tmpfs_open,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
};
