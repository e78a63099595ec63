/*
 * path.c - names made, moved and removed; root and working directory; truncate.
 */
#include "abi/resource.h"
#include "syscalls/fs_util.h"
#include "vfs/notify.h"

#include <string.h>

/* --- making ------------------------------------------------------------------------ */

static int64_t do_mkdir(struct task *t, int dirfd, uint64_t name, uint32_t mode)
{
	struct at a UNINITIALIZED;
	int r = at_begin(t, &a, dirfd, name, 0);

	if (r)
		return r;
	r = vfs_mkdir(&a.w, a.name, mode);
	at_end(&a);
	return r;
}

int64_t sys_mkdir(struct task *t, const uint64_t a[6]) { return do_mkdir(t, LINUX_AT_FDCWD, a[0], (uint32_t)a[1]); }
int64_t sys_mkdirat(struct task *t, const uint64_t a[6]) { return do_mkdir(t, (int)a[0], a[1], (uint32_t)a[2]); }

/* The device number is the old encoding widened: the low 32 bits of the 64-bit one. */
static int64_t do_mknod(struct task *t, int dirfd, uint64_t name, uint32_t mode, uint32_t dev)
{
	struct at a UNINITIALIZED;
	int r;

	switch (mode & LINUX_S_IFMT) {
	case 0:
		mode |= LINUX_S_IFREG;
		break;
	case LINUX_S_IFREG:
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
	case LINUX_S_IFIFO:
	case LINUX_S_IFSOCK:
		break;
	case LINUX_S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	r = at_begin(t, &a, dirfd, name, 0);
	if (r)
		return r;
	r = vfs_mknod(&a.w, a.name, mode, LINUX_S_ISCHR(mode) || LINUX_S_ISBLK(mode) ? dev : 0, NULL);
	at_end(&a);
	return r;
}

int64_t sys_mknod(struct task *t, const uint64_t a[6]) { return do_mknod(t, LINUX_AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2]); }
int64_t sys_mknodat(struct task *t, const uint64_t a[6]) { return do_mknod(t, (int)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3]); }

static int64_t do_symlink(struct task *t, uint64_t target, int dirfd, uint64_t name)
{
	char to[LINUX_PATH_MAX] UNINITIALIZED;
	struct at a UNINITIALIZED;
	int r = copy_path_from_user(t, UADDR(target), to);

	if (r)
		return r;
	if (!to[0])
		return -ENOENT;
	r = at_begin(t, &a, dirfd, name, 0);
	if (r)
		return r;
	r = vfs_symlink(&a.w, a.name, to);
	at_end(&a);
	return r;
}

int64_t sys_symlink(struct task *t, const uint64_t a[6]) { return do_symlink(t, a[0], LINUX_AT_FDCWD, a[1]); }
int64_t sys_symlinkat(struct task *t, const uint64_t a[6]) { return do_symlink(t, a[0], (int)a[1], a[2]); }

static int64_t do_link(struct task *t, int old_fd, uint64_t old, int new_fd, uint64_t name, int flags)
{
	struct at a UNINITIALIZED;
	struct path p;
	int r;

	if (flags & ~(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & LINUX_AT_EMPTY_PATH && !cred_capable(t->cred, LINUX_CAP_DAC_READ_SEARCH))
		return -ENOENT;
	r = at_walk(t, old_fd, old, (flags & LINUX_AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) | (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0), &p);
	if (r)
		return r;
	r = at_begin(t, &a, new_fd, name, 0);
	if (!r) {
		r = vfs_link(&p, &a.w, a.name);
		at_end(&a);
	}
	path_put(&p);
	return r;
}

int64_t sys_link(struct task *t, const uint64_t a[6]) { return do_link(t, LINUX_AT_FDCWD, a[0], LINUX_AT_FDCWD, a[1], 0); }
int64_t sys_linkat(struct task *t, const uint64_t a[6]) { return do_link(t, (int)a[0], a[1], (int)a[2], a[3], (int)a[4]); }

/* --- removing and moving --------------------------------------------------------------- */

static int64_t do_unlink(struct task *t, int dirfd, uint64_t name, bool directory)
{
	struct at a UNINITIALIZED;
	int r = at_begin(t, &a, dirfd, name, 0);

	if (r)
		return r;
	r = vfs_unlink(&a.w, a.name, directory);
	at_end(&a);
	return r;
}

int64_t sys_unlink(struct task *t, const uint64_t a[6]) { return do_unlink(t, LINUX_AT_FDCWD, a[0], false); }
int64_t sys_rmdir(struct task *t, const uint64_t a[6]) { return do_unlink(t, LINUX_AT_FDCWD, a[0], true); }

int64_t sys_unlinkat(struct task *t, const uint64_t a[6])
{
	if ((int)a[2] & ~LINUX_AT_REMOVEDIR)
		return -EINVAL;
	return do_unlink(t, (int)a[0], a[1], (int)a[2] & LINUX_AT_REMOVEDIR);
}

static int64_t do_rename(struct task *t, int old_fd, uint64_t old, int new_fd, uint64_t name, unsigned flags)
{
	struct at o UNINITIALIZED, n UNINITIALIZED;
	int r;

	if (flags & ~(LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE | LINUX_RENAME_WHITEOUT))
		return -EINVAL;
	r = at_begin(t, &o, old_fd, old, 0);
	if (r)
		return r;
	r = at_begin(t, &n, new_fd, name, 0);
	if (!r) {
		r = vfs_rename(&o.w, o.name, &n.w, n.name, flags);
		at_end(&n);
	}
	at_end(&o);
	return r;
}

int64_t sys_rename(struct task *t, const uint64_t a[6]) { return do_rename(t, LINUX_AT_FDCWD, a[0], LINUX_AT_FDCWD, a[1], 0); }
int64_t sys_renameat(struct task *t, const uint64_t a[6]) { return do_rename(t, (int)a[0], a[1], (int)a[2], a[3], 0); }
int64_t sys_renameat2(struct task *t, const uint64_t a[6]) { return do_rename(t, (int)a[0], a[1], (int)a[2], a[3], (unsigned)a[4]); }

/* --- where a task stands ----------------------------------------------------------------- */

static int enter(struct task *t, struct path *p, bool root)
{
	int r = LINUX_S_ISDIR(p->dentry->inode->mode) ? vfs_permission(p, 1, t->cred) : -ENOTDIR;

	if (!r && root && !cred_capable_own(t->cred, LINUX_CAP_SYS_CHROOT))
		r = -EPERM;
	if (!r)
		fs_context_set(t->fs, root ? p : NULL, root ? NULL : p);
	if (!r && root)
		atomic_store(&t->work, true); /* task_names_look */
	path_put(p);
	return r;
}

int64_t sys_chdir(struct task *t, const uint64_t a[6])
{
	struct path p;
	int r = at_walk(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW | WALK_DIRECTORY, &p);

	return r ? r : enter(t, &p, false);
}

int64_t sys_fchdir(struct task *t, const uint64_t a[6])
{
	struct path p;
	int r = fd_path(t, (int)a[0], &p);

	return r ? r : enter(t, &p, false);
}

int64_t sys_chroot(struct task *t, const uint64_t a[6])
{
	struct path p;
	int r = at_walk(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW | WALK_DIRECTORY, &p);

	return r ? r : enter(t, &p, true);
}

int64_t sys_getcwd(struct task *t, const uint64_t a[6])
{
	char buf[LINUX_PATH_MAX] UNINITIALIZED, *name;
	struct path root, cwd;
	int64_t r = -ENAMETOOLONG;

	fs_context_root(t->fs, &root);
	fs_context_cwd(t->fs, &cwd);
	name = vfs_path_name(&cwd, &root, buf, sizeof(buf));
	if (cwd.dentry->flags & DENTRY_UNHASHED) {
		r = -ENOENT;
	} else if (name) {
		size_t n = strlen(name) + 1;

		r = n > a[1] ? -ERANGE : copy_to_user(t->mm, UADDR(a[0]), name, n) ? -EFAULT : (int64_t)n;
	}
	path_put(&root);
	path_put(&cwd);
	return r;
}

int64_t sys_umask(struct task *t, const uint64_t a[6])
{
	uint32_t old;

	mutex_lock(&t->fs->mu);
	old = t->fs->umask;
	t->fs->umask = (uint32_t)a[0] & 0777;
	mutex_unlock(&t->fs->mu);
	return old;
}

/* --- sizes --------------------------------------------------------------------------------- */

static int check_length(struct task *t, int64_t len)
{
	uint64_t limit = rlimit_get(t, LINUX_RLIMIT_FSIZE);

	if (len < 0)
		return -EINVAL;
	if ((uint64_t)len > limit) {
		signal_send_task(t, LINUX_SIGXFSZ, NULL);
		return -EFBIG;
	}
	return 0;
}

int64_t sys_truncate(struct task *t, const uint64_t a[6])
{
	struct path p;
	int r = (int64_t)a[1] < 0 ? -EINVAL : at_walk(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW, &p);

	if (r)
		return r;
	r = check_length(t, (int64_t)a[1]);
	if (!r)
		r = vfs_truncate(&p, a[1], t->cred);
	path_put(&p);
	return r;
}

int64_t sys_ftruncate(struct task *t, const uint64_t a[6])
{
	struct file *f;
	int r;

	if ((int64_t)a[1] < 0)
		return -EINVAL;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	if (!LINUX_S_ISREG(f->inode->mode) || !(f->mode & FILE_WRITE))
		r = -EINVAL;
	else
		r = check_length(t, (int64_t)a[1]);
	if (!r)
		r = vfs_truncate_inode(f->inode, a[1], t->cred);
	if (!r)
		notify_dentry(f->path.dentry, NOTIFY_MODIFY);
	file_put(f);
	return r;
}
