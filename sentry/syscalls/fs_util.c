/*
 * fs_util.c - names from programs (see fs_util.h).
 */
#include "syscalls/fs_util.h"

int at_begin(struct task *t, struct at *a, int dirfd, uint64_t name, unsigned flags)
{
	int r = copy_path_from_user(t, UADDR(name), a->name);

	if (r)
		return r;
	a->w.fs = t->fs;
	a->w.cred = t->cred;
	a->w.flags = flags;
	r = at_base(t, dirfd, flags & WALK_IN_ROOT ? "" : a->name, &a->f, &a->w.base); /* there "/" is dirfd */
	if (r && !a->name[0] && !(flags & WALK_EMPTY))
		return -ENOENT;
	return r;
}

void at_end(struct at *a)
{
	if (a->f)
		file_put(a->f);
}

int at_walk(struct task *t, int dirfd, uint64_t name, unsigned flags, struct path *out)
{
	struct at a UNINITIALIZED;
	int r = at_begin(t, &a, dirfd, name, flags);

	if (r)
		return r;
	r = vfs_walk(&a.w, a.name, out);
	at_end(&a);
	return r;
}

int fd_path(struct task *t, int fd, struct path *out)
{
	struct file *f = fd_get(t->files, fd);

	if (!f)
		return -EBADF;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}
