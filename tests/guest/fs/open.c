/* open(2) and openat2(2): flags, errors and their order. */
#include "fs.h"

#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>

CASE(flags)
{
	int fd;

	in_temp();
	CHECK_ERR(open("x", O_RDONLY), ENOENT);
	CHECK((fd = open("x", O_CREAT | O_EXCL | O_RDWR, 0666)) >= 0);
	CHECK(write(fd, "hello", 5) == 5);
	CHECK_ERR(open("x", O_CREAT | O_EXCL | O_RDWR, 0666), EEXIST);
	CHECK_ERR(open("x", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERR(open("x/", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("x/y", O_RDONLY), ENOTDIR);
	CHECK_ERR(open(".", O_RDWR), EISDIR);
	CHECK_ERR(open("new/", O_CREAT | O_RDWR, 0666), EISDIR);
	CHECK_ERR(open("", O_RDONLY), ENOENT);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	close(fd);
	fd = open("x", O_RDWR | O_TRUNC);
	struct stat st;
	CHECK(fstat(fd, &st) == 0 && st.st_size == 0 && st.st_mode == (S_IFREG | 0644));
}

CASE(access_modes)
{
	char c;
	int fd;

	in_temp();
	make_file("f", "abc");
	fd = open("f", O_WRONLY);
	CHECK_ERR(read(fd, &c, 1), EBADF);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK_ERR(write(fd, "x", 1), EBADF);
	CHECK_ERR(ftruncate(fd, 0), EINVAL);
	close(fd);
	CHECK_ERR(read(fd, &c, 1), EBADF);
}

CASE(links)
{
	in_temp();
	make_file("f", "abc");
	CHECK(symlink("f", "l") == 0 && symlink("l2", "l1") == 0 && symlink("l1", "l2") == 0 && symlink("nowhere", "d") == 0);
	CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERR(open("l1", O_RDONLY), ELOOP);
	CHECK_ERR(open("d", O_RDONLY), ENOENT);
	CHECK_ERR(open("d", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK(open("d", O_CREAT | O_RDWR, 0600) >= 0);
	CHECK(access("nowhere", F_OK) == 0);
	CHECK(file_is("l", "abc"));
	CHECK_ERR(open("l/", O_RDONLY), ENOTDIR);
}

CASE(names)
{
	char name[5000];

	in_temp();
	memset(name, 'a', sizeof(name));
	name[255] = 0;
	CHECK(open(name, O_CREAT | O_RDWR, 0600) >= 0);
	name[255] = 'a';
	name[256] = 0;
	CHECK_ERR(open(name, O_CREAT | O_RDWR, 0600), ENAMETOOLONG);
	name[256] = 'a';
	name[4999] = 0;
	CHECK_ERR(open(name, O_RDONLY), ENAMETOOLONG);
	for (int i = 0; i < 2000; i++)
		memcpy(name + 2 * i, "./", 2);
	strcpy(name + 4000, "f");
	make_file("f", "x");
	CHECK(access(name, F_OK) == 0);
}

CASE(path_fd)
{
	struct stat st;
	char c;
	int fd;

	in_temp();
	make_file("f", "abc");
	CHECK((fd = open("f", O_PATH)) >= 0);
	CHECK_ERR(read(fd, &c, 1), EBADF);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 3);
	CHECK_ERR(fchmod(fd, 0600), EBADF);
	CHECK(fcntl(fd, F_GETFL) & O_PATH);
	CHECK(symlink("f", "l") == 0);
	CHECK((fd = open("l", O_PATH | O_NOFOLLOW)) >= 0);
	CHECK(fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(mkdir("d", 0755) == 0);
	make_file("d/in", "inside");
	CHECK((fd = open("d", O_PATH)) >= 0);
	CHECK(openat(fd, "in", O_RDONLY) >= 0);
}

CASE(tmpfile)
{
	char path[64], buf[8];
	int fd;

	in_temp();
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0) { /* not every file system has it */
		int e = errno;

		CHECK(e == EOPNOTSUPP || e == EISDIR);
		return;
	}
	CHECK(write(fd, "hidden", 6) == 6);
	CHECK(pread(fd, buf, 8, 0) == 6 && !memcmp(buf, "hidden", 6));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	CHECK(file_is("named", "hidden"));
}

static long openat2_(int dir, const char *name, uint64_t flags, uint64_t resolve)
{
	struct open_how h = { .flags = flags, .resolve = resolve };

	return syscall(SYS_openat2, dir, name, &h, sizeof(h));
}

CASE(resolve)
{
	int d;

	in_temp();
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
	make_file("d/f", "x");
	make_file("out", "x");
	CHECK(symlink("../out", "d/up") == 0 && symlink("/f", "d/abs") == 0 && symlink("f", "d/same") == 0);
	d = open("d", O_RDONLY | O_DIRECTORY);
	CHECK(openat2_(d, "f", O_RDONLY, RESOLVE_BENEATH) >= 0);
	CHECK(openat2_(d, "e/../f", O_RDONLY, RESOLVE_BENEATH) >= 0);
	CHECK_ERR(openat2_(d, "../out", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERR(openat2_(d, "up", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERR(openat2_(d, "/etc", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK(openat2_(d, "abs", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
	CHECK(openat2_(d, "/f", O_RDONLY, RESOLVE_IN_ROOT) >= 0 && openat2_(d, "/../e/../f", O_RDONLY, RESOLVE_IN_ROOT) >= 0 && openat2_(d, "/", O_PATH, RESOLVE_IN_ROOT) >= 0);
	CHECK_ERR(openat2_(d, "/proc/self", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
	CHECK_ERR(openat2_(-1, "/f", O_RDONLY, RESOLVE_IN_ROOT), EBADF);
	CHECK(openat2_(d, "../../f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
	CHECK_ERR(openat2_(d, "same", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERR(openat2_(d, "f", O_RDONLY, 1 << 20), EINVAL);
}

CASE(dev_fd)
{
	char path[32], c;
	int fd, again;

	in_temp();
	make_file("f", "abc");
	fd = open("f", O_RDONLY);
	CHECK(read(fd, &c, 1) == 1 && c == 'a');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK((again = open(path, O_RDWR)) >= 0);
	CHECK(read(again, &c, 1) == 1 && c == 'a'); /* its own position */
}

/* A link of /proc that leads to another mount crosses into it. */
CASE(resolve_no_xdev_and_links_of_proc)
{
	int self = open("/proc/self", O_PATH | O_DIRECTORY), fd;

	CHECK(self >= 0 && chdir("/proc") == 0);
	CHECK_ERR(openat2_(self, "root", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	CHECK_ERR(openat2_(self, "exe", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	CHECK((fd = (int)openat2_(self, "cwd", O_RDONLY, RESOLVE_NO_XDEV)) >= 0);
	close(fd);
	CHECK(openat2_(self, "root", O_RDONLY, 0) >= 0);
}

int main(void) { return run_cases(); }
