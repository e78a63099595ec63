/*
 * xattr.c - extended attributes: whose namespace may be touched by whom (xattr(7)).
 */
#include "vfs/internal.h"

#include <string.h>

static bool in(const char *name, const char *ns) { return !strncmp(name, ns, strlen(ns)) && name[strlen(ns)]; }

static int xattr_permission(const struct path *p, const char *name, unsigned mask, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	uint32_t type = i->mode & LINUX_S_IFMT;
	IDMAP_BUF;

	c = idmap_cred(p->mnt, c, &buf);
	if (mask & 2) {
		int r = path_want_write(p);

		if (r)
			return r;
	}
	if (in(name, "security.")) /* writing file capabilities needs its own; the rest as root */
		return mask & 2 && !cred_capable(c, !strcmp(name, "security.capability") ? LINUX_CAP_SETFCAP : LINUX_CAP_SYS_ADMIN) ? -EPERM : 0;
	if (in(name, "system."))
		return mask & 2 && !inode_owner_or_capable(i, c) ? -EPERM : 0;
	if (in(name, "trusted."))
		return cred_capable(c, LINUX_CAP_SYS_ADMIN) ? 0 : mask & 2 ? -EPERM : -ENODATA;
	if (!in(name, "user."))
		return -EOPNOTSUPP;
	if (type != LINUX_S_IFREG && type != LINUX_S_IFDIR)
		return mask & 2 ? -EPERM : -ENODATA;
	if (type == LINUX_S_IFDIR && i->mode & LINUX_S_ISVTX && mask & 2 && !inode_owner_or_capable(i, c))
		return -EPERM;
	return inode_permission(i, mask, c);
}

ssize_t vfs_getxattr(const struct path *p, const char *name, void *value, size_t size, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	int r = xattr_permission(p, name, 4, c);

	if (r)
		return r;
	return i->ops->getxattr ? i->ops->getxattr(i, name, value, size) : -EOPNOTSUPP;
}

int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size, int flags, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	int r = xattr_permission(p, name, 2, c);

	if (r)
		return r;
	if (!i->ops->setxattr)
		return -EOPNOTSUPP;
	mutex_lock_nested(&i->mu); /* an overlay may hold its own */
	r = i->ops->setxattr(i, name, value, size, flags);
	mutex_unlock(&i->mu);
	if (!r)
		notify_dentry(p->dentry, NOTIFY_ATTRIB);
	return r;
}

/* The list without what the asker may not see. */
ssize_t vfs_listxattr(const struct path *p, char *list, size_t size, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	ssize_t n = i->ops->listxattr ? i->ops->listxattr(i, list, size) : 0;
	char *s, *w;

	if (n <= 0 || !size || cred_capable(c, LINUX_CAP_SYS_ADMIN))
		return n;
	for (s = w = list; s < list + n;) {
		size_t len = strlen(s) + 1;

		if (!in(s, "trusted.")) {
			memmove(w, s, len);
			w += len;
		}
		s += len;
	}
	return w - list;
}
