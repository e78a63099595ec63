/*
 * xattr.c - extended attributes by name, by link's own name, by descriptor.
 */
#include "syscalls/fs_util.h"

#include <stdlib.h>

#define XATTR_SIZE_MAX_ 65536u
#define XATTR_NAME_MAX_ 255u

static int copy_name(struct task *t, uint64_t from, char name[XATTR_NAME_MAX_ + 1])
{
	ssize_t n = copy_str_from_user(t->mm, name, UADDR(from), XATTR_NAME_MAX_ + 1);

	if (n == -ENAMETOOLONG || n == 0)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

static int io_path(struct task *t, int fd, struct path *p)
{
	struct file *f = fd_get_io(t->files, fd);

	if (!f)
		return -EBADF;
	*p = f->path;
	path_get(p);
	file_put(f);
	return 0;
}

/* --- each on a path, which is put ------------------------------------------------------ */

static int64_t set_on(struct task *t, struct path *p, const uint64_t a[6])
{
	char name[XATTR_NAME_MAX_ + 1];
	int flags = (int)a[4], r = 0;
	void *value = NULL;

	if (flags & ~(LINUX_XATTR_CREATE | LINUX_XATTR_REPLACE))
		r = -EINVAL;
	if (!r)
		r = copy_name(t, a[1], name);
	if (!r && a[3] > XATTR_SIZE_MAX_)
		r = -E2BIG;
	if (!r && !(value = malloc(a[3] ? a[3] : 1)))
		r = -ENOMEM;
	if (!r && copy_from_user(t->mm, value, UADDR(a[2]), a[3]))
		r = -EFAULT;
	if (!r)
		r = vfs_setxattr(p, name, value, a[3], flags, t->cred);
	free(value);
	path_put(p);
	return r;
}

static int64_t get_on(struct task *t, struct path *p, const uint64_t a[6])
{
	size_t size = a[3] < XATTR_SIZE_MAX_ ? a[3] : XATTR_SIZE_MAX_;
	char name[XATTR_NAME_MAX_ + 1];
	void *value = NULL;
	int64_t r = copy_name(t, a[1], name);

	if (!r && !(value = malloc(size ? size : 1)))
		r = -ENOMEM;
	if (!r)
		r = vfs_getxattr(p, name, value, size, t->cred);
	if (r > 0 && size && copy_to_user(t->mm, UADDR(a[2]), value, (size_t)r))
		r = -EFAULT;
	free(value);
	path_put(p);
	return r;
}

static int64_t list_on(struct task *t, struct path *p, const uint64_t a[6])
{
	size_t size = a[2] < XATTR_SIZE_MAX_ ? a[2] : XATTR_SIZE_MAX_;
	char *list = malloc(size ? size : 1);
	int64_t r = list ? vfs_listxattr(p, list, size, t->cred) : -ENOMEM;

	if (r > 0 && size && copy_to_user(t->mm, UADDR(a[1]), list, (size_t)r))
		r = -EFAULT;
	free(list);
	path_put(p);
	return r;
}

static int64_t remove_on(struct task *t, struct path *p, const uint64_t a[6])
{
	char name[XATTR_NAME_MAX_ + 1];
	int r = copy_name(t, a[1], name);

	if (!r)
		r = vfs_setxattr(p, name, NULL, 0, 0, t->cred);
	path_put(p);
	return r;
}

/* --- three ways to name the file ---------------------------------------------------------- */

#define BY_NAME(call, op, walk)                                                                                                                      \
	int64_t sys_##call(struct task *t, const uint64_t a[6])                                                                                      \
	{                                                                                                                                            \
		struct path p;                                                                                                                       \
		int r = at_walk(t, LINUX_AT_FDCWD, a[0], walk, &p);                                                                                  \
                                                                                                                                                     \
		return r ? r : op(t, &p, a);                                                                                                         \
	}
#define BY_FD(call, op)                                                                                                                              \
	int64_t sys_##call(struct task *t, const uint64_t a[6])                                                                                      \
	{                                                                                                                                            \
		struct path p;                                                                                                                       \
		int r = io_path(t, (int)a[0], &p);                                                                                                   \
                                                                                                                                                     \
		return r ? r : op(t, &p, a);                                                                                                         \
	}

BY_NAME(setxattr, set_on, WALK_FOLLOW)
BY_NAME(lsetxattr, set_on, 0)
BY_FD(fsetxattr, set_on)
BY_NAME(getxattr, get_on, WALK_FOLLOW)
BY_NAME(lgetxattr, get_on, 0)
BY_FD(fgetxattr, get_on)
BY_NAME(listxattr, list_on, WALK_FOLLOW)
BY_NAME(llistxattr, list_on, 0)
BY_FD(flistxattr, list_on)
BY_NAME(removexattr, remove_on, WALK_FOLLOW)
BY_NAME(lremovexattr, remove_on, 0)
BY_FD(fremovexattr, remove_on)
