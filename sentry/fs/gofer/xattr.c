/*
 * xattr.c - extended attributes of gofer files: asked for each time, but for what the
 * gofer serves to nobody, and for what a file is known to lack (xattr_known.c).
 *
 * What makes a directory of an overlay opaque only root may set, of the host: the gofer may not.
 * It is kept as an attribute of the user's, by a name that no program may use.
 */
#include "fs/gofer/internal.h"

#include <string.h>

static bool starts(const char *s, const char *prefix) { return !strncmp(s, prefix, strlen(prefix)); }

#define KEPT "user.redoubt."
#define OPAQUE "trusted.overlay.opaque"

static bool is_kept(const char *name) { return starts(name, KEPT); }
static const char *kept_as(const char *name) { return strcmp(name, OPAQUE) ? NULL : KEPT OPAQUE; }

/* The gofer tells of no others' (and has no answer but this). */
static bool may_have(const struct inode *i) { return LINUX_S_ISREG(i->mode) || LINUX_S_ISDIR(i->mode); }

/* What the file is known to lack (errno), or 0: it is to be asked for. */
static int lacking(struct inode *i, unsigned kind)
{
	unsigned v = xattr_known(gnode(i), kind);

	if (!v)
		v = xattr_ahead(gnode(i), kind);
	return v == XATTR_HAS ? 0 : (int)v;
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
	int kind = xattr_kind(name), none;
	struct xattr_asking asking;
	ssize_t r;

	if (is_kept(name))
		return -ENODATA;
	if (kept_as(name))
		return may_have(i) && !lacking(i, XATTR_ANY) ? ask(i, kept_as(name), value, size) : -ENODATA;
	if (kind < 0 && !starts(name, "user.")) /* as the gofer's own list has it */
		return starts(name, "trusted.") || starts(name, "security.") ? -ENODATA : -EOPNOTSUPP;
	if (!may_have(i))
		return -ENODATA;
	if (kind < 0)
		return ask(i, name, value, size);
	none = lacking(i, (unsigned)kind);
	if (none)
		return -none;
	asking = xattr_ask(gsuper(i->sb));
	r = ask(i, name, value, size);
	if (r < 0)
		xattr_learn(gnode(i), (unsigned)kind, (int)-r, &asking);
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

	if (is_kept(name))
		return -EPERM;
	if (kept_as(name))
		req.name = msg_str(kept_as(name));
	if (starts(name, "system.posix_acl_")) /* as where there are none; `cp -p` copes with that */
		return -EOPNOTSUPP;
	if (size > 61440)
		return -E2BIG;
	xattr_changing(gnode(i));
	if (!value) {
		r = remove_one(i, req.name.p);
	} else {
		r = GCALL_NODE_TELL(gnode(i), setxattr, &req, node, &rep, &a, &t);
		if (!r)
			GREPLY_FREE(setxattr, &rep, &a);
		else if (r == -EEXIST && t.lost) /* XATTR_CREATE, by the first of two */
			r = 0;
	}
	xattr_changing(gnode(i));
	if (!r)
		gnode_dirty(i); /* ctime */
	return r;
}

static ssize_t ask_list(struct inode *i, char *list, size_t size)
{
	struct gofer_listxattr req;
	struct gofer_listxattr_reply rep;
	struct msg_arena a = { NULL };
	size_t need = 0;
	int r = GCALL_NODE(gnode(i), listxattr, &req, node, &rep, &a);

	if (r)
		return r;
	for (uint32_t k = 0; k < rep.n_names; k++) {
		const char *name = rep.names[k].p;
		size_t n;

		if (is_kept(name) && strcmp(name, KEPT OPAQUE))
			continue;
		name += is_kept(name) ? sizeof(KEPT) - 1 : 0;
		n = strlen(name) + 1;
		if (size && need + n <= size)
			memcpy(list + need, name, n);
		need += n;
	}
	GREPLY_FREE(listxattr, &rep, &a);
	return size && need > size ? -ERANGE : (ssize_t)need;
}

ssize_t gofer_listxattr(struct inode *i, char *list, size_t size)
{
	int none = may_have(i) ? lacking(i, XATTR_ANY) : ENODATA;
	struct xattr_asking asking;
	ssize_t r;

	if (none)
		return none == ENODATA ? 0 : -none;
	asking = xattr_ask(gsuper(i->sb));
	r = ask_list(i, list, size);
	if (!r)
		xattr_learn(gnode(i), XATTR_ANY, ENODATA, &asking);
	return r;
}
