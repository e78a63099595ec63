/*
 * File systems configured by descriptors: fsopen, fsconfig, fsmount, fspick, the messages.
 */
#include "mount_api.h"

#include <sys/statfs.h>
#include <sys/sysinfo.h>

static int flag(int fd, const char *key) { return fsconfig_(fd, FSCONFIG_SET_FLAG, key, NULL, 0); }
static int string(int fd, const char *key, const char *value) { return fsconfig_(fd, FSCONFIG_SET_STRING, key, value, 0); }
static int create(int fd) { return fsconfig_(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0); }
static int reconfigure(int fd) { return fsconfig_(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0); }
static int attach(int fd, const char *to) { return move_mount_(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH); }

static bool says(int fd, const char *text)
{
	char buf[512];
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = 0;
	if (n != (ssize_t)strlen(text) || strcmp(buf, text))
		fprintf(stderr, "said: %s", buf);
	return n == (ssize_t)strlen(text) && !strcmp(buf, text);
}

CASE(tmpfs)
{
	char buf[64];
	struct statfs fs;
	struct stat st;
	int fd, m;

	if (!begin())
		return;
	CHECK(mkdir("m", 0755) == 0);
	fd = fsopen_("tmpfs", FSOPEN_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(readlink("/proc/self/fd/3", buf, sizeof(buf)) >= 0 || fd != 3);
	CHECK_ERR(read(fd, buf, sizeof(buf)), ENODATA);
	CHECK_ERR(write(fd, "x", 1), EINVAL);
	CHECK(string(fd, "source", "the source") == 0);
	CHECK(string(fd, "size", "64k") == 0 && string(fd, "mode", "711") == 0 && string(fd, "uid", "5") == 0);
	CHECK_ERR(fsmount_(fd, 0, 0), EINVAL); /* nothing is made yet */
	CHECK(create(fd) == 0);
	CHECK_ERR(create(fd), EBUSY);
	CHECK_ERR(string(fd, "size", "1k"), EBUSY);
	m = fsmount_(fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME);
	CHECK(m >= 0 && fcntl(m, F_GETFD) == FD_CLOEXEC && fcntl(m, F_GETFL) & O_PATH);
	CHECK_ERR(fsmount_(fd, 0, 0), EBUSY);
	CHECK(fstatfs(m, &fs) == 0 && fs.f_type == 0x01021994 && fs.f_blocks * (uint64_t)fs.f_bsize == 65536 && (fs.f_flags & ~0x20) == (8 | 0x400));
	CHECK(fstat(m, &st) == 0 && (st.st_mode & 07777) == 0711 && st.st_uid == 5);
	CHECK(mkdirat(m, "in", 0755) == 0);
	CHECK(lines_of("/proc/self/mountinfo", "the\\040source") == 0);
	CHECK(attach(m, "m") == 0);
	close(m);
	CHECK(access("m/in", F_OK) == 0 && lines_of("/proc/self/mountinfo", "tmpfs the\\040source") == 1);
	/* now the descriptor changes what is there */
	CHECK(string(fd, "size", "128k") == 0 && flag(fd, "ro") == 0 && reconfigure(fd) == 0);
	CHECK(statfs("m", &fs) == 0 && fs.f_blocks * (uint64_t)fs.f_bsize == 131072 && fs.f_flags & 1);
	CHECK_ERR(mkdir("m/x", 0755), EROFS);
	CHECK(flag(fd, "rw") == 0 && reconfigure(fd) == 0);
	CHECK(mkdir("m/x", 0755) == 0);
	close(fd);
	CHECK(umount("m") == 0);
}

CASE(arguments)
{
	int fd, null = open("/dev/null", O_RDWR);

	if (!begin())
		return;
	CHECK_ERR(fsopen_("no such type", 0), ENODEV);
	CHECK_ERR(fsopen_("tmpfs", 2), EINVAL);
	CHECK_ERR(fsopen_((char *)8, 0), EFAULT);
	fd = fsopen_("tmpfs", 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0);
	CHECK_ERR(fsconfig_(-1, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL);
	CHECK_ERR(fsconfig_(9999, FSCONFIG_SET_FLAG, "ro", NULL, 0), EBADF);
	CHECK_ERR(fsconfig_(null, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL);
	CHECK_ERR(fsconfig_(fd, 99, "ro", NULL, 0), EOPNOTSUPP);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_FLAG, NULL, NULL, 0), EINVAL);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_FLAG, "ro", NULL, 1), EINVAL);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_STRING, "size", NULL, 0), EINVAL);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_BINARY, "size", "x", 0), EINVAL);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_FD, "size", NULL, -1), EINVAL);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_FD, "size", NULL, 9999), EBADF);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_SET_PATH, "size", "", AT_FDCWD), ENOENT);
	CHECK_ERR(fsconfig_(fd, FSCONFIG_CMD_CREATE, "x", NULL, 0), EINVAL);
	CHECK_ERR(reconfigure(fd), EBUSY);
	CHECK_ERR(fsmount_(fd, 2, 0), EINVAL);
	CHECK_ERR(fsmount_(fd, 0, 0x30), EINVAL);
	CHECK_ERR(fsmount_(fd, 0, MOUNT_ATTR_IDMAP), EINVAL);
	CHECK_ERR(fsmount_(null, 0, 0), EINVAL);
	CHECK_ERR(fsmount_(9999, 0, 0), EBADF);
	CHECK_ERR(fspick_(AT_FDCWD, ".", 0x10), EINVAL);
	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERR(fspick_(AT_FDCWD, "d", 0), EINVAL);
}

CASE(messages)
{
	char big[300], small[4];
	int fd;

	if (!begin())
		return;
	fd = fsopen_("tmpfs", 0);
	CHECK(fd >= 0);
	CHECK_ERR(flag(fd, "nonsense"), EINVAL);
	CHECK_ERR(string(fd, "size", "much"), EINVAL);
	CHECK_ERR(flag(fd, "size"), EINVAL);
	CHECK_ERR(flag(fd, "source"), EINVAL);
	CHECK(string(fd, "source", "a") == 0);
	CHECK_ERR(string(fd, "source", "b"), EINVAL);
	CHECK(says(fd, "e tmpfs: Unknown parameter 'nonsense'\n"));
	CHECK(says(fd, "e tmpfs: Bad value for 'size'\n"));
	CHECK(says(fd, "e tmpfs: Bad value for 'size'\n"));
	CHECK(says(fd, "e Non-string source\n"));
	CHECK(says(fd, "e Multiple sources\n"));
	CHECK_ERR(read(fd, small, sizeof(small)), ENODATA);
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = 0;
	CHECK_ERR(flag(fd, big), EINVAL); /* a key is shorter than 256 */
	CHECK_ERR(string(fd, "size", big), EINVAL);
	CHECK_ERR(read(fd, small, sizeof(small)), ENODATA);
	/* only the last ones are kept */
	for (int i = 0; i < 12; i++) {
		snprintf(big, sizeof(big), "k%d", i);
		CHECK_ERR(flag(fd, big), EINVAL);
	}
	CHECK(says(fd, "e tmpfs: Unknown parameter 'k4'\n"));
	CHECK_ERR(read(fd, small, sizeof(small)), EMSGSIZE);
	CHECK(says(fd, "e tmpfs: Unknown parameter 'k5'\n"));
	CHECK(create(fd) == 0); /* what was refused does no harm */
}

/* fspick: the file system that is mounted there. */
CASE(pick)
{
	struct statfs fs;
	int fd;

	if (!begin())
		return;
	CHECK(mkdir("m", 0755) == 0 && mount("m", "m", "tmpfs", 0, "size=64k") == 0);
	fd = fspick_(AT_FDCWD, "m", FSPICK_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(create(fd), EBUSY);
	CHECK(string(fd, "size", "32k") == 0 && reconfigure(fd) == 0);
	CHECK(statfs("m", &fs) == 0 && fs.f_blocks * (uint64_t)fs.f_bsize == 32768);
	CHECK(flag(fd, "ro") == 0 && reconfigure(fd) == 0);
	CHECK_ERR(mkdir("m/x", 0755), EROFS);
	close(fd);
	fd = fspick_(open("m", O_PATH), "", FSPICK_EMPTY_PATH);
	CHECK(fd >= 0 && flag(fd, "rw") == 0 && reconfigure(fd) == 0);
	CHECK(mkdir("m/x", 0755) == 0);
	CHECK_ERR(fsmount_(fd, 0, 0), EBUSY);
}

/* Half of the machine's memory where nothing is said, and then it is not shown. */
CASE(tmpfs_sizes)
{
	struct sysinfo si;
	struct statfs fs;
	uint64_t pages;
	int sizes;

	if (!begin())
		return;
	CHECK(mkdir("m", 0755) == 0 && sysinfo(&si) == 0);
	pages = si.totalram * si.mem_unit / 4096;
	sizes = lines_of("/proc/self/mountinfo", ",size=");
	CHECK(mount("x", "m", "tmpfs", 0, NULL) == 0 && statfs("m", &fs) == 0);
	CHECK((uint64_t)fs.f_blocks == pages / 2 && fs.f_bavail == fs.f_blocks && (uint64_t)fs.f_files == pages / 2 && fs.f_ffree == fs.f_files - 1);
	CHECK(lines_of("/proc/self/mountinfo", ",size=") == sizes);
	CHECK(umount("m") == 0 && mount("x", "m", "tmpfs", 0, "size=10%") == 0 && statfs("m", &fs) == 0);
	CHECK((uint64_t)fs.f_blocks == (pages * 10 + 99) / 100 && lines_of("/proc/self/mountinfo", ",size=") == sizes + 1);
	CHECK(umount("m") == 0 && mount("x", "m", "tmpfs", 0, "size=0") == 0 && statfs("m", &fs) == 0);
	CHECK(fs.f_blocks == 0 && fs.f_bavail == 0 && umount("m") == 0);
}

CASE(others)
{
	static const char *const types[] = { "proc", "sysfs", "devpts", "mqueue", "cgroup2", "ramfs" };
	int fd, m;

	if (!begin())
		return;
	CHECK(mkdir("m", 0755) == 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		fd = fsopen_(types[i], 0);
		CHECK(fd >= 0);
		CHECK(create(fd) == 0);
		m = fsmount_(fd, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
		CHECK(m >= 0);
		CHECK(attach(m, "m") == 0 && lines_of("/proc/self/mountinfo", "/t/m ") == 1);
		close(fd);
		close(m);
		CHECK(umount("m") == 0);
	}
	fd = fsopen_("proc", 0);
	CHECK(string(fd, "hidepid", "invisible") == 0 && string(fd, "gid", "0") == 0 && string(fd, "subset", "pid") == 0);
	CHECK_ERR(string(fd, "hidepid", "5"), EINVAL);
	CHECK_ERR(string(fd, "subset", "net"), EINVAL);
	CHECK(create(fd) == 0);
	m = fsmount_(fd, 0, 0);
	CHECK(m >= 0 && faccessat(m, "self", F_OK, 0) == 0 && faccessat(m, "uptime", F_OK, 0) == -1 && errno == ENOENT);
	close(m);
	close(fd);
	fd = fsopen_("devpts", 0);
	CHECK(string(fd, "mode", "600") == 0 && string(fd, "ptmxmode", "0666") == 0 && create(fd) == 0);
	m = fsmount_(fd, 0, 0);
	CHECK(m >= 0 && faccessat(m, "ptmx", F_OK, 0) == 0);
	close(m);
	close(fd);
}

CASE(overlay)
{
	int fd, m;

	if (!begin())
		return;
	CHECK(mkdir("l,1", 0755) == 0 && mkdir("l2", 0755) == 0 && mkdir("u", 0755) == 0 && mkdir("w", 0755) == 0 && mkdir("m", 0755) == 0);
	make_file("l,1/a", "a");
	make_file("l2/b", "b");
	fd = fsopen_("overlay", 0);
	CHECK(fd >= 0);
	CHECK(string(fd, "lowerdir", "l,1:l2") == 0);
	CHECK(string(fd, "upperdir", "u") == 0 && string(fd, "workdir", "w") == 0);
	CHECK_ERR(string(fd, "no_such", "w"), EINVAL);
	CHECK(create(fd) == 0);
	m = fsmount_(fd, 0, 0);
	CHECK(m >= 0 && attach(m, "m") == 0);
	CHECK(file_is("m/a", "a") && file_is("m/b", "b"));
	make_file("m/a", "new");
	CHECK(file_is("u/a", "new") && file_is("l,1/a", "a"));
	close(m);
	close(fd);
	CHECK(umount("m") == 0);
	/* a failure leaves the descriptor of no more use */
	fd = fsopen_("overlay", 0);
	CHECK(string(fd, "upperdir", "u") == 0);
	CHECK_ERR(create(fd), EINVAL);
	CHECK_ERR(create(fd), EBUSY);
	CHECK_ERR(string(fd, "lowerdir", "l2"), EBUSY);
	CHECK_ERR(fsmount_(fd, 0, 0), EINVAL);
}

/* What was made and never mounted goes with its descriptor; so does a mount that was never attached. */
CASE(given_up)
{
	int fd, m;

	if (!begin())
		return;
	for (int i = 0; i < 100; i++) {
		fd = fsopen_("tmpfs", 0);
		CHECK(fd >= 0 && create(fd) == 0);
		m = i & 1 ? fsmount_(fd, 0, 0) : -1;
		if (m >= 0) {
			CHECK(mkdirat(m, "d", 0755) == 0);
			close(m);
		}
		close(fd);
	}
}

CASE(rights)
{
	struct stat st;
	int fd, m, status, root;
	pid_t c;

	if (!begin())
		return;
	CHECK(mkdir("m", 0755) == 0);
	root = fspick_(AT_FDCWD, "/", 0);
	fd = fsopen_("tmpfs", 0);
	CHECK(root >= 0 && fd >= 0);
	c = fork();
	CHECK(c >= 0);
	if (!c) {
		CHECK(setuid(1000) == 0);
		CHECK_ERR(fsopen_("tmpfs", 0), EPERM);
		CHECK_ERR(fspick_(AT_FDCWD, ".", 0), EPERM);
		CHECK_ERR(create(fd), EPERM);
		CHECK_ERR(fsmount_(fd, 0, 0), EPERM);
		CHECK_ERR(reconfigure(root), EPERM);
		_exit(0);
	}
	CHECK(waitpid(c, &status, 0) == c && status == 0);
	CHECK(create(fd) == 0);
	close(fd);
	if (!enter_user_ns())
		return;
	CHECK(mkdir("m/x", 0755) == 0);
	fd = fspick_(AT_FDCWD, ".", 0);
	CHECK(fd >= 0);
	CHECK_ERR(reconfigure(fd), EPERM); /* whose file system is it? */
	close(fd);
	fd = fsopen_("tmpfs", 0);
	CHECK(fd >= 0);
	CHECK_ERR(string(fd, "uid", "7"), EINVAL); /* nobody's number here */
	CHECK(string(fd, "uid", "0") == 0 && create(fd) == 0);
	m = fsmount_(fd, 0, 0);
	CHECK(m >= 0 && attach(m, "m") == 0 && fstat(m, &st) == 0 && st.st_uid == 0);
	CHECK(mkdir("m/y", 0755) == 0);
	CHECK(string(fd, "size", "1m") == 0 && reconfigure(fd) == 0); /* that is one's own */
	CHECK(mount(NULL, "m", NULL, MS_REMOUNT, "size=2m") == 0);
}

/* Ids of options are those of the user namespace of who mounts. */
CASE(numbers)
{
	struct stat st;
	int ready[2], go[2], status, seen = 900;
	char path[64], c;
	pid_t p;

	if (!begin())
		return;
	CHECK(mkdir("m", 0777) == 0 && pipe(ready) == 0 && pipe(go) == 0);
	p = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	CHECK(p >= 0);
	if (!p) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(9);
		CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
		CHECK(setuid(0) == 0 && setgid(0) == 0);
		CHECK(mount("m", "m", "tmpfs", 0, "uid=3,gid=4,mode=700") == 0);
		CHECK(stat("m", &st) == 0 && st.st_uid == 3 && st.st_gid == 4);
		CHECK(mkdir("m/x", 0700) == 0 && dup2(open("m", O_PATH), seen) == seen);
		CHECK_ERR(mount("m", "m", "tmpfs", 0, "uid=77"), EINVAL);
		CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
		_exit(0);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", p);
	write_text(path, "0 1000 10");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", p);
	write_text(path, "0 2000 10");
	CHECK(write(go[1], "x", 1) == 1 && read(ready[0], &c, 1) == 1);
	CHECK(fstat(seen, &st) == 0 && st.st_uid == 1003 && st.st_gid == 2004);
	CHECK(write(go[1], "x", 1) == 1 && waitpid(p, &status, 0) == p && status == 0);
}

int main(void) { return run_cases(); }
