/* rename(2), link(2), unlink(2): the rules. */
#include "fs.h"

#include <linux/fs.h>
#include <sys/syscall.h>

static int rename2(const char *a, const char *b, unsigned flags) { return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags); }

static ino_t ino(const char *n)
{
	struct stat st;

	CHECK(lstat(n, &st) == 0);
	return st.st_ino;
}

CASE(files)
{
	ino_t i;

	in_temp();
	make_file("a", "A");
	make_file("b", "B");
	i = ino("a");
	CHECK(rename("a", "b") == 0);
	CHECK(file_is("b", "A") && access("a", F_OK) && ino("b") == i);
	CHECK_ERR(rename("a", "c"), ENOENT);
	CHECK(rename("b", "b") == 0);
	CHECK(link("b", "c") == 0 && rename("b", "c") == 0 && access("b", F_OK) == 0); /* two names of one file */
}

CASE(directories)
{
	in_temp();
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && mkdir("empty", 0755) == 0 && mkdir("full", 0755) == 0);
	make_file("full/x", "x");
	make_file("f", "f");
	CHECK_ERR(rename("d", "d/e/g"), EINVAL);
	CHECK_ERR(rename("d", "full"), ENOTEMPTY);
	CHECK_ERR(rename("d", "f"), ENOTDIR);
	CHECK_ERR(rename("f", "d"), EISDIR);
	CHECK_ERR(rename("d/e", "d"), ENOTEMPTY);
	CHECK_ERR(rename("f", "g/"), ENOTDIR);
	CHECK_ERR(rename(".", "g"), EBUSY);
	CHECK(rename("d", "empty") == 0);
	CHECK(access("empty/e", F_OK) == 0);
	CHECK(rename("empty/", "again/") == 0 && access("again/e", F_OK) == 0);
}

CASE(flags)
{
	ino_t a, b;

	in_temp();
	make_file("a", "A");
	CHECK(mkdir("b", 0755) == 0);
	a = ino("a");
	b = ino("b");
	CHECK_ERR(rename2("a", "b", RENAME_NOREPLACE), EEXIST);
	CHECK(rename2("a", "b", RENAME_EXCHANGE) == 0);
	CHECK(ino("a") == b && ino("b") == a && file_is("b", "A"));
	CHECK(rename2("b", "new", RENAME_NOREPLACE) == 0 && file_is("new", "A"));
	CHECK_ERR(rename2("new", "none", RENAME_EXCHANGE), ENOENT);
	CHECK_ERR(rename2("new", "x", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	CHECK_ERR(rename2("new", "x", 1 << 10), EINVAL);
}

CASE(hard_links)
{
	struct stat st;

	in_temp();
	make_file("a", "A");
	CHECK(link("a", "b") == 0 && stat("b", &st) == 0 && st.st_nlink == 2);
	CHECK_ERR(link("a", "b"), EEXIST);
	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERR(link("d", "e"), EPERM);
	make_file("b", "changed");
	CHECK(file_is("a", "changed"));
	CHECK(unlink("a") == 0 && file_is("b", "changed") && stat("b", &st) == 0 && st.st_nlink == 1);
	CHECK(chmod("b", 0600) == 0 && stat("b", &st) == 0 && (st.st_mode & 0777) == 0600);
	int fd = open("b", O_RDWR);
	CHECK(fd >= 0 && write(fd, "X", 1) == 1);
	CHECK(file_is("b", "Xhanged"));
}

CASE(unlink_open)
{
	struct stat st;
	char buf[8];
	int fd;

	in_temp();
	make_file("f", "data");
	fd = open("f", O_RDWR);
	CHECK(unlink("f") == 0 && access("f", F_OK));
	CHECK(read(fd, buf, 8) == 4 && !memcmp(buf, "data", 4));
	CHECK(write(fd, "more", 4) == 4 && fstat(fd, &st) == 0 && st.st_size == 8 && st.st_nlink == 0);
	CHECK(ftruncate(fd, 2) == 0 && fstat(fd, &st) == 0 && st.st_size == 2);
	make_file("f", "new");
	CHECK(pread(fd, buf, 8, 0) == 2 && file_is("f", "new"));
	CHECK_ERR(unlink("none"), ENOENT);
}

CASE(unlink_errors)
{
	in_temp();
	CHECK(mkdir("d", 0755) == 0);
	make_file("d/f", "x");
	CHECK_ERR(unlink("d"), EISDIR);
	CHECK_ERR(rmdir("d"), ENOTEMPTY);
	CHECK_ERR(rmdir("d/f"), ENOTDIR);
	CHECK_ERR(rmdir("d/."), EINVAL);
	CHECK_ERR(rmdir("d/.."), ENOTEMPTY);
	CHECK_ERR(rmdir("/"), EBUSY);
	CHECK_ERR(unlink("d/f/"), ENOTDIR);
	CHECK_ERR(unlinkat(AT_FDCWD, "d", 1), EINVAL);
	CHECK(unlink("d/f") == 0 && unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0);
	CHECK_ERR(mkdir("x/y", 0755), ENOENT);
	CHECK(mkdir("x/", 0755) == 0);
	CHECK_ERR(mkdir("x", 0755), EEXIST);
	CHECK_ERR(mkdir(".", 0755), EEXIST);
	CHECK_ERR(symlink("", "l"), ENOENT);
}

int main(void) { return run_cases(); }
