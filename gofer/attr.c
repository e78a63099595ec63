/*
 * attr.c - attributes of files.  One thread; see attr.h.
 */
#include "attr.h"

#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6 */
#endif
#define NS_PER_S 1000000000ll
#define PERM_BITS 07777u

static bool have_fchmodat2;

void attr_probe(void)
{
	/* a filter can name it only if libseccomp knows it */
	have_fchmodat2 = syscall(SYS_fchmodat2, -1, "", 0, AT_EMPTY_PATH) < 0 && errno == EBADF &&
			 seccomp_syscall_resolve_name("fchmodat2") == SYS_fchmodat2;
}

bool attr_have_fchmodat2(void)
{
	return have_fchmodat2;
}

static int64_t ns_of(const struct statx_timestamp *t)
{
	int64_t ns;

	if (__builtin_mul_overflow(t->tv_sec, NS_PER_S, &ns) || __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return t->tv_sec < 0 ? INT64_MIN + 1 : INT64_MAX;
	return ns;
}

void attr_from_statx(const struct statx *sx, struct gofer_attr *a)
{
	*a = (struct gofer_attr){
		.dev = makedev(sx->stx_dev_major, sx->stx_dev_minor),
		.ino = sx->stx_ino,
		.mode = sx->stx_mode,
		.nlink = sx->stx_nlink,
		.uid = sx->stx_uid,
		.gid = sx->stx_gid,
		.rdev = makedev(sx->stx_rdev_major, sx->stx_rdev_minor),
		.size = sx->stx_size > INT64_MAX ? INT64_MAX : sx->stx_size,
		.blocks = sx->stx_blocks,
		.blksize = sx->stx_blksize,
		.atime = ns_of(&sx->stx_atime),
		.mtime = ns_of(&sx->stx_mtime),
		.ctime = ns_of(&sx->stx_ctime),
		.btime = sx->stx_mask & STATX_BTIME ? ns_of(&sx->stx_btime) : 0,
	};
}

struct timespec attr_timespec(int64_t ns)
{
	int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;

	if (ns == INT64_MIN)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	if (rest < 0) {
		rest += NS_PER_S;
		s--;
	}
	return (struct timespec){ .tv_sec = s, .tv_nsec = rest };
}

int attr_chmod(int fd, uint32_t type, uint64_t mode)
{
	int real, rc;

	if (type == S_IFLNK)
		return -EOPNOTSUPP;
	if (have_fchmodat2)
		return syscall(SYS_fchmodat2, fd, "", (mode_t)mode, AT_EMPTY_PATH) ? -errno : 0;
	if (!fchmod(fd, (mode_t)mode))
		return 0;
	if (errno != EBADF) /* EBADF: an O_PATH descriptor */
		return -errno;
	if (type != S_IFDIR)
		return -EOPNOTSUPP;
	real = open_beneath(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (real < 0)
		return real;
	rc = fchmod(real, (mode_t)mode) ? -errno : 0;
	close(real);
	return rc;
}

int attr_own(int fd, struct statx *sx, uint64_t mode, uint64_t uid, uint64_t gid)
{
	bool changed = false;
	int rc;

	if (uid == sx->stx_uid)
		uid = UINT32_MAX;
	if (gid == sx->stx_gid)
		gid = UINT32_MAX;
	if (uid != UINT32_MAX || gid != UINT32_MAX) {
		if (fchownat(fd, "", (uid_t)uid, (gid_t)gid, AT_EMPTY_PATH))
			return -errno;
		changed = true;
	}
	/* a set-group-id directory, a default ACL and chown change bits */
	if (!S_ISLNK(sx->stx_mode) && (changed || (sx->stx_mode & PERM_BITS) != mode)) {
		if (changed && (rc = stat_fd(fd, sx)))
			return rc;
		if ((sx->stx_mode & PERM_BITS) != mode) {
			rc = attr_chmod(fd, sx->stx_mode & S_IFMT, mode);
			if (rc)
				return rc;
			changed = true;
		}
	}
	return changed ? stat_fd(fd, sx) : 0;
}
