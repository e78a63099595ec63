/* Names that lie in a file's pages, passed to calls again and again: what the file says now counts. */
#include "../test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PG 4096ul
#define MANY 20

static int make(const char *name, size_t pages)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK(ftruncate(fd, (off_t)(pages * PG)) == 0);
	return fd;
}

static int stat_many(const char *name)
{
	struct stat st;
	int r = 0;

	for (int i = 0; i < MANY; i++)
		r = stat(name, &st);
	return r;
}

CASE(constants)
{
	struct stat st;

	for (int i = 0; i < MANY; i++) {
		CHECK(stat("/", &st) == 0 && S_ISDIR(st.st_mode));
		CHECK_ERR(stat("/nothing-is-here", &st), ENOENT);
		CHECK(fstatat(AT_FDCWD, "/..", &st, 0) == 0 && S_ISDIR(st.st_mode));
	}
}

CASE(rewritten)
{
	int fd = make("names1", 1);
	char *p = mmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK(pwrite(fd, "/dev/null", 10, 100) == 10);
	CHECK(stat_many(p + 100) == 0);
	CHECK(pwrite(fd, "/dev/none", 10, 100) == 10);
	CHECK_ERR(stat_many(p + 100), ENOENT);
	CHECK(pwrite(fd, "/dev/zero", 10, 100) == 10);
	CHECK(stat_many(p + 100) == 0);
	unlink("names1");
}

CASE(replaced_mapping)
{
	int a = make("names2", 1), b = make("names3", 1);
	char *p = mmap(NULL, PG, PROT_READ, MAP_SHARED, a, 0);

	CHECK(p != MAP_FAILED);
	CHECK(pwrite(a, "/dev/null", 10, 0) == 10 && pwrite(b, "/none", 6, 0) == 6);
	for (int i = 0; i < MANY; i++) {
		CHECK(stat_many(p) == 0);
		CHECK(mmap(p, PG, PROT_READ, MAP_SHARED | MAP_FIXED, b, 0) == p);
		CHECK_ERR(stat_many(p), ENOENT);
		CHECK(mmap(p, PG, PROT_READ, MAP_SHARED | MAP_FIXED, a, 0) == p);
	}
	CHECK(munmap(p, PG) == 0);
	CHECK_ERR(stat_many(p), EFAULT);
	close(a);
	close(b);
	a = make("names2", 1); /* perhaps with the numbers of before */
	p = mmap(NULL, PG, PROT_READ, MAP_SHARED, a, 0);
	CHECK_ERR(stat_many(p), ENOENT);
	unlink("names2");
	unlink("names3");
}

CASE(truncated)
{
	int fd = make("names4", 3);
	char *p = mmap(NULL, 3 * PG, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK(pwrite(fd, "/dev/null", 10, 2 * PG) == 10 && pwrite(fd, "/", 2, 10) == 2);
	CHECK(stat_many(p + 2 * PG) == 0);
	CHECK(ftruncate(fd, PG) == 0);
	CHECK_ERR(stat_many(p + 2 * PG), EFAULT);
	CHECK(stat_many(p + 10) == 0);
	CHECK(ftruncate(fd, 3 * PG) == 0);
	CHECK_ERR(stat_many(p + 2 * PG), ENOENT);
	unlink("names4");
}

CASE(over_the_end_of_a_page)
{
	int fd = make("names5", 2);
	char *p = mmap(NULL, 2 * PG, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	CHECK(pwrite(fd, "/dev/null", 10, PG - 4) == 10);
	CHECK(stat_many(p + PG - 4) == 0);
	CHECK(munmap(p + PG, PG) == 0);
	CHECK_ERR(stat_many(p + PG - 4), EFAULT);
	unlink("names5");
}

int main(void) { return run_cases(); }
