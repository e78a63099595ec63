/*
 * xattr.c - extended attributes of gofer files: asked for each time.
 */
#include "fs/gofer/internal.h"

#include <string.h>

ssize_t gofer_getxattr(struct inode *i, const char *name, void *value, size_t size)
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

static int remove_one(struct inode *i, const char *name)
{
	struct gofer_removexattr req = { .name = msg_str(name) };
	struct gofer_removexattr_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL_NODE(gnode(i), removexattr, &req, node, &rep, &a);

	if (!r)
		GREPLY_FREE(removexattr, &rep, &a);
	return r;
}

int gofer_setxattr(struct inode *i, const char *name, const void *value, size_t size, int flags)
{
	struct gofer_setxattr req = { .name = msg_str(name), .value = { value, (uint32_t)size }, .flags = (uint64_t)flags };
	struct gofer_setxattr_reply rep;
	struct msg_arena a = { NULL };
	int r;

	if (size > 61440)
		return -E2BIG;
	if (!value) {
		r = remove_one(i, name);
	} else {
		r = GCALL_NODE(gnode(i), setxattr, &req, node, &rep, &a);
		if (!r)
			GREPLY_FREE(setxattr, &rep, &a);
	}
	if (!r)
		gnode(i)->dirty = true; /* ctime */
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
