/*
 * node.c - the union's inodes: made of what a lookup found, found again by what is on top.
 *
 * A lower file with several names becomes one of the upper layer for each name that is changed,
 * so it is not found again by itself (as on Linux without an index).
 */
#include "fs/union/internal.h"

#include <stdlib.h>

int union_init_table(struct usuper *s)
{
	s->buckets = calloc(UNION_BUCKETS, sizeof(*s->buckets));
	return s->buckets ? 0 : -ENOMEM;
}

static struct unode_bucket *bucket(struct usuper *s, const struct inode *top)
{
	return &s->buckets[((uintptr_t)top >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (UNION_BUCKETS - 1)];
}

int ustack_push(struct ustack *k, struct dentry *d, unsigned layer)
{
	if (k->n_lower == k->room) {
		unsigned room = k->room ? k->room * 2 : 4;
		struct ubelow *v = reallocarray(k->lower, room, sizeof(*v));

		if (!v) {
			dentry_put(d);
			return -ENOMEM;
		}
		k->lower = v;
		k->room = room;
	}
	k->lower[k->n_lower++] = (struct ubelow){ d, layer };
	return 0;
}

void ustack_free(struct ustack *k)
{
	dentry_put(k->upper);
	for (unsigned i = 0; i < k->n_lower; i++)
		dentry_put(k->lower[i].d);
	free(k->lower);
	*k = (struct ustack){ NULL };
}

/* --- making -------------------------------------------------------------------------------- */

static int attributes(struct dentry *d, struct kstat *k) { return vfs_getattr(&(struct path){ NULL, d }, k); }

static void take(struct unode *n, struct inode *i, const struct kstat *k, bool no_devices)
{
	inode_take_owner(i, k->mode, k->uid, k->gid);
	i->nlink = LINUX_S_ISDIR(k->mode) && n->n_lower ? 1 : k->nlink;
	i->size = k->size;
	i->rdev = no_devices ? 0 : k->rdev; /* 0 opens nothing; getattr shows the layer's */
	i->atime = k->atime;
	i->mtime = k->mtime;
	i->ctime = k->ctime;
	atomic_store_explicit(&i->btime, k->btime, memory_order_relaxed);
}

static bool is_hashable(const struct unode *n, const struct kstat *k)
{
	return node_upper(n) || LINUX_S_ISDIR(k->mode) || k->nlink <= 1;
}

/* Moves k into a new node. */
static int make(struct superblock *sb, struct ustack *k, struct unode **out)
{
	struct usuper *s = usuper(sb);
	struct unode *n = calloc(1, sizeof(*n) + k->n_lower * sizeof(n->lower[0]));
	struct kstat top, first = { 0 };
	struct inode *i;
	int r = n ? 0 : -ENOMEM;

	if (!r)
		r = attributes(k->upper ? k->upper : k->lower[0].d, &top);
	if (!r && k->upper && k->n_lower)
		r = attributes(k->lower[0].d, &first);
	else if (!r)
		first = top;
	if (r) {
		free(n);
		return r;
	}
	i = inode_new(sb, LINUX_S_ISDIR(top.mode) ? &union_dir_inode_ops : &union_inode_ops,
		LINUX_S_ISDIR(top.mode) && !s->same_fs ? inode_next_ino(sb->vfs) : first.ino, top.mode);
	if (!i) {
		free(n);
		return -ENOMEM;
	}
	mutex_init(&n->copy_mu, RANK_INODE);
	n->inode = i;
	n->upper = k->upper;
	n->n_lower = k->n_lower;
	for (unsigned l = 0; l < k->n_lower; l++)
		n->lower[l] = k->lower[l];
	n->ino = first.ino;
	n->ino_layer = k->n_lower ? k->lower[0].layer : 0;
	n->ino_is_lowers = k->n_lower && (LINUX_S_ISDIR(top.mode) || first.nlink <= 1);
	take(n, i, &top, s->no_devices);
	i->priv = n;
	n->hashed = is_hashable(n, &top);
	free(k->lower);
	*k = (struct ustack){ NULL };
	*out = n;
	return 0;
}

static bool is_made_of(const struct unode *n, const struct ustack *k)
{
	const struct dentry *u = node_upper(n);

	if ((u ? u->inode : NULL) != (k->upper ? k->upper->inode : NULL))
		return false;
	if (u && !LINUX_S_ISDIR(u->inode->mode))
		return true;
	if (n->n_lower != k->n_lower)
		return false;
	for (unsigned l = 0; l < n->n_lower; l++)
		if (n->lower[l].d->inode != k->lower[l].d->inode)
			return false;
	return true;
}

/* s->mu is held. */
static struct inode *find_locked(struct usuper *s, const struct ustack *k)
{
	struct unode *n;

	LIST_FOREACH (n, bucket(s, k->upper ? k->upper->inode : k->lower[0].d->inode), link)
		if (is_made_of(n, k) && ref_get_unless_zero(&n->inode->ref))
			return n->inode;
	return NULL;
}

/* The same, of one that was just made; it goes into the table if there is none. */
static struct inode *enter(struct usuper *s, struct unode *n)
{
	struct ustack k = { .upper = n->upper, .lower = n->lower, .n_lower = n->n_lower };
	struct inode *i;

	if (!n->hashed)
		return NULL;
	mutex_lock(&s->mu);
	i = find_locked(s, &k);
	if (!i)
		LIST_INSERT_HEAD(bucket(s, node_real(n)->inode), n, link);
	else
		n->hashed = false;
	mutex_unlock(&s->mu);
	return i;
}

int union_inode(struct superblock *sb, struct ustack *k, struct inode **out)
{
	struct usuper *s = usuper(sb);
	struct inode *there;
	struct unode *n;
	int r;

	mutex_lock(&s->mu);
	there = find_locked(s, k);
	mutex_unlock(&s->mu);
	if (there) {
		ustack_free(k);
		union_refresh(there);
		*out = there;
		return 0;
	}
	r = make(sb, k, &n);
	if (r) {
		ustack_free(k);
		return r;
	}
	there = enter(s, n);
	if (there)
		inode_put(n->inode);
	*out = there ? there : n->inode;
	return 0;
}

/* --- changing and ending --------------------------------------------------------------------- */

void union_has_upper(struct unode *n, struct dentry *upper)
{
	struct inode *i = n->inode;
	struct usuper *s = usuper(i->sb);
	struct kstat k;

	mutex_lock(&s->mu);
	if (n->hashed)
		LIST_REMOVE(n, link);
	__atomic_store_n(&n->upper, upper, __ATOMIC_RELEASE);
	LIST_INSERT_HEAD(bucket(s, upper->inode), n, link);
	n->hashed = true;
	mutex_unlock(&s->mu);
	if (!n->ino_is_lowers && !attributes(upper, &k)) {
		n->ino = k.ino;
		n->ino_layer = 0;
	}
	union_refresh(i);
	inode_changed(i); /* whoever was told of the lower one */
}

void union_evict(struct inode *i)
{
	struct usuper *s = usuper(i->sb);
	struct unode *n = unode(i);

	mutex_lock(&s->mu);
	if (n->hashed)
		LIST_REMOVE(n, link);
	mutex_unlock(&s->mu);
	dentry_put(n->upper);
	for (unsigned l = 0; l < n->n_lower; l++)
		dentry_put(n->lower[l].d);
	mutex_destroy(&n->copy_mu);
	free(n);
}

void union_refresh(struct inode *i)
{
	struct unode *n = unode(i);
	struct kstat k;

	if (attributes(node_real(n), &k))
		return; /* what is known stays */
	mutex_lock(&i->a_mu);
	take(n, i, &k, usuper(i->sb)->no_devices);
	mutex_unlock(&i->a_mu);
	inode_changed(i);
}
