/*
 * restart.c - the gofer's process was killed, and another serves on the same
 * connection.
 *
 * All handles are good for nothing then.  A node finds its file again when it is
 * used next: by the names that the dentry cache knows, from the tree's root or
 * the lowest directory that was found again already, one name a request; what is
 * there must be the same file of the host (gofer_inode).  What has no name any
 * more, or is not there, stays without a handle, as a removed file does.  Open
 * files have their host descriptors and notice nothing.
 *
 * A request that was under way is sent again.  Whether it had been carried out is not
 * known; where that matters the answer to the second tells: nobody else changes
 * a name meanwhile, for its directory's mu is held here, and in a tree that is not
 * shared nobody else does at all; in one that is, what was made then is taken for ours.
 *
 * Any thread; takes no lock but those of what it calls.
 */
#include "fs/gofer/internal.h"

#define HANDLE_START 51 /* gofer.msg.h */
#define LOST_NS INT64_C(1000000000) /* a request is answered within, or was lost */
#define TRIES 16u /* a gofer that is killed again and again */
#define DEPTH_MAX 65536u

bool gofer_on_restart(void *arg, struct frame *f)
{
	struct gofer_conn *c = arg;
	struct gofer_restarted event;
	struct msg_arena a = { NULL };
	struct err *e = msg_decode(&gofer_restarted_desc, f, &event, &a);

	if (e) {
		err_free(e);
		return false;
	}
	c->start = (unsigned)event.start;
	c->near.held = 0;
	msg_free(&gofer_restarted_desc, &event, &a);
	return true;
}

bool gofer_handle_is_old(const struct gofer_super *s, uint64_t handle)
{
	return handle && handle >> HANDLE_START != s->conn->start;
}

bool gnode_retry(struct gnode *n, uint64_t handle, int *r, struct gretry *t)
{
	if (*r == -ESTALE)
		return gnode_drop_handle(n, handle);
	if (*r != -ERESTART && !(*r == -EBADF && gofer_handle_is_old(gsuper(n->sb), handle)))
		return false;
	if (*r == -ERESTART && !t->lost)
		t->lost = now_realtime();
	if (t->tries++ < TRIES)
		return true;
	*r = -EIO;
	return false;
}

/* --- finding files again ------------------------------------------------------------ */

static uint64_t newest_handle(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);
	uint64_t h;

	mutex_lock(&s->mu);
	h = n->handles[0];
	mutex_unlock(&s->mu);
	return h;
}

static void drop_old_handles(struct gnode *n)
{
	struct gofer_super *s = gsuper(n->sb);
	unsigned kept = 0;

	mutex_lock(&s->mu);
	for (unsigned i = 0; i < NODE_HANDLES; i++)
		if (n->handles[i] && !gofer_handle_is_old(s, n->handles[i]))
			n->handles[kept++] = n->handles[i];
	while (kept < NODE_HANDLES)
		n->handles[kept++] = 0;
	mutex_unlock(&s->mu);
}

/* The highest of n's dentry and those above it that is to be found again; new reference, NULL: it has no name. */
static struct dentry *highest_lost(struct gnode *n)
{
	struct dentry *d = n->inode ? inode_dentry(n->inode) : NULL, *up;
	char name[LINUX_NAME_MAX + 1];

	while (d && (up = dentry_parent(d, name))) {
		if (!gofer_handle_is_old(gsuper(n->sb), newest_handle(gnode(up->inode)))) {
			dentry_put(up);
			break;
		}
		dentry_put(d);
		d = up;
	}
	return d;
}

int gofer_attach_root(struct gofer_super *s, struct gofer_attach_reply *rep, struct msg_arena *a)
{
	struct gofer_attach req = { .tree = s->tree };
	unsigned tries = 0;
	int r;

	do
		r = GCALL(s, attach, &req, rep, a);
	while (r == -ERESTART && tries++ < TRIES);
	return r;
}

static int find_root(struct superblock *sb, struct inode **out)
{
	struct gofer_attach_reply rep;
	struct msg_arena a = { NULL };
	int r = gofer_attach_root(gsuper(sb), &rep, &a);

	if (r)
		return r;
	r = gofer_inode(sb, &rep.root, out);
	GREPLY_FREE(attach, &rep, &a);
	return r;
}

/* By its name in a directory whose handle is good.  -ENOENT: there is nothing. */
static int find_name(struct gnode *dir, struct msg_str name, struct inode **out)
{
	struct gofer_walk req = { .dir = newest_handle(dir), .names = &name, .n_names = 1 };
	struct gofer_walk_reply rep;
	struct msg_arena a = { NULL };
	int r = GCALL(gsuper(dir->sb), walk, &req, &rep, &a);

	if (r)
		return r == -EBADF ? -ERESTART : r;
	r = rep.n_nodes == 1 ? gofer_inode(dir->sb, &rep.nodes[0], out) : rep.error ? -(int)rep.error : -EIO;
	GREPLY_FREE(walk, &rep, &a);
	return r;
}

static int find_dentry(struct dentry *d)
{
	char name[LINUX_NAME_MAX + 1];
	struct dentry *dir = dentry_parent(d, name);
	struct inode *i;
	int r = dir ? find_name(gnode(dir->inode), msg_str(name), &i) : find_root(d->sb, &i);

	if (!r) {
		r = i == d->inode ? 0 : -ESTALE; /* another file has the name */
		inode_put(i);
	}
	if (!r || r == -ESTALE || r == -ENOENT || r == -ENOTDIR)
		drop_old_handles(gnode(d->inode));
	dentry_put(dir);
	return r;
}

uint64_t gnode_find_again(struct gnode *n)
{
	uint64_t h = newest_handle(n);

	for (unsigned steps = 0; gofer_handle_is_old(gsuper(n->sb), h) && steps < DEPTH_MAX; steps++) {
		struct dentry *d = highest_lost(n);
		int r = d ? find_dentry(d) : -ENOENT;

		dentry_put(d);
		if (!d || (r && r != -ERESTART)) {
			if (r == -ENOENT || r == -ESTALE || r == -ENOTDIR)
				drop_old_handles(n);
			return newest_handle(n); /* else the old one: the caller's request fails as this one did */
		}
		h = newest_handle(n);
	}
	return h;
}

/* --- what was carried out before --------------------------------------------------------- */

/* As find_name, though the gofer may be killed again meanwhile. */
static int find_name_surely(struct inode *dir, struct msg_str name, struct inode **out)
{
	unsigned tries = 0;
	int r;

	do
		r = gnode_handle(gnode(dir)) ? find_name(gnode(dir), name, out) : -ENOENT;
	while (r == -ERESTART && tries++ < TRIES);
	return r == -ERESTART ? -EIO : r;
}

bool gofer_leads_to(struct inode *dir, struct msg_str name, const struct inode *target)
{
	struct inode *i = NULL;
	bool same;

	if (find_name_surely(dir, name, &i))
		return false;
	same = i == target;
	inode_put(i);
	return same;
}

/* Whether it may be what our lost request made: another's has been there for longer.
 * Its owner says nothing: that is given after. */
static bool may_be_ours(const struct inode *i, const struct gretry *t, uint32_t mode)
{
	int64_t birth = i->btime ? i->btime : i->ctime;

	return !((i->mode ^ mode) & LINUX_S_IFMT) && (!gsuper(i->sb)->shared || birth > t->lost - LOST_NS);
}

int gofer_made_before(struct inode *dir, struct msg_str name, const struct gretry *t, uint32_t mode, uint32_t uid, uint32_t gid, struct inode **out)
{
	const struct iattr own = { .valid = ATTR_UID | ATTR_GID, .uid = uid, .gid = gid }, bits = { .valid = ATTR_MODE, .mode = mode & 07777 };
	struct inode *i = NULL;
	int r = find_name_surely(dir, name, &i);

	if (r)
		return r;
	if (!may_be_ours(i, t, mode))
		r = -EEXIST;
	else if (i->uid != uid || i->gid != gid)
		r = gofer_setattr(i, &own);
	if (!r && !LINUX_S_ISLNK(mode)) /* a change of owner clears bits */
		r = gofer_setattr(i, &bits);
	if (r)
		inode_put(i);
	else
		*out = i;
	return r;
}
