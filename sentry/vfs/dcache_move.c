/*
 * dcache_move.c - cached names that change: rename and exchange, and how others notice.
 *
 * Called by who renames, on its thread, with the directories' mutexes held (and two_mu
 * where they differ); the dcache lock is taken here.
 */
#include "vfs/internal.h"

#include <stdlib.h>
#include <string.h>

bool dentry_is_below(struct dentry *d, const struct dentry *anc)
{
	struct dcache *dc = dcache_of(d);
	bool below;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	while (d != anc && d->parent != d)
		d = d->parent;
	below = d == anc;
	mutex_unlock(held);
	return below;
}

unsigned dentry_depth(struct dentry *d)
{
	struct mutex *held = brlock_read(&dcache_of(d)->lock);
	unsigned n = 0;

	for (; d->parent != d; d = d->parent)
		n++;
	mutex_unlock(held);
	return n;
}

void dcache_keep_above(struct dentry *d)
{
	if (d->sb->sflags & SUPER_IN_MEMORY || !(d->flags & (DENTRY_PINNED | DENTRY_KEEPS)))
		return;
	for (d = d->parent; !(d->flags & DENTRY_KEEPS); d = d->parent)
		d->flags |= DENTRY_KEEPS; /* the root is its own parent */
}

void dcache_move(struct dentry *d, struct dentry *new_dir, const char *name, uint32_t len)
{
	struct dcache *dc = dcache_of(d);
	struct dentry *old_dir = d->parent;
	char *old_name = d->name, *s = len < sizeof(d->short_name) ? d->short_name : malloc(len + 1);

	if (!s) { /* out of memory: forget the name, the file system knows better */
		dentry_drop(d);
		return;
	}
	brlock_write(&dc->lock);
	names_changed(d->sb->vfs);
	dcache_hash_out(d);
	dcache_child_out(dc, d);
	memmove(s, name, len);
	s[len] = 0;
	d->name = s;
	d->name_len = len;
	d->parent = new_dir;
	dentry_get_locked(new_dir);
	dcache_hash_in(dc, d);
	dcache_child_in(dc, d);
	dcache_keep_above(d);
	brlock_write_end(&dc->lock);
	if (old_name != d->short_name)
		free(old_name);
	dentry_put(old_dir);
}

void dcache_place(struct dentry *d, struct dentry *dir)
{
	struct dcache *dc = dcache_of(d);

	brlock_write(&dc->lock);
	names_changed(d->sb->vfs);
	d->parent = dir;
	dentry_get_locked(dir);
	dcache_hash_in(dc, d);
	dcache_child_in(dc, d);
	brlock_write_end(&dc->lock);
	dentry_pin(d);
}

void dcache_exchange(struct dentry *a, struct dentry *b)
{
	struct dcache *dc = dcache_of(a);
	struct dentry *pa = a->parent;
	char *na = a->name, *nb = b->name, tmp[sizeof(a->short_name)];
	bool short_a = na == a->short_name, short_b = nb == b->short_name;
	uint32_t len = a->name_len;

	brlock_write(&dc->lock);
	names_changed(a->sb->vfs);
	dcache_hash_out(a);
	dcache_hash_out(b);
	dcache_child_out(dc, a);
	dcache_child_out(dc, b);
	memcpy(tmp, a->short_name, sizeof(tmp));
	memcpy(a->short_name, b->short_name, sizeof(tmp));
	memcpy(b->short_name, tmp, sizeof(tmp));
	a->name = short_b ? a->short_name : nb;
	b->name = short_a ? b->short_name : na;
	a->name_len = b->name_len;
	b->name_len = len;
	a->parent = b->parent; /* the references of the parents change owners */
	b->parent = pa;
	dcache_hash_in(dc, a);
	dcache_hash_in(dc, b);
	dcache_child_in(dc, a);
	dcache_child_in(dc, b);
	dcache_keep_above(a);
	dcache_keep_above(b);
	brlock_write_end(&dc->lock);
}

void super_change_begin(struct superblock *sb)
{
	atomic_fetch_add(&sb->changing, 1);
	atomic_fetch_add(&sb->change_seq, 1);
}

void super_change_end(struct superblock *sb)
{
	atomic_fetch_add(&sb->change_seq, 1);
	atomic_fetch_sub(&sb->changing, 1);
}
