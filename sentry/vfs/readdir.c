/*
 * readdir.c - listing directories whose dentry tree is the directory.
 *
 * A position is the cookie of the next entry to list; cookies rise in the order of
 * the children, so that what is removed or added meanwhile shifts nothing.  The sink is
 * called under the dcache lock: it must only copy into kernel memory.
 */
#include "vfs/internal.h"

/* The dcache lock and f->pos_mu are held.  NULL: nothing is left. */
static struct dentry *first_at(const struct file *f, const struct dcache *dc)
{
	struct dentry *d = f->listed;

	if (!d || f->listed_when != dc->children_out || (int64_t)d->cookie > f->pos)
		d = TAILQ_FIRST(&f->path.dentry->children);
	while (d && (int64_t)d->cookie < f->pos)
		d = TAILQ_NEXT(d, child_link);
	return d;
}

static void list(struct file *f, struct dcache *dc, struct dirent_sink *s)
{
	struct dentry *last = NULL;

	for (struct dentry *d = first_at(f, dc); d; d = TAILQ_NEXT(d, child_link)) {
		last = d;
		if (!d->inode || !(d->flags & DENTRY_HASHED))
			continue;
		if (s->add(s, d->name, d->name_len, d->inode->ino, LINUX_DT_OF_MODE(d->inode->mode), (int64_t)d->cookie + 1))
			break;
		f->pos = (int64_t)d->cookie + 1;
	}
	if (last) {
		f->listed = last;
		f->listed_when = dc->children_out;
	}
}

int dcache_readdir(struct file *f, struct dirent_sink *s)
{
	struct dentry *dir = f->path.dentry;
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
	list(f, dc, s);
out:
	mutex_unlock(held);
	return 0;
}
