/*
 * dcache.c - the life of cached names: reference counts, LRU, pins, a tree's end.  Where they
 * are found: dcache_table.c; lookups: dcache_find.c; moves: dcache_move.c.
 *
 * Everything here is guarded by the dcache lock: those who look read under it, those who
 * change names or links are its writers.  A dentry's count falls to 0 only under it, and
 * a dentry is freed only by a writer, so that a walk that reads under the lock may use
 * dentries without references.  An unused dentry that is still hashed waits on the LRU;
 * one that is not is freed at once.  Children hold a reference on their parent.  Inodes
 * are put (and file systems told) only after the lock is dropped.
 */
#include "vfs/internal.h"

#include <stdlib.h>
#include <string.h>

#define PRUNE_BATCH 128

bool ref_put_unless_last(struct ref *r)
{
	uint32_t old = atomic_load_explicit(&r->n, memory_order_relaxed);

	do {
		if (old >= REF_SATURATED)
			return true;
		if (old <= 1)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&r->n, &old, old - 1, memory_order_release, memory_order_relaxed));
	return true;
}

static bool set_name(struct dentry *d, const char *name, uint32_t len)
{
	char *s = len < sizeof(d->short_name) ? d->short_name : malloc(len + 1);

	if (!s)
		return false;
	memcpy(s, name, len);
	s[len] = 0;
	d->name = s;
	d->name_len = len;
	return true;
}

static struct dentry *dentry_alloc(struct superblock *sb, const char *name, uint32_t len)
{
	struct dentry *d = calloc(1, sizeof(*d));

	if (!d || !set_name(d, name, len)) {
		free(d);
		return NULL;
	}
	ref_init(&d->ref);
	d->sb = sb;
	d->parent = d;
	d->age = sb->vfs->age;
	TAILQ_INIT(&d->children);
	return d;
}

static void dentry_free(struct dentry *d)
{
	inode_put(d->inode);
	if (d->name != d->short_name)
		free(d->name);
	free(d);
}

void dentry_get(struct dentry *d) { ref_get(&d->ref); }

void dentry_get_locked(struct dentry *d) { atomic_fetch_add_explicit(&d->ref.n, 1, memory_order_relaxed); }

static void set_inode(struct dentry *d, struct inode *i)
{
	d->inode = i;
	if (i)
		LIST_INSERT_HEAD(&i->names, d, name_link);
}

/* Takes an unused dentry out of all lists. */
static void detach(struct dcache *dc, struct dentry *d)
{
	dcache_hash_out(d);
	if (d->inode)
		LIST_REMOVE(d, name_link);
	if (d->flags & DENTRY_ONLRU)
		TAILQ_REMOVE(&dc->lru, d, lru_link);
	if (d->parent != d)
		dcache_child_out(dc, d);
	d->flags &= ~DENTRY_ONLRU;
	dc->count--;
}

/* It stays when nobody uses it. */
static bool stays(const struct dentry *d)
{
	return d->flags & DENTRY_HASHED && !(d->sb->sflags & SUPER_UNCACHED) && (d->inode || !(d->sb->sflags & SUPER_NO_NEGATIVE));
}

static void lru_in(struct dcache *dc, struct dentry *d)
{
	if (d->flags & DENTRY_ONLRU)
		return;
	mutex_lock(&dc->lru_mu);
	if (!(d->flags & DENTRY_ONLRU))
		TAILQ_INSERT_TAIL(&dc->lru, d, lru_link);
	d->flags |= DENTRY_ONLRU;
	mutex_unlock(&dc->lru_mu);
}

/* Drops a reference where that needs no writer: d stays. */
static bool put_to_lru(struct dcache *dc, struct dentry *d)
{
	struct mutex *held = brlock_read(&dc->lock);
	bool r = stays(d);

	if (r && ref_put(&d->ref))
		lru_in(dc, d);
	mutex_unlock(held);
	return r;
}

/* Drops a reference as a writer; true: d is out of all lists and the caller frees it. */
static bool put_locked(struct dcache *dc, struct dentry *d)
{
	if (!ref_put(&d->ref))
		return false;
	if (stays(d)) {
		lru_in(dc, d);
		return false;
	}
	detach(dc, d);
	return true;
}

void dentry_put(struct dentry *d)
{
	while (d && !ref_put_unless_last(&d->ref)) {
		struct dcache *dc = dcache_of(d);
		struct dentry *parent;
		bool dead;

		if (put_to_lru(dc, d))
			return;
		brlock_write(&dc->lock);
		parent = d->parent == d ? NULL : d->parent;
		dead = put_locked(dc, d);
		brlock_write_end(&dc->lock);
		if (!dead)
			return;
		dentry_free(d);
		d = parent;
	}
}

/* Frees the longest unused ones beyond the bound. */
static void prune(struct dcache *dc)
{
	struct dentry *batch[PRUNE_BATCH], *parents[PRUNE_BATCH], *d, *next;
	unsigned n = 0;

	brlock_write(&dc->lock);
	for (d = TAILQ_FIRST(&dc->lru); d && n < PRUNE_BATCH && dc->count > DENTRIES_MAX; d = next) {
		next = TAILQ_NEXT(d, lru_link);
		if (ref_count(&d->ref)) { /* in use again */
			TAILQ_REMOVE(&dc->lru, d, lru_link);
			d->flags &= ~DENTRY_ONLRU;
			continue;
		}
		detach(dc, d);
		parents[n] = d->parent;
		batch[n++] = d;
	}
	brlock_write_end(&dc->lock);
	for (unsigned i = 0; i < n; i++) {
		dentry_free(batch[i]);
		dentry_put(parents[i]);
	}
}

struct dentry *dentry_new_anon(struct superblock *sb, const char *name, struct inode *i)
{
	struct dentry *d = dentry_alloc(sb, name, (uint32_t)strlen(name));
	struct dcache *dc = &sb->vfs->dc;

	if (!d)
		return NULL;
	brlock_write(&dc->lock);
	set_inode(d, i);
	dc->count++;
	brlock_write_end(&dc->lock);
	return d;
}

struct dentry *dentry_make_root(struct superblock *sb, struct inode *i) { return dentry_new_anon(sb, "/", i); }

static void pin_locked(struct dentry *d)
{
	if (d->flags & DENTRY_PINNED)
		return;
	d->flags |= DENTRY_PINNED;
	dentry_get_locked(d);
	dcache_keep_above(d);
}

/* A name in memory is known from nowhere else. */
static void pin_in_memory(struct dentry *d)
{
	if (d->sb->sflags & SUPER_IN_MEMORY)
		pin_locked(d);
}

int dcache_enter(struct dentry *dir, const struct qstr *name, struct inode *i, struct dentry **out)
{
	struct dcache *dc = dcache_of(dir);
	struct dentry *d = dentry_alloc(dir->sb, name->name, name->len), *there;
	bool full;

	if (!d) {
		inode_put(i);
		return -ENOMEM;
	}
	brlock_write(&dc->lock);
	there = dcache_find_locked(dc, dir, name->name, name->len);
	if (there) {
		dentry_get_locked(there);
		brlock_write_end(&dc->lock);
		d->inode = i;
		dentry_free(d);
		*out = there;
		return 0;
	}
	set_inode(d, i);
	d->parent = dir;
	dentry_get_locked(dir);
	dcache_hash_in(dc, d);
	dcache_child_in(dc, d);
	if (i)
		pin_in_memory(d);
	if (++dc->count > dc->n_buckets)
		dcache_grow(dc);
	full = dc->count > DENTRIES_MAX && !TAILQ_EMPTY(&dc->lru);
	brlock_write_end(&dc->lock);
	if (full)
		prune(dc);
	*out = d;
	return 0;
}

void dentry_instantiate(struct dentry *d, struct inode *i)
{
	struct dcache *dc = dcache_of(d);

	brlock_write(&dc->lock);
	names_changed(d->sb->vfs);
	set_inode(d, i);
	pin_in_memory(d);
	brlock_write_end(&dc->lock);
}

struct dentry *dentry_add(struct dentry *parent, const char *name, struct inode *i)
{
	struct qstr q = { name, (uint32_t)strlen(name) };
	struct dentry *d;

	if (dcache_enter(parent, &q, i, &d))
		return NULL;
	names_changed(parent->sb->vfs);
	dentry_pin(d);
	dentry_put(d); /* the pin holds it */
	return d;
}

void dentry_drop(struct dentry *d)
{
	struct dcache *dc = dcache_of(d);
	bool pinned;

	brlock_write(&dc->lock);
	names_changed(d->sb->vfs);
	dcache_hash_out(d);
	d->flags |= DENTRY_UNHASHED;
	pinned = d->flags & DENTRY_PINNED;
	d->flags &= ~DENTRY_PINNED;
	if (!pinned && !ref_count(&d->ref)) { /* only the LRU knew it: let dentry_put free it */
		dentry_get_locked(d);
		pinned = true;
	}
	brlock_write_end(&dc->lock);
	if (pinned)
		dentry_put(d);
}

void dentry_pin(struct dentry *d)
{
	struct dcache *dc = dcache_of(d);

	brlock_write(&dc->lock);
	if (d->flags & DENTRY_HASHED)
		pin_locked(d);
	brlock_write_end(&dc->lock);
}

void inode_pin_names(struct inode *i)
{
	struct dcache *dc = &i->sb->vfs->dc;
	struct dentry *d;

	brlock_write(&dc->lock);
	LIST_FOREACH (d, &i->names, name_link)
		if (d->flags & DENTRY_HASHED) /* a root is not */
			pin_locked(d);
	brlock_write_end(&dc->lock);
}

/* --- a superblock ends: nobody uses its tree any more ----------------------------- */

static struct dentry *any_leaf(struct dentry *d)
{
	struct dentry *c;

	while ((c = TAILQ_FIRST(&d->children)))
		d = c;
	return d;
}

void dcache_kill_tree(struct dentry *root)
{
	struct dcache *dc = dcache_of(root);

	for (;;) {
		struct dentry *d, *parent;

		brlock_write(&dc->lock);
		d = any_leaf(root);
		parent = d->parent == d ? NULL : d->parent;
		detach(dc, d);
		brlock_write_end(&dc->lock);
		dentry_free(d);
		if (!parent)
			return;
		ref_put(&parent->ref); /* the child's; parent goes in its turn */
	}
}
