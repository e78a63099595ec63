/*
 * fd_util.c - handing new files to the program (see fd_util.h).
 */
#include "syscalls/fd_util.h"

#include "abi/resource.h"

#include <errno.h>

int install_new(struct task *t, struct file *f, bool cloexec)
{
	int fd = fd_install(t->files, f, 0, cloexec, rlimit_get(t, LINUX_RLIMIT_NOFILE));

	if (fd < 0)
		file_put(f);
	return fd;
}

int install_pair(struct task *t, struct file *f[2], bool cloexec, uaddr out)
{
	int32_t fds[2];
	int r;

	fds[0] = install_new(t, f[0], cloexec);
	if (fds[0] < 0) {
		file_put(f[1]);
		return fds[0];
	}
	fds[1] = install_new(t, f[1], cloexec);
	r = fds[1] < 0 ? fds[1] : copy_to_user(t->mm, out, fds, sizeof(fds));
	if (r) {
		fd_close_one(t->files, fds[0], t->files);
		if (fds[1] >= 0)
			fd_close_one(t->files, fds[1], t->files);
	}
	return r;
}
