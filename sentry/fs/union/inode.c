/*
 * inode.c - attributes of a union's files: the topmost layer's, changed only in the upper one.
 * Rights are those that the asker has to the file, and who mounted the union to the layer's.
 */
#include "fs/union/internal.h"

#include <stdlib.h>
#include <string.h>

static int union_getattr(struct inode *i, struct kstat *st)
{
	struct usuper *s = usuper(i->sb);
	struct unode *n = unode(i);
	bool dir = LINUX_S_ISDIR(i->mode);
	int r = vfs_getattr(&(struct path){ NULL, node_real(n) }, st);

	if (r)
		return r;
	mutex_lock(&i->a_mu);
	inode_take_owner(i, st->mode, st->uid, st->gid);
	mutex_unlock(&i->a_mu);
	st->ino = dir && !s->same_fs ? i->ino : n->ino;
	st->dev = dir || s->same_fs ? i->sb->dev : s->layers[n->ino_layer].dev;
	if (dir && n->n_lower && (node_upper(n) || n->n_lower > 1))
		st->nlink = 1; /* it says nothing of a merged one; find(1) knows that */
	return 0;
}

static int union_setattr(struct inode *i, const struct iattr *a)
{
	struct usuper *s = usuper(i->sb);
	struct path p = { NULL, NULL };
	int r = union_copy_up(i, a->valid & ATTR_SIZE ? a->size : UINT64_MAX);

	if (r)
		return r;
	p.dentry = node_upper(unode(i));
	if (a->valid & ATTR_SIZE)
		r = inode_permission(p.dentry->inode, 2, s->cred);
	if (!r)
		r = vfs_setattr(&p, a, s->cred);
	union_refresh(i);
	return r;
}

/* The lower layers are only read, whatever is asked for: what is to be changed is copied first. */
static int union_permission(struct inode *i, unsigned mask, const struct cred *c)
{
	struct unode *n = unode(i);
	struct dentry *real = node_real(n);
	int r = inode_mode_permission(i, mask, c);

	if (r)
		return r;
	if (mask & 2 && real != node_upper(n))
		mask = (mask & ~2u) | 4;
	return inode_permission(real->inode, mask, usuper(i->sb)->cred);
}

static int union_readlink(struct inode *i, char **out) { return vfs_readlink(&(struct path){ NULL, node_real(unode(i)) }, out); }

/* --- extended attributes ------------------------------------------------------------------- */

bool union_is_own_xattr(const struct usuper *s, const char *name)
{
	const char *prefix = s->user_xattrs ? "user.overlay." : "trusted.overlay.";

	return !strncmp(name, prefix, strlen(prefix));
}

static ssize_t union_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	struct usuper *s = usuper(i->sb);

	if (union_is_own_xattr(s, name))
		return -EOPNOTSUPP;
	return vfs_getxattr(&(struct path){ NULL, node_real(unode(i)) }, name, value, size, s->cred);
}

static int union_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct usuper *s = usuper(i->sb);
	struct path p = { NULL, node_real(unode(i)) };
	int r = 0;

	if (union_is_own_xattr(s, name))
		return -EOPNOTSUPP;
	if (!value && p.dentry != node_upper(unode(i))) { /* nothing is copied for what is not there */
		ssize_t n = vfs_getxattr(&p, name, NULL, 0, s->cred);

		r = n < 0 ? (int)n : 0;
	}
	if (!r)
		r = union_copy_up(i, UINT64_MAX);
	if (r)
		return r;
	p.dentry = node_upper(unode(i));
	r = vfs_setxattr(&p, name, value, size, flags, s->cred);
	union_refresh(i);
	return r;
}

/* Drops the union's own names from a list of n bytes; what is left of it. */
static size_t others_only(const struct usuper *s, char *list, size_t n)
{
	char *w = list;

	for (char *p = list; p < list + n;) {
		size_t len = strlen(p) + 1;

		if (!union_is_own_xattr(s, p)) {
			memmove(w, p, len);
			w += len;
		}
		p += len;
	}
	return (size_t)(w - list);
}

static ssize_t union_listxattr(struct inode *i, char *list, size_t size)
{
	struct usuper *s = usuper(i->sb);
	char *all = malloc(UNION_XATTR_MAX);
	ssize_t n;

	if (!all)
		return -ENOMEM;
	n = vfs_listxattr(&(struct path){ NULL, node_real(unode(i)) }, all, UNION_XATTR_MAX, s->cred);
	if (n > 0)
		n = (ssize_t)others_only(s, all, (size_t)n);
	if (n > 0 && size && (size_t)n > size)
		n = -ERANGE;
	else if (n > 0 && size)
		memcpy(list, all, (size_t)n);
	free(all);
	return n;
}

const struct inode_ops union_dir_inode_ops = {
	.lookup = union_lookup,
	.create = union_create,
	.mkdir = union_mkdir,
	.mknod = union_mknod,
	.symlink = union_symlink,
	.link = union_link,
	.unlink = union_unlink,
	.rmdir = union_rmdir,
	.rename = union_rename,
	.tmpfile = union_tmpfile,
	.getattr = union_getattr,
	.setattr = union_setattr,
	.permission = union_permission,
	.open = union_open,
	.getxattr = union_getxattr,
	.setxattr = union_setxattr,
	.listxattr = union_listxattr,
};

const struct inode_ops union_inode_ops = {
	.readlink = union_readlink,
	.getattr = union_getattr,
	.setattr = union_setattr,
	.permission = union_permission,
	.open = union_open,
	.getxattr = union_getxattr,
	.setxattr = union_setxattr,
	.listxattr = union_listxattr,
};
