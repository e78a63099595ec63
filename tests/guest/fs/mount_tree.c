/*
 * Mounts by descriptors: open_tree, move_mount, mount_setattr; detached trees and their lives.
 * Each case has a mount namespace and a tmpfs of its own. Without the right to mount nothing is tested.
 */
#include "mount_api.h"

#include <sys/statfs.h>

static int clone_tree(const char *path, unsigned flags) { return open_tree_(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags); }

static int attach(int fd, const char *to) { return move_mount_(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH); }

/* s, with a file f, and a tmpfs on s/sub, with g. */
static void make_source(void)
{
	CHECK(mkdir("s", 0755) == 0 && mkdir("s/sub", 0755) == 0 && mkdir("to", 0755) == 0 && mkdir("to2", 0755) == 0);
	CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("s/sub", 0755) == 0);
	make_file("s/f", "f");
	CHECK(mount("sub", "s/sub", "tmpfs", 0, NULL) == 0);
	make_file("s/sub/g", "g");
}

CASE(arguments)
{
	if (!begin())
		return;
	CHECK_ERR(open_tree_(AT_FDCWD, ".", 0x10), EINVAL);
	CHECK_ERR(open_tree_(AT_FDCWD, ".", AT_RECURSIVE), EINVAL);
	CHECK_ERR(open_tree_(AT_FDCWD, "none", OPEN_TREE_CLONE), ENOENT);
	CHECK_ERR(open_tree_(AT_FDCWD, "", OPEN_TREE_CLONE), ENOENT);
	CHECK_ERR(open_tree_(AT_FDCWD, (char *)8, 0), EFAULT);
	CHECK_ERR(open_tree_(9999, "x", 0), EBADF);
	CHECK_ERR(move_mount_(AT_FDCWD, ".", AT_FDCWD, ".", 0x8), EINVAL);
	CHECK_ERR(move_mount_(AT_FDCWD, ".", AT_FDCWD, ".", 0x300), EINVAL);
	CHECK_ERR(move_mount_(AT_FDCWD, "", AT_FDCWD, ".", 0), ENOENT);
	CHECK_ERR(move_mount_(9999, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH), EBADF);
}

/* Without OPEN_TREE_CLONE it is a descriptor as O_PATH gives one. */
CASE(plain)
{
	char buf[8];
	int fd;

	if (!begin())
		return;
	make_file("f", "text");
	fd = open_tree_(AT_FDCWD, "f", OPEN_TREE_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) & O_PATH);
	CHECK_ERR(read(fd, buf, 1), EBADF);
	close(fd);
	CHECK(symlink("f", "l") == 0);
	fd = open_tree_(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && is_link(fd));
	close(fd);
	CHECK_ERR(open_tree_(AT_FDCWD, "none", 0), ENOENT);
}

CASE(copy_and_attach)
{
	int fd, f;
	char c;

	if (!begin())
		return;
	make_source();
	fd = clone_tree("s", 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	/* names in it are looked up from the descriptor, whether it is mounted or not */
	f = openat(fd, "f", O_RDONLY);
	CHECK(f >= 0 && read(f, &c, 1) == 1 && c == 'f');
	close(f);
	CHECK(faccessat(fd, "sub", F_OK, 0) == 0);
	CHECK_ERR(faccessat(fd, "sub/g", F_OK, 0), ENOENT); /* without what is mounted below */
	f = openat(fd, "new", O_CREAT | O_WRONLY, 0644);
	CHECK(f >= 0);
	close(f);
	CHECK(access("s/new", F_OK) == 0);
	CHECK(lines_of("/proc/self/mountinfo", " /to") == 0);
	CHECK(attach(fd, "to") == 0);
	CHECK(file_is("to/f", "f") && access("to/sub/g", F_OK));
	CHECK(faccessat(fd, "f", F_OK, 0) == 0);
	close(fd);
	CHECK(file_is("to/f", "f")); /* it stays */
	CHECK(umount("to") == 0);
	CHECK(access("to/f", F_OK));
}

CASE(recursive)
{
	int fd;

	if (!begin())
		return;
	make_source();
	fd = clone_tree("s", AT_RECURSIVE);
	CHECK(fd >= 0 && faccessat(fd, "sub/g", F_OK, 0) == 0);
	CHECK(attach(fd, "to") == 0);
	CHECK(file_is("to/f", "f") && file_is("to/sub/g", "g"));
	CHECK_ERR(umount("to"), EBUSY);
	CHECK(umount("to/sub") == 0);
	close(fd);
	CHECK(umount("to") == 0);
}

/* Where it is a directory of a mount, what is mounted beside it is not copied. */
CASE(part)
{
	int fd;

	if (!begin())
		return;
	make_source();
	CHECK(mkdir("s/d", 0755) == 0 && mkdir("s/d/e", 0755) == 0 && mount("e", "s/d/e", "tmpfs", 0, NULL) == 0);
	make_file("s/d/e/h", "h");
	fd = clone_tree("s/d", AT_RECURSIVE);
	CHECK(fd >= 0 && attach(fd, "to") == 0);
	CHECK(file_is("to/e/h", "h"));
	close(fd);
	CHECK(umount("to/e") == 0 && umount("to") == 0);
	fd = clone_tree("s/f", 0);
	CHECK(fd >= 0);
	CHECK_ERR(attach(fd, "to"), EINVAL); /* a file on a directory */
	make_file("here", "old");
	CHECK(attach(fd, "here") == 0 && file_is("here", "f"));
}

CASE(life)
{
	struct statfs st;
	int fd, other, dup_fd;

	if (!begin())
		return;
	CHECK(mkdir("s", 0755) == 0 && mkdir("to", 0755) == 0 && mount("s", "s", "tmpfs", 0, NULL) == 0);
	make_file("s/f", "f");
	fd = clone_tree("s", 0);
	CHECK(fd >= 0);
	CHECK(umount("s") == 0); /* the copy keeps the file system */
	CHECK(faccessat(fd, "f", F_OK, 0) == 0);
	other = openat(fd, ".", O_PATH | O_DIRECTORY);
	CHECK(other >= 0);
	dup_fd = dup(fd);
	close(fd);
	CHECK(attach(dup_fd, "to") == 0 && file_is("to/f", "f"));
	close(dup_fd);
	CHECK(file_is("to/f", "f"));
	CHECK(umount2("to", MNT_DETACH) == 0);
	CHECK(faccessat(other, "f", F_OK, 0) == 0);
	CHECK_ERR(move_mount_(other, "", AT_FDCWD, "to", MOVE_MOUNT_F_EMPTY_PATH), EINVAL); /* it is mounted nowhere any more */
	CHECK(fstatfs(other, &st) == 0 && st.f_type == 0x01021994);
}

/* The tree ends with the descriptor: another on it cannot attach it then. */
CASE(end)
{
	int fd, other;

	if (!begin())
		return;
	make_source();
	fd = clone_tree("s", AT_RECURSIVE);
	other = openat(fd, ".", O_PATH | O_DIRECTORY);
	CHECK(fd >= 0 && other >= 0);
	close(fd);
	CHECK(faccessat(other, "f", F_OK, 0) == 0);
	CHECK_ERR(attach(other, "to"), EINVAL);
	CHECK(umount("s/sub") == 0);
	/* and the file systems are not in use by it any more */
	CHECK_ERR(umount("s/sub"), EINVAL);
	close(other);
	CHECK(umount("s") == 0);
}

/* What is passed to another process is as good there. */
CASE(passed)
{
	int fd, st;
	pid_t c;

	if (!begin())
		return;
	make_source();
	fd = clone_tree("s", 0);
	CHECK(fd >= 0);
	c = fork();
	CHECK(c >= 0);
	if (!c) {
		CHECK(unshare(CLONE_NEWNS) == 0); /* a tree that is mounted nowhere is of no namespace */
		CHECK(attach(fd, "to") == 0 && file_is("to/f", "f"));
		_exit(0);
	}
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(access("to/f", F_OK));
	CHECK_ERR(attach(fd, "to"), EINVAL); /* it went with the other's namespace */
}

CASE(move_mounted)
{
	int fd;

	if (!begin())
		return;
	make_source();
	CHECK(move_mount_(AT_FDCWD, "s", AT_FDCWD, "to", 0) == 0);
	CHECK(file_is("to/f", "f") && file_is("to/sub/g", "g") && access("s/f", F_OK));
	CHECK_ERR(move_mount_(AT_FDCWD, "to", AT_FDCWD, "to/sub", 0), ELOOP);
	CHECK_ERR(move_mount_(AT_FDCWD, "to2", AT_FDCWD, "s", 0), EINVAL); /* no mount */
	CHECK_ERR(move_mount_(AT_FDCWD, "to/f", AT_FDCWD, "s", 0), EINVAL);
	make_file("file", "");
	CHECK_ERR(move_mount_(AT_FDCWD, "to", AT_FDCWD, "file", 0), EINVAL);
	CHECK_ERR(mount("to", "file", NULL, MS_MOVE, NULL), EINVAL);
	/* by descriptors on both sides */
	fd = open("to", O_PATH);
	CHECK(fd >= 0);
	CHECK(move_mount_(fd, "", open("s", O_PATH), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0);
	CHECK(file_is("s/f", "f"));
	/* symbolic links are followed only where that is asked for */
	CHECK(symlink("s", "ls") == 0 && symlink("to", "lto") == 0);
	CHECK_ERR(move_mount_(AT_FDCWD, "ls", AT_FDCWD, "lto", MOVE_MOUNT_T_SYMLINKS), EINVAL);
	CHECK(move_mount_(AT_FDCWD, "ls", AT_FDCWD, "lto", MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_T_SYMLINKS) == 0);
	CHECK(file_is("to/f", "f"));
}

/* A tree that was moved or put away is copied by unshare as any other. */
CASE(moved_then_copied)
{
	if (!begin())
		return;
	make_source();
	CHECK(mount("s", "to", NULL, MS_MOVE, NULL) == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(file_is("to/f", "f") && file_is("to/sub/g", "g"));
	CHECK(mkdir("to/old", 0755) == 0);
	CHECK(syscall(SYS_pivot_root, "to", "to/old") == 0 && chdir("/") == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(file_is("/f", "f") && file_is("/sub/g", "g") && access("/old/proc/self/stat", F_OK) == 0);
}

CASE(beneath)
{
	int fd;

	if (!begin())
		return;
	make_source();
	CHECK(mount("top", "to", "tmpfs", 0, NULL) == 0);
	make_file("to/top", "top");
	fd = clone_tree("s", AT_RECURSIVE);
	CHECK(fd >= 0);
	CHECK_ERR(move_mount_(fd, "", AT_FDCWD, "to2", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH_), EINVAL); /* nothing is there */
	CHECK(move_mount_(fd, "", AT_FDCWD, "to", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH_) == 0);
	CHECK(file_is("to/top", "top") && access("to/f", F_OK));
	CHECK(faccessat(fd, "f", F_OK, 0) == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(file_is("to/top", "top"));
	CHECK(umount("to") == 0);
	CHECK(file_is("to/f", "f") && file_is("to/sub/g", "g"));
}

/* --- mount_setattr ------------------------------------------------------------------- */

CASE(setattr_arguments)
{
	struct attr a = { .set = MOUNT_ATTR_RDONLY };
	struct {
		struct attr a;
		uint64_t more;
	} big = { .a = { .set = MOUNT_ATTR_RDONLY } };

	if (!begin())
		return;
	CHECK_ERR(set_attr("/", 0x10, &a), EINVAL);
	CHECK_ERR(set_attr_sized("/", 0, &a, 31), EINVAL);
	CHECK_ERR(set_attr_sized("/", 0, &a, 5000), E2BIG);
	big.more = 1;
	CHECK_ERR(set_attr_sized(".", 0, &big, sizeof(big)), E2BIG);
	big.more = 0;
	CHECK(set_attr_sized(".", 0, &big, sizeof(big)) == 0);
	CHECK_ERR(set_attr_sized(".", 0, (void *)8, 32), EFAULT);
	a = (struct attr){ 0 };
	CHECK(set_attr("/does not exist", 0, &a) == 0); /* nothing is to be done */
	a.set = 1u << 30;
	CHECK_ERR(set_attr(".", 0, &a), EINVAL);
	a = (struct attr){ .set = MOUNT_ATTR_NOATIME }; /* it is one of three, to be changed as a whole */
	CHECK_ERR(set_attr(".", 0, &a), EINVAL);
	a = (struct attr){ .clear = MOUNT_ATTR_NOATIME };
	CHECK_ERR(set_attr(".", 0, &a), EINVAL);
	a = (struct attr){ .set = 0x30, .clear = MOUNT_ATTR__ATIME };
	CHECK_ERR(set_attr(".", 0, &a), EINVAL);
	a = (struct attr){ .propagation = MS_SHARED | MS_PRIVATE };
	CHECK_ERR(set_attr(".", 0, &a), EINVAL);
	a = (struct attr){ .propagation = MS_REC };
	CHECK_ERR(set_attr(".", 0, &a), EINVAL);
	a = (struct attr){ .set = MOUNT_ATTR_RDONLY };
	CHECK(mkdir("d", 0755) == -1 && errno == EROFS);
	a = (struct attr){ .clear = MOUNT_ATTR_RDONLY };
	CHECK(set_attr(".", 0, &a) == 0);
	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERR(set_attr("d", 0, &a), EINVAL); /* no mount */
	CHECK_ERR(set_attr("none", 0, &a), ENOENT);
}

static unsigned flags_of(const char *path)
{
	struct statfs st;

	CHECK(statfs(path, &st) == 0);
	return (unsigned)st.f_flags & ~0x20u;
}

CASE(setattr)
{
	struct attr a = { .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

	if (!begin())
		return;
	make_source();
	CHECK(set_attr("s", 0, &a) == 0);
	CHECK(flags_of("s") == (15 | 0x1000) && flags_of("s/sub") == 0x1000);
	CHECK_ERR(mkdir("s/x", 0755), EROFS);
	CHECK(mkdir("s/sub/x", 0755) == 0);
	a = (struct attr){ .clear = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, .set = MOUNT_ATTR_NOSYMFOLLOW };
	CHECK(set_attr("s", AT_RECURSIVE, &a) == 0);
	CHECK(flags_of("s") == (2 | 4 | 0x1000 | 0x2000) && flags_of("s/sub") == (0x1000 | 0x2000));
	CHECK(symlink("f", "s/l") == 0);
	CHECK_ERR(open("s/l", O_RDONLY), ELOOP);
	a = (struct attr){ .clear = MOUNT_ATTR__ATIME | MOUNT_ATTR_NOSYMFOLLOW, .set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME };
	CHECK(set_attr("s", 0, &a) == 0);
	CHECK(flags_of("s") == (2 | 4 | 0x400 | 0x800));
	a = (struct attr){ .clear = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME, .set = MOUNT_ATTR_STRICTATIME };
	CHECK(set_attr("s", 0, &a) == 0);
	CHECK(flags_of("s") == (2 | 4));
	a = (struct attr){ .clear = MOUNT_ATTR__ATIME };
	CHECK(set_attr("s", 0, &a) == 0);
	CHECK(flags_of("s") == (2 | 4 | 0x1000));
	a = (struct attr){ .propagation = MS_PRIVATE };
	CHECK(set_attr("s", AT_RECURSIVE, &a) == 0);
}

/* A bind, read-only with all that is in it, before anybody can see it. */
CASE(setattr_detached)
{
	struct attr a = { .set = MOUNT_ATTR_RDONLY };
	int fd;

	if (!begin())
		return;
	make_source();
	fd = clone_tree("s", AT_RECURSIVE);
	CHECK(fd >= 0);
	CHECK(mount_setattr_(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) == 0);
	CHECK_ERR(mkdirat(fd, "x", 0755), EROFS);
	CHECK_ERR(mkdirat(fd, "sub/x", 0755), EROFS);
	CHECK(attach(fd, "to") == 0);
	CHECK_ERR(mkdir("to/x", 0755), EROFS);
	CHECK_ERR(mkdir("to/sub/x", 0755), EROFS);
	CHECK(mkdir("s/x", 0755) == 0);
}

/* --- in a user namespace --------------------------------------------------------------- */

CASE(rights)
{
	struct attr a = { .clear = MOUNT_ATTR_NODEV }, b = { .set = MOUNT_ATTR_NOSUID }, at = { .clear = MOUNT_ATTR__ATIME, .set = MOUNT_ATTR_NOATIME };
	int fd, st;
	pid_t c;

	if (!begin())
		return;
	make_source();
	CHECK(mount(NULL, "s", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL) == 0);
	c = fork();
	CHECK(c >= 0);
	if (!c) {
		CHECK(setuid(1000) == 0);
		CHECK_ERR(clone_tree("s", 0), EPERM);
		CHECK_ERR(move_mount_(AT_FDCWD, "s", AT_FDCWD, "to", 0), EPERM);
		CHECK_ERR(set_attr("s", 0, &b), EPERM);
		fd = open_tree_(AT_FDCWD, "s", 0);
		CHECK(fd >= 0);
		_exit(0);
	}
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	if (!enter_user_ns())
		return;
	/* what was mounted before is as it is: */
	CHECK_ERR(clone_tree("s", 0), EINVAL); /* it would show what is below s/sub */
	CHECK_ERR(set_attr("s", 0, &a), EPERM);
	CHECK_ERR(set_attr("s", 0, &at), EPERM);
	CHECK(set_attr("s", 0, &b) == 0);
	CHECK_ERR(move_mount_(AT_FDCWD, "s", AT_FDCWD, "to", 0), EINVAL);
	fd = clone_tree("s", AT_RECURSIVE);
	CHECK(fd >= 0);
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EPERM);
	CHECK(attach(fd, "to") == 0);
	CHECK(file_is("to/sub/g", "g"));
	CHECK_ERR(umount("to/sub"), EINVAL);
	close(fd);
	CHECK(umount2("to", MNT_DETACH) == 0);
}

/* --- statx ---------------------------------------------------------------------------------- */

CASE(statx_tells)
{
	struct statx x, y;
	int fd;

	if (!begin())
		return;
	make_source();
	fd = clone_tree("s", 0);
	CHECK(fd >= 0);
	CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 && x.stx_mask & STATX_MNT_ID && x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
	CHECK(statx(AT_FDCWD, "s", 0, STATX_MNT_ID, &y) == 0 && x.stx_mnt_id != y.stx_mnt_id && x.stx_ino == y.stx_ino);
	CHECK(statx(fd, "f", 0, STATX_MNT_ID, &y) == 0 && x.stx_mnt_id == y.stx_mnt_id && !(y.stx_attributes & STATX_ATTR_MOUNT_ROOT));
	CHECK(attach(fd, "to") == 0);
	CHECK(statx(AT_FDCWD, "to", 0, STATX_MNT_ID, &y) == 0 && x.stx_mnt_id == y.stx_mnt_id);
}

int main(void) { return run_cases(); }
