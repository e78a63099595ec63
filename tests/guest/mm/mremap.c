/* Resizing and moving mappings. */
#include "../test.h"

#include <sys/mman.h>

#define PG 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PG, PROT_READ | PROT_WRITE, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < pages; i++)
		p[i * PG] = (char)(i + 1);
	return p;
}

CASE(shrink)
{
	char *p = map(8);

	CHECK(mremap(p, 8 * PG, 3 * PG, 0) == p);
	CHECK(p[2 * PG] == 3);
	CHECK_ERR(msync(p + 3 * PG, PG, MS_ASYNC), ENOMEM);
}

CASE(grow_and_move)
{
	char *p = map(9), *q;

	/* something right behind it */
	CHECK(mprotect(p + 8 * PG, PG, PROT_READ) == 0);
	CHECK(mremap(p, 8 * PG, 16 * PG, 0) == MAP_FAILED && errno == ENOMEM);
	q = mremap(p, 8 * PG, 16 * PG, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	for (size_t i = 0; i < 16; i++)
		CHECK(q[i * PG] == (i < 8 ? (char)(i + 1) : 0));
	CHECK_ERR(msync(p, PG, MS_ASYNC), ENOMEM);
	q[15 * PG] = 1;
}

CASE(grow_in_place)
{
	char *p = map(8);

	CHECK(munmap(p + 4 * PG, 4 * PG) == 0);
	CHECK(mremap(p, 4 * PG, 8 * PG, 0) == p);
	CHECK(p[3 * PG] == 4 && p[4 * PG] == 0);
}

CASE(fixed)
{
	char *p = map(4), *t = map(8), *q;

	q = mremap(p, 4 * PG, 4 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, t + 2 * PG);
	CHECK(q == t + 2 * PG);
	CHECK(t[0] == 1 && t[2 * PG] == 1 && t[5 * PG] == 4 && t[6 * PG] == 7);
	CHECK_ERR(msync(p, PG, MS_ASYNC), ENOMEM);
}

CASE(dont_unmap)
{
	char *p = map(4), *q = mremap(p, 4 * PG, 4 * PG, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

	CHECK(q != MAP_FAILED && q != p);
	CHECK(q[PG] == 2 && p[PG] == 0);
	p[PG] = 8;
	CHECK(q[PG] == 2);
}

CASE(duplicate_shared)
{
	char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	p[0] = 1;
	q = mremap(p, 0, 2 * PG, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	CHECK(q[0] == 1);
	q[PG] = 2;
	CHECK(p[PG] == 2);
}

CASE(part_of_a_mapping)
{
	char *p = map(8), *q = mremap(p + 2 * PG, 2 * PG, 10 * PG, MREMAP_MAYMOVE);

	CHECK(q != MAP_FAILED);
	CHECK(q[0] == 3 && q[PG] == 4 && q[2 * PG] == 0);
	CHECK(p[PG] == 2 && p[4 * PG] == 5);
	CHECK_ERR(msync(p + 2 * PG, PG, MS_ASYNC), ENOMEM);
}

CASE(errors)
{
	char *p = map(4);

	CHECK(mremap(p + 1, PG, PG, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(p, PG, 0, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(p, PG, PG, 8) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(p, PG, PG, MREMAP_FIXED, p + 8 * PG) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(p, 4 * PG, 4 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, p + PG) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(p, 0, PG, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
	munmap(p + 2 * PG, PG);
	CHECK(mremap(p, 4 * PG, 8 * PG, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
	munmap(p, 4 * PG);
	CHECK(mremap(p, PG, 2 * PG, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
}

CASE(realloc_of_large_blocks)
{
	size_t n = 1 << 20;
	char *p = malloc(n);

	p[0] = 1;
	for (int i = 0; i < 6; i++) {
		p[n - 1] = (char)i;
		p = realloc(p, 2 * n);
		CHECK(p && p[0] == 1 && p[n - 1] == (char)i);
		n *= 2;
	}
	free(p);
}

int main(void) { return run_cases(); }
