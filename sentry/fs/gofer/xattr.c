/*
 * xattr.c - extended attributes of gofer files: asked for each time, but for what the
 * gofer serves to nobody, and for those that only a host could give a file (a program may not
 * set them): where they were missing once they are missing, unless the host changes the tree.
 */
#include "fs/gofer/internal.h"

#include <string.h>

static const char *const unsettable[GNODE_XATTRS] = { "security.capability", "system.posix_acl_access", "system.posix_acl_default" };

static bool starts(const char *s, const char *prefix) { return !strncmp(s, prefix, strlen(prefix)); }

/* Where the answer for a name is remembered, or NULL. */
static _Atomic uint8_t *missing(struct inode *i, const char *name)
{
	for (unsigned k = 0; k < GNODE_XATTRS; k++)
		if (!strcmp(name, unsettable[k]))
			return &gnode(i)->no_xattr[k];
	return NULL;
}

static ssize_t ask(struct inode *i, const char *name, void *value, size_t size)
{
	struct gofer_getxattr req = { .name = msg_str(name) };
	struct gofer_getxattr_reply rep;
	struct msg_arena a = { NULL };
	ssize_t r = GCALL_NODE(gnode(i), getxattr, &req, node, &rep, &a);

	if (r)
		return r;
	r = rep.value.len;
	if (size && rep.value.len > size)
		r = -ERANGE;
	else if (size)
		memcpy(value, rep.value.p, rep.value.len);
	GREPLY_FREE(getxattr, &rep, &a);
	return r;
}

ssize_t gofer_getxattr(struct inode *i, const char *name, void *value, size_t size)
{
	_Atomic uint8_t *none = missing(i, name);
	ssize_t r;

	if (!none && !starts(name, "user.")) /* as the gofer's own list has it */
		return starts(name, "trusted.") || starts(name, "security.") ? -ENODATA : -EOPNOTSUPP;
	if (none && *none)
		return -*none;
	r = ask(i, name, value, size);
	if (none && (r == -ENODATA || r == -EOPNOTSUPP) && !gsuper(i->sb)->shared)
		*none = (uint8_t)-r;
	return r;
}

static int remove_one(struct inode *i, const char *name)
{
	struct gofer_removexattr req = { .name = msg_str(name) };
	struct gofer_removexattr_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r = GCALL_NODE_TELL(gnode(i), removexattr, &req, node, &rep, &a, &t);

	if (!r)
		GREPLY_FREE(removexattr, &rep, &a);
	return r == -ENODATA && t.lost ? 0 : r;
}

int gofer_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct gofer_setxattr req = { .name = msg_str(name), .value = { value, (uint32_t)size }, .flags = (uint64_t)flags };
	struct gofer_setxattr_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r;

	if (starts(name, "system.posix_acl_")) /* as where there are none; `cp -p` copes with that */
		return -EOPNOTSUPP;
	if (size > 61440)
		return -E2BIG;
	if (!value) {
		r = remove_one(i, name);
	} else {
		r = GCALL_NODE_TELL(gnode(i), setxattr, &req, node, &rep, &a, &t);
		if (!r)
			GREPLY_FREE(setxattr, &rep, &a);
		else if (r == -EEXIST && t.lost) /* XATTR_CREATE, by the first of two */
			r = 0;
	}
	if (!r)
		gnode_dirty(i); /* ctime */
	return r;
}

ssize_t gofer_listxattr(struct inode *i, char *list, size_t size)
{
	struct gofer_listxattr req;
	struct gofer_listxattr_reply rep;
	struct msg_arena a = { NULL };
	size_t need = 0;
	int r = GCALL_NODE(gnode(i), listxattr, &req, node, &rep, &a);

	if (r)
		return r;
	for (uint32_t k = 0; k < rep.n_names; k++) {
		if (size && need + rep.names[k].len + 1 <= size)
			memcpy(list + need, rep.names[k].p, rep.names[k].len + 1);
		need += rep.names[k].len + 1;
	}
	GREPLY_FREE(listxattr, &rep, &a);
	return size && need > size ? -ERANGE : (ssize_t)need;
}
