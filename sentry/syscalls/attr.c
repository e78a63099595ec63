/*
 * attr.c - chmod, chown, access and times.
 */
#include "abi/time.h"
#include "syscalls/fs_util.h"

static int64_t set_at(struct task *t, int dirfd, uint64_t name, unsigned walk, const struct iattr *a)
{
	struct path p;
	int r = at_walk(t, dirfd, name, walk, &p);

	if (r)
		return r;
	r = vfs_setattr(&p, a, t->cred);
	path_put(&p);
	return r;
}

static int64_t set_fd(struct task *t, int fd, const struct iattr *a)
{
	struct file *f = fd_get_io(t->files, fd);
	int r;

	if (!f)
		return -EBADF;
	r = vfs_setattr(&f->path, a, t->cred);
	file_put(f);
	return r;
}

/* --- mode ----------------------------------------------------------------------------- */

static struct iattr mode_attr(uint64_t mode) { return (struct iattr){ .valid = ATTR_MODE, .mode = (uint32_t)mode & 07777 }; }

int64_t sys_chmod(struct task *t, const uint64_t a[6])
{
	struct iattr at = mode_attr(a[1]);

	return set_at(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW, &at);
}

int64_t sys_fchmod(struct task *t, const uint64_t a[6])
{
	struct iattr at = mode_attr(a[1]);

	return set_fd(t, (int)a[0], &at);
}

int64_t sys_fchmodat(struct task *t, const uint64_t a[6])
{
	struct iattr at = mode_attr(a[2]);

	return set_at(t, (int)a[0], a[1], WALK_FOLLOW, &at);
}

static unsigned walk_of(int flags)
{
	return (flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

int64_t sys_fchmodat2(struct task *t, const uint64_t a[6])
{
	struct iattr at = mode_attr(a[2]);

	if ((int)a[3] & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	return set_at(t, (int)a[0], a[1], walk_of((int)a[3]), &at);
}

/* --- owner ----------------------------------------------------------------------------- */

/* -1: leave it. -EINVAL: such an id there is not in the program's user namespace. */
static int owner_attr(struct task *t, uint64_t uid, uint64_t gid, struct iattr *out)
{
	const struct user_ns *ns = t->cred->user_ns;
	struct iattr a = { .uid = user_ns_kernel_id(ns, false, (uint32_t)uid), .gid = user_ns_kernel_id(ns, true, (uint32_t)gid) };

	a.valid = ATTR_OWNER | ((uint32_t)uid != ID_NONE ? ATTR_UID : 0) | ((uint32_t)gid != ID_NONE ? ATTR_GID : 0);
	*out = a;
	return (a.valid & ATTR_UID && a.uid == ID_NONE) || (a.valid & ATTR_GID && a.gid == ID_NONE) ? -EINVAL : 0;
}

int64_t sys_chown(struct task *t, const uint64_t a[6])
{
	struct iattr at;
	int r = owner_attr(t, a[1], a[2], &at);

	return r ? r : set_at(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW, &at);
}

int64_t sys_lchown(struct task *t, const uint64_t a[6])
{
	struct iattr at;
	int r = owner_attr(t, a[1], a[2], &at);

	return r ? r : set_at(t, LINUX_AT_FDCWD, a[0], 0, &at);
}

int64_t sys_fchown(struct task *t, const uint64_t a[6])
{
	struct iattr at;
	int r = owner_attr(t, a[1], a[2], &at);

	return r ? r : set_fd(t, (int)a[0], &at);
}

int64_t sys_fchownat(struct task *t, const uint64_t a[6])
{
	struct iattr at;
	int r = owner_attr(t, a[2], a[3], &at);

	if ((int)a[4] & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	return r ? r : set_at(t, (int)a[0], a[1], walk_of((int)a[4]), &at);
}

/* --- access ------------------------------------------------------------------------------ */

/* With the real ids, and the capabilities that a program run by them would have. */
static struct cred *real_cred(struct task *t)
{
	struct cred *c = cred_dup(t->cred);

	if (!c)
		return NULL;
	c->fsuid = c->ruid;
	c->fsgid = c->rgid;
	if (c->ruid)
		c->cap_effective = 0;
	else
		c->cap_effective = c->cap_permitted;
	return c;
}

static bool same_ids(const struct cred *c)
{
	return c->fsuid == c->ruid && c->fsgid == c->rgid && (c->ruid ? !c->cap_effective : c->cap_effective == c->cap_permitted);
}

static int64_t do_access(struct task *t, int dirfd, uint64_t name, int mode, int flags)
{
	struct cred *c = t->cred;
	struct at a UNINITIALIZED;
	struct path p;
	int r;

	if (mode & ~7 || flags & ~(LINUX_AT_EACCESS | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	r = at_begin(t, &a, dirfd, name, walk_of(flags));
	if (r)
		return r;
	if (flags & LINUX_AT_EACCESS || same_ids(c))
		cred_get(c);
	else
		c = real_cred(t);
	if (!c) {
		at_end(&a);
		return -ENOMEM;
	}
	a.w.cred = c;
	r = vfs_walk(&a.w, a.name, &p);
	if (!r) {
		r = mode ? vfs_permission(&p, (unsigned)mode, c) : 0;
		path_put(&p);
	}
	at_end(&a);
	cred_put(c);
	return r;
}

int64_t sys_access(struct task *t, const uint64_t a[6]) { return do_access(t, LINUX_AT_FDCWD, a[0], (int)a[1], 0); }
int64_t sys_faccessat(struct task *t, const uint64_t a[6]) { return do_access(t, (int)a[0], a[1], (int)a[2], 0); }
int64_t sys_faccessat2(struct task *t, const uint64_t a[6]) { return do_access(t, (int)a[0], a[1], (int)a[2], (int)a[3]); }

/* --- times --------------------------------------------------------------------------------- */

#define UTIME_NOW_ 0x3fffffff
#define UTIME_OMIT_ 0x3ffffffe

/* Clamped to what a file can have, as file systems do. */
static int64_t file_time(int64_t sec, int64_t nsec)
{
	int64_t ns;

	if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, nsec, &ns) || ns == TIME_NOW)
		return sec < 0 ? INT64_MIN + 1 : INT64_MAX;
	return ns;
}

static int one_time(const struct linux_timespec *ts, uint32_t bit, uint32_t *valid, int64_t *out)
{
	if (ts->nsec == UTIME_OMIT_)
		return 0;
	*valid |= bit;
	if (ts->nsec == UTIME_NOW_) {
		*out = TIME_NOW;
		return 0;
	}
	if (ts->nsec < 0 || ts->nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*out = file_time(ts->sec, ts->nsec);
	return 0;
}

static int64_t apply_times(struct task *t, int dirfd, uint64_t name, int flags, const struct iattr *at)
{
	if (!name && dirfd != LINUX_AT_FDCWD) /* futimens */
		return flags ? -EINVAL : set_fd(t, dirfd, at);
	return set_at(t, dirfd, name, walk_of(flags), at);
}

int64_t sys_utimensat(struct task *t, const uint64_t a[6])
{
	struct iattr at = { .valid = ATTR_ATIME | ATTR_MTIME, .atime = TIME_NOW, .mtime = TIME_NOW };
	struct linux_timespec ts[2];
	int flags = (int)a[3], r;

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	if (a[2]) {
		if (copy_from_user(t->mm, ts, UADDR(a[2]), sizeof(ts)))
			return -EFAULT;
		if (ts[0].nsec == UTIME_OMIT_ && ts[1].nsec == UTIME_OMIT_)
			return 0;
		at.valid = 0;
		r = one_time(&ts[0], ATTR_ATIME, &at.valid, &at.atime);
		if (!r)
			r = one_time(&ts[1], ATTR_MTIME, &at.valid, &at.mtime);
		if (r)
			return r;
	}
	return apply_times(t, (int)a[0], a[1], flags, &at);
}

static int64_t old_times(struct task *t, int dirfd, uint64_t name, uint64_t tv_at)
{
	struct iattr at = { .valid = ATTR_ATIME | ATTR_MTIME, .atime = TIME_NOW, .mtime = TIME_NOW };
	struct linux_timeval tv[2];

	if (tv_at) {
		if (copy_from_user(t->mm, tv, UADDR(tv_at), sizeof(tv)))
			return -EFAULT;
		for (int i = 0; i < 2; i++)
			if (tv[i].usec < 0 || tv[i].usec >= 1000000)
				return -EINVAL;
		at.atime = file_time(tv[0].sec, tv[0].usec * 1000);
		at.mtime = file_time(tv[1].sec, tv[1].usec * 1000);
	}
	return apply_times(t, dirfd, name, 0, &at);
}

int64_t sys_utimes(struct task *t, const uint64_t a[6]) { return old_times(t, LINUX_AT_FDCWD, a[0], a[1]); }
int64_t sys_futimesat(struct task *t, const uint64_t a[6]) { return old_times(t, (int)a[0], a[1], a[2]); }

int64_t sys_utime(struct task *t, const uint64_t a[6])
{
	struct iattr at = { .valid = ATTR_ATIME | ATTR_MTIME, .atime = TIME_NOW, .mtime = TIME_NOW };
	int64_t s[2];

	if (a[1]) {
		if (copy_from_user(t->mm, s, UADDR(a[1]), sizeof(s)))
			return -EFAULT;
		at.atime = file_time(s[0], 0);
		at.mtime = file_time(s[1], 0);
	}
	return set_at(t, LINUX_AT_FDCWD, a[0], WALK_FOLLOW, &at);
}
