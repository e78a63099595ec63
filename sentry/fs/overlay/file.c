/*
 * file.c - open regular files of an overlay: a file of the lower layer until the data
 * was copied, then one of the upper.  Both may be open; the upper is used when there.
 */
#include "fs/overlay/internal.h"

#include "mm/usercopy.h"
#include "vfs/told.h"

#include <stdlib.h>

struct ofile {
	struct mutex mu; /* RANK_LEAF: the pointers */
	struct file *lower, *upper; /* owned, opened when needed */
};

/* The layer's file to use now; borrowed while f is open. */
static int real_file(struct file *f, struct file **out)
{
	struct ofile *of = f->priv;
	struct onode *o = onode(f->inode);
	struct dentry *d = __atomic_load_n(&o->upper, __ATOMIC_ACQUIRE);
	struct file **slot = d ? &of->upper : &of->lower, *made, *old;
	int r;

	mutex_lock(&of->mu);
	*out = *slot;
	mutex_unlock(&of->mu);
	if (*out)
		return 0;
	r = ovl_open_layer(f->inode, d ? d : o->lower, d && f->mode & FILE_WRITE ? LINUX_O_RDWR : LINUX_O_RDONLY, &made);
	if (r)
		return r;
	mutex_lock(&of->mu);
	old = *slot;
	if (!old)
		*slot = made;
	*out = *slot;
	mutex_unlock(&of->mu);
	if (old)
		file_put(made);
	return 0;
}

int ovl_open(struct inode *i, struct file *f)
{
	struct file *real;
	struct ofile *of;
	int r = 0;

	if (LINUX_S_ISDIR(i->mode))
		return ovl_open_dir(f);
	if (f->mode & FILE_WRITE) {
		mutex_lock_nested(&i->mu); /* another overlay, over this one, may hold its own */
		r = ovl_copy_up(i, f->flags & LINUX_O_TRUNC ? 0 : UINT64_MAX);
		mutex_unlock(&i->mu);
	}
	if (r)
		return r;
	of = calloc(1, sizeof(*of));
	if (!of)
		return -ENOMEM;
	mutex_init(&of->mu, RANK_LEAF);
	f->priv = of;
	r = real_file(f, &real); /* errors belong to open */
	if (r) {
		f->priv = NULL;
		mutex_destroy(&of->mu);
		free(of);
		return r;
	}
	f->ops = &ovl_file_ops;
	return 0;
}

static void ovl_release(struct file *f)
{
	struct ofile *of = f->priv;

	if (of->lower)
		file_put(of->lower);
	if (of->upper)
		file_put(of->upper);
	mutex_destroy(&of->mu);
	free(of);
}

static ssize_t ovl_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct file *real;
	ssize_t r = real_file(f, &real);

	if (r)
		return r;
	r = real->ops->read(real, u, pos);
	if (r >= 0)
		file_accessed(f);
	return r;
}

static ssize_t ovl_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct file *real;
	ssize_t r = real_file(f, &real);

	if (r)
		return r;
	real->flags = (real->flags & ~(uint32_t)LINUX_O_APPEND) | (f->flags & LINUX_O_APPEND);
	r = real->ops->write(real, u, pos);
	if (r > 0)
		inode_written_through(f->inode, onode(f->inode)->upper->inode);
	return r;
}

static int64_t ovl_llseek(struct file *f, int64_t off, int whence)
{
	struct file *real;
	int64_t r = real_file(f, &real);

	if (r)
		return r;
	if (whence != LINUX_SEEK_DATA && whence != LINUX_SEEK_HOLE) {
		struct path p = f->path;
		struct kstat k = { 0 };

		if (whence == LINUX_SEEK_END)
			vfs_getattr(&p, &k);
		return llseek_size(f, off, whence, (int64_t)k.size);
	}
	/* real is f's alone, whose pos_mu is held */
	r = real->ops->llseek ? real->ops->llseek(real, off, whence) : llseek_size(real, off, whence, (int64_t)inode_size(f->inode));
	if (r >= 0)
		f->pos = r;
	return r;
}

static int ovl_mmap(struct file *f, int prot, bool shared, struct memobj **obj)
{
	struct file *real;
	int r = real_file(f, &real);

	if (r)
		return r;
	r = real->ops->mmap ? real->ops->mmap(real, prot, shared, obj) : -ENODEV;
	if (!r && __atomic_load_n(&onode(f->inode)->upper, __ATOMIC_ACQUIRE))
		inode_changed(f->inode); /* its pages may change from now on without a call */
	return r;
}

/* How long what is known of it stays true: as long as of the layer's file, which f's own end earlier (inode_changed). */
static int64_t ovl_steady(struct file *f)
{
	struct file *real;

	if (real_file(f, &real) || !real->ops->steady)
		return 0;
	return real->ops->steady(real);
}

static int ovl_fsync(struct file *f, bool data_only) { return 0; } /* memory */

static int ovl_fallocate(struct file *f, int mode, int64_t off, int64_t len)
{
	struct file *real;
	int r = real_file(f, &real);

	if (!r)
		r = real->ops->fallocate ? real->ops->fallocate(real, mode, off, len) : -EOPNOTSUPP;
	if (!r)
		inode_written_through(f->inode, onode(f->inode)->upper->inode);
	return r;
}

static int ovl_host_fd(struct file *f)
{
	struct file *real;

	if (real_file(f, &real) || !real->ops->host_fd)
		return -1;
	return real->ops->host_fd(real);
}

const struct file_ops ovl_file_ops = {
	.read = ovl_read,
	.write = ovl_write,
	.llseek = ovl_llseek,
	.mmap = ovl_mmap,
	.fsync = ovl_fsync,
	.fallocate = ovl_fallocate,
	.release = ovl_release,
	.steady = ovl_steady,
	.host_fd = ovl_host_fd,
};
