/*
 * file.c - open regular files of a union: the lower layer's until there is an upper one, which
 * is used from then on, by those who have opened it before too.
 */
#include "fs/union/internal.h"

#include "mm/usercopy.h"

#include <stdlib.h>

struct ufile {
	struct mutex mu; /* RANK_LEAF: the pointers */
	struct file *lower, *upper; /* owned, opened when needed */
};

static const struct file_ops union_file_ops;

static int flags_for(const struct file *f, bool upper)
{
	int flags = upper && f->mode & FILE_WRITE ? LINUX_O_RDWR : LINUX_O_RDONLY;
	/* lower files are not touched, not even their access times */
	bool quiet = !upper || f->flags & LINUX_O_NOATIME || mount_flags(f->path.mnt) & LINUX_MS_NOATIME;

	return flags | (quiet ? LINUX_O_NOATIME : 0) | (int)(f->flags & LINUX_O_DSYNC);
}

/* The layer's file to use now; borrowed while f is open. */
static int real_file(struct file *f, struct file **out)
{
	struct ufile *uf = f->priv;
	struct unode *n = unode(f->inode);
	struct dentry *upper = node_upper(n);
	struct file **slot = upper ? &uf->upper : &uf->lower, *made, *old;
	int r;

	mutex_lock(&uf->mu);
	*out = *slot;
	mutex_unlock(&uf->mu);
	if (*out)
		return 0;
	r = below_open(upper ? upper : n->lower[0].d, flags_for(f, upper), usuper(f->inode->sb)->cred, &made);
	if (r)
		return r;
	mutex_lock(&uf->mu);
	old = *slot;
	if (!old)
		*slot = made;
	*out = *slot;
	mutex_unlock(&uf->mu);
	if (old)
		file_put(made);
	return 0;
}

int union_open(struct inode *i, struct file *f)
{
	struct file *real;
	struct ufile *uf;
	int r = 0;

	if (LINUX_S_ISDIR(i->mode))
		return union_open_dir(f);
	if (!LINUX_S_ISREG(i->mode)) /* a device that nobody here has, or may have */
		return usuper(i->sb)->no_devices ? -EACCES : -ENXIO;
	if (f->mode & FILE_WRITE || f->flags & LINUX_O_TRUNC)
		r = union_copy_up(i, f->flags & LINUX_O_TRUNC ? 0 : UINT64_MAX);
	if (r)
		return r;
	uf = calloc(1, sizeof(*uf));
	if (!uf)
		return -ENOMEM;
	mutex_init(&uf->mu, RANK_LEAF);
	f->priv = uf;
	r = real_file(f, &real); /* errors belong to open */
	if (r) {
		f->priv = NULL;
		mutex_destroy(&uf->mu);
		free(uf);
		return r;
	}
	f->ops = &union_file_ops;
	return 0;
}

static void union_release(struct file *f)
{
	struct ufile *uf = f->priv;

	file_put(uf->lower);
	file_put(uf->upper);
	mutex_destroy(&uf->mu);
	free(uf);
}

static ssize_t union_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct file *real;
	ssize_t r = real_file(f, &real);

	if (r)
		return r;
	return real->ops->read ? real->ops->read(real, u, pos) : -EINVAL;
}

static ssize_t union_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct file *real;
	ssize_t r = real_file(f, &real);

	if (r)
		return r;
	if (!real->ops->write)
		return -EINVAL;
	real->flags = (real->flags & ~(uint32_t)LINUX_O_APPEND) | (f->flags & LINUX_O_APPEND);
	r = real->ops->write(real, u, pos);
	if (r > 0)
		inode_written_through(f->inode, node_real(unode(f->inode))->inode);
	return r;
}

static int64_t union_llseek(struct file *f, int64_t off, int whence)
{
	struct file *real;
	int64_t r = real_file(f, &real);
	struct kstat k = { 0 };

	if (r)
		return r;
	if (whence == LINUX_SEEK_DATA || whence == LINUX_SEEK_HOLE || whence == LINUX_SEEK_END)
		r = vfs_getattr(&(struct path){ NULL, real->path.dentry }, &k);
	if (r)
		return r;
	if ((whence != LINUX_SEEK_DATA && whence != LINUX_SEEK_HOLE) || !real->ops->llseek)
		return llseek_size(f, off, whence, (int64_t)k.size);
	r = real->ops->llseek(real, off, whence); /* real is f's alone, whose pos_mu is held */
	if (r >= 0)
		f->pos = r;
	return r;
}

static int union_mmap(struct file *f, int prot, bool shared, struct memobj **obj)
{
	struct file *real;
	int r = real_file(f, &real);

	if (r)
		return r;
	if (real->ops->mmap)
		return real->ops->mmap(real, prot, shared, obj);
	if (!real->inode->obj)
		return -ENODEV;
	*obj = real->inode->obj;
	memobj_get(*obj);
	return 0;
}

static int union_fsync(struct file *f, bool data_only)
{
	struct file *real;
	int r = usuper(f->inode->sb)->no_sync ? 0 : real_file(f, &real);

	if (r || usuper(f->inode->sb)->no_sync)
		return r;
	return real->ops->fsync ? real->ops->fsync(real, data_only) : 0;
}

static int union_fallocate(struct file *f, int mode, int64_t off, int64_t len)
{
	struct file *real;
	int r = real_file(f, &real);

	if (!r)
		r = real->ops->fallocate ? real->ops->fallocate(real, mode, off, len) : -EOPNOTSUPP;
	if (!r)
		inode_written_through(f->inode, node_real(unode(f->inode))->inode);
	return r;
}

/* For reading: of what is written past write() the union would not know. */
static int union_host_fd(struct file *f)
{
	struct file *real;

	if (f->mode & FILE_WRITE || real_file(f, &real) || !real->ops->host_fd)
		return -1;
	return real->ops->host_fd(real);
}

static const struct file_ops union_file_ops = {
	.read = union_read,
	.write = union_write,
	.llseek = union_llseek,
	.mmap = union_mmap,
	.fsync = union_fsync,
	.fallocate = union_fallocate,
	.release = union_release,
	.host_fd = union_host_fd,
};
