/* Modes, owners, times, permissions, extended attributes. */
#include "fs.h"

#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>

CASE(modes)
{
	struct stat st;

	in_temp();
	umask(027);
	CHECK(mkdir("d", 0777) == 0 && stat("d", &st) == 0 && (st.st_mode & 07777) == 0750);
	CHECK(open("f", O_CREAT | O_RDWR, 0666) >= 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK(umask(0) == 027);
	CHECK(chmod("f", 04755) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 04755);
	CHECK(mkfifo("p", 0600) == 0 && stat("p", &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(symlink("f", "l") == 0 && lstat("l", &st) == 0 && (st.st_mode & 0777) == 0777 && st.st_size == 1);
}

CASE(owner)
{
	struct stat st;

	if (getuid())
		return;
	in_temp();
	make_file("f", "");
	CHECK(chmod("f", 06755) == 0);
	CHECK(chown("f", 1000, 1000) == 0 && stat("f", &st) == 0 && st.st_uid == 1000 && st.st_gid == 1000);
	CHECK((st.st_mode & 07000) == 0);
	CHECK(chown("f", -1, 7) == 0 && stat("f", &st) == 0 && st.st_uid == 1000 && st.st_gid == 7);
	CHECK(mkdir("d", 0777) == 0 && chmod("d", 02777) == 0 && chown("d", 5, 6) == 0);
	make_file("d/f", "");
	CHECK(stat("d/f", &st) == 0 && st.st_gid == 6);
	CHECK(mkdir("d/e", 0755) == 0 && stat("d/e", &st) == 0 && st.st_gid == 6 && st.st_mode & S_ISGID);
}

CASE(suid_cleared_by_writing)
{
	struct stat st;
	int fd;

	if (getuid())
		return;
	in_temp();
	fd = open("f", O_CREAT | O_RDWR, 0755);
	CHECK(fchown(fd, 65534, 65534) == 0 && fchmod(fd, 06755) == 0);
	become(65534);
	CHECK(write(fd, "x", 1) == 1 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0755);
}

CASE(permissions)
{
	if (getuid())
		return;
	in_temp();
	CHECK(chmod(".", 0755) == 0);
	make_file("f", "x");
	CHECK(chmod("f", 0600) == 0 && mkdir("d", 0700) == 0 && mkdir("open", 0777) == 0 && chmod("open", 0777) == 0);
	make_file("d/f", "x");
	become(65534);
	CHECK_ERR(open("f", O_RDONLY), EACCES);
	CHECK_ERR(open("d/f", O_RDONLY), EACCES);
	CHECK_ERR(open("new", O_CREAT | O_RDWR, 0600), EACCES);
	CHECK_ERR(unlink("f"), EACCES);
	CHECK_ERR(chmod("f", 0777), EPERM);
	CHECK_ERR(chown("f", 65534, 65534), EPERM);
	CHECK_ERR(access("f", R_OK), EACCES);
	CHECK(access("f", F_OK) == 0);
	make_file("open/mine", "x");
	CHECK_ERR(chown("open/mine", 0, 0), EPERM);
	CHECK(chmod("open/mine", 0) == 0);
	CHECK_ERR(open("open/mine", O_RDONLY), EACCES);
	CHECK_ERR(mknod("open/dev", S_IFCHR | 0600, makedev(1, 3)), EPERM);
}

CASE(sticky)
{
	if (getuid())
		return;
	in_temp();
	CHECK(chmod(".", 01777) == 0);
	make_file("root", "x");
	CHECK(chmod("root", 0666) == 0);
	become(65534);
	CHECK_ERR(unlink("root"), EPERM);
	CHECK_ERR(rename("root", "x"), EPERM);
	make_file("mine", "x");
	CHECK(rename("mine", "other") == 0 && unlink("other") == 0);
}

CASE(times)
{
	struct timespec ts[2] = { { 1000, 1 }, { 2000, 999999999 } };
	struct stat st;
	int fd;

	in_temp();
	make_file("f", "x");
	CHECK(utimensat(AT_FDCWD, "f", ts, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 1 && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 999999999);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = -5;
	ts[1].tv_nsec = 0;
	CHECK(utimensat(AT_FDCWD, "f", ts, 0) == 0 && stat("f", &st) == 0 && st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec == -5);
	ts[1].tv_nsec = 1000000000;
	CHECK_ERR(utimensat(AT_FDCWD, "f", ts, 0), EINVAL);
	CHECK((fd = open("f", O_WRONLY)) >= 0 && write(fd, "y", 1) == 1 && fstat(fd, &st) == 0 && st.st_mtim.tv_sec > 1000000000);
	CHECK(symlink("f", "l") == 0);
	ts[0] = ts[1] = (struct timespec){ 77, 0 };
	CHECK(utimensat(AT_FDCWD, "l", ts, AT_SYMLINK_NOFOLLOW) == 0 && lstat("l", &st) == 0 && st.st_mtim.tv_sec == 77);
	CHECK(futimens(fd, NULL) == 0 && fstat(fd, &st) == 0 && st.st_atim.tv_sec > 1000000000);
	CHECK(mkdir("d", 0755) == 0 && utimensat(AT_FDCWD, "d", ts, 0) == 0);
	make_file("d/x", "");
	CHECK(stat("d", &st) == 0 && st.st_mtim.tv_sec > 1000000000);
}

CASE(statx_)
{
	struct statx x;
	struct stat st;

	in_temp();
	make_file("f", "12345");
	CHECK(statx(AT_FDCWD, "f", 0, STATX_ALL, &x) == 0 && stat("f", &st) == 0);
	CHECK(x.stx_size == 5 && x.stx_ino == st.st_ino && x.stx_nlink == 1 && makedev(x.stx_dev_major, x.stx_dev_minor) == st.st_dev);
	CHECK((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	CHECK_ERR(statx(AT_FDCWD, "none", 0, STATX_ALL, &x), ENOENT);
	CHECK_ERR(statx(AT_FDCWD, "f", 0x10000, STATX_ALL, &x), EINVAL);
	CHECK(statx(0, "", AT_EMPTY_PATH, STATX_ALL, &x) == 0);
}

CASE(xattrs)
{
	char buf[64];

	in_temp();
	make_file("f", "x");
	if (setxattr("f", "user.test", "value", 5, XATTR_CREATE)) {
		int e = errno;

		CHECK(e == EOPNOTSUPP); /* not every file system has them */
		return;
	}
	CHECK(getxattr("f", "user.test", buf, sizeof(buf)) == 5 && !memcmp(buf, "value", 5));
	CHECK(getxattr("f", "user.test", NULL, 0) == 5);
	CHECK_ERR(getxattr("f", "user.test", buf, 2), ERANGE);
	CHECK_ERR(setxattr("f", "user.test", "v", 1, XATTR_CREATE), EEXIST);
	CHECK_ERR(setxattr("f", "user.none", "v", 1, XATTR_REPLACE), ENODATA);
	CHECK(listxattr("f", buf, sizeof(buf)) >= 10 && memmem(buf, sizeof(buf), "user.test", 10));
	CHECK(removexattr("f", "user.test") == 0);
	CHECK_ERR(getxattr("f", "user.test", buf, sizeof(buf)), ENODATA);
	CHECK_ERR(setxattr("f", "nonsense", "v", 1, 0), EOPNOTSUPP);
}

int main(void) { return run_cases(); }
