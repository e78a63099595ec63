/*
 * xattr.c - tmpfs's extended attributes: a short list in memory, guarded by the inode's a_mu
 * (nothing is called under it but malloc).
 */
#include "fs/tmpfs/internal.h"
#include "vfs/told.h"

#include <stdlib.h>
#include <string.h>

#define XATTRS_MAX 256

static struct tmpfs_xattr *find(struct tmpfs_node *n, const char *name)
{
	struct tmpfs_xattr *x;

	LIST_FOREACH (x, &n->xattrs, link)
		if (!strcmp(x->name, name))
			return x;
	return NULL;
}

ssize_t tmpfs_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	struct tmpfs_xattr *x;
	ssize_t r = -ENODATA;

	mutex_lock(&i->a_mu);
	x = find(tmpfs_node(i), name);
	if (x && size && size < x->size) {
		r = -ERANGE;
	} else if (x) {
		if (size)
			memcpy(value, x->value, x->size);
		r = (ssize_t)x->size;
	}
	mutex_unlock(&i->a_mu);
	return r;
}

static void free_one(struct tmpfs_xattr *x)
{
	if (!x)
		return;
	free(x->name);
	free(x->value);
	free(x);
}

static struct tmpfs_xattr *new_one(const char *name, const void *value, size_t size)
{
	struct tmpfs_xattr *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->name = strdup(name);
	x->value = malloc(size ? size : 1);
	x->size = size;
	if (!x->name || !x->value) {
		free_one(x);
		return NULL;
	}
	memcpy(x->value, value, size);
	return x;
}

static bool supported(const char *name)
{
	return !strncmp(name, "user.", 5) || !strncmp(name, "trusted.", 8) || !strncmp(name, "security.", 9);
}

int tmpfs_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_node *n = tmpfs_node(i);
	struct tmpfs_xattr *old, *x = NULL, *c;
	unsigned count = 0;
	int r = 0;

	if (!supported(name))
		return -EOPNOTSUPP;
	if (value && !(x = new_one(name, value, size)))
		return -ENOMEM;
	mutex_lock(&i->a_mu);
	old = find(n, name);
	LIST_FOREACH (c, &n->xattrs, link)
		count++;
	if (!old && (!value || flags & LINUX_XATTR_REPLACE))
		r = -ENODATA;
	else if (old && flags & LINUX_XATTR_CREATE)
		r = -EEXIST;
	else if (!old && count >= XATTRS_MAX)
		r = -ENOSPC;
	if (!r && old)
		LIST_REMOVE(old, link);
	if (!r && x)
		LIST_INSERT_HEAD(&n->xattrs, x, link);
	if (!r)
		i->ctime = now_realtime();
	mutex_unlock(&i->a_mu);
	inode_changed(i);
	free_one(r ? x : old);
	return r;
}

ssize_t tmpfs_listxattr(struct inode *i, char *list, size_t size)
{
	struct tmpfs_xattr *x;
	size_t need = 0;

	mutex_lock(&i->a_mu);
	LIST_FOREACH (x, &tmpfs_node(i)->xattrs, link) {
		size_t n = strlen(x->name) + 1;

		if (size && need + n <= size)
			memcpy(list + need, x->name, n);
		need += n;
	}
	mutex_unlock(&i->a_mu);
	return size && need > size ? -ERANGE : (ssize_t)need;
}

void tmpfs_free_xattrs(struct tmpfs_node *n)
{
	struct tmpfs_xattr *x;

	while ((x = LIST_FIRST(&n->xattrs))) {
		LIST_REMOVE(x, link);
		free_one(x);
	}
}
