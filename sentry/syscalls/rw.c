/*
 * rw.c - read, write and their vector and positioned forms, lseek.
 */
#include "abi/resource.h"
#include "kernel/task_table.h"
#include "syscalls/fs_util.h"
#include "syscalls/lend.h"
#include "syscalls/told.h"

#include <stdlib.h>

#define LINUX_RWF_KNOWN 0x17u /* HIPRI DSYNC SYNC APPEND; not NOWAIT, NOAPPEND */
#define LINUX_RWF_APPEND 16u

/* What is asked of a transfer by vectors. */
struct how {
	bool write, positioned;
	int64_t pos;
	unsigned flags; /* RWF_* */
};

/* A broken pipe or a file at its limit also tells by a signal. */
static int64_t after_write(struct task *t, int64_t r)
{
	if (r == -EPIPE)
		signal_send_task(t, LINUX_SIGPIPE, NULL);
	return r;
}

int rw_limit_len(struct task *t, int64_t pos, uint64_t *len)
{
	uint64_t limit = rlimit_get(t, LINUX_RLIMIT_FSIZE);

	if (limit == LINUX_RLIM_INFINITY)
		return 0;
	if ((uint64_t)pos >= limit) {
		signal_send_task(t, LINUX_SIGXFSZ, NULL);
		return -EFBIG;
	}
	if (*len > limit - (uint64_t)pos)
		*len = limit - (uint64_t)pos;
	return 0;
}

int rw_limit_size(struct task *t, struct file *f, struct uio *u, const int64_t *pos)
{
	if (!LINUX_S_ISREG(f->inode->mode) || !u->resid || rlimit_get(t, LINUX_RLIMIT_FSIZE) == LINUX_RLIM_INFINITY)
		return 0;
	return rw_limit_len(t, file_appends(f, u) ? (int64_t)inode_size(f->inode) : pos ? *pos : file_pos(f), &u->resid);
}

int64_t rw_transfer(struct task *t, struct file *f, struct uio *u, bool write, int64_t pos, bool positioned)
{
	int64_t r;

	if (!write)
		return positioned ? file_pread(f, u, pos) : file_read(f, u);
	r = rw_limit_size(t, f, u, positioned ? &pos : NULL);
	if (!r && u->resid)
		file_remove_privs(f, t->cred);
	if (!r)
		r = after_write(t, positioned ? file_pwrite(f, u, pos) : file_write(f, u));
	return r;
}

static int may_transfer(const struct file *f, bool write, bool positioned)
{
	if (positioned && f->mode & FILE_STREAM)
		return -ESPIPE;
	return f->mode & (write ? FILE_WRITE : FILE_READ) ? 0 : -EBADF;
}

static int64_t plain(struct task *t, const uint64_t a[6], bool write, bool positioned)
{
	struct fd_loan l = fd_borrow(t->files, (int)a[0]);
	struct uio u;
	int64_t r;

	if (!l.file)
		return -EBADF;
	uio_user(&u, t->mm, UADDR(a[1]), a[2]);
	r = may_transfer(l.file, write, positioned);
	if (!r && (int64_t)a[2] < 0)
		r = -EFAULT; /* no memory is so long */
	if (!r)
		task_count_io(t, write, r = rw_transfer(t, l.file, &u, write, (int64_t)a[3], positioned));
	if (r > 0 && l.file->mode & FILE_STREAM)
		lend_after(t, l.file, a, write, (uint64_t)r);
	if (!write && !positioned)
		tell_read(t, l.file, a, r, u.pos);
	else if (!write && r > 0 && a[2] <= TELL_DATA_MOST && !l.referenced)
		tell_data(t, l.file, (int)a[0], (int64_t)a[3]);
	fd_give_back(l);
	return r;
}

static int64_t vector(struct task *t, int fd, uint64_t iov, uint64_t n, struct how how)
{
	struct fd_loan l = fd_borrow(t->files, fd);
	struct iovec_user few[8], *v = few;
	struct uio u;
	int64_t r;

	if (!l.file)
		return -EBADF;
	r = may_transfer(l.file, how.write, how.positioned);
	if (!r)
		r = uio_import(t->mm, UADDR(iov), n, few, &v);
	if (r >= 0) {
		uio_user_iov(&u, t->mm, v, n);
		u.append = how.flags & LINUX_RWF_APPEND;
		if (u.resid && how.flags & ~LINUX_RWF_KNOWN)
			r = -EOPNOTSUPP;
		else
			r = rw_transfer(t, l.file, &u, how.write, how.pos, how.positioned);
		task_count_io(t, how.write, r);
		if (v != few)
			free(v);
	}
	fd_give_back(l);
	return r;
}

int64_t sys_read(struct task *t, const uint64_t a[6]) { return plain(t, a, false, false); }
int64_t sys_write(struct task *t, const uint64_t a[6]) { return plain(t, a, true, false); }

int64_t sys_pread64(struct task *t, const uint64_t a[6]) { return (int64_t)a[3] < 0 ? -EINVAL : plain(t, a, false, true); }
int64_t sys_pwrite64(struct task *t, const uint64_t a[6]) { return (int64_t)a[3] < 0 ? -EINVAL : plain(t, a, true, true); }

int64_t sys_readv(struct task *t, const uint64_t a[6]) { return vector(t, (int)a[0], a[1], a[2], (struct how){ 0 }); }
int64_t sys_writev(struct task *t, const uint64_t a[6]) { return vector(t, (int)a[0], a[1], a[2], (struct how){ .write = true }); }

int64_t sys_preadv(struct task *t, const uint64_t a[6])
{
	return (int64_t)a[3] < 0 ? -EINVAL : vector(t, (int)a[0], a[1], a[2], (struct how){ false, true, (int64_t)a[3], 0 });
}

int64_t sys_pwritev(struct task *t, const uint64_t a[6])
{
	return (int64_t)a[3] < 0 ? -EINVAL : vector(t, (int)a[0], a[1], a[2], (struct how){ true, true, (int64_t)a[3], 0 });
}

/* HIPRI, DSYNC and SYNC only promise; at -1 it is the file's own position. */
static int64_t vector2(struct task *t, const uint64_t a[6], bool write)
{
	int64_t pos = (int64_t)a[3];

	if (pos < -1)
		return -EINVAL;
	return vector(t, (int)a[0], a[1], a[2], (struct how){ write, pos != -1, pos, (unsigned)a[5] });
}

int64_t sys_preadv2(struct task *t, const uint64_t a[6]) { return vector2(t, a, false); }
int64_t sys_pwritev2(struct task *t, const uint64_t a[6]) { return vector2(t, a, true); }

int64_t sys_lseek(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int64_t r;

	if (!f)
		return -EBADF;
	r = (unsigned)a[2] > LINUX_SEEK_HOLE ? -EINVAL : file_llseek(f, (int64_t)a[1], (int)a[2]);
	file_put(f);
	return r;
}
