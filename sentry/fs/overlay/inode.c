/*
 * inode.c - the overlay's inodes: found by their lower inode, kept once changed.
 */
#include "fs/overlay/internal.h"

#include "vfs/told.h"

#include <stdlib.h>
#include <string.h>

static struct onode_bucket *bucket(struct ovl_super *s, const struct inode *lower)
{
	return &s->buckets[((uintptr_t)lower >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (s->n_buckets - 1)];
}

int ovl_init_table(struct ovl_super *s)
{
	s->n_buckets = OVL_BUCKETS_MIN;
	s->buckets = calloc(s->n_buckets, sizeof(*s->buckets));
	return s->buckets ? 0 : -ENOMEM;
}

void ovl_drop_table(struct ovl_super *s)
{
	struct onode *o;

	for (uint32_t b = 0; s->buckets && b < s->n_buckets; b++)
		while ((o = LIST_FIRST(&s->buckets[b])))
			ovl_forget(o->inode); /* this was the last reference */
	free(s->buckets);
}

/* s->mu is held.  Stays as it is without memory. */
static void grow(struct ovl_super *s)
{
	uint32_t old_n = s->n_buckets;
	struct onode_bucket *old = s->buckets, *b = calloc(old_n * 4, sizeof(*b));
	struct onode *o;

	if (!b)
		return;
	s->buckets = b;
	s->n_buckets = old_n * 4;
	for (uint32_t i = 0; i < old_n; i++)
		while ((o = LIST_FIRST(&old[i]))) {
			LIST_REMOVE(o, link);
			LIST_INSERT_HEAD(bucket(s, o->lower->inode), o, link);
		}
	free(old);
}

static void hash_in_locked(struct ovl_super *s, struct onode *o)
{
	if (++s->n_hashed > s->n_buckets * 2)
		grow(s);
	LIST_INSERT_HEAD(bucket(s, o->lower->inode), o, link);
	o->hashed = true;
}

static void hash_out_locked(struct ovl_super *s, struct onode *o)
{
	if (!o->hashed)
		return;
	LIST_REMOVE(o, link);
	s->n_hashed--;
	o->hashed = false;
}

static struct inode *make(struct superblock *sb, uint64_t ino, uint32_t mode)
{
	struct inode *i = inode_new(sb, LINUX_S_ISDIR(mode) ? &ovl_dir_inode_ops : &ovl_inode_ops, ino, mode);
	struct onode *o = i ? calloc(1, sizeof(*o)) : NULL;

	if (!o) {
		free(i);
		return NULL;
	}
	o->inode = i;
	o->own = true;
	o->blksize = 4096;
	i->priv = o;
	return i;
}

static struct inode *find_locked(struct ovl_super *s, const struct inode *lower)
{
	struct onode *o;

	LIST_FOREACH (o, bucket(s, lower), link)
		if (o->lower && o->lower->inode == lower && ref_get_unless_zero(&o->inode->ref))
			return o->inode;
	return NULL;
}

/* i->a_mu is held, or i is new.  Whether any is another one. */
static bool take_attr(struct inode *i, const struct kstat *k)
{
	struct onode *o = onode(i);
	bool read = k->atime != o->atime;
	bool other = read || i->mode != k->mode || i->nlink != k->nlink || i->uid != k->uid || i->gid != k->gid || i->size != k->size ||
		     i->mtime != k->mtime || i->ctime != k->ctime || o->blocks != k->blocks || o->blksize != k->blksize;

	inode_take_owner(i, k->mode, k->uid, k->gid);
	atomic_store_explicit(&i->nlink, k->nlink, memory_order_relaxed);
	i->size = k->size;
	i->rdev = k->rdev;
	if (read)
		i->atime = k->atime;
	i->mtime = k->mtime;
	i->ctime = k->ctime;
	atomic_store_explicit(&i->btime, k->btime, memory_order_relaxed);
	o->atime = k->atime;
	o->blocks = k->blocks;
	o->blksize = k->blksize;
	return other;
}

static struct inode *from_lower(struct superblock *sb, struct dentry *lower)
{
	struct path p = { NULL, lower };
	struct kstat k;
	struct inode *i;

	if (vfs_getattr(&p, &k))
		return NULL;
	i = make(sb, k.ino, k.mode);
	if (!i)
		return NULL;
	i->atime = k.atime;
	take_attr(i, &k);
	onode(i)->own = false;
	dentry_get(lower);
	onode(i)->lower = lower;
	return i;
}

/* What the host has changed meanwhile. */
static void refresh(struct inode *i)
{
	struct onode *o = onode(i);
	struct path p = { NULL, o->lower };
	bool other = false;
	struct kstat k;

	if (o->own || vfs_getattr(&p, &k))
		return; /* its own, or what is known stays */
	mutex_lock(&i->a_mu);
	if (!o->own)
		other = take_attr(i, &k);
	mutex_unlock(&i->a_mu);
	if (other)
		inode_changed(i);
}

int ovl_inode_lower(struct superblock *sb, struct dentry *lower, struct inode **out)
{
	struct ovl_super *s = osuper(sb);
	struct inode *i, *fresh = NULL;
	bool made = false;

	for (;;) {
		mutex_lock(&s->mu);
		i = find_locked(s, lower->inode);
		if (!i && fresh) {
			i = fresh;
			fresh = NULL;
			made = true;
			hash_in_locked(s, onode(i));
		}
		mutex_unlock(&s->mu);
		if (i)
			break;
		fresh = from_lower(sb, lower);
		if (!fresh) {
			dentry_put(lower);
			return -EIO;
		}
	}
	if (!made)
		refresh(i);
	inode_put(fresh);
	dentry_put(lower);
	*out = i;
	return 0;
}

struct inode *ovl_inode_new(struct superblock *sb, uint32_t mode)
{
	struct inode *i = make(sb, inode_next_ino(sb->vfs) | OVL_NEW_INO, mode);

	if (i && LINUX_S_ISREG(mode) && ovl_make_upper(onode(i))) {
		inode_put(i);
		return NULL;
	}
	return i;
}

void ovl_own(struct inode *i)
{
	struct onode *o = onode(i);

	refresh(i);
	mutex_lock(&i->a_mu);
	o->own = true;
	mutex_unlock(&i->a_mu);
}

void ovl_changed(struct inode *i)
{
	struct ovl_super *s = osuper(i->sb);
	struct onode *o = onode(i);
	bool get;

	ovl_own(i);
	mutex_lock(&s->mu);
	get = o->hashed && !o->changed;
	o->changed |= get;
	if (get)
		inode_get(i);
	mutex_unlock(&s->mu);
	if (get)
		inode_pin_names(i); /* it stays where it is, whatever the host does there */
}

/* Takes it out of the table; drops what ovl_changed took. */
void ovl_forget(struct inode *i)
{
	struct ovl_super *s = osuper(i->sb);
	struct onode *o = onode(i);
	bool put;

	mutex_lock(&s->mu);
	hash_out_locked(s, o);
	put = o->changed;
	o->changed = false;
	mutex_unlock(&s->mu);
	if (put)
		inode_put(i);
}

void ovl_evict(struct inode *i)
{
	struct ovl_super *s = osuper(i->sb);
	struct onode *o = onode(i);

	mutex_lock(&s->mu);
	hash_out_locked(s, o);
	mutex_unlock(&s->mu);
	dentry_put(o->lower);
	dentry_put(o->upper);
	inode_put(o->xattrs);
	free(o);
}

/* --- attributes ---------------------------------------------------------------------- */

int ovl_getattr(struct inode *i, struct kstat *st)
{
	struct onode *o = onode(i);

	struct dentry *upper = __atomic_load_n(&o->upper, __ATOMIC_ACQUIRE);

	refresh(i);
	mutex_lock(&i->a_mu);
	st->mode = i->mode;
	st->nlink = i->nlink;
	st->uid = i->uid;
	st->gid = i->gid;
	st->size = i->size;
	st->atime = i->atime;
	st->mtime = i->mtime;
	st->ctime = i->ctime;
	st->blksize = o->blksize;
	st->blocks = o->blocks;
	mutex_unlock(&i->a_mu);
	if (upper) {
		struct path p = { NULL, upper };
		struct kstat k;

		if (!vfs_getattr(&p, &k)) {
			st->size = k.size; /* written to through a mapping it has no newer */
			st->blocks = k.blocks;
		}
	} else if (!o->lower) {
		st->blocks = 0;
	}
	return 0;
}

bool ovl_attr_steady(const struct inode *i)
{
	const struct onode *o = onode(i);
	const struct dentry *d = __atomic_load_n(&o->upper, __ATOMIC_ACQUIRE);

	if (!d && o->own)
		return true;
	if (!d)
		d = o->lower;
	return d->inode->ops->steady && d->inode->ops->steady(d->inode);
}

static int set_size(struct inode *i, uint64_t size)
{
	struct iattr a = { .valid = ATTR_SIZE, .size = size };
	struct inode *u;
	int r;

	if (!LINUX_S_ISREG(i->mode))
		return -EINVAL;
	r = ovl_copy_up(i, size);
	if (r)
		return r;
	u = onode(i)->upper->inode;
	mutex_lock_nested(&u->mu);
	r = u->ops->setattr(u, &a);
	mutex_unlock(&u->mu);
	if (!r)
		inode_written_through(i, onode(i)->upper->inode);
	return r;
}

int ovl_setattr(struct inode *i, const struct iattr *a)
{
	int r = a->valid & ATTR_SIZE ? set_size(i, a->size) : 0;

	if (r)
		return r;
	ovl_changed(i);
	if (a->valid & ~ATTR_SIZE)
		inode_setattr_copy(i, a);
	return 0;
}

static void keep_link(struct inode *i, const char *target)
{
	char *copy = strdup(target);

	mutex_lock(&i->a_mu);
	if (copy && !i->link) {
		i->link = copy;
		copy = NULL;
	}
	mutex_unlock(&i->a_mu);
	free(copy);
}

static int ovl_readlink(struct inode *i, char **out)
{
	struct path p = { NULL, onode(i)->lower };
	int r;

	if (!p.dentry)
		return -EINVAL;
	r = vfs_readlink(&p, out);
	if (!r && p.dentry->inode->link) /* known for as long as that inode */
		keep_link(i, *out);
	return r;
}

const struct inode_ops ovl_inode_ops = {
	.readlink = ovl_readlink,
	.getattr = ovl_getattr,
	.steady = ovl_attr_steady,
	.setattr = ovl_setattr,
	.open = ovl_open,
	.getxattr = ovl_getxattr,
	.setxattr = ovl_setxattr,
	.listxattr = ovl_listxattr,
};
