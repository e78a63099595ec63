/*
 * file.c - reading, writing and sizing of tmpfs files.  Writers and size changes hold
 * the inode's mu; data moves between program memory and pinned pages.
 */
#include "fs/tmpfs/internal.h"

#include "mm/usercopy.h"
#include "vfs/told.h"

#include <string.h>

#define RUN_PAGES 256u

static const uint8_t zero_page[PAGE_SIZE];

static ssize_t copy_zeros(struct uio *u, uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		ssize_t r = uio_copy_out(u, zero_page, n - done < PAGE_SIZE ? n - done : PAGE_SIZE);

		if (r <= 0)
			return done ? (ssize_t)done : r;
		done += (uint64_t)r;
	}
	return (ssize_t)done;
}

static ssize_t tmpfs_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct tmpfs_node *n = tmpfs_node(f->inode);
	struct memfile *mf = tmpfs_sb(n->sb)->mf;
	uint64_t size = inode_size(f->inode), at = (uint64_t)*pos;
	ssize_t done = 0;

	while (u->resid && at < size) {
		uint64_t want = u->resid < size - at ? u->resid : size - at, in = at % PAGE_SIZE, off, len;
		uint64_t pages = (in + want + PAGE_SIZE - 1) / PAGE_SIZE;
		int64_t k = tmpfs_run(n, at / PAGE_SIZE, pages < RUN_PAGES ? pages : RUN_PAGES, false, &off);
		ssize_t r;

		len = (uint64_t)k * PAGE_SIZE - in;
		if (len > want)
			len = want;
		if (off == TMPFS_HOLE) {
			r = copy_zeros(u, len);
		} else {
			r = uio_copy_out(u, (char *)memfile_ptr(mf, off) + in, len);
			memfile_put(mf, off, (uint64_t)k * PAGE_SIZE);
		}
		if (r <= 0) {
			done = done ? done : r;
			break;
		}
		at += (uint64_t)r;
		done += r;
	}
	if (done > 0) {
		*pos = (int64_t)at;
		file_accessed(f);
	}
	return done;
}

static void grow_to(struct inode *i, uint64_t end)
{
	mutex_lock(&i->a_mu);
	if (end > i->size)
		i->size = end;
	end = i->size;
	mutex_unlock(&i->a_mu);
	tmpfs_set_size(tmpfs_node(i), end);
}

static int check_write_seals(struct inode *i, uint64_t at, uint64_t *len)
{
	unsigned seals = tmpfs_node(i)->seals;
	uint64_t size = inode_size(i);

	if (seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (seals & LINUX_F_SEAL_GROW) {
		if (at >= size)
			return -EPERM;
		if (*len > size - at)
			*len = size - at;
	}
	return 0;
}

static ssize_t write_locked(struct inode *i, struct uio *u, uint64_t at, uint64_t len)
{
	struct tmpfs_node *n = tmpfs_node(i);
	struct memfile *mf = tmpfs_sb(n->sb)->mf;
	uint64_t done = 0;

	while (done < len) {
		uint64_t want = len - done, in = (at + done) % PAGE_SIZE, off, part;
		uint64_t pages = (in + want + PAGE_SIZE - 1) / PAGE_SIZE;
		int64_t k = tmpfs_run(n, (at + done) / PAGE_SIZE, pages < RUN_PAGES ? pages : RUN_PAGES, true, &off);
		ssize_t r;

		if (k < 0)
			return done ? (ssize_t)done : k;
		part = (uint64_t)k * PAGE_SIZE - in;
		if (part > want)
			part = want;
		r = uio_copy_in(u, (char *)memfile_ptr(mf, off) + in, part);
		memfile_put(mf, off, (uint64_t)k * PAGE_SIZE);
		if (r <= 0)
			return done ? (ssize_t)done : r;
		done += (uint64_t)r;
		grow_to(i, at + done);
	}
	return (ssize_t)done;
}

static ssize_t tmpfs_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *i = f->inode;
	uint64_t at, len = u->resid;
	ssize_t r;

	if (!len)
		return 0;
	mutex_lock_nested(&i->mu); /* an overlay may hold its own */
	at = file_appends(f, u) ? inode_size(i) : (uint64_t)*pos;
	r = check_write_seals(i, at, &len);
	if (!r && at + len > INT64_MAX)
		r = -EFBIG;
	if (!r)
		r = write_locked(i, u, at, len);
	if (r > 0) {
		*pos = (int64_t)at + r;
		memobj_written(&tmpfs_node(i)->obj);
		inode_touch(i, ATTR_MTIME | ATTR_CTIME);
	} else {
		inode_changed(i); /* it may have got blocks nevertheless */
	}
	mutex_unlock(&i->mu);
	return r;
}

/* --- sizes ------------------------------------------------------------------------------ */

static int set_size(struct inode *i, uint64_t size)
{
	struct tmpfs_node *n = tmpfs_node(i);
	uint64_t old = inode_size(i);

	if (size < old && n->seals & LINUX_F_SEAL_SHRINK)
		return -EPERM;
	if (size > old && n->seals & LINUX_F_SEAL_GROW)
		return -EPERM;
	tmpfs_set_size(n, size);
	mutex_lock(&i->a_mu);
	i->size = size;
	mutex_unlock(&i->a_mu);
	if (size < old) {
		if (size % PAGE_SIZE)
			tmpfs_zero(n, size, PAGE_UP(size));
		mm_object_invalidate(&n->obj, PAGE_UP(size), PAGE_UP(old) - PAGE_UP(size), true);
		tmpfs_drop(n, PAGE_UP(size) / PAGE_SIZE, UINT64_MAX);
	}
	inode_touch(i, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

int tmpfs_setattr(struct inode *i, const struct iattr *a)
{
	if (a->valid & ATTR_SIZE) {
		int r = LINUX_S_ISREG(i->mode) ? set_size(i, a->size) : -EINVAL;

		if (r)
			return r;
	}
	if (a->valid & ~ATTR_SIZE)
		inode_setattr_copy(i, a);
	return 0;
}

int tmpfs_getattr(struct inode *i, struct kstat *st)
{
	struct tmpfs_node *n = tmpfs_node(i);

	mutex_lock(&n->mu);
	st->blocks = n->n_pages * (PAGE_SIZE / 512);
	mutex_unlock(&n->mu);
	return 0;
}

/* As on Linux the memory is the host's from now on, and if there is too little of it nothing is taken at all. */
static int preallocate(struct tmpfs_node *n, uint64_t from, uint64_t to)
{
	uint64_t idx = from / PAGE_SIZE, end = (to + PAGE_SIZE - 1) / PAGE_SIZE, off;
	struct memfile *mf = tmpfs_sb(n->sb)->mf;
	int r = end - idx > tmpfs_room(n) ? -ENOSPC : 0;

	while (!r && idx < end) {
		int64_t k = tmpfs_run(n, idx, end - idx < RUN_PAGES ? end - idx : RUN_PAGES, true, &off);

		if (k < 0)
			return (int)k;
		r = memfile_reserve(mf, off, (uint64_t)k * PAGE_SIZE);
		memfile_put(mf, off, (uint64_t)k * PAGE_SIZE);
		idx += (uint64_t)k;
	}
	return r;
}

static void punch(struct tmpfs_node *n, uint64_t from, uint64_t to)
{
	uint64_t first = PAGE_UP(from), last = PAGE_DOWN(to);

	if (first > last) {
		tmpfs_zero(n, from, to);
		return;
	}
	if (from < first)
		tmpfs_zero(n, from, first);
	if (last < to)
		tmpfs_zero(n, last, to);
	if (first < last) {
		mm_object_invalidate(&n->obj, first, last - first, false);
		tmpfs_drop(n, first / PAGE_SIZE, last / PAGE_SIZE);
	}
}

static int tmpfs_fallocate(struct file *f, int mode, int64_t off, int64_t len)
{
	struct inode *i = f->inode;
	struct tmpfs_node *n = tmpfs_node(i);
	uint64_t end = (uint64_t)off + (uint64_t)len;
	int r = 0;

	if (mode & ~(LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock_nested(&i->mu); /* an overlay may hold its own */
	if (mode & LINUX_FALLOC_FL_PUNCH_HOLE) {
		if (n->seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))
			r = -EPERM;
		else
			punch(n, (uint64_t)off, end);
	} else if (end > inode_size(i) && n->seals & LINUX_F_SEAL_GROW) {
		r = -EPERM;
	} else {
		r = preallocate(n, (uint64_t)off, end);
		if (!r && !(mode & LINUX_FALLOC_FL_KEEP_SIZE))
			grow_to(i, end);
	}
	if (!r)
		inode_touch(i, ATTR_MTIME | ATTR_CTIME);
	else
		inode_changed(i);
	mutex_unlock(&i->mu);
	return r;
}

static int64_t tmpfs_llseek(struct file *f, int64_t off, int whence)
{
	uint64_t size = inode_size(f->inode), idx;

	if ((whence != LINUX_SEEK_DATA && whence != LINUX_SEEK_HOLE) || off < 0 || (uint64_t)off >= size)
		return llseek_size(f, off, whence, (int64_t)size);
	idx = tmpfs_seek(tmpfs_node(f->inode), (uint64_t)off / PAGE_SIZE, (size + PAGE_SIZE - 1) / PAGE_SIZE, whence == LINUX_SEEK_DATA);
	if (idx * PAGE_SIZE >= size) {
		if (whence == LINUX_SEEK_DATA)
			return -ENXIO;
		f->pos = (int64_t)size;
	} else {
		f->pos = idx * PAGE_SIZE > (uint64_t)off ? (int64_t)(idx * PAGE_SIZE) : off;
	}
	return f->pos;
}

static int tmpfs_fsync(struct file *f, bool data_only) { return 0; }

static int tmpfs_mmap(struct file *f, int prot, bool shared, struct memobj **obj)
{
	struct tmpfs_node *n = tmpfs_node(f->inode);

	if (shared && prot & 2 && atomic_load(&n->obj.sealed))
		return -EPERM;
	n->mapped = true;
	inode_changed(f->inode);
	*obj = &n->obj;
	memobj_get(*obj);
	return 0;
}

static int64_t tmpfs_steady(struct file *f)
{
	return tmpfs_node(f->inode)->mapped ? 0 : INT64_MAX;
}

const struct file_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.llseek = tmpfs_llseek,
	.mmap = tmpfs_mmap,
	.fsync = tmpfs_fsync,
	.fallocate = tmpfs_fallocate,
	.steady = tmpfs_steady,
};
