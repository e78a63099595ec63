/* A directory that was listed, and what is then done with the names that it had, or had not. */
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define N 150

static void name_of(char *buf, const char *dir, int i) { sprintf(buf, "%s/f%03d", dir, i); }

static void fill(const char *dir)
{
	char name[256] = { 0 };

	CHECK(mkdir(dir, 0755) == 0);
	for (int i = 0; i < N; i++) {
		int fd;

		name_of(name, dir, i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600 + (i & 077));
		CHECK(fd >= 0 && write(fd, name, (size_t)i) == i);
		CHECK(close(fd) == 0);
	}
}

/* How many entries, and whether `name` is one. */
static int list(const char *dir, const char *name, int *has)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	CHECK(d);
	*has = 0;
	while ((e = readdir(d))) {
		n++;
		*has |= !strcmp(e->d_name, name);
	}
	CHECK(closedir(d) == 0);
	return n - 2;
}

static void check_file(const char *dir, int i)
{
	char name[64], buf[256];
	struct stat st;
	int fd;

	name_of(name, dir, i);
	CHECK(stat(name, &st) == 0 && st.st_size == i && (st.st_mode & 07777) == (mode_t)(0600 + (i & 077)));
	fd = open(name, O_RDONLY);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf)) == i && !memcmp(buf, name, i < 8 ? (size_t)i : 8));
	CHECK(fstat(fd, &st) == 0 && st.st_size == i);
	CHECK(close(fd) == 0);
}

static void clean(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(dirfd(d), e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	if (d)
		closedir(d);
	CHECK(rmdir(dir) == 0);
}

CASE(orders)
{
	int has;

	umask(0);
	fill("l1");
	CHECK(list("l1", "f010", &has) == N && has);
	for (int i = 0; i < N; i++)
		check_file("l1", i);
	for (int i = N; i-- > 0;)
		check_file("l1", i);
	for (int i = 0; i < N; i++)
		check_file("l1", i * 77 % N);
	clean("l1");
}

CASE(missing_then_made)
{
	struct stat st;
	int has, fd;

	umask(0);
	fill("l2");
	CHECK(list("l2", "new", &has) == N && !has);
	CHECK_ERR(stat("l2/new", &st), ENOENT);
	CHECK_ERR(open("l2/new", O_RDONLY), ENOENT);
	fd = open("l2/new", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	CHECK(stat("l2/new", &st) == 0 && st.st_size == 1);
	CHECK(list("l2", "new", &has) == N + 1 && has);
	CHECK(mkdir("l2/sub", 0755) == 0 && stat("l2/sub", &st) == 0);
	CHECK(symlink("new", "l2/sym") == 0 && stat("l2/sym", &st) == 0 && st.st_size == 1);
	CHECK(link("l2/new", "l2/hard") == 0 && stat("l2/hard", &st) == 0 && st.st_nlink == 2);
	CHECK(list("l2", "hard", &has) == N + 4 && has);
	clean("l2");
}

CASE(removed)
{
	char name[64];
	struct stat st;
	int has;

	umask(0);
	fill("l3");
	CHECK(list("l3", "f020", &has) == N && has);
	for (int i = 0; i < N; i++) {
		name_of(name, "l3", i);
		if (i % 3 == 0)
			CHECK(unlink(name) == 0);
		else
			check_file("l3", i);
		if (i % 3 == 0)
			CHECK_ERR(stat(name, &st), ENOENT);
	}
	for (int i = 0; i < N; i += 3) {
		name_of(name, "l3", i);
		CHECK_ERR(open(name, O_RDONLY), ENOENT);
	}
	CHECK(list("l3", "f003", &has) == N - (N + 2) / 3 && !has);
	clean("l3");
}

CASE(renamed)
{
	struct stat st;
	int has;

	umask(0);
	fill("l4");
	CHECK(mkdir("l5", 0755) == 0);
	CHECK(list("l4", "f000", &has) == N && list("l5", "g", &has) == 0);
	CHECK(rename("l4/f100", "l5/g") == 0);
	CHECK_ERR(stat("l4/f100", &st), ENOENT);
	CHECK(stat("l5/g", &st) == 0 && st.st_size == 100);
	CHECK(rename("l4/f101", "l4/f102") == 0);
	CHECK_ERR(stat("l4/f101", &st), ENOENT);
	CHECK(stat("l4/f102", &st) == 0 && st.st_size == 101);
	CHECK(list("l4", "f101", &has) == N - 2 && !has);
	CHECK(list("l5", "g", &has) == 1 && has);
	CHECK(rename("l4", "l6") == 0);
	CHECK_ERR(stat("l4/f050", &st), ENOENT);
	check_file("l6", 0);
	CHECK(list("l6", "f050", &has) == N - 2 && has);
	clean("l5");
	clean("l6");
}

/* Trees: each directory is read, its entries looked at, and so on below. */
CASE(tree)
{
	char name[64];
	struct stat st;
	int has;

	umask(0);
	CHECK(mkdir("l7", 0755) == 0);
	for (int i = 0; i < 30; i++) {
		sprintf(name, "l7/d%02d", i);
		CHECK(mkdir(name, 0700 + (mode_t)i) == 0);
		for (int k = 0; k < 3; k++) {
			sprintf(name, "l7/d%02d/s%d", i, k);
			CHECK(mkdir(name, 0755) == 0);
		}
	}
	for (int round = 0; round < 2; round++) {
		CHECK(list("l7", "d29", &has) == 30 && has);
		for (int i = 0; i < 30; i++) {
			sprintf(name, "l7/d%02d", i);
			CHECK(lstat(name, &st) == 0 && st.st_mode == (S_IFDIR | (0700 + (mode_t)i)) && st.st_nlink >= 1);
			CHECK(list(name, "s2", &has) == 3 + (round && i % 2) && has);
			sprintf(name, "l7/d%02d/more", i);
			if (!round && i % 2)
				CHECK(mkdir(name, 0755) == 0);
			CHECK((stat(name, &st) == 0) == (i % 2));
		}
	}
	for (int i = 0; i < 30; i++) {
		sprintf(name, "l7/d%02d", i);
		clean(name);
	}
	CHECK(list("l7", "d29", &has) == 0);
	clean("l7");
}

int main(void) { return run_cases(); }
