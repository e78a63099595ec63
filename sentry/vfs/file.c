/*
 * file.c - open files: references, reading, writing, seeking, anonymous files.
 */
#include "vfs/internal.h"
#include "vfs/told.h"

#include "mm/usercopy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void file_get(struct file *f) { ref_get(&f->ref); }

static void tell_close(struct file *f)
{
	if (f->path.mnt && !(f->mode & (FILE_PATH | FILE_QUIET)))
		notify_dentry(f->path.dentry, f->mode & FILE_WRITE ? NOTIFY_CLOSE_WRITE : NOTIFY_CLOSE_NOWRITE);
}

void file_put(struct file *f)
{
	if (!f || !ref_put(&f->ref))
		return;
	if (f->inode->watches)
		notify_closed_slow(f, NULL);
	if (f->epoll_items)
		atomic_load(&f->epoll_items)->gone(f);
	if (f->owner)
		atomic_load(&f->owner)->gone(f);
	if (f->inode->locks)
		locks_release_file(f);
	tell_close(f);
	if (f->ops->release && !(f->mode & FILE_PATH))
		f->ops->release(f);
	if (f->mode & FILE_WRITER)
		inode_put_write(f->inode);
	if (f->mode & FILE_EXEC)
		inode_allow_write(f->inode);
	if (f->mode & FILE_UNMOUNT)
		vfs_tree_dissolve(f->path.mnt);
	inode_put(f->inode);
	path_put(&f->path); /* last: a mount that was left may end its file system with it */
	cred_put(f->cred);
	mutex_destroy(&f->pos_mu);
	free(f);
}

uint32_t file_poll(struct file *f)
{
	return f->ops->poll ? f->ops->poll(f) : EVENT_IN | EVENT_OUT | EVENT_RDNORM | EVENT_WRNORM;
}

/* --- anonymous files ------------------------------------------------------------ */

/* Pipes and sockets have an owner, a mode and times that can be set (an engine gives a container's user the pipe that
 * is its output); what has no inode of its own on Linux has not. */
static int anon_setattr(struct inode *i, const struct iattr *a)
{
	if ((!LINUX_S_ISFIFO(i->mode) && !LINUX_S_ISSOCK(i->mode)) || a->valid & ATTR_SIZE)
		return -EOPNOTSUPP;
	inode_setattr_copy(i, a);
	return 0;
}

static const struct inode_ops anon_inode_ops = { .setattr = anon_setattr };

static int open_anon(const struct path *p, const struct file_ops *ops, int flags, const struct cred *c, void *priv, struct file **out)
{
	int r = file_alloc(p, flags, c, out);

	if (r)
		return r;
	(*out)->ops = ops;
	(*out)->priv = priv;
	(*out)->flags &= ~(uint32_t)LINUX_O_LARGEFILE;
	return 0;
}

int file_new_anon(struct vfs *v, const struct file_ops *ops, const char *name, uint32_t mode, int flags, const struct cred *c, void *priv,
	struct file **out)
{
	struct inode *i = inode_new(v->anon_sb, &anon_inode_ops, inode_next_ino(v), mode);
	struct path p = { NULL, NULL };
	char label[64];
	size_t n = strlen(name);
	int r;

	if (!i)
		return -ENOMEM;
	i->uid = c->fsuid;
	i->gid = c->fsgid;
	if (n && name[n - 1] == ':')
		snprintf(label, sizeof(label), "%s[%llu]", name, (unsigned long long)i->ino);
	else
		snprintf(label, sizeof(label), "anon_inode:%s", name);
	p.dentry = dentry_new_anon(v->anon_sb, label, i);
	if (!p.dentry) {
		inode_put(i);
		return -ENOMEM;
	}
	r = open_anon(&p, ops, flags, c, priv, out);
	dentry_put(p.dentry);
	return r;
}

int file_new_sibling(struct file *f, int flags, const struct cred *c, void *priv, struct file **out)
{
	return open_anon(&f->path, f->ops, flags, c, priv, out);
}

/* --- times and set-id bits -------------------------------------------------------- */

/* i->a_mu held. */
static bool atime_is_due(const struct inode *i, unsigned mount)
{
	if (mount & LINUX_MS_STRICTATIME || i->atime <= i->mtime || i->atime <= i->ctime)
		return true;
	return now_realtime_coarse() - i->atime >= INT64_C(86400) * 1000000000;
}

/* i->a_mu held. */
static bool access_is_due(const struct file *f)
{
	const struct inode *i = f->inode;
	unsigned m = mount_flags(f->path.mnt);

	if (f->flags & LINUX_O_NOATIME || m & (LINUX_MS_NOATIME | LINUX_MS_RDONLY) || i->sb->flags & LINUX_MS_RDONLY)
		return false;
	if (m & LINUX_MS_NODIRATIME && LINUX_S_ISDIR(i->mode))
		return false;
	return atime_is_due(i, m);
}

bool file_access_is_due(struct file *f)
{
	bool due;

	mutex_lock(&f->inode->a_mu);
	due = access_is_due(f);
	mutex_unlock(&f->inode->a_mu);
	return due;
}

void file_accessed(struct file *f)
{
	struct inode *i = f->inode;
	bool due;

	mutex_lock(&i->a_mu);
	due = access_is_due(f);
	if (due)
		i->atime = now_realtime();
	mutex_unlock(&i->a_mu);
	if (due)
		inode_changed(i);
}

void file_remove_privs(struct file *f, const struct cred *c)
{
	struct inode *i = f->inode;
	IDMAP_BUF;
	uint32_t lost = LINUX_S_ISREG(i->mode) ? inode_set_id_lost_to_write(i, idmap_cred(f->path.mnt, c, &buf)) : 0;
	struct iattr a = { .valid = ATTR_MODE, .mode = i->mode & 07777 & ~lost };

	if (!lost || !i->ops->setattr)
		return;
	mutex_lock(&i->mu);
	(void)!i->ops->setattr(i, &a);
	mutex_unlock(&i->mu);
}

/* --- reading and writing ------------------------------------------------------------- */

/* Whether all the positions of a transfer are some: 0 or -errno.  pos: NULL where there are none. */
static int check_pos(const struct file *f, const struct uio *u, const int64_t *pos)
{
	if (!pos)
		return 0;
	if (*pos >= 0)
		return u->resid > (uint64_t)(INT64_MAX - *pos) && !f->ops->unsigned_pos ? -EINVAL : 0;
	if (!f->ops->unsigned_pos)
		return -EINVAL;
	return u->resid >= -(uint64_t)*pos ? -EOVERFLOW : 0;
}

static ssize_t read_at(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t n = check_pos(f, u, pos);

	if (n)
		return n;
	n = f->ops->read ? f->ops->read(f, u, pos) : LINUX_S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;

	if (n > 0)
		notify_dentry(f->path.dentry, NOTIFY_ACCESS);
	return n;
}

static ssize_t write_at(struct file *f, struct uio *u, int64_t *pos)
{
	ssize_t n = f->ops->write ? check_pos(f, u, pos) : -EINVAL;

	if (n)
		return n;
	n = f->ops->write(f, u, pos);
	if (n > 0)
		notify_dentry(f->path.dentry, NOTIFY_MODIFY);
	return n;
}

ssize_t file_read(struct file *f, struct uio *u)
{
	ssize_t n;

	if (!(f->mode & FILE_READ))
		return -EBADF;
	if (f->mode & FILE_STREAM)
		return read_at(f, u, NULL);
	mutex_lock(&f->pos_mu);
	n = read_at(f, u, &f->pos);
	u->pos = f->pos;
	mutex_unlock(&f->pos_mu);
	return n;
}

bool file_appends(const struct file *f, const struct uio *u)
{
	return f->flags & LINUX_O_APPEND || u->append;
}

ssize_t file_write(struct file *f, struct uio *u)
{
	ssize_t n;

	if (!(f->mode & FILE_WRITE))
		return -EBADF;
	if (f->mode & FILE_STREAM)
		return write_at(f, u, NULL);
	mutex_lock(&f->pos_mu);
	n = write_at(f, u, &f->pos);
	u->pos = f->pos;
	mutex_unlock(&f->pos_mu);
	return n;
}

int64_t file_pos(struct file *f)
{
	int64_t pos;

	if (f->mode & FILE_STREAM)
		return 0;
	mutex_lock(&f->pos_mu);
	pos = f->pos;
	mutex_unlock(&f->pos_mu);
	return pos;
}

ssize_t file_pread(struct file *f, struct uio *u, int64_t pos)
{
	if (pos < 0)
		return -EINVAL;
	if (f->mode & FILE_STREAM)
		return -ESPIPE;
	return f->mode & FILE_READ ? read_at(f, u, &pos) : -EBADF;
}

ssize_t file_pwrite(struct file *f, struct uio *u, int64_t pos)
{
	if (pos < 0)
		return -EINVAL;
	if (f->mode & FILE_STREAM)
		return -ESPIPE;
	return f->mode & FILE_WRITE ? write_at(f, u, &pos) : -EBADF;
}

ssize_t file_read_kernel(struct file *f, void *buf, size_t n, int64_t pos)
{
	size_t done = 0;

	while (done < n) {
		struct uio u;
		ssize_t r;

		uio_kernel(&u, (char *)buf + done, n - done);
		r = file_pread(f, &u, pos + (int64_t)done);
		if (r < 0)
			return done ? (ssize_t)done : r;
		if (!r)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

/* --- seeking ---------------------------------------------------------------------------- */

int64_t llseek_size(struct file *f, int64_t off, int whence, int64_t size)
{
	switch (whence) {
	case LINUX_SEEK_SET:
		break;
	case LINUX_SEEK_CUR:
		if (__builtin_add_overflow(off, f->pos, &off))
			return -EINVAL;
		break;
	case LINUX_SEEK_END:
		if (__builtin_add_overflow(off, size, &off))
			return -EINVAL;
		break;
	case LINUX_SEEK_DATA:
	case LINUX_SEEK_HOLE:
		if (off < 0 || off >= size)
			return -ENXIO;
		if (whence == LINUX_SEEK_HOLE)
			off = size;
		break;
	default:
		return -EINVAL;
	}
	if (off < 0)
		return -EINVAL;
	f->pos = off;
	return off;
}

int64_t file_llseek(struct file *f, int64_t off, int whence)
{
	int64_t r;

	if (f->mode & FILE_STREAM)
		return -ESPIPE;
	mutex_lock(&f->pos_mu);
	r = f->ops->llseek ? f->ops->llseek(f, off, whence) : llseek_size(f, off, whence, (int64_t)inode_size(f->inode));
	mutex_unlock(&f->pos_mu);
	return r;
}
