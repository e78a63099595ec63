/*
 * node.c - inodes of gofer trees: found again by host device and number, and their attributes.
 */
#include "libipc/hostcall.h"
#include "fs/gofer/internal.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the table of nodes ------------------------------------------------------------- */

static struct gnode_bucket *bucket(struct gofer_super *s, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ dev << 40) * UINT64_C(0x9e3779b97f4a7c15);

	return &s->buckets[h >> 32 & (s->n_buckets - 1)];
}

static void grow(struct gofer_super *s)
{
	uint32_t old_n = s->n_buckets;
	struct gnode_bucket *old = s->buckets, *b = calloc(old_n * 4, sizeof(*b));
	struct gnode *n;

	if (!b)
		return;
	s->buckets = b;
	s->n_buckets = old_n * 4;
	for (uint32_t i = 0; i < old_n; i++)
		while ((n = LIST_FIRST(&old[i]))) {
			LIST_REMOVE(n, link);
			LIST_INSERT_HEAD(bucket(s, n->dev, n->ino), n, link);
		}
	free(old);
}

/* Numbers that differ for files of different host file systems in one tree. */
static uint64_t guest_ino(const struct gofer_super *s, const struct gofer_attr *a)
{
	return a->dev == s->root_dev ? a->ino : a->ino ^ (a->dev * UINT64_C(0x9e3779b97f4a7c15) & ~UINT64_C(0xffffffff));
}

static void set_attr_locked(struct inode *i, const struct gofer_attr *a, int64_t since)
{
	struct gnode *n = gnode(i);

	inode_take_owner(i, a->mode, (uint32_t)a->uid, (uint32_t)a->gid);
	atomic_store_explicit(&i->nlink, (uint32_t)a->nlink, memory_order_relaxed);
	i->size = a->size;
	i->rdev = a->rdev;
	i->atime = a->atime;
	i->mtime = a->mtime;
	i->ctime = a->ctime;
	atomic_store_explicit(&i->btime, a->btime, memory_order_relaxed);
	n->blocks = a->blocks;
	n->blksize = (uint32_t)a->blksize;
	n->fresh = since;
}

void gofer_set_attr(struct inode *i, const struct gofer_attr *a)
{
	mutex_lock(&i->a_mu);
	set_attr_locked(i, a, now_monotonic());
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}

/* What was asked for then, if nothing newer is known: of what was changed here the answer may be older. */
static void set_attr_ahead(struct inode *i, const struct gofer_attr *a, int64_t when)
{
	const struct gnode *n = gnode(i);
	bool newer;

	mutex_lock(&i->a_mu);
	newer = n->fresh < when && !n->touched && !n->dirty && !n->writers;
	if (newer)
		set_attr_locked(i, a, when);
	mutex_unlock(&i->a_mu);
	if (newer)
		inode_changed(i);
}

void gofer_renumber(struct inode *i, const struct gofer_attr *a)
{
	struct gofer_super *s = gsuper(i->sb);
	struct gnode *n = gnode(i);

	mutex_lock(&s->mu);
	if (n->hashed)
		LIST_REMOVE(n, link);
	n->dev = a->dev;
	n->ino = a->ino;
	if (n->hashed)
		LIST_INSERT_HEAD(bucket(s, n->dev, n->ino), n, link);
	mutex_unlock(&s->mu);
	mutex_lock(&i->a_mu);
	i->ino = guest_ino(s, a);
	mutex_unlock(&i->a_mu);
}

static struct inode *new_node(struct superblock *sb, const struct gofer_node *w, int64_t since)
{
	const struct gofer_attr *a = &w->attr;
	const struct inode_ops *ops = LINUX_S_ISDIR(a->mode) ? &gofer_dir_inode_ops : &gofer_inode_ops;
	struct inode *i = inode_new(sb, ops, guest_ino(gsuper(sb), a), (uint32_t)a->mode);
	struct gnode *n = i ? calloc(1, sizeof(*n)) : NULL;

	if (!n) {
		free(i);
		return NULL;
	}
	memobj_init(&n->obj, &gofer_memobj_ops);
	mutex_init(&n->mu, RANK_MEMOBJ);
	n->sb = sb;
	n->inode = i;
	n->dev = a->dev;
	n->ino = a->ino;
	n->handles[0] = w->node;
	n->fd_ro = n->fd_rw = -1;
	i->priv = n;
	if (LINUX_S_ISREG(a->mode))
		i->obj = &n->obj;
	set_attr_locked(i, a, since); /* nobody else has it yet */
	return i;
}

/* The node is known and its inode is not dying. */
static struct inode *find_locked(struct gofer_super *s, const struct gofer_attr *a)
{
	struct gnode *n;

	LIST_FOREACH (n, bucket(s, a->dev, a->ino), link)
		if (n->ino == a->ino && n->dev == a->dev && n->inode && !((n->inode->mode ^ a->mode) & LINUX_S_IFMT) &&
			n->inode->btime == a->btime && ref_get_unless_zero(&n->inode->ref))
			return n->inode;
	return NULL;
}

/* An inode that is not there was, and was changed, since the answer w was asked for. */
static bool outdated_locked(struct gofer_super *s, const struct gofer_attr *a, uint32_t forgotten)
{
	struct gnode *n;

	if (s->forgotten != forgotten)
		return true;
	LIST_FOREACH (n, bucket(s, a->dev, a->ino), link) /* dying */
		if (n->ino == a->ino && n->dev == a->dev && n->touched)
			return true;
	return false;
}

/* asked: NULL for an answer that has just come. */
static int inode_of(struct superblock *sb, const struct gofer_node *w, const struct gasked *asked, struct inode **out)
{
	struct gofer_super *s = gsuper(sb);
	struct inode *i, *fresh = NULL;
	uint64_t surplus = 0;
	bool outdated = false;

	if (!w->node || !(w->attr.mode & LINUX_S_IFMT))
		return -EIO;
	for (;;) {
		mutex_lock(&s->mu);
		i = find_locked(s, &w->attr);
		if (i) {
			surplus = gnode_push_handle(gnode(i), w->node);
		} else if (asked && outdated_locked(s, &w->attr, asked->forgotten)) {
			outdated = true;
			surplus = w->node;
		} else if (fresh) {
			struct gnode *n = gnode(fresh);

			i = fresh;
			fresh = NULL;
			LIST_INSERT_HEAD(bucket(s, n->dev, n->ino), n, link);
			TAILQ_INSERT_TAIL(&s->come, n, come);
			n->number = ++s->last_number;
			n->hashed = true;
			if (++s->n_nodes > s->n_buckets)
				grow(s);
		}
		mutex_unlock(&s->mu);
		if (i || outdated)
			break;
		fresh = new_node(sb, w, asked ? asked->when : now_monotonic());
		if (!fresh) {
			gofer_release(s, w->node);
			return -ENOMEM;
		}
	}
	gofer_release(s, surplus);
	if (fresh) { /* somebody was faster; its handle went to the other */
		gnode(fresh)->handles[0] = 0;
		inode_put(fresh);
	}
	if (outdated)
		return -ESTALE;
	if (!asked && (s->shared || sb->sflags & SUPER_AGES))
		gofer_set_attr(i, &w->attr);
	else if (asked && sb->sflags & SUPER_AGES)
		set_attr_ahead(i, &w->attr, asked->when);
	*out = i;
	return 0;
}

int gofer_inode(struct superblock *sb, const struct gofer_node *w, struct inode **out) { return inode_of(sb, w, NULL, out); }

int gofer_inode_ahead(struct superblock *sb, const struct gofer_node *w, const struct gasked *asked, struct inode **out)
{
	return inode_of(sb, w, asked, out);
}

void gofer_evict(struct inode *i)
{
	struct gnode *n = gnode(i);
	struct gofer_super *s = gsuper(i->sb);

	mutex_lock(&s->mu);
	if (n->hashed) {
		LIST_REMOVE(n, link);
		TAILQ_REMOVE(&s->come, n, come);
		s->n_nodes--;
	}
	if (n->idle) {
		TAILQ_REMOVE(&s->idle, n, idle_link);
		s->n_idle--;
	}
	n->hashed = n->idle = false;
	n->inode = NULL;
	s->forgotten += n->touched && i->nlink; /* one without names nobody can be told of */
	mutex_unlock(&s->mu);
	glist_drop(n);
	for (unsigned k = 0; k < NODE_HANDLES; k++)
		gofer_release(s, n->handles[k]);
	memobj_put(&n->obj);
}

/* --- attributes ------------------------------------------------------------------------- */

static bool refresh_by_fd(struct inode *i)
{
	struct gnode *n = gnode(i);
	struct stat st;
	int fd, r = -1;

	mutex_lock(&n->mu);
	fd = n->fd_rw >= 0 ? n->fd_rw : n->fd_ro;
	if (fd >= 0)
		r = host_fstat(fd, &st);
	mutex_unlock(&n->mu);
	if (r)
		return false;
	mutex_lock(&i->a_mu);
	i->size = (uint64_t)st.st_size;
	atomic_store_explicit(&i->nlink, (uint32_t)st.st_nlink, memory_order_relaxed);
	i->mode = (i->mode & LINUX_S_IFMT) | (st.st_mode & 07777);
	i->atime = st.st_atim.tv_sec * INT64_C(1000000000) + st.st_atim.tv_nsec;
	i->mtime = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	i->ctime = st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec;
	n->blocks = (uint64_t)st.st_blocks;
	n->fresh = now_monotonic();
	mutex_unlock(&i->a_mu);
	inode_changed(i);
	return true;
}

void gofer_refresh(struct inode *i)
{
	struct gnode *n = gnode(i);
	struct gofer_getattr req;
	struct gofer_getattr_reply rep;
	struct msg_arena a = { NULL };
	bool keep = n->writers > 0;

	n->dirty = keep; /* before asking: what changes meanwhile sets it again */
	if (refresh_by_fd(i))
		return;
	if (GCALL_NODE(n, getattr, &req, node, &rep, &a))
		return; /* unlinked, or the gofer is gone: what is known stays */
	gofer_set_attr(i, &rep.attr);
	GREPLY_FREE(getattr, &rep, &a);
}

#define FRESH_NS INT64_C(1000000) /* a walk brought them just now */

int gofer_getattr(struct inode *i, struct kstat *st)
{
	struct gnode *n = gnode(i);

	if (n->dirty || (gsuper(i->sb)->shared && now_monotonic() - n->fresh > FRESH_NS) || !super_knows_since(i->sb, n->fresh))
		gofer_refresh(i);
	mutex_lock(&i->a_mu);
	st->size = i->size;
	st->mode = i->mode;
	st->nlink = i->nlink;
	st->uid = i->uid;
	st->gid = i->gid;
	st->atime = i->atime;
	st->mtime = i->mtime;
	st->ctime = i->ctime;
	st->blocks = n->blocks;
	st->blksize = n->blksize;
	mutex_unlock(&i->a_mu);
	return 0;
}

bool gofer_attr_steady(const struct inode *i)
{
	const struct gnode *n = gnode(i);

	return !n->writers && !n->dirty && !n->changing && !gsuper(i->sb)->shared && super_knows_since(i->sb, n->fresh);
}

/* The file has another size now: mappings beyond it must fault again. */
static void resized(struct inode *i, uint64_t old, uint64_t size)
{
	mutex_lock(&i->a_mu);
	i->size = size;
	mutex_unlock(&i->a_mu);
	inode_changed(i);
	if (PAGE_UP(size) < PAGE_UP(old))
		mm_object_invalidate(&gnode(i)->obj, PAGE_UP(size), PAGE_UP(old) - PAGE_UP(size), true);
}

static int truncate_by_fd(struct inode *i, uint64_t size)
{
	struct gnode *n = gnode(i);
	int r = -1;

	mutex_lock(&n->mu);
	if (n->fd_rw >= 0)
		r = ftruncate(n->fd_rw, (off_t)size) ? -errno : 0;
	else
		r = -EAGAIN;
	mutex_unlock(&n->mu);
	return r;
}

/* A file without a name that the gofer can reach: what is asked for is only remembered. */
static int setattr_orphan(struct inode *i, const struct iattr *a)
{
	if (a->valid & ATTR_SIZE)
		return -EIO;
	inode_setattr_copy(i, a);
	return 0;
}

int gofer_setattr(struct inode *i, const struct iattr *attr)
{
	struct gnode *n = gnode(i);
	struct gofer_setattr req = { .valid = attr->valid & 0x3f, .mode = attr->mode & 07777, .uid = attr->uid, .gid = attr->gid,
		.size = attr->size, .atime = attr->atime, .mtime = attr->mtime };
	struct gofer_setattr_reply rep;
	struct msg_arena a = { NULL };
	uint64_t old = inode_size(i);
	int r;

	if (attr->valid & ATTR_SIZE) {
		if (!LINUX_S_ISREG(i->mode))
			return -EINVAL;
		r = truncate_by_fd(i, attr->size);
		if (!r) {
			resized(i, old, attr->size);
			gnode_dirty(i);
			req.valid &= ~(uint64_t)ATTR_SIZE;
			if (!(req.valid & ATTR_MODE))
				gofer_keep_set_id(i);
		} else if (r != -EAGAIN) {
			return r;
		}
	}
	if (!req.valid)
		return 0;
	r = GCALL_NODE(n, setattr, &req, node, &rep, &a);
	if (r == -ESTALE)
		return setattr_orphan(i, attr);
	if (r)
		return r;
	n->touched = true;
	gofer_set_attr(i, &rep.attr);
	if (req.valid & ATTR_SIZE)
		resized(i, old, rep.attr.size);
	GREPLY_FREE(setattr, &rep, &a);
	return 0;
}

/* The host takes the set-id bits from a file that we write to, who may do nothing
 * there; which of them go is file_remove_privs()'s to say, and the rest is put back. */
void gofer_keep_set_id(struct inode *i)
{
	struct iattr a = { .valid = ATTR_MODE, .mode = i->mode & 07777 };

	if (i->mode & (LINUX_S_ISUID | LINUX_S_ISGID))
		(void)!gofer_setattr(i, &a);
}
