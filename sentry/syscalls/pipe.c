/*
 * pipe.c - pipe, pipe2.
 */
#include "fs/pipe.h"

#include "abi/fcntl.h"
#include "syscalls/fd_util.h"
#include "syscalls/syscall.h"

#include <errno.h>

static int64_t make(struct task *t, uaddr out, int flags)
{
	struct file *f[2];
	int r = pipe_create(t->k->vfs, flags & (LINUX_O_NONBLOCK | LINUX_O_DIRECT), t->cred, f);

	return r ? r : install_pair(t, f, flags & LINUX_O_CLOEXEC, out);
}

int64_t sys_pipe(struct task *t, const uint64_t a[6])
{
	return make(t, UADDR(a[0]), 0);
}

int64_t sys_pipe2(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[1];

	if (flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC | LINUX_O_DIRECT))
		return -EINVAL;
	return make(t, UADDR(a[0]), flags);
}
