/*
 * readdir.c - listing directories whose dentry tree is the directory.
 *
 * A position is the cookie of the next entry to list; cookies rise in the order of
 * the children, so that what is removed or added meanwhile shifts nothing.  The sink is
 * called under the dcache lock: it must only copy into kernel memory.
 */
#include "vfs/internal.h"

int dcache_readdir(struct file *f, struct dirent_sink *s)
{
	struct dentry *dir = f->path.dentry, *d;
	struct dcache *dc = dcache_of(dir);
	struct mutex *held;

	if (f->pos == 0) {
		if (s->add(s, ".", 1, dir->inode->ino, 4, 1))
			return 0;
		f->pos = 1;
	}
	held = brlock_read(&dc->lock);
	if (f->pos == 1) {
		if (s->add(s, "..", 2, dir->parent->inode->ino, 4, 2))
			goto out;
		f->pos = 2;
	}
	TAILQ_FOREACH (d, &dir->children, child_link) {
		if ((int64_t)d->cookie < f->pos || !d->inode || !(d->flags & DENTRY_HASHED))
			continue;
		if (s->add(s, d->name, d->name_len, d->inode->ino, LINUX_DT_OF_MODE(d->inode->mode), (int64_t)d->cookie + 1))
			goto out;
		f->pos = (int64_t)d->cookie + 1;
	}
out:
	mutex_unlock(held);
	return 0;
}
