/*
 * namei.c - making and removing names: mknod, mkdir, symlink, link, unlink, rmdir.
 * Each walks to the parent, takes its mu, looks the name up, checks, and asks the file system.
 */
#include "vfs/internal.h"

#include <string.h>

uint32_t walk_mode(struct walk *w, const struct inode *dir, uint32_t mode, const struct cred *c)
{
	uint32_t umask;

	/* it would run as the directory's group, of which its maker is none */
	if ((mode & 02010) == 02010 && dir->mode & LINUX_S_ISGID && !cred_in_group(c, dir->gid) &&
	    !cred_capable_over(c, dir->uid, dir->gid, LINUX_CAP_FSETID))
		mode &= ~LINUX_S_ISGID;
	mutex_lock(&w->fs->mu);
	umask = w->fs->umask;
	mutex_unlock(&w->fs->mu);
	return mode & ~umask;
}

/* The directory of a name that is to change: WALK_PARENT, "." and ".." refused with err_special. */
static int walk_parent(struct walk *w, const char *name, struct path *dir, int err_special)
{
	int r;

	w->flags |= WALK_PARENT;
	r = vfs_walk(w, name, dir);
	if (!r && w->last_special) {
		path_put(dir);
		r = err_special;
	}
	return r;
}

/* --- creation ------------------------------------------------------------------------ */

int name_to_make(const struct path *dir, const struct qstr *name, const struct cred *c, struct dentry **out)
{
	const struct inode *di = dir->dentry->inode;
	struct dentry *known = NULL;
	bool asks = !(dir->dentry->sb->sflags & SUPER_TELLS_EXISTS) || !LINUX_S_ISDIR(di->mode) || di->iflags & INODE_DEAD ||
		name->len > LINUX_NAME_MAX || dir_may_create(dir, c) || (known = dcache_get(dir->dentry, name));

	dentry_put(known);
	return asks ? dentry_lookup_locked(dir->dentry, name, out) : dcache_enter(dir->dentry, name, NULL, out);
}

void name_not_made(struct dentry *d)
{
	if (d->sb->sflags & SUPER_TELLS_EXISTS && !d->inode)
		dentry_drop(d);
}

enum { MAKES_OTHER, MAKES_LINK, MAKES_DIRECTORY };

/* Parent locked, *d negative; or an error with nothing held. */
static int begin_create(struct walk *w, const char *name, int makes, struct path *dir, struct dentry **d)
{
	bool slash_fits = makes == MAKES_DIRECTORY;
	struct qstr q;
	int r = walk_parent(w, name, dir, -EEXIST);

	if (r)
		return r;
	q = (struct qstr){ w->last, w->last_len };
	mutex_lock(&dir->dentry->inode->mu);
	if (makes == MAKES_OTHER || (w->trailing_slash && !slash_fits))
		r = dentry_lookup_locked(dir->dentry, &q, d);
	else
		r = name_to_make(dir, &q, w->cred, d);
	if (!r) {
		if ((*d)->inode)
			r = -EEXIST;
		else if (w->trailing_slash && !slash_fits)
			r = -ENOENT;
		else
			r = dir_may_create(dir, w->cred);
		if (!r) {
			super_change_begin(dir->dentry->sb);
			return 0;
		}
		dentry_put(*d);
	}
	mutex_unlock(&dir->dentry->inode->mu);
	path_put(dir);
	return r;
}

static int end_create(struct path *dir, struct dentry *d, int r)
{
	struct inode *di = dir->dentry->inode;

	super_change_end(di->sb);
	if (r)
		name_not_made(d);
	if (!r && d->inode)
		notify_name(di, d->name, LINUX_S_ISDIR(d->inode->mode), NOTIFY_CREATE, 0);
	mutex_unlock(&di->mu);
	dentry_put(d);
	path_put(dir);
	return r;
}

static int make_node(struct inode *di, struct dentry *d, uint32_t mode, uint64_t rdev, const struct cred *c)
{
	if (LINUX_S_ISREG(mode))
		return di->ops->create ? di->ops->create(di, d, mode, c) : -EPERM;
	return di->ops->mknod ? di->ops->mknod(di, d, mode, rdev, c) : -EPERM;
}

int vfs_mknod(struct walk *w, const char *name, uint32_t mode, uint64_t rdev, struct path *made)
{
	struct path dir;
	struct dentry *d;
	IDMAP_BUF;
	const struct cred *c;
	int r = begin_create(w, name, MAKES_OTHER, &dir, &d);

	if (r)
		return r;
	c = idmap_cred(dir.mnt, w->cred, &buf);
	if (!(r = may_make_device(dir.dentry->sb->vfs, mode, rdev, w->cred)))
		r = make_node(dir.dentry->inode, d, walk_mode(w, dir.dentry->inode, mode & 07777, c) | (mode & LINUX_S_IFMT), rdev, c);
	if (!r && made) {
		*made = (struct path){ dir.mnt, d };
		path_get(made);
	}
	return end_create(&dir, d, r);
}

int vfs_mkdir(struct walk *w, const char *name, uint32_t mode)
{
	struct path dir;
	struct dentry *d;
	int r = begin_create(w, name, MAKES_DIRECTORY, &dir, &d);
	const struct cred *c;
	struct inode *di;
	IDMAP_BUF;

	if (r)
		return r;
	di = dir.dentry->inode;
	c = idmap_cred(dir.mnt, w->cred, &buf);
	r = di->ops->mkdir ? di->ops->mkdir(di, d, walk_mode(w, di, mode & 01777, c) | LINUX_S_IFDIR, c) : -EPERM;
	return end_create(&dir, d, r);
}

int vfs_symlink(struct walk *w, const char *name, const char *target)
{
	struct path dir;
	struct dentry *d;
	struct inode *di;
	IDMAP_BUF;
	int r;

	if (!*target)
		return -ENOENT;
	r = begin_create(w, name, MAKES_LINK, &dir, &d);
	if (r)
		return r;
	di = dir.dentry->inode;
	r = di->ops->symlink ? di->ops->symlink(di, d, target, idmap_cred(dir.mnt, w->cred, &buf)) : -EPERM;
	return end_create(&dir, d, r);
}

int vfs_link(const struct path *old, struct walk *w, const char *name)
{
	struct inode *i = old->dentry->inode, *di;
	struct path dir;
	struct dentry *d;
	int r = begin_create(w, name, MAKES_OTHER, &dir, &d);

	if (r)
		return r;
	di = dir.dentry->inode;
	if (dir.mnt != old->mnt)
		r = -EXDEV;
	else if (LINUX_S_ISDIR(i->mode) || !di->ops->link)
		r = -EPERM;
	else if (i->nlink == 0 && !(old->dentry->flags & DENTRY_UNHASHED && old->dentry->name[0] == '#'))
		r = -ENOENT;
	else
		r = di->ops->link(di, d, i);
	r = end_create(&dir, d, r);
	if (!r)
		notify_inode(i, NOTIFY_ATTRIB);
	return r;
}

/* --- removal --------------------------------------------------------------------------- */

int dir_remove(const struct path *dir, struct dentry *d, bool directory, const struct cred *c)
{
	struct inode *di = dir->dentry->inode, *i = d->inode;
	int r = dir_may_delete(dir, d, directory, c);

	if (r)
		return r;
	if (d->flags & DENTRY_MOUNTED)
		return -EBUSY;
	if (!(directory ? di->ops->rmdir : di->ops->unlink))
		return -EPERM;
	mutex_lock_nested(&i->mu);
	super_change_begin(di->sb);
	r = directory ? di->ops->rmdir(di, d) : di->ops->unlink(di, d);
	super_change_end(di->sb);
	if (!r && directory)
		i->iflags |= INODE_DEAD;
	mutex_unlock(&i->mu);
	if (!r)
		dentry_drop(d);
	return r;
}

int vfs_unlink(struct walk *w, const char *name, bool directory)
{
	struct path dir;
	struct qstr q;
	struct dentry *d = NULL;
	struct inode *di, *i = NULL;
	int r;

	w->flags |= WALK_PARENT;
	r = vfs_walk(w, name, &dir);
	if (r)
		return r;
	if (w->last_special) {
		r = !directory ? -EISDIR : !w->last_len ? -EBUSY : w->last_len == 1 ? -EINVAL : -ENOTEMPTY;
		path_put(&dir);
		return r;
	}
	di = dir.dentry->inode;
	q = (struct qstr){ w->last, w->last_len };
	mutex_lock(&di->mu);
	r = dentry_lookup_locked(dir.dentry, &q, &d);
	if (!r) {
		if (!d->inode)
			r = -ENOENT;
		else if (w->trailing_slash && !directory)
			r = LINUX_S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
		else
			r = dir_remove(&dir, d, directory, w->cred);
		if (!r) {
			i = d->inode;
			inode_get(i);
			/* the order of Linux: a link less, the end, the name */
			if (!directory)
				notify_inode(i, NOTIFY_ATTRIB);
			if (directory || !i->nlink)
				notify_inode(i, NOTIFY_DELETE_SELF);
			notify_name(di, w->last, directory, NOTIFY_DELETE, 0);
		}
	}
	mutex_unlock(&di->mu);
	if (i)
		inode_put(i);
	if (d)
		dentry_put(d);
	path_put(&dir);
	return r;
}

int vfs_readlink(const struct path *p, char **out)
{
	struct inode *i = p->dentry->inode;

	if (!LINUX_S_ISLNK(i->mode))
		return -EINVAL;
	if (i->link) {
		*out = strdup(i->link);
		return *out ? 0 : -ENOMEM;
	}
	return i->ops->readlink ? i->ops->readlink(i, out) : -EINVAL;
}
