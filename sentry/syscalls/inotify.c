/*
 * inotify.c - inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch, and fcntl's F_NOTIFY.
 */
#include "fs/dnotify.h"
#include "fs/inotify.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "syscalls/fd_util.h"
#include "syscalls/fs_util.h"
#include "syscalls/syscall.h"
#include "vfs/told.h"

#include <errno.h>

static int64_t create(struct task *t, int flags)
{
	struct file *f;
	int r;

	if (flags & ~(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC))
		return -EINVAL;
	r = inotify_create(t->k->vfs, flags & LINUX_O_NONBLOCK, t->cred, &f);
	return r ? r : install_new(t, f, flags & LINUX_O_CLOEXEC);
}

int64_t sys_inotify_init(struct task *t, const uint64_t a[6])
{
	return create(t, 0);
}

int64_t sys_inotify_init1(struct task *t, const uint64_t a[6])
{
	return create(t, (int)a[0]);
}

#define KNOWN_BITS                                                                                                                                   \
	(LINUX_IN_ALL_EVENTS | LINUX_IN_UNMOUNT | LINUX_IN_Q_OVERFLOW | LINUX_IN_IGNORED | LINUX_IN_ONLYDIR | LINUX_IN_DONT_FOLLOW |                 \
		LINUX_IN_EXCL_UNLINK | LINUX_IN_MASK_CREATE | LINUX_IN_MASK_ADD | 0x40000000u | LINUX_IN_ONESHOT)

static void tell_no_more(const struct dentry *d, void *arg)
{
	inode_changed(d->inode);
}

/* Programs that read d, or what is in it, without asking, ask again: told.h (which is of no other files). */
static void watch_reads(struct dentry *d)
{
	inode_changed(d->inode);
	if (LINUX_S_ISDIR(d->inode->mode))
		dcache_each_pinned(d, tell_no_more, NULL);
}

static int64_t add_by_name(struct task *t, struct file *f, uaddr name, uint32_t mask)
{
	struct walk w = { .fs = t->fs, .cred = t->cred };
	char buf[4096];
	struct path p;
	int r;

	w.flags = (mask & LINUX_IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & LINUX_IN_ONLYDIR ? WALK_DIRECTORY : 0);
	r = copy_path_from_user(t, name, buf);
	if (!r)
		r = vfs_walk(&w, buf, &p);
	if (r)
		return r;
	r = p.dentry->inode ? vfs_permission(&p, 4, t->cred) : -ENOENT;
	if (!r)
		r = inotify_add(f, p.dentry->inode, mask);
	if (r >= 0)
		watch_reads(p.dentry);
	path_put(&p);
	return r;
}

int64_t sys_inotify_add_watch(struct task *t, const uint64_t a[6])
{
	uint32_t mask = (uint32_t)a[2];
	struct file *f;
	int64_t r;

	if (!(mask & KNOWN_BITS) || (mask & LINUX_IN_MASK_ADD && mask & LINUX_IN_MASK_CREATE))
		return -EINVAL;
	f = fd_get_io(t->files, (int)a[0]);
	if (!f)
		return -EBADF;
	r = inotify_check(f);
	if (!r)
		r = add_by_name(t, f, UADDR(a[1]), mask);
	file_put(f);
	return r;
}

int64_t sys_inotify_rm_watch(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get_io(t->files, (int)a[0]);
	int64_t r;

	if (!f)
		return -EBADF;
	r = inotify_remove(f, (int)a[1]);
	file_put(f);
	return r;
}

int64_t fcntl_notify(struct task *t, struct file *f, int fd, uint32_t arg)
{
	struct file *now;
	int r;

	if (!(arg & ~LINUX_DN_MULTISHOT)) {
		dnotify_remove(f, t->files);
		return 0;
	}
	if (!LINUX_S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	r = dnotify_add(t, f, fd, arg);
	if (r)
		return r;
	now = fd_get(t->files, fd); /* another thread may have closed it before that */
	if (now != f)
		dnotify_remove(f, t->files);
	file_put(now);
	watch_reads(f->path.dentry);
	return 0;
}
