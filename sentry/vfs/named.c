/*
 * named.c - the words by which all that programs were told of names ends: named.h.
 *
 * Any thread; no locks.
 */
#include "vfs/named.h"

#include "vfs/internal.h"

void names_words_set(struct vfs *v, _Atomic uint64_t *changes, _Atomic uint64_t *roots)
{
	atomic_init(changes, 1); /* 0 is none */
	atomic_init(roots, 1);
	v->names_changes = changes;
	v->names_roots = roots;
}

uint64_t names_changes(struct vfs *v)
{
	(void)vfs_age(v);
	return atomic_load(v->names_changes);
}

uint64_t names_roots(const struct vfs *v) { return atomic_load(v->names_roots); }

void names_changed(struct vfs *v) { atomic_fetch_add(v->names_changes, 1); }

void names_roots_changed(struct vfs *v)
{
	names_changed(v);
	atomic_fetch_add(v->names_roots, 1);
}

bool named_is_steady(const struct path *p)
{
	const struct inode *i = p->dentry->inode;

	if (!(LINUX_S_ISREG(i->mode) || LINUX_S_ISDIR(i->mode) || LINUX_S_ISLNK(i->mode)))
		return false;
	return i->ops->steady && i->ops->steady(i);
}
