/*
 * xattr.c - extended attributes of an overlay: the lower file's until one is changed, then
 * those of a tmpfs inode that took copies of all.
 */
#include "fs/overlay/internal.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 65536

static struct inode *source(struct inode *i)
{
	struct onode *o = onode(i);
	struct inode *x = __atomic_load_n(&o->xattrs, __ATOMIC_ACQUIRE);

	return x ? x : o->lower ? o->lower->inode : NULL;
}

ssize_t ovl_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	struct inode *x = source(i);

	if (!x)
		return -ENODATA;
	return x->ops->getxattr ? x->ops->getxattr(x, name, value, size) : -EOPNOTSUPP;
}

ssize_t ovl_listxattr(struct inode *i, char *list, size_t size)
{
	struct inode *x = source(i);

	return x && x->ops->listxattr ? x->ops->listxattr(x, list, size) : 0;
}

static int copy_one(struct inode *from, struct inode *to, const char *name, void *value)
{
	ssize_t n = from->ops->getxattr(from, name, value, VALUE_MAX);

	if (n < 0)
		return 0; /* gone meanwhile, or not ours to read */
	n = to->ops->setxattr(to, name, value, (size_t)n, 0);
	return n == -EOPNOTSUPP ? 0 : (int)n;
}

static int copy_all(struct inode *from, struct inode *to)
{
	char *list = malloc(2 * VALUE_MAX);
	ssize_t n;
	int r = 0;

	if (!list)
		return -ENOMEM;
	n = from->ops->listxattr ? from->ops->listxattr(from, list, VALUE_MAX) : 0;
	for (char *s = list; !r && s < list + n; s += strlen(s) + 1)
		r = copy_one(from, to, s, list + VALUE_MAX);
	free(list);
	return r;
}

/* i->mu is held. */
static int own(struct inode *i)
{
	struct ovl_super *s = osuper(i->sb);
	struct inode *root = s->upper->root->inode, *x = NULL;
	struct onode *o = onode(i);
	int r;

	if (o->xattrs)
		return 0;
	r = root->ops->tmpfile(root, LINUX_S_IFREG | 0600, s->cred, &x);
	if (!r && o->lower)
		r = copy_all(o->lower->inode, x);
	if (r) {
		inode_put(x);
		return r;
	}
	__atomic_store_n(&o->xattrs, x, __ATOMIC_RELEASE);
	return 0;
}

int ovl_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	int r = own(i);

	if (!r)
		r = onode(i)->xattrs->ops->setxattr(onode(i)->xattrs, name, value, size, flags);
	if (!r) {
		ovl_changed(i);
		inode_touch(i, ATTR_CTIME);
	}
	return r;
}
