/* Directories: listing, counting links, working directories, roots. */
#include "fs.h"

#include <dirent.h>
#include <limits.h>

static int count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

CASE(list)
{
	char name[32];
	DIR *d;
	struct dirent *e;
	unsigned char seen[3000] = { 0 };
	int types = 0;

	in_temp();
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		make_file(name, "");
	}
	d = opendir(".");
	while ((e = readdir(d))) {
		int k;

		if (sscanf(e->d_name, "file-%d", &k) == 1) {
			CHECK(k >= 0 && k < 3000 && !seen[k]);
			seen[k] = 1;
			types += e->d_type == DT_REG;
		} else {
			CHECK(e->d_name[0] == '.' && e->d_type == DT_DIR);
		}
	}
	CHECK(types == 3000);
	rewinddir(d);
	CHECK(unlink("file-7") == 0);
	types = 0;
	while ((e = readdir(d)))
		types++;
	CHECK(types == 3001);
}

CASE(remove_while_listing)
{
	char name[32];
	struct dirent *e;
	DIR *d;

	in_temp();
	CHECK(mkdir("d", 0755) == 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		make_file(name, "");
	}
	d = opendir("d");
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			CHECK(unlinkat(dirfd(d), e->d_name, 0) == 0);
	CHECK(count("d") == 2);
	CHECK(rmdir("d") == 0);
}

CASE(seek)
{
	char name[300];
	struct dirent *e;
	long pos;
	DIR *d;

	in_temp();
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		make_file(name, "");
	}
	d = opendir(".");
	for (int i = 0; i < 5; i++)
		readdir(d);
	pos = telldir(d);
	e = readdir(d);
	strcpy(name, e->d_name);
	while (readdir(d))
		;
	seekdir(d, pos);
	e = readdir(d);
	CHECK(e && !strcmp(e->d_name, name));
}

CASE(link_count)
{
	struct stat st;

	in_temp();
	CHECK(mkdir("d", 0755) == 0 && stat("d", &st) == 0);
	if (st.st_nlink == 1)
		return; /* a file system that does not count */
	CHECK(st.st_nlink == 2);
	CHECK(mkdir("d/a", 0755) == 0 && mkdir("d/b", 0755) == 0 && stat("d", &st) == 0 && st.st_nlink == 4);
	CHECK(rmdir("d/a") == 0 && stat("d", &st) == 0 && st.st_nlink == 3);
	CHECK(rename("d/b", "b") == 0 && stat("d", &st) == 0 && st.st_nlink == 2);
}

CASE(cwd)
{
	char a[PATH_MAX], b[PATH_MAX];

	in_temp();
	CHECK(getcwd(a, sizeof(a)));
	CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0 && getcwd(b, sizeof(b)));
	CHECK(!strncmp(a, b, strlen(a)) && !strcmp(b + strlen(a), "/d"));
	CHECK(rename("../d", "../e") == 0 && getcwd(b, sizeof(b)) && !strcmp(b + strlen(a), "/e"));
	CHECK(!getcwd(b, 3) && errno == ERANGE);
	CHECK(rmdir("../e") == 0);
	CHECK(!getcwd(b, sizeof(b)) && errno == ENOENT);
	CHECK_ERR(open("x", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERR(mkdir("x", 0700), ENOENT);
	CHECK(chdir("..") == 0 && getcwd(b, sizeof(b)) && !strcmp(a, b));
	make_file("f", "");
	CHECK_ERR(chdir("f"), ENOTDIR);
}

CASE(chroot_)
{
	char b[PATH_MAX];

	if (getuid())
		return;
	in_temp();
	CHECK(mkdir("r", 0755) == 0 && mkdir("r/in", 0755) == 0);
	make_file("r/in/f", "root");
	CHECK(symlink("/in/f", "r/l") == 0);
	CHECK(chroot("r") == 0 && chdir("/") == 0);
	CHECK(file_is("/l", "root") && file_is("../../in/f", "root"));
	CHECK(chdir("in") == 0 && getcwd(b, sizeof(b)) && !strcmp(b, "/in"));
	become(65534);
	CHECK_ERR(chroot("."), EPERM);
}

/* Read a few entries at a time while others come and go: each that stays is listed once. */
CASE(listed_by_parts)
{
	char buf[512] __attribute__((aligned(8))), name[32];
	unsigned char seen[200] = { 0 };
	int fd, parts = 0, i;
	ssize_t n;

	in_temp();
	for (i = 0; i < 200; i++) {
		sprintf(name, "f%03d", i);
		make_file(name, "");
	}
	fd = open(".", O_RDONLY | O_DIRECTORY);
	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		i = -1;
		for (ssize_t at = 0; at < n; at += ((struct dirent64 *)(void *)(buf + at))->d_reclen) {
			const struct dirent64 *e = (const void *)(buf + at);

			if (e->d_name[0] == 'f' && sscanf(e->d_name, "f%d", &i) == 1)
				seen[i]++;
		}
		if (i < 0 || ++parts > 10)
			continue;
		sprintf(name, "f%03d", i); /* the last one seen, behind which the next part begins */
		CHECK(unlink(name) == 0);
		sprintf(name, "new%d", parts);
		make_file(name, "");
	}
	CHECK(n == 0 && parts > 5);
	for (i = 0; i < 200; i++)
		CHECK(seen[i] == 1);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && getdents64(fd, buf, sizeof(buf)) > 0);
	CHECK(close(fd) == 0);
}

int main(void) { return run_cases(); }
