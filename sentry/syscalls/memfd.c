/*
 * memfd.c - memfd_create, fallocate, advice, fsync, file handles.
 */
#include "abi/resource.h"
#include "fs/tmpfs/tmpfs.h"
#include "syscalls/fd_util.h"
#include "syscalls/fs_util.h"
#include "vfs/notify.h"

#define MEMFD_NAME_MAX 249

int64_t sys_memfd_create(struct task *t, const uint64_t a[6])
{
	const unsigned known = LINUX_MFD_CLOEXEC | LINUX_MFD_ALLOW_SEALING | LINUX_MFD_NOEXEC_SEAL | LINUX_MFD_EXEC;
	unsigned flags = (unsigned)a[1];
	char name[MEMFD_NAME_MAX + 1];
	struct file *f;
	ssize_t n;
	int r;

	if (flags & ~known || (flags & (LINUX_MFD_NOEXEC_SEAL | LINUX_MFD_EXEC)) == (LINUX_MFD_NOEXEC_SEAL | LINUX_MFD_EXEC))
		return -EINVAL; /* MFD_HUGETLB: as a kernel without huge pages */
	n = copy_str_from_user(t->mm, name, UADDR(a[0]), sizeof(name));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	r = tmpfs_memfd(t->k->vfs, name, flags, t->cred, &f);
	return r ? r : install_new(t, f, flags & LINUX_MFD_CLOEXEC);
}

static int check_fallocate(struct task *t, struct file *f, int mode, int64_t off, int64_t len)
{
	if (off < 0 || len <= 0)
		return -EINVAL;
	if (mode & LINUX_FALLOC_FL_PUNCH_HOLE && !(mode & LINUX_FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!(f->mode & FILE_WRITE))
		return -EBADF;
	if (f->mode & FILE_STREAM || LINUX_S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (LINUX_S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!LINUX_S_ISREG(f->inode->mode))
		return -ENODEV;
	if (off > INT64_MAX - len)
		return -EFBIG;
	if (!(mode & LINUX_FALLOC_FL_KEEP_SIZE) && (uint64_t)(off + len) > rlimit_get(t, LINUX_RLIMIT_FSIZE)) {
		signal_send_task(t, LINUX_SIGXFSZ, NULL);
		return -EFBIG;
	}
	return f->ops->fallocate ? 0 : -EOPNOTSUPP;
}

int64_t sys_fallocate(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int r;

	if (!f)
		return -EBADF;
	r = check_fallocate(t, f, (int)a[1], (int64_t)a[2], (int64_t)a[3]);
	if (!r)
		file_remove_privs(f, t->cred);
	if (!r)
		r = f->ops->fallocate(f, (int)a[1], (int64_t)a[2], (int64_t)a[3]);
	if (!r)
		notify_dentry(f->path.dentry, NOTIFY_MODIFY);
	file_put(f);
	return r;
}

/* --- advice: the host reads ahead by itself ------------------------------------------- */

int64_t sys_fadvise64(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int r = 0;

	if (!f)
		return -EBADF;
	if (f->mode & FILE_STREAM)
		r = -ESPIPE;
	else if ((unsigned)a[3] > 5 || (int64_t)a[2] < 0)
		r = -EINVAL;
	file_put(f);
	return r;
}

int64_t sys_readahead(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int r = 0;

	if (!f)
		return -EBADF;
	if (!(f->mode & FILE_READ))
		r = -EBADF;
	else if (!LINUX_S_ISREG(f->inode->mode))
		r = -EINVAL;
	file_put(f);
	return r;
}

/* --- to disk -------------------------------------------------------------------------------- */

static int64_t do_fsync(struct task *t, int fd, bool data_only)
{
	struct file *f = fd_get_io(t->files, fd);
	int r;

	if (!f)
		return -EBADF;
	r = f->ops->fsync ? f->ops->fsync(f, data_only) : -EINVAL;
	file_put(f);
	return r;
}

int64_t sys_fsync(struct task *t, const uint64_t a[6]) { return do_fsync(t, (int)a[0], false); }
int64_t sys_fdatasync(struct task *t, const uint64_t a[6]) { return do_fsync(t, (int)a[0], true); }

int64_t sys_sync_file_range(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int r;

	if (!f)
		return -EBADF;
	if ((unsigned)a[3] & ~7u || (int64_t)a[1] < 0 || (int64_t)a[2] < 0)
		r = -EINVAL;
	else if (f->mode & FILE_STREAM)
		r = -ESPIPE;
	else
		r = (unsigned)a[3] && f->ops->fsync ? f->ops->fsync(f, true) : 0;
	file_put(f);
	return r;
}

/* --- file handles: no file system here has stable ones ------------------------------------- */

int64_t sys_name_to_handle_at(struct task *t, const uint64_t a[6]) { return -EOPNOTSUPP; }
int64_t sys_open_by_handle_at(struct task *t, const uint64_t a[6])
{
	return cred_capable(t->cred, LINUX_CAP_DAC_READ_SEARCH) ? -ESTALE : -EPERM;
}
