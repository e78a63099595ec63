/*
 * copyup.c - a file of a lower layer gets one in the upper layer: made ready in work, with data,
 * attributes and extended attributes, and moved to its place.
 *
 * Directories come before what lies in them.  A file that has lost its name meanwhile, and is
 * only open, gets a nameless one.
 */
#include "fs/union/internal.h"

#include "abi/capability.h"
#include "fs/overlay/overlay.h"

#include <stdlib.h>
#include <string.h>

/* --- extended attributes ----------------------------------------------------------------- */

/* Without these a file would be less protected, or could do less, than it says (ovl_must_copy_xattr). */
static bool must_copy(const char *name) { return !strncmp(name, "security.", 9) || !strncmp(name, "system.posix_acl_", 17); }

static int copy_xattr(struct usuper *s, struct inode *from, struct inode *to, const char *name, void *value)
{
	ssize_t n = from->ops->getxattr(from, name, value, UNION_XATTR_MAX);
	int r;

	if (n < 0)
		return 0; /* gone meanwhile */
	mutex_lock_nested(&to->mu);
	r = to->ops->setxattr ? to->ops->setxattr(to, name, value, (size_t)n, 0) : -EOPNOTSUPP;
	mutex_unlock(&to->mu);
	if (r == -EOPNOTSUPP && !must_copy(name))
		return 0;
	return !strncmp(name, "trusted.", 8) && s->no_xattrs ? 0 : r; /* nobody but root had it, and it cannot be kept */
}

static int copy_xattrs(struct usuper *s, struct inode *from, struct inode *to)
{
	char *list;
	ssize_t n;
	int r = 0;

	if (!from->ops->listxattr || !from->ops->getxattr)
		return 0;
	list = malloc(2 * UNION_XATTR_MAX);
	if (!list)
		return -ENOMEM;
	n = from->ops->listxattr(from, list, UNION_XATTR_MAX);
	for (char *name = list; !r && n > 0 && name < list + n; name += strlen(name) + 1)
		if (!union_is_own_xattr(s, name))
			r = copy_xattr(s, from, to, name, list + UNION_XATTR_MAX);
	free(list);
	return r;
}

/* --- contents ------------------------------------------------------------------------------ */

static int copy_data(struct usuper *s, struct dentry *from, struct dentry *to, uint64_t size)
{
	struct iattr a = { .valid = ATTR_SIZE, .size = size };
	struct file *in = NULL, *out = NULL;
	int r = below_open(from, LINUX_O_RDONLY | LINUX_O_NOATIME, s->cred, &in);

	if (!r)
		r = below_open(to, LINUX_O_WRONLY, s->cred, &out);
	if (!r)
		r = overlay_copy_data(in, out, (int64_t)size);
	if (!r)
		r = vfs_setattr(&out->path, &a, s->cred); /* a hole at the end */
	if (!r && !s->no_sync && out->ops->fsync)
		r = out->ops->fsync(out, false);
	file_put(in);
	file_put(out);
	return r;
}

/* Owner, mode, times.  In a user namespace an owner without a number there is kept, but gives nobody more rights. */
static int copy_attributes(struct usuper *s, const struct kstat *k, struct inode *to)
{
	struct iattr a = { .valid = ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME, .mode = k->mode & 07777, .uid = k->uid, .gid = k->gid,
		.atime = k->atime, .mtime = k->mtime };
	int r;

	if ((k->uid != s->cred->fsuid || k->gid != s->cred->fsgid) && !cred_capable_own(s->cred, LINUX_CAP_CHOWN))
		return -EPERM;
	if (s->cred->user_ns && !LINUX_S_ISDIR(k->mode) && !cred_capable_over(s->cred, k->uid, k->gid, LINUX_CAP_FOWNER))
		a.mode &= ~(LINUX_S_ISUID | LINUX_S_ISGID);
	if (!LINUX_S_ISLNK(k->mode))
		a.valid |= ATTR_MODE;
	if (!to->ops->setattr)
		return -EPERM;
	mutex_lock_nested(&to->mu);
	r = to->ops->setattr(to, &a);
	mutex_unlock(&to->mu);
	return r;
}

static int make_like(struct usuper *s, struct dentry *from, const struct kstat *k, const struct qstr *name, struct dentry **out)
{
	struct below_new n = { .mode = (k->mode & LINUX_S_IFMT) | (LINUX_S_ISDIR(k->mode) ? 0700 : 0600), .rdev = k->rdev, .by = s->cred, .owner = s->cred };
	char *target = NULL;
	int r = 0;

	if (LINUX_S_ISLNK(k->mode)) {
		n.mode = LINUX_S_IFLNK | 0777;
		r = vfs_readlink(&(struct path){ NULL, from }, &target);
		n.target = target;
	}
	if (!r)
		r = below_make(s->work, name, &n, out);
	free(target);
	return r;
}

static int fill(struct usuper *s, struct dentry *from, const struct kstat *k, struct dentry *to, uint64_t keep)
{
	uint64_t size = k->size < keep ? k->size : keep;
	int r = 0;

	if (LINUX_S_ISREG(k->mode) && size)
		r = copy_data(s, from, to, size);
	if (!r)
		r = copy_xattrs(s, from->inode, to->inode);
	if (!r)
		r = copy_attributes(s, k, to->inode);
	return r;
}

/* --- its place ----------------------------------------------------------------------------- */

/* The directory's times are what they were: nothing has changed there. */
static int move_in(struct usuper *s, const struct qstr *temp, struct dentry *made, struct dentry *dir, const struct qstr *name)
{
	struct iattr times = { .valid = ATTR_ATIME | ATTR_MTIME };
	struct inode *di = dir->inode;
	struct kstat k;
	bool known = !vfs_getattr(&(struct path){ NULL, dir }, &k);
	int r = below_rename(s->work, temp, made->inode, dir, name, 0, s->cred);

	if (r || !known || !di->ops->setattr)
		return r;
	times.atime = k.atime;
	times.mtime = k.mtime;
	mutex_lock_nested(&di->mu);
	(void)!di->ops->setattr(di, &times);
	mutex_unlock(&di->mu);
	return 0;
}

/* n->copy_mu is held; dir NULL: it has no name. */
static int copy_to(struct unode *n, struct dentry *dir, const struct qstr *name, uint64_t keep)
{
	struct usuper *s = usuper(n->inode->sb);
	struct dentry *from = n->lower[0].d, *made;
	struct temp_name temp;
	struct kstat k;
	int r = vfs_getattr(&(struct path){ NULL, from }, &k);

	if (r)
		return r;
	union_temp_name(s, &temp);
	r = make_like(s, from, &k, &temp.q, &made);
	if (r)
		return r;
	r = fill(s, from, &k, made, keep);
	if (!r && dir)
		r = move_in(s, &temp.q, made, dir, name);
	if (r || !dir)
		union_discard(s, &temp.q);
	if (r)
		dentry_put(made);
	else
		union_has_upper(n, made);
	return r;
}

/* d's directory has an upper one. */
static int copy_one(struct inode *i, struct dentry *d, uint64_t keep)
{
	struct unode *n = unode(i);
	char name[LINUX_NAME_MAX + 1];
	struct dentry *parent = NULL;
	int r = 0;

	mutex_lock_nested(&n->copy_mu);
	if (!node_upper(n)) {
		/* its name is what it is now: a rename needs copy_mu before */
		if (d && !n->gone)
			parent = dentry_parent(d, name);
		r = copy_to(n, parent ? node_upper(unode(parent->inode)) : NULL, &(struct qstr){ name, parent ? (uint32_t)strlen(name) : 0 }, keep);
		dentry_put(parent);
	}
	mutex_unlock(&n->copy_mu);
	return r;
}

/* The topmost one on the way to d that has no upper one yet; new reference. */
static struct dentry *topmost(struct dentry *d)
{
	char name[LINUX_NAME_MAX + 1];

	dentry_get(d);
	for (;;) {
		struct dentry *parent = dentry_parent(d, name);

		if (!parent || node_upper(unode(parent->inode))) {
			dentry_put(parent);
			return d;
		}
		dentry_put(d);
		d = parent;
	}
}

int union_copy_up(struct inode *i, uint64_t keep)
{
	struct usuper *s = usuper(i->sb);
	struct dentry *d, *at;
	int r = 0;

	if (node_upper(unode(i)))
		return 0;
	if (!s->work)
		return -EROFS;
	d = inode_dentry(i);
	while (!r && !node_upper(unode(i))) {
		at = d ? topmost(d) : NULL;
		r = !at || at == d ? copy_one(i, d, keep) : copy_one(at->inode, at, UINT64_MAX);
		dentry_put(at);
	}
	dentry_put(d);
	return r;
}
