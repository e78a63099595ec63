/*
 * async.c - the calls of signal-driven input and output: a file's status flags,
 * whom its readiness is told, and by which signal.  fcntl's commands and ioctl's.
 */
#include "syscalls/fs_util.h"

#include "kernel/sigio.h"

#include <limits.h>
#include <stdlib.h>

int file_set_flags(struct task *t, struct file *f, int fd, uint32_t want)
{
	uint32_t changed = f->flags ^ want;
	int r = 0;

	if (!(f->mode & FILE_ASYNC)) /* nothing would ever be told */
		want &= ~(uint32_t)LINUX_O_ASYNC;
	else if (changed & LINUX_O_ASYNC)
		r = sigio_enable(t, f, fd, want & LINUX_O_ASYNC);
	if (!r && f->ops->set_flags)
		r = f->ops->set_flags(f, (int)want);
	if (!r)
		f->flags = want;
	return r;
}

static int64_t owner_ex(struct task *t, struct file *f, uint64_t arg, bool set)
{
	struct linux_f_owner_ex x;

	if (!set) {
		sigio_get_owner(t, f, &x);
		return copy_to_user(t->mm, UADDR(arg), &x, sizeof(x));
	}
	if (copy_from_user(t->mm, &x, UADDR(arg), sizeof(x)))
		return -EFAULT;
	if (x.type < LINUX_F_OWNER_TID || x.type > LINUX_F_OWNER_PGRP)
		return -EINVAL;
	return sigio_set_owner(t, f, &x);
}

int64_t file_set_owner(struct task *t, struct file *f, int who)
{
	struct linux_f_owner_ex x = { who < 0 ? LINUX_F_OWNER_PGRP : LINUX_F_OWNER_PID, who };

	if (who == INT_MIN)
		return -EINVAL;
	x.pid = abs(who);
	return sigio_set_owner(t, f, &x);
}

int64_t file_get_owner(struct task *t, struct file *f)
{
	struct linux_f_owner_ex x;

	sigio_get_owner(t, f, &x);
	return x.type == LINUX_F_OWNER_PGRP ? -x.pid : x.pid;
}

int64_t fcntl_owner(struct task *t, struct file *f, int cmd, uint64_t arg)
{
	switch (cmd) {
	case LINUX_F_SETOWN:
		return file_set_owner(t, f, (int)arg);
	case LINUX_F_GETOWN:
		return file_get_owner(t, f);
	case LINUX_F_SETSIG:
		return sigio_set_signal(t->k, f, (int)arg);
	case LINUX_F_GETSIG:
		return sigio_get_signal(f);
	default:
		return owner_ex(t, f, arg, cmd == LINUX_F_SETOWN_EX);
	}
}
