/*
 * dcache_find.c - looking for names: in what is cached, and by asking the file system.
 *
 * Any thread.  All of it only reads under the dcache lock; what it finds it returns with
 * a reference.  Lookups that ask hold the directory's mu, but where its file system says
 * that it needs none.
 */
#include "vfs/internal.h"

#include <string.h>

/* Asks whether an old name still holds; one that does not is dropped, and *d NULL.  The directory's mu is held. */
static int renew_or_drop(struct inode *di, const struct qstr *name, struct dentry **d)
{
	uint32_t age = vfs_age(di->sb->vfs);
	struct inode *i = NULL;
	int r = di->ops->lookup(di, name, &i);

	if (!r && i == (*d)->inode) {
		dentry_renew(*d, age);
	} else {
		if (!r)
			dentry_drop(*d);
		dentry_put(*d);
		*d = NULL;
	}
	inode_put(i);
	return r;
}

int dentry_lookup_locked(struct dentry *dir, const struct qstr *name, struct dentry **out)
{
	struct dcache *dc = dcache_of(dir);
	struct inode *di = dir->inode, *i = NULL;
	struct dentry *d;
	uint32_t age;
	int r;
	struct mutex *held;

	if (!di || !LINUX_S_ISDIR(di->mode))
		return -ENOTDIR;
	if (name->len > LINUX_NAME_MAX)
		return -ENAMETOOLONG;
	held = brlock_read(&dc->lock);
	d = dcache_find_locked(dc, dir, name->name, name->len);
	if (d) {
		dentry_ahead_used(d);
		dentry_get_locked(d);
	}
	mutex_unlock(held);
	if (d && dentry_is_old(d)) {
		r = renew_or_drop(di, name, &d);
		if (r)
			return r;
	}
	if (d) {
		*out = d;
		return 0;
	}
	if (di->iflags & INODE_DEAD)
		return -ENOENT;
	age = super_age(di->sb);
	r = di->ops->lookup ? di->ops->lookup(di, name, &i) : 0;
	if (!r)
		r = dcache_enter(dir, name, i, out);
	if (!r)
		dentry_renew(*out, age);
	return r;
}

int dentry_lookup(struct dentry *dir, const struct qstr *name, struct dentry **out)
{
	bool unlocked = dir->sb->sflags & SUPER_LOOKUP_UNLOCKED;
	int r;

	if (!dir->inode)
		return -ENOTDIR;
	if (!unlocked)
		mutex_lock_nested(&dir->inode->mu);
	r = dentry_lookup_locked(dir, name, out);
	if (!unlocked)
		mutex_unlock(&dir->inode->mu);
	return r;
}

bool dentry_has_children(struct dentry *dir)
{
	struct dcache *dc = dcache_of(dir);
	struct dentry *d;
	bool has = false;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	TAILQ_FOREACH (d, &dir->children, child_link)
		if (d->inode && d->flags & DENTRY_HASHED) {
			has = true;
			break;
		}
	mutex_unlock(held);
	return has;
}

struct dentry *dcache_get(struct dentry *dir, const struct qstr *name)
{
	struct dcache *dc = dcache_of(dir);
	struct dentry *d;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	d = dcache_find_locked(dc, dir, name->name, name->len);
	if (d)
		dentry_get_locked(d);
	mutex_unlock(held);
	return d;
}

struct dentry *dentry_parent(struct dentry *d, char name[LINUX_NAME_MAX + 1])
{
	struct dcache *dc = dcache_of(d);
	struct dentry *parent;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	parent = d->parent == d ? NULL : d->parent;
	if (parent) {
		dentry_get_locked(parent);
		memcpy(name, d->name, d->name_len + 1);
	}
	mutex_unlock(held);
	return parent;
}

void dentry_mark_ahead(struct dentry *d) { d->flags |= DENTRY_AHEAD; }

void dentry_ahead_used_slow(struct dentry *d)
{
	d->flags &= ~DENTRY_AHEAD;
	d->sb->ahead_used++;
	if (d->inode && !LINUX_S_ISDIR(d->inode->mode))
		d->sb->ahead_used_files++;
}

int dcache_peek_pinned(struct dentry *dir, const char *name, uint32_t len, uint64_t *ino, unsigned *type)
{
	struct dcache *dc = dcache_of(dir);
	struct dentry *d;
	int r = -ENOENT;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	d = dcache_find_locked(dc, dir, name, len);
	if (d && !(d->flags & DENTRY_PINNED))
		d = NULL;
	if (d && d->inode) {
		*ino = d->inode->ino;
		*type = LINUX_DT_OF_MODE(d->inode->mode);
	}
	if (d)
		r = d->inode != NULL;
	mutex_unlock(held);
	return r;
}

struct dentry *inode_dentry(struct inode *i)
{
	struct dcache *dc = &i->sb->vfs->dc;
	struct dentry *d;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	LIST_FOREACH (d, &i->names, name_link)
		if (!(d->flags & DENTRY_UNHASHED))
			break;
	if (d)
		dentry_get_locked(d);
	mutex_unlock(held);
	return d;
}

void dcache_each_pinned(struct dentry *dir, void (*fn)(const struct dentry *d, void *arg), void *arg)
{
	struct dcache *dc = dcache_of(dir);
	struct dentry *d;
	struct mutex *held;

	held = brlock_read(&dc->lock);
	TAILQ_FOREACH (d, &dir->children, child_link)
		if (d->inode && d->flags & DENTRY_PINNED && d->flags & DENTRY_HASHED)
			fn(d, arg);
	mutex_unlock(held);
}
