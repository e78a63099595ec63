/* madvise, mincore, mlock, msync. */
#include "../test.h"

#include <sys/mman.h>

#define PG 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PG, PROT_READ | PROT_WRITE, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 5, pages * PG);
	return p;
}

CASE(dontneed_zeroes)
{
	char *p = map(100);

	CHECK(madvise(p + 10 * PG, 50 * PG, MADV_DONTNEED) == 0);
	CHECK(p[10 * PG - 1] == 5 && p[10 * PG] == 0 && p[60 * PG - 1] == 0 && p[60 * PG] == 5);
	p[20 * PG] = 6;
	CHECK(p[20 * PG] == 6 && p[21 * PG] == 0);
}

CASE(dontneed_after_fork)
{
	char *p = map(64);
	int st;
	pid_t c = fork();

	if (!c) {
		if (madvise(p, 32 * PG, MADV_DONTNEED))
			_exit(1);
		_exit(p[0] == 0 && p[33 * PG] == 5 ? 0 : 2);
	}
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(p[0] == 5 && p[31 * PG] == 5);
}

CASE(dontneed_shared_keeps)
{
	char *p = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	p[PG] = 3;
	CHECK(madvise(p, 8 * PG, MADV_DONTNEED) == 0);
	CHECK(p[PG] == 3);
	CHECK(madvise(p, 8 * PG, MADV_REMOVE) == 0);
	CHECK(p[PG] == 0);
}

CASE(free_is_old_or_zero)
{
	char *p = map(8);

	CHECK(madvise(p, 8 * PG, MADV_FREE) == 0);
	for (size_t i = 0; i < 8; i++)
		CHECK(p[i * PG] == 5 || p[i * PG] == 0);
	p[0] = 9;
	CHECK(p[0] == 9);
}

CASE(accepted_advice)
{
	int ok[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTDUMP, MADV_DODUMP, MADV_COLD };
	char *p = map(4);

	for (size_t i = 0; i < sizeof(ok) / sizeof(ok[0]); i++)
		CHECK(madvise(p, 4 * PG, ok[i]) == 0);
	CHECK(p[0] == 5);
}

CASE(madvise_errors)
{
	char *p = map(4);

	CHECK_ERR(madvise(p + 1, PG, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(p, PG, 999), EINVAL);
	CHECK(madvise(p, 0, MADV_DONTNEED) == 0);
	munmap(p + PG, PG);
	CHECK_ERR(madvise(p, 3 * PG, MADV_DONTNEED), ENOMEM);
	CHECK(p[0] == 0 && p[2 * PG] == 0); /* done on both sides of the hole */
	CHECK_ERR(madvise(p, PG, MADV_REMOVE), EINVAL);
}

CASE(mincore_tells)
{
	char *p = mmap(NULL, 600 * PG, PROT_READ | PROT_WRITE, ANON, -1, 0);
	unsigned char vec[600];

	p[0] = p[500 * PG] = 1;
	CHECK(mincore(p, 600 * PG, vec) == 0);
	CHECK((vec[0] & 1) && (vec[500] & 1) && !(vec[599] & 1));
	CHECK_ERR(mincore(p + 1, PG, vec), EINVAL);
	CHECK_ERR(mincore(p, PG, (void *)8), EFAULT);
	munmap(p, PG);
	CHECK_ERR(mincore(p, 2 * PG, vec), ENOMEM);
}

CASE(locking)
{
	char *p = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, ANON, -1, 0);
	unsigned char vec[8];

	CHECK(mlock(p + 100, 2 * PG) == 0);
	CHECK(mincore(p, 3 * PG, vec) == 0 && (vec[0] & 1) && (vec[2] & 1));
	CHECK_ERR(madvise(p, PG, MADV_DONTNEED), EINVAL);
	CHECK(munlock(p, 8 * PG) == 0);
	CHECK(madvise(p, PG, MADV_DONTNEED) == 0);
	munmap(p + 4 * PG, PG);
	CHECK_ERR(mlock(p, 8 * PG), ENOMEM);
	CHECK_ERR(mlockall(0), EINVAL);
	CHECK(munlockall() == 0);
}

CASE(msync_errors)
{
	char *p = map(4);

	CHECK(msync(p, 4 * PG, MS_SYNC) == 0);
	CHECK_ERR(msync(p + 1, PG, MS_SYNC), EINVAL);
	CHECK_ERR(msync(p, PG, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERR(msync(p, PG, 64), EINVAL);
	munmap(p + PG, PG);
	CHECK_ERR(msync(p, 4 * PG, MS_SYNC), ENOMEM);
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

CASE(populate_as_permitted)
{
	char *w = mmap(NULL, PG, PROT_WRITE, ANON, -1, 0), *r = mmap(NULL, PG, PROT_READ, ANON, -1, 0);

	CHECK(w != MAP_FAILED && r != MAP_FAILED);
	CHECK_ERR(madvise(w, PG, MADV_POPULATE_READ), EINVAL);
	CHECK(madvise(w, PG, MADV_POPULATE_WRITE) == 0);
	CHECK_ERR(madvise(r, PG, MADV_POPULATE_WRITE), EINVAL);
	CHECK(madvise(r, PG, MADV_POPULATE_READ) == 0);
}

int main(void) { return run_cases(); }
