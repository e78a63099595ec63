/*
 * dir.c - names in gofer trees: each operation is one request.  The directories' mu are
 * held by the vfs, so a name has one change at a time.
 */
#include "fs/gofer/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct msg_str name_of(const struct dentry *d) { return (struct msg_str){ d->name, d->name_len }; }

/* Around every request that may change a name of the directory. */
static void change_begin(struct inode *dir)
{
	struct gnode *n = gnode(dir);

	n->touched = true;
	n->changing++;
	n->changes++;
}

static void change_end(struct inode *dir)
{
	struct gnode *n = gnode(dir);

	n->changes++;
	n->changing--;
	n->dirty = true; /* its times, size and links are the host's to know */
	inode_changed(dir);
	glist_drop(n);
}

#define GCALL_CHANGE(d, M, req, rep, a, t)                                                                                                          \
	__extension__({                                                                                                                              \
		int c_;                                                                                                                              \
		change_begin(d);                                                                                                                     \
		c_ = GCALL_NODE_TELL(gnode(d), M, req, dir, rep, a, t);                                                                              \
		change_end(d);                                                                                                                       \
		c_;                                                                                                                                  \
	})

/* --- lookups ----------------------------------------------------------------------- */

static int gofer_lookup_many(struct inode *dir, const struct qstr *names, unsigned k, struct inode **out, bool *negative)
{
	struct msg_str list[LOOKUP_MANY_MAX];
	struct gofer_walk req = { .names = list, .n_names = k };
	struct gofer_walk_reply rep;
	struct msg_arena a = { NULL };
	int r, got = 0;

	for (unsigned i = 0; i < k; i++)
		list[i] = (struct msg_str){ names[i].name, names[i].len };
	r = GCALL_NODE(gnode(dir), walk, &req, dir, &rep, &a);
	if (r)
		return r;
	if (rep.n_nodes > k)
		r = -EPROTO;
	for (uint32_t i = 0; !r && i < rep.n_nodes; i++) {
		r = gofer_inode(dir->sb, &rep.nodes[i], &out[i]);
		if (!r)
			got++;
	}
	if (!r && got && !gsuper(dir->sb)->shared)
		gofer_take_link(out[got - 1], &rep.target);
	*negative = !r && rep.error == ENOENT;
	if (!got && !r && rep.error && rep.error != ENOENT)
		r = -(int)rep.error;
	GREPLY_FREE(walk, &rep, &a);
	return got ? got : r;
}

static int gofer_lookup(struct inode *dir, const struct qstr *name, struct inode **out)
{
	struct glist *l = glist_get(gnode(dir));
	bool negative = l && glist_find(l, name) < 0;
	int r;

	glist_put(l);
	if (negative)
		return 0;
	r = gofer_lookup_many(dir, name, 1, out, &negative);

	if (r == 0 && !negative)
		return -EIO;
	return r < 0 ? r : 0;
}

/* --- creation ------------------------------------------------------------------------- */

static uint32_t new_gid(const struct inode *dir, const struct cred *c) { return dir->mode & LINUX_S_ISGID ? dir->gid : c->fsgid; }

static int made(struct inode *dir, struct dentry *d, const struct gofer_node *w, struct inode **out)
{
	struct inode *i;
	int r = gofer_inode(dir->sb, w, &i);

	if (r)
		return r;
	dentry_instantiate(d, i);
	if (out)
		*out = i;
	return 0;
}

/* It failed with r; but it may have been made by a request of which no answer came. */
static int made_before(int r, const struct gretry *t, struct inode *dir, struct dentry *d, uint64_t mode, uint64_t uid, uint64_t gid)
{
	struct inode *i;

	if (r != -EEXIST || !t->lost)
		return r;
	r = gofer_made_before(dir, name_of(d), t, (uint32_t)mode, (uint32_t)uid, (uint32_t)gid, &i);
	if (!r)
		dentry_instantiate(d, i);
	return r;
}

static int gofer_create_file(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	struct gofer_create req = { .name = name_of(d), .flags = LINUX_O_RDWR, .mode = mode & 07777, .uid = c->fsuid, .gid = new_gid(dir, c) };
	struct gofer_create_reply rep;
	struct msg_arena a = { NULL };
	struct inode *i;
	struct gretry t = { 0 };
	int r = GCALL_CHANGE(dir, create, &req, &rep, &a, &t);

	if (r)
		return made_before(r, &t, dir, d, LINUX_S_IFREG | req.mode, req.uid, req.gid);
	r = made(dir, d, &rep.made, &i);
	if (!r) { /* whoever opens it next needs no request */
		struct gnode *n = gnode(i);

		mutex_lock(&n->mu);
		if (n->fd_rw < 0) {
			n->fd_rw = rep.fd;
			rep.fd = -1;
		}
		mutex_unlock(&n->mu);
	}
	GREPLY_FREE(create, &rep, &a);
	return r;
}

static int gofer_mkdir_(struct inode *dir, struct dentry *d, uint32_t mode, const struct cred *c)
{
	struct gofer_mkdir req = { .name = name_of(d), .mode = (mode & 07777) | (dir->mode & LINUX_S_ISGID), .uid = c->fsuid, .gid = new_gid(dir, c) };
	struct gofer_mkdir_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r = GCALL_CHANGE(dir, mkdir, &req, &rep, &a, &t);

	if (r)
		return made_before(r, &t, dir, d, LINUX_S_IFDIR | req.mode, req.uid, req.gid);
	r = made(dir, d, &rep.made, NULL);
	GREPLY_FREE(mkdir, &rep, &a);
	return r;
}

static int gofer_mknod_(struct inode *dir, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c)
{
	struct gofer_mknod req = { .name = name_of(d), .mode = mode, .rdev = rdev, .uid = c->fsuid, .gid = new_gid(dir, c) };
	struct gofer_mknod_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r = GCALL_CHANGE(dir, mknod, &req, &rep, &a, &t);

	if (r)
		return made_before(r, &t, dir, d, req.mode, req.uid, req.gid);
	r = made(dir, d, &rep.made, NULL);
	GREPLY_FREE(mknod, &rep, &a);
	return r;
}

static int gofer_symlink_(struct inode *dir, struct dentry *d, const char *target, const struct cred *c)
{
	struct gofer_symlink req = { .name = name_of(d), .target = msg_str(target), .uid = c->fsuid, .gid = new_gid(dir, c) };
	struct gofer_symlink_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r = GCALL_CHANGE(dir, symlink, &req, &rep, &a, &t);

	if (r)
		return made_before(r, &t, dir, d, LINUX_S_IFLNK, req.uid, req.gid);
	r = made(dir, d, &rep.made, NULL);
	GREPLY_FREE(symlink, &rep, &a);
	return r;
}

static int gofer_link_(struct inode *dir, struct dentry *d, struct inode *target)
{
	struct gofer_link req = { .name = name_of(d) };
	struct gofer_link_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r;

	if (target->sb != dir->sb)
		return -EXDEV;
	gnode(target)->touched = true;
	do {
		req.node = gnode_handle(gnode(target));
		r = GCALL_CHANGE(dir, link, &req, &rep, &a, &t);
	} while (gnode_retry(gnode(target), req.node, &r, &t));
	if (r == -EEXIST && t.lost && gofer_leads_to(dir, req.name, target)) {
		inode_get(target);
		dentry_instantiate(d, target);
		gofer_refresh(target);
		return 0;
	}
	if (r)
		return r == -ESTALE ? -ENOENT : r;
	r = made(dir, d, &rep.made, NULL);
	if (!r)
		gofer_set_attr(target, &rep.made.attr);
	GREPLY_FREE(link, &rep, &a);
	return r;
}

/* --- removal and renaming ------------------------------------------------------------------ */

static int remove_name(struct inode *dir, struct dentry *d, bool directory)
{
	struct gofer_unlink req = { .name = name_of(d), .directory = directory };
	struct gofer_unlink_reply rep;
	struct msg_arena a = { NULL };
	struct inode *i = d->inode;
	struct gretry t = { 0 };
	int r = GCALL_CHANGE(dir, unlink, &req, &rep, &a, &t);

	if (r && !(r == -ENOENT && t.lost)) /* gone it is, by whomever */
		return r;
	if (!r)
		GREPLY_FREE(unlink, &rep, &a);
	mutex_lock(&i->a_mu);
	i->nlink = directory ? 0 : i->nlink - (i->nlink > 0);
	i->ctime = now_realtime();
	mutex_unlock(&i->a_mu);
	gnode_dirty(i); /* the host's ctime is another; it may not be told any more */
	return 0;
}

static int gofer_unlink_(struct inode *dir, struct dentry *d) { return remove_name(dir, d, false); }
static int gofer_rmdir(struct inode *dir, struct dentry *d) { return remove_name(dir, d, true); }

static int ask_rename(struct gnode *old_dir, struct gnode *new_dir, struct gofer_rename *req, const struct inode *moved, struct inode *to)
{
	struct gofer_rename_reply rep;
	struct msg_arena a = { NULL };
	struct gretry t = { 0 };
	int r;

	do {
		if (t.lost && gofer_leads_to(to, req->new_name, moved))
			return 0;
		req->old_dir = gnode_handle(old_dir);
		req->new_dir = gnode_handle(new_dir);
		r = req->old_dir && req->new_dir ? GCALL(gsuper(old_dir->sb), rename, req, &rep, &a) : -ESTALE;
	} while (gnode_retry(old_dir, req->old_dir, &r, &t) || gnode_retry(new_dir, req->new_dir, &r, &t));
	if (!r)
		GREPLY_FREE(rename, &rep, &a);
	return r;
}

static int gofer_rename_(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *nd, unsigned flags)
{
	struct gofer_rename req = { .old_name = name_of(old), .new_name = name_of(nd), .flags = flags };
	struct inode *gone = flags & LINUX_RENAME_EXCHANGE ? NULL : nd->inode;
	int r;

	change_begin(old_dir);
	change_begin(new_dir);
	r = ask_rename(gnode(old_dir), gnode(new_dir), &req, old->inode, new_dir);
	change_end(new_dir);
	change_end(old_dir);
	if (r)
		return r;
	gnode_dirty(old->inode); /* its ctime */
	if (gone) {
		mutex_lock(&gone->a_mu);
		gone->nlink = LINUX_S_ISDIR(gone->mode) ? 0 : gone->nlink - (gone->nlink > 0);
		mutex_unlock(&gone->a_mu);
		gnode_dirty(gone);
	}
	return 0;
}

/* --- links ------------------------------------------------------------------------------------- */

static int gofer_readlink_(struct inode *i, char **out)
{
	struct gofer_readlink req;
	struct gofer_readlink_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL_NODE(gnode(i), readlink, &req, node, &rep, &a);

	if (r)
		return r;
	*out = strdup(rep.target.p);
	if (*out && !gsuper(i->sb)->shared)
		gofer_take_link(i, &rep.target);
	GREPLY_FREE(readlink, &rep, &a);
	return *out ? 0 : -ENOMEM;
}

const struct inode_ops gofer_dir_inode_ops = {
	.lookup = gofer_lookup,
	.lookup_many = gofer_lookup_many,
	.lookup_ahead = gofer_lookup_ahead,
	.create = gofer_create_file,
	.mkdir = gofer_mkdir_,
	.mknod = gofer_mknod_,
	.symlink = gofer_symlink_,
	.link = gofer_link_,
	.unlink = gofer_unlink_,
	.rmdir = gofer_rmdir,
	.rename = gofer_rename_,
	.getattr = gofer_getattr,
	.steady = gofer_attr_steady,
	.setattr = gofer_setattr,
	.open = gofer_open,
	.getxattr = gofer_getxattr,
	.setxattr = gofer_setxattr,
	.listxattr = gofer_listxattr,
};

const struct inode_ops gofer_inode_ops = {
	.readlink = gofer_readlink_,
	.getattr = gofer_getattr,
	.steady = gofer_attr_steady,
	.setattr = gofer_setattr,
	.open = gofer_open,
	.getxattr = gofer_getxattr,
	.setxattr = gofer_setxattr,
	.listxattr = gofer_listxattr,
};
