/*
 * Files and names in overlays that a program mounts: copying up, whiteouts, opaque directories, renames.
 */
#include "overlay.h"

#include <sys/mman.h>

CASE(copy_up)
{
	struct stat before, after, dir;
	struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	char v[16];
	int fd, early;

	if (!begin())
		return;
	CHECK(mkdir("l2/a", 0751) == 0 && mkdir("l2/a/b", 0711) == 0 && chown("l2/a/b", 5, 6) == 0);
	make_file("l2/a/b/f", "old data");
	CHECK(chmod("l2/a/b/f", 04751) == 0 && chown("l2/a/b/f", 7, 8) == 0 && chmod("l2/a/b/f", 04751) == 0);
	CHECK(setxattr("l2/a/b/f", "user.x", "val", 3, 0) == 0);
	CHECK(utimensat(AT_FDCWD, "l2/a/b/f", times, 0) == 0 && utimensat(AT_FDCWD, "l2/a/b", times, 0) == 0);
	CHECK(mount_it(usual) == 0);
	before = lstat_of("m/a/b/f");
	early = open("m/a/b/f", O_RDONLY);
	CHECK(early >= 0);
	CHECK(chmod("m/a/b/f", 04750) == 0);
	after = lstat_of("m/a/b/f");
	CHECK(after.st_ino == before.st_ino && after.st_dev == before.st_dev && after.st_mode == (S_IFREG | 04750));
	CHECK(after.st_uid == 7 && after.st_gid == 8 && after.st_mtim.tv_sec == 2000 && after.st_nlink == 1);
	after = lstat_of("u/a/b/f");
	CHECK(after.st_mode == (S_IFREG | 04750) && after.st_uid == 7 && after.st_mtim.tv_sec == 2000 && after.st_size == 8);
	dir = lstat_of("u/a/b");
	CHECK(dir.st_mode == (S_IFDIR | 0711) && dir.st_uid == 5 && dir.st_gid == 6 && dir.st_mtim.tv_sec == 2000);
	CHECK(lstat_of("u/a").st_mode == (S_IFDIR | 0751));
	CHECK(getxattr("u/a/b/f", "user.x", v, sizeof(v)) == 3 && !memcmp(v, "val", 3));
	fd = open("m/a/b/f", O_WRONLY | O_APPEND);
	CHECK(fd >= 0 && write(fd, "+", 1) == 1 && close(fd) == 0);
	CHECK(file_is("m/a/b/f", "old data+") && file_is("u/a/b/f", "old data+") && file_is("l2/a/b/f", "old data"));
	CHECK(pread(early, v, sizeof(v), 0) == 9); /* who had it open sees what was written */
	CHECK(lstat_of("l2/a/b/f").st_mode == (S_IFREG | 04751));
	CHECK(lists("w/work", ""));
}

CASE(kinds_are_copied)
{
	char to[16];

	if (!begin())
		return;
	CHECK(symlink("target", "l1/link") == 0 && mkfifo("l1/fifo", 0640) == 0);
	CHECK(mount_it(usual) == 0);
	CHECK(readlink("m/link", to, sizeof(to)) == 6 && !memcmp(to, "target", 6));
	CHECK(lchown("m/link", 3, 4) == 0 && chown("m/fifo", 3, 4) == 0);
	CHECK(readlink("u/link", to, sizeof(to)) == 6 && lstat_of("u/link").st_uid == 3);
	CHECK(S_ISFIFO(lstat_of("u/fifo").st_mode) && (lstat_of("u/fifo").st_mode & 07777) == 0640 && lstat_of("m/fifo").st_gid == 4);
}

CASE(truncate_and_holes)
{
	char c;
	int fd;

	if (!begin())
		return;
	fd = open("l1/sparse", O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0 && pwrite(fd, "x", 1, 1 << 20) == 1 && ftruncate(fd, 4 << 20) == 0 && close(fd) == 0);
	make_file("l1/cut", "0123456789");
	make_file("l1/emptied", "0123456789");
	CHECK(mount_it(usual) == 0);
	CHECK(truncate("m/cut", 4) == 0 && file_is("m/cut", "0123") && file_is("l1/cut", "0123456789"));
	fd = open("m/emptied", O_RDWR | O_TRUNC);
	CHECK(fd >= 0 && read(fd, &c, 1) == 0 && close(fd) == 0);
	CHECK(lstat_of("u/emptied").st_size == 0);
	CHECK(chmod("m/sparse", 0600) == 0);
	CHECK(lstat_of("u/sparse").st_size == 4 << 20 && lstat_of("u/sparse").st_blocks < 4096);
	fd = open("u/sparse", O_RDONLY);
	CHECK(fd >= 0 && pread(fd, &c, 1, 1 << 20) == 1 && c == 'x');
}

CASE(mapped)
{
	char *p, *q;
	int fd;

	if (!begin())
		return;
	make_file("l1/f", "lower");
	CHECK(mount_it(usual) == 0);
	fd = open("m/f", O_RDWR);
	CHECK(fd >= 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memcpy(p, "UPPER", 5);
	CHECK(msync(p, 4096, MS_SYNC) == 0 && fsync(fd) == 0);
	CHECK(file_is("m/f", "UPPER") && file_is("u/f", "UPPER") && file_is("l1/f", "lower"));
	q = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(q != MAP_FAILED && !memcmp(q, "UPPER", 5));
}

CASE(whiteouts)
{
	if (!begin())
		return;
	make_file("l1/f", "f");
	make_file("l2/g", "g");
	make_file("u/only", "only");
	CHECK(mkdir("l1/d", 0755) == 0);
	make_file("l1/d/x", "x");
	CHECK(mount_it(usual) == 0);
	CHECK(unlink("m/f") == 0 && unlink("m/g") == 0 && unlink("m/only") == 0);
	CHECK(is_whiteout("u/f") && is_whiteout("u/g") && access("u/only", F_OK) && lists("m", "d "));
	CHECK_ERR(rmdir("m/d"), ENOTEMPTY);
	CHECK(unlink("m/d/x") == 0 && lists("m/d", "") && is_whiteout("u/d/x"));
	CHECK(rmdir("m/d") == 0 && is_whiteout("u/d") && lists("m", ""));
	make_file("m/f", "new");
	CHECK(file_is("u/f", "new") && file_is("m/f", "new") && file_is("l1/f", "f"));
	CHECK(unlink("m/f") == 0 && is_whiteout("u/f"));
	CHECK_ERR(open("m/f", O_RDONLY), ENOENT);
	CHECK(symlink("t", "m/f") == 0 && S_ISLNK(lstat_of("u/f").st_mode) && unlink("m/f") == 0);
	make_file("m/other", "o");
	CHECK(link("m/other", "m/f") == 0 && file_is("m/f", "o") && lstat_of("m/f").st_nlink == 2 && lstat_of("u/f").st_ino == lstat_of("u/other").st_ino);
	/* again, by another mount */
	CHECK(unlink("m/f") == 0 && umount("m") == 0);
	CHECK(mount_it(usual) == 0 && lists("m", "other "));
}

CASE(opaque)
{
	char v[8], list[4096];
	ssize_t n;

	if (!begin())
		return;
	CHECK(mkdir("l1/d", 0755) == 0 && mkdir("l1/gone", 0755) == 0);
	make_file("l1/d/x", "x");
	CHECK(mount_it(usual) == 0);
	CHECK(unlink("m/d/x") == 0 && rmdir("m/d") == 0 && mkdir("m/d", 0700) == 0);
	CHECK(lists("m/d", "") && (lstat_of("m/d").st_mode & 07777) == 0700);
	CHECK(getxattr("u/d", "trusted.overlay.opaque", v, sizeof(v)) == 1 && *v == 'y');
	CHECK(getxattr("m/d", "trusted.overlay.opaque", v, sizeof(v)) == -1); /* its own, that nobody sees */
	n = listxattr("m/d", list, sizeof(list));
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(list + i) + 1)
		CHECK(strcmp(list + i, "trusted.overlay.opaque"));
	make_file("m/d/new", "new");
	CHECK(umount("m") == 0 && mount_it(usual) == 0);
	CHECK(lists("m/d", "new ") && rmdir("m/gone") == 0 && umount("m") == 0);
	/* what others made */
	CHECK(mkdir("l2/e", 0755) == 0 && mkdir("l1/e", 0755) == 0 && setxattr("l1/e", "trusted.overlay.opaque", "y", 1, 0) == 0);
	make_file("l2/e/hidden", "");
	make_file("l1/e/shown", "");
	CHECK(mknod("l1/cut", S_IFCHR, 0) == 0);
	make_file("l2/cut", "");
	CHECK(mount_it(usual) == 0);
	CHECK(lists("m/e", "shown ") && access("m/cut", F_OK) && lists("m", "d e "));
}

/* What an engine that makes layers by itself does: renameat2 with RENAME_WHITEOUT, in a tmpfs. */
CASE(rename_leaves_a_whiteout)
{
	struct stat st;
	off_t size;

	if (!begin())
		return;
	make_file("u/a", "A");
	make_file("u/b", "B");
	make_file("l1/a", "lower");
	CHECK(mkdir("u/d", 0755) == 0 && mkdir("u/d/e", 0755) == 0);
	size = lstat_of("u").st_size;
	CHECK(rename2("u/a", "u/c", RENAME_WHITEOUT) == 0);
	CHECK(is_whiteout("u/a") && file_is("u/c", "A") && lists("u", "a b c d ") && lstat_of("u").st_size > size);
	st = lstat_of("u/a");
	CHECK(st.st_nlink == 1 && (st.st_mode & 07777) == 0 && st.st_uid == geteuid());
	CHECK(rename2("u/b", "u/c", RENAME_WHITEOUT) == 0); /* over something */
	CHECK(is_whiteout("u/b") && file_is("u/c", "B") && lists("u", "a b c d "));
	CHECK(rename2("u/d/e", "u/e", RENAME_WHITEOUT | RENAME_NOREPLACE) == 0);
	CHECK(is_whiteout("u/d/e") && lists("u/e", "") && lstat_of("u/d").st_nlink == 2 && lists("u/d", "e "));
	CHECK_ERR(rename2("u/c", "u/e", RENAME_WHITEOUT | RENAME_NOREPLACE), EEXIST);
	CHECK_ERR(rename2("u/c", "u/e", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
	CHECK_ERR(rename2("u/none", "u/x", RENAME_WHITEOUT), ENOENT);
	CHECK_ERR(rename2("u/c", "u/c", 8), EINVAL);
	CHECK(rename2("u/c", "u/c", RENAME_WHITEOUT) == 0 && file_is("u/c", "B"));
	CHECK(rename2("u/e", "u/dir", RENAME_WHITEOUT) == 0 && is_whiteout("u/e"));
	CHECK(mount_it(usual) == 0);
	CHECK(lists("m", "c d dir ") && access("m/a", F_OK));
	CHECK_ERR(rename2("m/c", "m/x", RENAME_WHITEOUT), EINVAL); /* no overlay does it */
	CHECK(file_is("m/c", "B"));
	CHECK(umount("m") == 0);
	CHECK(unlink("u/a") == 0 && lists("u", "b c d dir e "));
}

CASE(a_whiteout_cannot_be_made)
{
	if (!begin())
		return;
	CHECK(mount_it(usual) == 0);
	CHECK_ERR(mknod("m/w", S_IFCHR, 0), EPERM);
	CHECK(mknod("u/w", S_IFCHR, 0) == 0 && access("m/w", F_OK) == -1);
}

CASE(rename_files)
{
	ino_t i;

	if (!begin())
		return;
	make_file("l1/a", "A");
	make_file("l2/b", "B");
	CHECK(mkdir("l1/d", 0755) == 0);
	CHECK(mount_it(usual) == 0);
	i = lstat_of("m/a").st_ino;
	CHECK(rename("m/a", "m/c") == 0);
	CHECK(file_is("m/c", "A") && lstat_of("m/c").st_ino == i && is_whiteout("u/a") && access("m/a", F_OK));
	CHECK(rename("m/c", "m/b") == 0 && file_is("m/b", "A") && lists("m", "b d ") && access("u/c", F_OK));
	CHECK(rename("m/b", "m/d/b") == 0 && file_is("m/d/b", "A") && is_whiteout("u/b"));
	CHECK(rename("m/d/b", "m/a") == 0 && file_is("m/a", "A") && file_is("u/a", "A")); /* over a whiteout */
	make_file("m/n", "N");
	CHECK(rename2("m/n", "m/a", RENAME_EXCHANGE) == 0 && file_is("m/n", "A") && file_is("m/a", "N"));
	CHECK_ERR(rename2("m/n", "m/a", RENAME_NOREPLACE), EEXIST);
	CHECK_ERR(rename("m/n", "l1/n"), EXDEV);
	CHECK(lists("w/work", ""));
}

CASE(rename_directories)
{
	char v[8];

	if (!begin())
		return;
	CHECK(mkdir("l1/merged", 0755) == 0 && mkdir("l1/empty", 0755) == 0 && mkdir("l1/over", 0755) == 0);
	make_file("l1/merged/x", "x");
	make_file("l1/over/hidden", "");
	CHECK(mount_it(usual) == 0);
	CHECK_ERR(rename("m/merged", "m/moved"), EXDEV);
	make_file("m/merged/y", "");
	CHECK_ERR(rename("m/merged", "m/moved"), EXDEV);
	CHECK(mkdir("m/new", 0755) == 0);
	make_file("m/new/z", "z");
	CHECK_ERR(rename2("m/new", "m/merged", RENAME_EXCHANGE), EXDEV);
	CHECK(rename("m/new", "m/newer") == 0 && lists("m/newer", "z "));
	CHECK_ERR(rename("m/newer", "m/merged"), ENOTEMPTY);
	CHECK(rename("m/newer", "m/empty") == 0 && lists("m/empty", "z ") && access("m/newer", F_OK));
	/* where a whiteout is, and a directory below */
	CHECK(unlink("m/over/hidden") == 0 && rmdir("m/over") == 0 && is_whiteout("u/over"));
	CHECK(rename("m/empty", "m/over") == 0 && lists("m/over", "z ") && is_whiteout("u/empty"));
	CHECK(getxattr("u/over", "trusted.overlay.opaque", v, sizeof(v)) == 1 && *v == 'y');
	/* over a directory of which nothing is left but whiteouts */
	CHECK(unlink("m/merged/x") == 0 && unlink("m/merged/y") == 0 && rename("m/over", "m/merged") == 0);
	CHECK(lists("m/merged", "z ") && lists("m", "merged "));
	CHECK(umount("m") == 0 && mount_it(usual) == 0 && lists("m", "merged ") && lists("m/merged", "z "));
}

CASE(hard_links)
{
	struct stat a, b;

	if (!begin())
		return;
	make_file("l1/a", "A");
	CHECK(link("l1/a", "l1/b") == 0);
	make_file("l1/c", "C");
	CHECK(mount_it(usual) == 0);
	CHECK(chmod("m/a", 0600) == 0); /* the other name stays what it was: there is no index */
	a = lstat_of("m/a");
	b = lstat_of("m/b");
	CHECK((a.st_mode & 0777) == 0600 && (b.st_mode & 0777) == 0644 && a.st_ino != b.st_ino && b.st_nlink == 2);
	CHECK(link("m/c", "m/d") == 0 && lstat_of("m/c").st_nlink == 2 && lstat_of("m/d").st_ino == lstat_of("m/c").st_ino);
	CHECK(lstat_of("u/c").st_ino == lstat_of("u/d").st_ino);
	CHECK(unlink("m/c") == 0 && lstat_of("m/d").st_nlink == 1 && file_is("m/d", "C"));
}

CASE(nameless)
{
	char path[64], v[8];
	int fd, lower;

	if (!begin())
		return;
	make_file("l1/f", "lower");
	CHECK(mount_it(usual) == 0);
	fd = open("m", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0 && write(fd, "tmp", 3) == 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "m/t", AT_SYMLINK_FOLLOW) == 0 && file_is("m/t", "tmp") && file_is("u/t", "tmp"));
	/* changed after its name was removed: what is copied gets none */
	lower = open("m/f", O_RDONLY);
	CHECK(lower >= 0 && unlink("m/f") == 0);
	(void)!fchmod(lower, 0600); /* some Linux says EEXIST */
	CHECK(access("m/f", F_OK) && is_whiteout("u/f"));
	CHECK(pread(lower, v, sizeof(v), 0) == 5 && !memcmp(v, "lower", 5));
}

CASE(many)
{
	char n[300];
	unsigned seen = 0;
	struct dirent *e;
	DIR *d;

	if (!begin())
		return;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(n, sizeof(n), "l%u/file%u", i % 2 + 1, i);
		make_file(n, "x");
	}
	CHECK(mount_it(usual) == 0);
	for (unsigned i = 0; i < 500; i += 5) {
		snprintf(n, sizeof(n), "m/file%u", i);
		CHECK(unlink(n) == 0);
	}
	for (unsigned i = 0; i < 50; i++) {
		snprintf(n, sizeof(n), "m/new%u", i);
		make_file(n, "n");
	}
	d = opendir("m");
	CHECK(d);
	while ((e = readdir(d)))
		seen += *e->d_name != '.';
	closedir(d);
	CHECK(seen == 450);
	d = opendir("m");
	CHECK(d);
	while ((e = readdir(d))) {
		snprintf(n, sizeof(n), "m/%s", e->d_name);
		CHECK(*e->d_name == '.' || unlink(n) == 0);
	}
	closedir(d);
	CHECK(lists("m", ""));
}

int main(void) { return run_cases(); }
