/*
 * file.c - open regular files: data moves between the host file and program memory
 * without the gofer, by the descriptors of descriptor.c; offsets are always explicit.
 */
#include "libipc/hostcall.h"
#include "fs/gofer/internal.h"

#include "mm/usercopy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BOUNCE 16384u
#define SMALL 1024u /* below this a copy is cheaper than pinning */
#define PIN_BYTES (8u << 20)
#define IOVS 16

/* --- opening and closing ------------------------------------------------------------ */

int gofer_open(struct inode *i, struct file *f)
{
	struct gnode *n = gnode(i);
	bool write = f->mode & FILE_WRITE;
	int fd;

	if (LINUX_S_ISDIR(i->mode)) {
		f->ops = &gofer_dir_ops;
		return 0;
	}
	gnode_add_user(n, write);
	if (!write && !gnode_has_fd(n))
		gofer_open_ahead(f);
	if (n->ahead && atomic_exchange(&n->ahead, false))
		gsuper(i->sb)->opens_used++;
	fd = gnode_fd(n, write);
	if (fd == -EMFILE || fd == -ENFILE) {
		gofer_idle_trim(gsuper(i->sb), 0);
		fd = gnode_fd(n, write);
	}
	if (fd < 0) {
		gnode_drop_user(n, write);
		return fd;
	}
	if (write)
		gnode_dirty(i);
	f->ops = &gofer_file_ops;
	return 0;
}

static void gofer_close(struct file *f)
{
	struct gnode *n = gnode(f->inode);
	bool write = f->mode & FILE_WRITE;

	gnode_drop_user(n, write);
	if (write && !n->writers) /* the last chance to ask cheaply */
		gofer_refresh(f->inode);
}

/* The descriptor an open file uses; it is there as long as the file is. */
static int fd_of(struct file *f)
{
	struct gnode *n = gnode(f->inode);

	return gnode_fd(n, f->mode & FILE_WRITE);
}

/* --- data ---------------------------------------------------------------------------- */

/* How long what is known of it stays true: nobody may change it but by gnode_dirty. */
static int64_t gofer_steady(struct file *f)
{
	struct gnode *n = gnode(f->inode);

	return n->writers || n->dirty || gsuper(n->sb)->shared ? 0 : super_knows_for(n->sb, n->fresh);
}

/* What of the file lies behind pos, if that is known without asking the host: nobody may
 * change it.  -1: it is not.  (Where a file has no blocks its size may say nothing: /proc.) */
static int64_t left_behind(struct file *f, int64_t pos)
{
	struct inode *i = f->inode;
	int64_t left = -1;

	if (!gofer_steady(f))
		return -1;
	mutex_lock(&i->a_mu);
	if (gnode(i)->blocks)
		left = (uint64_t)pos < i->size ? (int64_t)(i->size - (uint64_t)pos) : 0;
	mutex_unlock(&i->a_mu);
	return left;
}

static ssize_t bounce_read(int fd, struct uio *u, size_t want, int64_t pos, bool *end)
{
	uint8_t buf[BOUNCE];
	ssize_t r;

	if (want > sizeof(buf))
		want = sizeof(buf);
	lock_wake_lazy();
	r = pread(fd, buf, want, pos);
	if (r < 0)
		return -errno;
	*end = (size_t)r < want;
	return r ? uio_copy_out(u, buf, (size_t)r) : 0;
}

/* At most `want` bytes. *end: the file ends there. */
static ssize_t direct_read(int fd, struct uio *u, size_t want, int64_t pos, bool *end)
{
	struct iovec iov[IOVS];
	struct uio_pin pin;
	int n = uio_pin(u, want < PIN_BYTES ? want : PIN_BYTES, true, iov, IOVS, &pin);
	size_t pinned = 0;
	ssize_t r;

	if (n < 0)
		return n;
	if (!n)
		return bounce_read(fd, u, want, pos, end);
	for (int k = 0; k < n; k++)
		pinned += iov[k].iov_len;
	lock_wake_lazy();
	r = preadv2(fd, iov, n, pos, 0);
	if (r < 0)
		r = -errno;
	uio_unpin(&pin);
	if (r > 0)
		uio_advance(u, (uint64_t)r);
	*end = r >= 0 && (size_t)r < pinned;
	return r;
}

static ssize_t gofer_read(struct file *f, struct uio *u, int64_t *pos)
{
	int64_t left = left_behind(f, *pos);
	int fd = left ? fd_of(f) : 0;
	bool end = !left;
	ssize_t done = 0;

	if (fd < 0)
		return fd;
	while (u->resid && !end) {
		size_t want = left > 0 && u->resid > (uint64_t)left ? (size_t)left : u->resid;
		ssize_t r = want <= SMALL ? bounce_read(fd, u, want, *pos, &end) : direct_read(fd, u, want, *pos, &end);

		if (r <= 0) {
			if (!done)
				done = r;
			break;
		}
		*pos += r;
		done += r;
		if (left > 0 && !(left -= r))
			end = true;
	}
	if (done >= 0)
		file_accessed(f);
	return done;
}

static ssize_t bounce_write(int fd, struct uio *u, int64_t pos, int flags)
{
	uint8_t buf[BOUNCE];
	struct uio at = *u;
	struct iovec iov = { .iov_base = buf };
	ssize_t n = uio_copy_in(&at, buf, u->resid < sizeof(buf) ? u->resid : sizeof(buf)), r;

	if (n <= 0)
		return n;
	iov.iov_len = (size_t)n;
	lock_wake_lazy();
	r = pwritev2(fd, &iov, 1, pos, flags);
	if (r < 0)
		return -errno;
	uio_advance(u, (uint64_t)r);
	return r;
}

static ssize_t direct_write(int fd, struct uio *u, int64_t pos, int flags)
{
	struct iovec iov[IOVS];
	struct uio_pin pin;
	int n = uio_pin(u, u->resid < PIN_BYTES ? u->resid : PIN_BYTES, false, iov, IOVS, &pin);
	ssize_t r;

	if (n < 0)
		return n;
	if (!n)
		return bounce_write(fd, u, pos, flags);
	lock_wake_lazy();
	r = pwritev2(fd, iov, n, pos, flags);
	if (r < 0)
		r = -errno;
	uio_unpin(&pin);
	if (r > 0)
		uio_advance(u, (uint64_t)r);
	return r;
}

/* Where an append ended: only the host knows. */
static int64_t end_of(int fd)
{
	struct stat st;

	return host_fstat(fd, &st) ? 0 : st.st_size;
}

static ssize_t gofer_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct inode *i = f->inode;
	bool append = file_appends(f, u);
	int fd = fd_of(f), flags = append ? RWF_APPEND : 0;
	int64_t at = *pos;
	ssize_t done = 0;

	if (fd < 0)
		return fd;
	mutex_lock_nested(&i->mu); /* an overlay may hold its own */
	while (u->resid) {
		ssize_t r = u->resid <= SMALL ? bounce_write(fd, u, at, flags) : direct_write(fd, u, at, flags);

		if (r <= 0) {
			if (!done)
				done = r;
			break;
		}
		at += r;
		done += r;
	}
	if (done > 0) {
		if (append)
			at = end_of(fd);
		*pos = at;
		mutex_lock(&i->a_mu);
		if ((uint64_t)at > i->size)
			i->size = (uint64_t)at;
		mutex_unlock(&i->a_mu);
		gnode_dirty(i);
		memobj_written(&gnode(i)->obj);
		gofer_keep_set_id(i);
	}
	mutex_unlock(&i->mu);
	if (done > 0 && f->flags & LINUX_O_DSYNC && fdatasync(fd))
		return -errno;
	return done;
}

/* --- the rest ----------------------------------------------------------------------------- */

static int64_t gofer_llseek(struct file *f, int64_t off, int whence)
{
	int fd = fd_of(f);
	off_t r;

	if (fd < 0)
		return fd;
	if (whence == LINUX_SEEK_DATA || whence == LINUX_SEEK_HOLE) {
		r = lseek(fd, off, whence == LINUX_SEEK_DATA ? SEEK_DATA : SEEK_HOLE);
		if (r < 0)
			return -errno;
		f->pos = r;
		return r;
	}
	return llseek_size(f, off, whence, whence == LINUX_SEEK_END ? end_of(fd) : 0);
}

static int gofer_fsync(struct file *f, bool data_only)
{
	int fd = fd_of(f);

	if (fd < 0)
		return fd;
	return (data_only ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
}

static int gofer_fallocate(struct file *f, int mode, int64_t off, int64_t len)
{
	struct inode *i = f->inode;
	int fd = fd_of(f), r;

	if (fd < 0)
		return fd;
	mutex_lock_nested(&i->mu); /* as in gofer_write */
	r = fallocate(fd, mode, off, len) ? -errno : 0;
	if (!r) {
		mutex_lock(&i->a_mu);
		i->size = (uint64_t)end_of(fd);
		mutex_unlock(&i->a_mu);
		gnode_dirty(i);
		gofer_keep_set_id(i);
	}
	mutex_unlock(&i->mu);
	return r;
}

static int gofer_host_fd(struct file *f) { return fd_of(f); }

static int gofer_mmap(struct file *f, int prot, bool shared, struct memobj **obj)
{
	int fd = fd_of(f);

	if (fd < 0)
		return fd;
	*obj = &gnode(f->inode)->obj;
	memobj_get(*obj);
	return 0;
}

const struct file_ops gofer_file_ops = {
	.read = gofer_read,
	.write = gofer_write,
	.llseek = gofer_llseek,
	.mmap = gofer_mmap,
	.fsync = gofer_fsync,
	.fallocate = gofer_fallocate,
	.release = gofer_close,
	.steady = gofer_steady,
	.host_fd = gofer_host_fd,
};
