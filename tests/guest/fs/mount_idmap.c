/*
 * Mounts with mapped ids (MOUNT_ATTR_IDMAP): whose files are seen as whose, who may do what, what is stored.
 */
#include "mount_api.h"

#include <sys/fsuid.h>
#include <sys/xattr.h>

#define IDMAP 0x100000u

/* A user namespace with these maps ("0 1000 10"); NULL: without. -1: there is none to be had. */
static int user_ns(const char *uids, const char *gids)
{
	int ready[2], go[2], fd, st;
	char path[64], c;
	pid_t p;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		CHECK(write(ready[1], "x", 1) == 1);
		(void)!read(go[0], &c, 1);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", p);
	if (uids)
		write_text(path, uids);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", p);
	if (gids)
		write_text(path, gids);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", p);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(go[1], "x", 1) == 1 && waitpid(p, &st, 0) == p && st == 0);
	close(ready[0]);
	close(go[0]);
	close(go[1]);
	return fd;
}

static int map_tree(const char *from, int ns)
{
	struct attr a = { .set = IDMAP, .userns_fd = (uint64_t)ns };
	int fd = open_tree_(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	CHECK(fd >= 0);
	if (mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a))) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

static int attach(int fd, const char *to) { return move_mount_(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH); }

static bool is_of(const char *path, unsigned uid, unsigned gid)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	if (st.st_uid != uid || st.st_gid != gid)
		fprintf(stderr, "%s: %u:%u\n", path, st.st_uid, st.st_gid);
	return st.st_uid == uid && st.st_gid == gid;
}

/* s: a tmpfs with the files root (0:0), own (5:5), far (50:50), mode 600; mapped on m: 0-9 become 1000-1009 and 2000-2009. */
static bool set_up(int *ns)
{
	int fd;

	if (!begin())
		return false;
	*ns = user_ns("0 1000 10", "0 2000 10");
	if (*ns < 0)
		return false;
	CHECK(chmod(".", 0755) == 0 && mkdir("s", 0755) == 0 && mkdir("m", 0755) == 0 && mount("s", "s", "tmpfs", 0, "mode=755") == 0);
	make_file("s/root", "root");
	make_file("s/own", "own");
	make_file("s/far", "far");
	CHECK(chown("s/own", 5, 5) == 0 && chown("s/far", 50, 50) == 0);
	CHECK(chmod("s/root", 0600) == 0 && chmod("s/own", 0600) == 0 && chmod("s/far", 0600) == 0);
	CHECK(mkdir("s/pub", 0777) == 0 && chmod("s/pub", 0777) == 0);
	fd = map_tree("s", *ns);
	CHECK(fd >= 0 && attach(fd, "m") == 0);
	close(fd);
	return true;
}

/* Runs the rest as that user. */
#define AS(UID, GID, ...)                                                                                                                            \
	do {                                                                                                                                         \
		int st_;                                                                                                                             \
		pid_t c_ = fork();                                                                                                                   \
		CHECK(c_ >= 0);                                                                                                                      \
		if (!c_) {                                                                                                                           \
			CHECK(setresgid(GID, GID, GID) == 0 && setresuid(UID, UID, UID) == 0);                                                       \
			__VA_ARGS__;                                                                                                                 \
			_exit(0);                                                                                                                    \
		}                                                                                                                                    \
		CHECK(waitpid(c_, &st_, 0) == c_ && st_ == 0);                                                                                       \
	} while (0)

CASE(owners)
{
	struct stat st;
	int ns, fd;

	if (!set_up(&ns))
		return;
	CHECK(is_of("m/root", 1000, 2000) && is_of("m/own", 1005, 2005) && is_of("m/far", 65534, 65534) && is_of("m", 1000, 2000));
	CHECK(is_of("s/root", 0, 0) && is_of("s/own", 5, 5) && is_of("s/far", 50, 50));
	fd = open("m/own", O_PATH);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 1005 && st.st_gid == 2005);
	close(fd);
	for (int i = 0; i < 200; i++) /* however often, and by whatever way */
		CHECK(is_of("m/own", 1005, 2005) && is_of("s/own", 5, 5));
	AS(1005, 2005, CHECK(file_is("m/own", "own") && access("m/own", W_OK) == 0 && access("m/root", R_OK) && access("s/own", R_OK)));
	AS(5, 5, CHECK(access("m/own", R_OK) && access("s/own", R_OK) == 0));
	AS(50, 50, CHECK(access("m/far", R_OK) && access("s/far", R_OK) == 0));
}

CASE(what_is_made)
{
	int ns, fd;

	if (!set_up(&ns))
		return;
	AS(1003, 2004, {
		make_file("m/pub/f", "f");
		CHECK(mkdir("m/pub/d", 0755) == 0 && symlink("x", "m/pub/l") == 0 && mkfifo("m/pub/p", 0600) == 0);
		CHECK(is_of("m/pub/f", 1003, 2004) && file_is("m/pub/f", "f"));
		CHECK(rename("m/pub/f", "m/pub/g") == 0 && link("m/pub/g", "m/pub/h") == 0);
		CHECK(chmod("m/pub/g", 0640) == 0 && utimensat(AT_FDCWD, "m/pub/g", NULL, 0) == 0 && truncate("m/pub/g", 0) == 0);
		CHECK(setxattr("m/pub/g", "user.a", "b", 1, 0) == 0 || errno == EOPNOTSUPP);
		CHECK_ERR(chown("m/pub/g", 1004, -1), EPERM);
	});
	CHECK(is_of("s/pub/g", 3, 4) && is_of("s/pub/d", 3, 4) && is_of("s/pub/l", 3, 4) && is_of("s/pub/p", 3, 4));
	CHECK_ERR(open("m/pub", O_TMPFILE | O_RDWR, 0600), EOVERFLOW); /* root is nobody there */
	AS(1003, 2004, {
		fd = open("m/pub", O_TMPFILE | O_RDWR, 0600);
		CHECK(fd >= 0);
		close(fd);
	});
	/* who has no number there makes nothing, root neither */
	CHECK_ERR(open("m/pub/new", O_CREAT | O_WRONLY, 0600), EOVERFLOW);
	CHECK_ERR(mkdir("m/pub/new", 0700), EOVERFLOW);
	AS(7, 7, CHECK_ERR(mkdir("m/pub/new", 0700), EOVERFLOW));
	AS(1003, 7, CHECK_ERR(mkdir("m/pub/new", 0700), EOVERFLOW));
	/* a directory that gives its group */
	CHECK(chmod("s/pub", 02777) == 0 && chown("s/pub", 0, 6) == 0 && chmod("s/pub", 02777) == 0);
	AS(1003, 2004, CHECK(mkdir("m/pub/sg", 0755) == 0 && is_of("m/pub/sg", 1003, 2006)));
	CHECK(is_of("s/pub/sg", 3, 6));
}

CASE(owners_change)
{
	int ns;

	if (!set_up(&ns))
		return;
	CHECK(chown("m/own", 1001, 2001) == 0 && is_of("s/own", 1, 1) && is_of("m/own", 1001, 2001));
	CHECK_ERR(chown("m/own", 3, -1), EOVERFLOW);
	CHECK_ERR(chown("m/own", -1, 3), EOVERFLOW);
	CHECK_ERR(chmod("m/far", 0644), EOVERFLOW);
	CHECK_ERR(chown("m/far", 1001, -1), EOVERFLOW); /* its group stays unknown */
	CHECK(chown("m/far", 1001, 2001) == 0 && is_of("s/far", 1, 1));
	CHECK(chown("s/far", 50, 50) == 0);
	CHECK_ERR(unlink("m/far"), EOVERFLOW);
	CHECK_ERR(rename("m/far", "m/x"), EOVERFLOW);
	CHECK_ERR(open("m/far", O_WRONLY), EACCES);
	CHECK(unlink("m/own") == 0 && access("s/own", F_OK));
}

/* The sticky bit: whose files may be taken away. */
CASE(sticky)
{
	int ns;

	if (!set_up(&ns))
		return;
	CHECK(chmod("s/pub", 01777) == 0);
	make_file("s/pub/a", "a");
	make_file("s/pub/b", "b");
	CHECK(chown("s/pub/a", 3, 3) == 0 && chown("s/pub/b", 4, 4) == 0);
	AS(1003, 2003, {
		CHECK_ERR(unlink("m/pub/b"), EPERM);
		CHECK(unlink("m/pub/a") == 0);
	});
	AS(3, 3, CHECK_ERR(unlink("m/pub/b"), EPERM));
}

CASE(set_user_id)
{
	struct stat st;
	int ns;

	if (!set_up(&ns))
		return;
	make_file("s/suid", "#");
	CHECK(chown("s/suid", 3, 4) == 0 && chmod("s/suid", 06777) == 0);
	AS(1009, 2009, {
		int fd = open("m/suid", O_WRONLY);

		CHECK(fd >= 0 && write(fd, "x", 1) == 1);
		close(fd);
	});
	CHECK(stat("m/suid", &st) == 0 && (st.st_mode & 07000) == 0 && st.st_uid == 1003);
}

CASE(rules)
{
	struct attr a = { .set = IDMAP }, clear = { .clear = IDMAP };
	int ns, empty, fd, own, uts;

	if (!set_up(&ns))
		return;
	a.userns_fd = (uint64_t)ns;
	CHECK_ERR(set_attr("s", 0, &a), EINVAL); /* seen already */
	fd = open_tree_(AT_FDCWD, "m", OPEN_TREE_CLONE);
	CHECK(fd >= 0);
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EPERM); /* mapped already: its copy is so, too */
	CHECK(faccessat(fd, "own", F_OK, 0) == 0);
	close(fd);
	CHECK_ERR(set_attr("m", 0, &clear), EINVAL);
	a.userns_fd = 9999;
	fd = open_tree_(AT_FDCWD, "s", OPEN_TREE_CLONE);
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EBADF);
	a.userns_fd = UINT64_C(1) << 32;
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EINVAL);
	a.userns_fd = (uint64_t)fd;
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EBADF);
	a.userns_fd = (uint64_t)open("/dev/null", O_RDONLY);
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EINVAL);
	uts = open("/proc/self/ns/uts", O_RDONLY);
	a.userns_fd = (uint64_t)uts;
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EINVAL);
	own = open("/proc/self/ns/user", O_RDONLY);
	a.userns_fd = (uint64_t)own;
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EPERM);
	empty = user_ns(NULL, NULL);
	a.userns_fd = (uint64_t)empty;
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EINVAL);
	close(fd);
	/* not every file system takes it */
	CHECK(mkdir("p", 0755) == 0 && mount("p", "p", "proc", 0, NULL) == 0);
	CHECK_ERR(map_tree("p", ns), EINVAL);
	/* nor is it for everybody: the file system is another's */
	if (!enter_user_ns())
		return;
	fd = open_tree_(AT_FDCWD, "s", OPEN_TREE_CLONE);
	a.userns_fd = (uint64_t)ns;
	CHECK(fd >= 0);
	CHECK_ERR(mount_setattr_(fd, "", AT_EMPTY_PATH, &a, sizeof(a)), EPERM);
}

/* A copy of the namespace has it as well; and what is on a disk. */
CASE(on_disk)
{
	char dir[] = "/var/tmp/idmap-XXXXXX";
	int ns, fd;

	if (!begin() || (ns = user_ns("0 1000 10", "0 2000 10")) < 0)
		return;
	CHECK(mkdtemp(dir) && chdir(dir) == 0 && chmod(".", 0755) == 0 && mkdir("s", 0777) == 0 && chmod("s", 0777) == 0 && mkdir("m", 0755) == 0);
	make_file("s/f", "f");
	CHECK(chown("s/f", 3, 3) == 0);
	fd = map_tree("s", ns);
	CHECK(fd >= 0 && attach(fd, "m") == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(is_of("m/f", 1003, 2003));
	AS(1004, 2004, make_file("m/g", "g"));
	CHECK(is_of("s/g", 4, 4) && is_of("m/g", 1004, 2004) && file_is("s/g", "g"));
	CHECK(umount("m") == 0 || umount2("m", MNT_DETACH) == 0);
	CHECK(unlink("s/f") == 0 && unlink("s/g") == 0 && rmdir("s") == 0 && rmdir("m") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
}

int main(void) { return run_cases(); }
