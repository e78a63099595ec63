/*
 * stat.c - stat, lstat, fstat, newfstatat, statx, readlink.
 */
#include "syscalls/stat.h"

#include "syscalls/fs_util.h"
#include "syscalls/told.h"
#include "vfs/named.h"

#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)

/* The seconds; times before 1970 round towards the past. */
static int64_t split(int64_t ns, int64_t *rest)
{
	int64_t s = ns / NS;

	*rest = ns - s * NS;
	if (*rest < 0) {
		*rest += NS;
		s--;
	}
	return s;
}

void stat_fill(struct linux_stat *s, const struct kstat *k, const struct user_ns *ns)
{
	*s = (struct linux_stat){ .dev = k->dev, .ino = k->ino, .nlink = k->nlink, .mode = k->mode, .uid = uid_shown(ns, k->uid),
		.gid = gid_shown(ns, k->gid), .rdev = k->rdev, .size = (int64_t)k->size, .blksize = k->blksize, .blocks = (int64_t)k->blocks };
	s->atime = split(k->atime, &s->atime_nsec);
	s->mtime = split(k->mtime, &s->mtime_nsec);
	s->ctime = split(k->ctime, &s->ctime_nsec);
}

static int put_stat(struct task *t, uint64_t to, const struct kstat *k)
{
	struct linux_stat s;

	stat_fill(&s, k, t->cred->user_ns);
	return copy_to_user(t->mm, UADDR(to), &s, sizeof(s));
}

/* An empty name with AT_EMPTY_PATH and a descriptor needs no walk. */
static int stat_fd(struct task *t, int fd, struct kstat *k)
{
	struct fd_loan l = fd_borrow(t->files, fd);
	int r;

	if (!l.file)
		return -EBADF;
	r = vfs_getattr(&l.file->path, k);
	if (!l.referenced)
		tell_asked(t, l.file, fd);
	fd_give_back(l);
	return r;
}

static bool empty_name(struct task *t, uint64_t name)
{
	char c;

	return !copy_from_user(t->mm, &c, UADDR(name), 1) && !c;
}

/* The program may know by itself from now on where that path leads: to p, with these attributes, or (found: 0 or -errno) nowhere. */
static void tell_name(struct task *t, const struct at *a, uint64_t changes, int found, const struct path *p, const struct kstat *k)
{
	struct platform_name n = { .path = a->name, .nofollow = !(a->w.flags & WALK_FOLLOW), .missing = found, .changes = changes };
	struct linux_stat s;

	n.len = (unsigned)strnlen(a->name, PLATFORM_NAME_MAX);
	if (n.len == PLATFORM_NAME_MAX || !(a->w.sflags & SUPER_STEADY))
		return;
	if (found ? found != -ENOENT : !named_is_steady(p))
		return;
	if (!found) {
		stat_fill(&s, k, t->cred->user_ns);
		memcpy(n.stat, &s, sizeof(s));
	}
	task_names_tell(t, &n);
}

/* To what the name that a begins with leads, and its attributes. */
static int stat_walk(struct task *t, struct at *a, struct path *p, struct kstat *k)
{
	uint64_t changes = task_names_begin(t, a->name);
	int r = vfs_walk(&a->w, a->name, p), e = 0;

	if (!r && changes)
		inode_mark_named(p->dentry->inode);
	if (!r)
		e = vfs_getattr(p, k);
	if (changes && !e)
		tell_name(t, a, changes, r, p, k);
	if (e)
		path_put(p);
	return r ? r : e;
}

static int stat_at(struct task *t, int dirfd, uint64_t name, int flags, struct kstat *k, struct path *where)
{
	unsigned how = (flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
	struct at a UNINITIALIZED;
	struct path p;
	int r;

	if (flags & LINUX_AT_EMPTY_PATH && dirfd >= 0 && !where && empty_name(t, name))
		return stat_fd(t, dirfd, k);
	r = at_begin(t, &a, dirfd, name, how);
	if (r)
		return r;
	r = stat_walk(t, &a, &p, k);
	at_end(&a);
	if (r)
		return r;
	if (where)
		*where = p;
	else
		path_put(&p);
	return r;
}

static int64_t do_stat(struct task *t, int dirfd, uint64_t name, int flags, uint64_t to)
{
	struct kstat k;
	int r = stat_at(t, dirfd, name, flags, &k, NULL);

	return r ? r : put_stat(t, to, &k);
}

int64_t sys_stat(struct task *t, const uint64_t a[6]) { return do_stat(t, LINUX_AT_FDCWD, a[0], 0, a[1]); }
int64_t sys_lstat(struct task *t, const uint64_t a[6]) { return do_stat(t, LINUX_AT_FDCWD, a[0], LINUX_AT_SYMLINK_NOFOLLOW, a[1]); }

int64_t sys_fstat(struct task *t, const uint64_t a[6])
{
	struct kstat k;
	int r = stat_fd(t, (int)a[0], &k);

	return r ? r : put_stat(t, a[1], &k);
}

int64_t sys_newfstatat(struct task *t, const uint64_t a[6])
{
	int flags = (int)a[3];

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH | LINUX_AT_STATX_SYNC_TYPE))
		return -EINVAL;
	return do_stat(t, (int)a[0], a[1], flags, a[2]);
}

static struct linux_statx_timestamp stamp(int64_t ns)
{
	int64_t rest, s = split(ns, &rest);

	return (struct linux_statx_timestamp){ .sec = s, .nsec = (uint32_t)rest };
}

static void fill_statx(struct linux_statx *x, const struct user_ns *ns, const struct kstat *k, uint64_t mnt_id, bool root)
{
	*x = (struct linux_statx){ .mask = LINUX_STATX_BASIC_STATS | (mnt_id ? LINUX_STATX_MNT_ID : 0), .blksize = k->blksize,
		.attributes = k->attributes | (root ? LINUX_STATX_ATTR_MOUNT_ROOT : 0), .nlink = k->nlink, .uid = uid_shown(ns, k->uid), .gid = gid_shown(ns, k->gid),
		.mode = (uint16_t)k->mode, .ino = k->ino, .size = k->size, .blocks = k->blocks, .attributes_mask = LINUX_STATX_ATTR_MOUNT_ROOT,
		.atime = stamp(k->atime), .ctime = stamp(k->ctime), .mtime = stamp(k->mtime), .rdev_major = linux_major(k->rdev),
		.rdev_minor = linux_minor(k->rdev), .dev_major = linux_major(k->dev), .dev_minor = linux_minor(k->dev), .mnt_id = mnt_id };
	if (k->btime) {
		x->btime = stamp(k->btime);
		x->mask |= LINUX_STATX_BTIME;
	}
}

int64_t sys_statx(struct task *t, const uint64_t a[6])
{
	const int known = LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH | LINUX_AT_STATX_SYNC_TYPE;
	int flags = (int)a[2], r;
	struct linux_statx x;
	struct kstat k;
	struct path p = { NULL, NULL };

	if (a[3] & LINUX_STATX_RESERVED || flags & ~known || (flags & LINUX_AT_STATX_SYNC_TYPE) == LINUX_AT_STATX_SYNC_TYPE)
		return -EINVAL;
	r = stat_at(t, (int)a[0], a[1], flags, &k, &p);
	if (!r) {
		fill_statx(&x, t->cred->user_ns, &k, p.mnt ? (uint64_t)mount_id(p.mnt) : 0, path_is_mount_root(&p));
		r = copy_to_user(t->mm, UADDR(a[4]), &x, sizeof(x));
	}
	path_put(&p);
	return r;
}

static int64_t do_readlink(struct task *t, int dirfd, uint64_t name, uint64_t buf, int size)
{
	struct path p;
	char *target;
	size_t n;
	int64_t r;

	if (size <= 0)
		return -EINVAL;
	r = at_walk(t, dirfd, name, WALK_EMPTY, &p);
	if (r)
		return r;
	if (!LINUX_S_ISLNK(p.dentry->inode->mode))
		r = empty_name(t, name) ? -ENOENT : -EINVAL;
	else
		r = vfs_readlink(&p, &target);
	path_put(&p);
	if (r)
		return r;
	n = strlen(target);
	if (n > (size_t)size)
		n = (size_t)size;
	r = copy_to_user(t->mm, UADDR(buf), target, n) ? -EFAULT : (int64_t)n;
	free(target);
	return r;
}

int64_t sys_readlink(struct task *t, const uint64_t a[6]) { return do_readlink(t, LINUX_AT_FDCWD, a[0], a[1], (int)a[2]); }
int64_t sys_readlinkat(struct task *t, const uint64_t a[6]) { return do_readlink(t, (int)a[0], a[1], a[2], (int)a[3]); }
