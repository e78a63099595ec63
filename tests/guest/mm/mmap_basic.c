/* Making and removing anonymous mappings: placement, flags, errors. */
#include "../test.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

#define PG 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t len) { return mmap(NULL, len, PROT_READ | PROT_WRITE, ANON, -1, 0); }

CASE(zero_filled_and_writable)
{
	char *p = map(64 * PG);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < 64 * PG; i++)
		CHECK(p[i] == 0);
	memset(p, 7, 64 * PG);
	CHECK(p[64 * PG - 1] == 7);
	CHECK(munmap(p, 64 * PG) == 0);
}

CASE(fixed_replaces)
{
	char *p = map(4 * PG), *q;

	memset(p, 1, 4 * PG);
	q = mmap(p + PG, PG, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + PG);
	CHECK(p[0] == 1 && p[PG] == 0 && p[2 * PG] == 1);
}

CASE(fixed_noreplace)
{
	char *p = map(4 * PG), *q;

	CHECK(mmap(p + PG, PG, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
	CHECK(munmap(p + PG, PG) == 0);
	q = mmap(p + PG, PG, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(q == p + PG);
}

CASE(hint_is_taken_when_free)
{
	char *p = map(16 * PG), *q;

	CHECK(munmap(p, 16 * PG) == 0);
	q = mmap(p + 3 * PG, PG, PROT_READ, ANON, -1, 0);
	CHECK(q == p + 3 * PG);
	q = mmap(p + 3 * PG, PG, PROT_READ, ANON, -1, 0);
	CHECK(q != MAP_FAILED && q != p + 3 * PG);
	q = mmap(p + 7 * PG + 5, PG, PROT_READ, ANON, -1, 0); /* hints are rounded */
	CHECK(q != MAP_FAILED && ((uintptr_t)q & (PG - 1)) == 0);
}

CASE(low_two_gigabytes)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, ANON | MAP_32BIT, -1, 0);

	CHECK(p != MAP_FAILED && (uintptr_t)p + (1 << 20) <= 0x80000000ul);
	memset(p, 1, 1 << 20);
}

CASE(mmap_errors)
{
	CHECK(mmap(NULL, 0, PROT_READ, ANON, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PG, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PG, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
	CHECK(mmap(NULL, PG, PROT_READ, MAP_PRIVATE, 0, 1) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap((void *)1, PG, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, 1ul << 47, PROT_READ, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(mmap(NULL, -1ul, PROT_READ, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(mmap(NULL, -4096ul, PROT_READ, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(mmap((void *)(1ul << 62), PG, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

CASE(munmap_errors_and_holes)
{
	char *p = map(8 * PG);

	CHECK_ERR(munmap(p + 1, PG), EINVAL);
	CHECK_ERR(munmap(p, 0), EINVAL);
	CHECK(munmap(p + 2 * PG, 2 * PG) == 0);
	CHECK(munmap(p, 8 * PG) == 0); /* holes are fine */
	CHECK(munmap(p, 8 * PG) == 0);
}

CASE(partial_unmap_keeps_the_rest)
{
	char *p = map(5 * PG);

	memset(p, 3, 5 * PG);
	CHECK(munmap(p + 2 * PG, 1) == 0); /* rounded up to a page */
	CHECK(p[2 * PG - 1] == 3 && p[3 * PG] == 3);
	CHECK_ERR(msync(p, 5 * PG, MS_ASYNC), ENOMEM);
}

CASE(large_and_sparse)
{
	size_t len = 64ul << 30;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, ANON | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < len; i += 1ul << 30) {
		CHECK(p[i] == 0);
		p[i + 12345] = (char)(i >> 30);
	}
	for (size_t i = 0; i < len; i += 1ul << 30)
		CHECK(p[i + 12345] == (char)(i >> 30));
	CHECK(munmap(p, len) == 0);
}

CASE(many_small_mappings)
{
	enum { N = 3000 };
	static char *p[N];

	for (int i = 0; i < N; i++) {
		p[i] = mmap(NULL, PG, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, ANON, -1, 0);
		CHECK(p[i] != MAP_FAILED);
		if (i % 64 == 0)
			*p[i] = (char)i;
	}
	for (int i = 0; i < N; i += 64)
		CHECK(*p[i] == (char)i);
	for (int i = 0; i < N; i++)
		CHECK(munmap(p[i], PG) == 0);
}

CASE(populate)
{
	unsigned char vec[16] = { 0 };
	char *p = mmap(NULL, 16 * PG, PROT_READ | PROT_WRITE, ANON | MAP_POPULATE, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 1, 16 * PG);
	CHECK(mincore(p, 16 * PG, vec) == 0);
	for (int i = 0; i < 16; i++)
		CHECK(vec[i] & 1);
}

/* /dev/zero is anonymous memory by an older name: as cheap, and at any offset. */
CASE(zero_device)
{
	int fd = open("/dev/zero", O_RDWR), st;
	char *shared, *own;

	for (int i = 0; i < 200; i++) {
		shared = mmap(NULL, PG, PROT_READ | PROT_WRITE, i & 1 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
		CHECK(shared != MAP_FAILED && *shared == 0 && munmap(shared, PG) == 0);
	}
	shared = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	own = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PG);
	CHECK(shared != MAP_FAILED && own != MAP_FAILED && close(fd) == 0);
	own[2 * PG] = shared[2 * PG] = 1;
	if (!fork()) {
		own[2 * PG]++;
		shared[2 * PG]++;
		_exit(0);
	}
	CHECK(wait(&st) > 0 && st == 0 && own[2 * PG] == 1 && shared[2 * PG] == 2 && shared[0] == 0);
	fd = open("/dev/zero", O_RDONLY);
	CHECK(mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
}

int main(void) { return run_cases(); }
