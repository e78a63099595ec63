/*
 * open.c - from a name and flags to an open file.
 */
#include "vfs/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct file_ops no_ops;

int file_alloc(const struct path *p, int flags, const struct cred *c, struct file **out)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	ref_init(&f->ref);
	mutex_init(&f->pos_mu, RANK_FILE_POS);
	f->ops = &no_ops;
	f->path = *p;
	path_get(&f->path);
	f->inode = p->dentry->inode;
	inode_get(f->inode);
	f->cred = (struct cred *)(uintptr_t)c;
	cred_get(f->cred);
	f->flags = (uint32_t)(flags & ~(LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_CLOEXEC));
	if (flags & LINUX_O_PATH) {
		f->mode = FILE_PATH;
		f->flags &= LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW;
	} else {
		unsigned acc = flags & LINUX_O_ACCMODE;

		f->mode = (acc == LINUX_O_RDONLY || acc == LINUX_O_RDWR ? FILE_READ : 0) |
			  (acc == LINUX_O_WRONLY || acc == LINUX_O_RDWR ? FILE_WRITE : 0);
		f->flags |= LINUX_O_LARGEFILE;
		if (flags & LINUX_O_NOCTTY)
			f->mode |= FILE_NOCTTY;
	}
	*out = f;
	return 0;
}

/* --- who writes, who runs ------------------------------------------------------- */

int inode_get_write(struct inode *i)
{
	int r = 0;

	mutex_lock(&i->a_mu);
	if (i->write_count < 0)
		r = -ETXTBSY;
	else
		i->write_count++;
	mutex_unlock(&i->a_mu);
	return r;
}

void inode_put_write(struct inode *i)
{
	mutex_lock(&i->a_mu);
	i->write_count--;
	mutex_unlock(&i->a_mu);
}

int inode_deny_write(struct inode *i)
{
	int r = 0;

	mutex_lock(&i->a_mu);
	if (i->write_count > 0)
		r = -ETXTBSY;
	else
		i->write_count--;
	mutex_unlock(&i->a_mu);
	return r;
}

void inode_allow_write(struct inode *i)
{
	mutex_lock(&i->a_mu);
	i->write_count++;
	mutex_unlock(&i->a_mu);
}

/* --- opening what is there --------------------------------------------------------- */

static int open_chrdev(struct inode *i, struct file *f)
{
	struct vfs *v = i->sb->vfs;
	unsigned maj = linux_major(i->rdev), min = linux_minor(i->rdev);

	for (unsigned k = 0; k < v->n_chrdevs; k++) {
		const struct chrdev *d = &v->chrdevs[k];

		if (d->major == maj && min >= d->first && min - d->first < d->count)
			return d->open(i, f);
	}
	return i->ops->open ? i->ops->open(i, f) : -ENXIO;
}

static int open_by_type(struct inode *i, struct file *f)
{
	if (i->sb->sflags & SUPER_OWN_OPEN)
		return i->ops->open(i, f);
	switch (i->mode & LINUX_S_IFMT) {
	case LINUX_S_IFCHR:
		return open_chrdev(i, f);
	case LINUX_S_IFIFO:
		return i->sb->vfs->fifo_open ? i->sb->vfs->fifo_open(i, f) : -ENXIO;
	case LINUX_S_IFBLK:
	case LINUX_S_IFSOCK:
		return -ENXIO;
	case LINUX_S_IFLNK:
		return -ELOOP;
	default:
		return i->ops->open ? i->ops->open(i, f) : -ENXIO;
	}
}

/* Undoes file_alloc where no open happened. */
static void file_abandon(struct file *f)
{
	f->ops = &no_ops;
	f->priv = NULL;
	f->mode = FILE_PATH | (f->mode & FILE_WRITER);
	file_put(f);
}

int vfs_open_path(const struct path *p, int flags, const struct cred *c, struct file **out)
{
	struct inode *i = p->dentry->inode;
	struct file *f;
	int r = file_alloc(p, flags, c, &f);

	if (r)
		return r;
	if (flags & LINUX_O_PATH) {
		*out = f;
		return 0;
	}
	if (f->mode & FILE_WRITE && LINUX_S_ISREG(i->mode)) {
		r = inode_get_write(i);
		if (!r)
			f->mode |= FILE_WRITER;
	}
	if (!r)
		r = open_by_type(i, f); /* may look at O_TRUNC */
	f->flags &= ~(uint32_t)LINUX_O_TRUNC;
	if (r) {
		file_abandon(f);
		return r;
	}
	if (flags & LINUX_O_TRUNC && LINUX_S_ISREG(i->mode)) {
		r = path_truncate(p, 0, c);
		if (r) {
			file_put(f);
			return r;
		}
	}
	notify_dentry(p->dentry, NOTIFY_OPEN);
	*out = f;
	return 0;
}

static unsigned open_mask(int flags)
{
	static const unsigned masks[4] = { 4, 2, 6, 6 };

	return masks[flags & LINUX_O_ACCMODE] | (flags & LINUX_O_TRUNC ? 2 : 0);
}

/* Linux's may_open. */
static int may_open(const struct path *p, int flags, const struct cred *c)
{
	struct inode *i = p->dentry->inode;
	unsigned mask = open_mask(flags);
	int r;

	switch (i->mode & LINUX_S_IFMT) {
	case LINUX_S_IFLNK:
		return -ELOOP;
	case LINUX_S_IFDIR:
		if (mask & 2)
			return -EISDIR;
		break;
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
		if (mount_flags(p->mnt) & LINUX_MS_NODEV)
			return -EACCES;
		break;
	default:
		break;
	}
	r = vfs_permission(p, mask, c);
	if (r)
		return r;
	if (flags & LINUX_O_NOATIME && !path_owner_or_capable(p, c))
		return -EPERM;
	return 0;
}

static int open_checked(const struct path *p, int flags, const struct cred *c, struct file **out)
{
	int r = flags & LINUX_O_PATH ? 0 : may_open(p, flags, c);

	return r ? r : vfs_open_path(p, flags, c, out);
}

/* --- O_CREAT -------------------------------------------------------------------------- */

/* Called with dir's mu held; d negative. */
static int create_locked(struct walk *w, const struct path *dir, struct dentry *d, uint32_t mode)
{
	struct inode *di = dir->dentry->inode;
	int r = dir_may_create(dir, w->cred);
	const struct cred *c;
	IDMAP_BUF;

	if (r)
		return r;
	if (!di->ops->create)
		return -EACCES;
	c = idmap_cred(dir->mnt, w->cred, &buf);
	super_change_begin(di->sb);
	r = di->ops->create(di, d, walk_mode(w, di, mode & 07777, c) | LINUX_S_IFREG, c);
	super_change_end(di->sb);
	if (!r)
		notify_name(di, d->name, false, NOTIFY_CREATE, 0);
	return r;
}

/* Finds or makes the last component.  *made: it was made (then no permission check). */
static int find_or_create(struct walk *w, const struct path *dir, int flags, uint32_t mode, struct path *out, bool *made)
{
	struct qstr q = { w->last, w->last_len };
	struct inode *di = dir->dentry->inode;
	struct dentry *d = NULL;
	int r;

	mutex_lock(&di->mu);
	r = flags & LINUX_O_EXCL ? name_to_make(dir, &q, w->cred, &d) : dentry_lookup_locked(dir->dentry, &q, &d);
	if (!r && !d->inode) {
		r = create_locked(w, dir, d, mode);
		*made = !r;
		if (r)
			name_not_made(d);
	} else if (!r && flags & LINUX_O_EXCL) {
		r = -EEXIST;
	}
	mutex_unlock(&di->mu);
	if (r) {
		dentry_put(d);
		return r;
	}
	*out = (struct path){ dir->mnt, d };
	mount_get(out->mnt);
	path_cross_mounts(out);
	return 0;
}

static int open_last(struct walk *w, const struct path *dir, int flags, uint32_t mode, struct file **out, char **link)
{
	bool made = false;
	struct path p;
	struct inode *i;
	int r;

	if (w->last_special || w->trailing_slash)
		return w->last_special && flags & LINUX_O_EXCL ? -EEXIST : -EISDIR;
	r = find_or_create(w, dir, flags, mode, &p, &made);
	if (r)
		return r;
	i = p.dentry->inode;
	if (LINUX_S_ISLNK(i->mode) && !(flags & LINUX_O_NOFOLLOW) && !(w->flags & WALK_NO_SYMLINKS) && !(mount_flags(p.mnt) & LINUX_MS_NOSYMFOLLOW)) {
		r = i->ops->follow ? -ENOTSUP : vfs_readlink(&p, link);
		if (!r)
			r = 1; /* walk on */
	} else if (LINUX_S_ISDIR(i->mode)) {
		r = -EISDIR;
	} else {
		r = made ? vfs_open_path(&p, flags & ~LINUX_O_TRUNC, w->cred, out) : open_checked(&p, flags, w->cred, out);
	}
	path_put(&p);
	return r;
}

/* A last link is followed here, not by the walk: its target may be what is to be made. */
static int open_create(struct walk *w, const char *name, int flags, uint32_t mode, struct file **out)
{
	struct path dir = { NULL, NULL }, old = { NULL, NULL };
	struct walk cur = *w;
	char *link = NULL, *next;
	int r;

	for (unsigned links = 0;; links++) {
		cur.flags = w->flags | WALK_PARENT;
		r = links > LINKS_MAX ? -ELOOP : vfs_walk(&cur, link ? link : name, &dir);
		if (r)
			break;
		next = NULL;
		r = open_last(&cur, &dir, flags, mode, out, &next);
		path_put(&old);
		if (r == -ENOTSUP && !(flags & LINUX_O_EXCL)) { /* a magic link: what it leads to exists */
			struct walk m = *w;
			struct path p;

			m.base = cur.base;
			m.flags = w->flags | WALK_FOLLOW;
			r = vfs_walk(&m, link ? link : name, &p);
			if (!r) {
				r = open_checked(&p, flags, w->cred, out);
				path_put(&p);
			}
		}
		if (r != 1)
			break;
		free(link);
		link = next;
		old = dir;
		dir = (struct path){ NULL, NULL };
		cur.base = &old;
	}
	free(link);
	path_put(&old);
	path_put(&dir);
	return r;
}

/* --- O_TMPFILE ------------------------------------------------------------------------- */

static int open_tmpfile(struct walk *w, const char *name, int flags, uint32_t mode, struct file **out)
{
	struct path dir, p;
	struct inode *di, *i = NULL;
	const struct cred *c;
	IDMAP_BUF;
	int r;

	if (!(open_mask(flags) & 2))
		return -EINVAL;
	w->flags |= WALK_DIRECTORY | WALK_FOLLOW;
	r = vfs_walk(w, name, &dir);
	if (r)
		return r;
	di = dir.dentry->inode;
	r = dir_may_create(&dir, w->cred);
	c = idmap_cred(dir.mnt, w->cred, &buf);
	if (!r)
		r = di->ops->tmpfile ? di->ops->tmpfile(di, walk_mode(w, di, mode & 07777, c) | LINUX_S_IFREG, c, &i) : -EOPNOTSUPP;
	if (!r) {
		char label[32];

		snprintf(label, sizeof(label), "#%llu", (unsigned long long)i->ino);
		p.mnt = dir.mnt;
		p.dentry = dentry_new_anon(di->sb, label, i);
		r = p.dentry ? 0 : -ENOMEM;
		if (r)
			inode_put(i);
	}
	if (!r) {
		p.dentry->flags |= DENTRY_UNHASHED;
		r = vfs_open_path(&p, flags & ~LINUX_O_TRUNC, w->cred, out);
		dentry_put(p.dentry);
	}
	path_put(&dir);
	return r;
}

int vfs_open(struct walk *w, const char *name, int flags, uint32_t mode, struct file **out)
{
	struct path p;
	int r;

	if ((flags & LINUX_O_TMPFILE) == LINUX_O_TMPFILE && !(flags & LINUX_O_PATH))
		return flags & LINUX_O_CREAT ? -EINVAL : open_tmpfile(w, name, flags, mode, out);
	if (flags & LINUX_O_CREAT && !(flags & LINUX_O_PATH))
		return flags & LINUX_O_DIRECTORY ? -EINVAL : open_create(w, name, flags, mode, out);
	if (!(flags & LINUX_O_NOFOLLOW))
		w->flags |= WALK_FOLLOW;
	if (flags & LINUX_O_DIRECTORY)
		w->flags |= WALK_DIRECTORY;
	if (!(flags & (LINUX_O_ACCMODE | LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_TRUNC)))
		w->flags |= WALK_OPEN;
	r = vfs_walk(w, name, &p);
	if (r)
		return r;
	r = open_checked(&p, flags, w->cred, out);
	path_put(&p);
	return r;
}
