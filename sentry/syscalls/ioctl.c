/*
 * ioctl.c - ioctl: what all files answer, then the file's own.
 */
#include "syscalls/fs_util.h"

static int64_t set_flag(struct task *t, struct file *f, int fd, uint64_t arg, uint32_t flag)
{
	int32_t on;

	if (copy_from_user(t->mm, &on, UADDR(arg), sizeof(on)))
		return -EFAULT;
	if (flag == LINUX_O_ASYNC && !(f->mode & FILE_ASYNC))
		return on ? -ENOTTY : 0;
	return file_set_flags(t, f, fd, on ? f->flags | flag : f->flags & ~flag);
}

static int64_t put_int(struct task *t, uint64_t arg, int64_t v)
{
	int32_t i = v > INT32_MAX ? INT32_MAX : (int32_t)v;

	return copy_to_user(t->mm, UADDR(arg), &i, sizeof(i));
}

/* Regular files and directories. */
static int64_t file_ioctl(struct task *t, struct file *f, unsigned cmd, uint64_t arg)
{
	struct kstat k;
	int r;

	if (cmd == LINUX_FIGETBSZ)
		return put_int(t, arg, 4096);
	if (!LINUX_S_ISREG(f->inode->mode) || (cmd != LINUX_FIONREAD && cmd != LINUX_FIOQSIZE))
		return -ENOTTY;
	r = vfs_getattr(&f->path, &k);
	if (r)
		return r;
	if (cmd == LINUX_FIOQSIZE)
		return copy_to_user(t->mm, UADDR(arg), &k.size, sizeof(k.size));
	return put_int(t, arg, (int64_t)k.size - file_pos(f));
}

static int64_t socket_owner(struct task *t, struct file *f, unsigned cmd, uint64_t arg)
{
	int32_t who;

	if (cmd == LINUX_FIOGETOWN || cmd == LINUX_SIOCGPGRP)
		return put_int(t, arg, file_get_owner(t, f));
	return copy_from_user(t->mm, &who, UADDR(arg), sizeof(who)) ? -EFAULT : file_set_owner(t, f, who);
}

static int64_t any_ioctl(struct task *t, struct file *f, int fd, unsigned cmd, uint64_t arg)
{
	int64_t r;

	switch (cmd) {
	case LINUX_FIOCLEX:
		return fd_set_cloexec(t->files, fd, true);
	case LINUX_FIONCLEX:
		return fd_set_cloexec(t->files, fd, false);
	case LINUX_FIONBIO:
		return set_flag(t, f, fd, arg, LINUX_O_NONBLOCK);
	case LINUX_FIOASYNC:
		return set_flag(t, f, fd, arg, LINUX_O_ASYNC);
	case LINUX_FIOSETOWN:
	case LINUX_SIOCSPGRP:
	case LINUX_FIOGETOWN:
	case LINUX_SIOCGPGRP:
		return LINUX_S_ISSOCK(f->inode->mode) ? socket_owner(t, f, cmd, arg) : -ENOTTY;
	default:
		r = f->ops->ioctl ? f->ops->ioctl(f, t->mm, cmd, arg) : -ENOTTY;
		return r == -ENOTTY && !(f->mode & FILE_STREAM) ? file_ioctl(t, f, cmd, arg) : r;
	}
}

int64_t sys_ioctl(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int64_t r;

	if (!f)
		return -EBADF;
	r = any_ioctl(t, f, (int)a[0], (unsigned)a[1], a[2]);
	file_put(f);
	return r;
}
