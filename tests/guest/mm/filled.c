/*
 * filled.c - memory that is filled from end to end, which may lie in huge pages: what parts
 * of it are freed, protected, moved and copied on write leaves the rest as it was.
 */
#include "../test.h"

#include <stdint.h>
#include <sys/mman.h>

#define SIZE (12u << 20)
#define PIECE (64u << 10)

static uint32_t *word(uint8_t *m, size_t at)
{
	return (uint32_t *)(void *)(m + at);
}

static void fill(uint8_t *m)
{
	for (size_t at = 0; at < SIZE; at += 4096)
		*word(m, at) = (uint32_t)at + 1;
}

static uint8_t *filled(void)
{
	uint8_t *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	fill(m);
	return m;
}

/* Pages whose number leaves `rest` when divided by three hold salt `other`, all else 1. */
static int holds(uint8_t *m, unsigned rest, uint32_t other)
{
	for (size_t at = 0; at < SIZE; at += 4096)
		if (*word(m, at) != (uint32_t)at + (at / 4096 % 3 == rest ? other : 1) || *word(m, at + 4092))
			return 0;
	return 1;
}

static void change(uint8_t *m, unsigned rest, uint32_t salt)
{
	for (size_t at = 4096 * rest; at < SIZE; at += 3 * 4096)
		*word(m, at) = (uint32_t)at + salt;
}

CASE(forked)
{
	uint8_t *m = filled();
	pid_t child = fork();
	int st;

	if (!child) {
		int same = holds(m, 0, 1);

		change(m, 1, 7);
		_exit(!(same && holds(m, 1, 7)));
	}
	change(m, 2, 9);
	CHECK(waitpid(child, &st, 0) == child && st == 0);
	CHECK(holds(m, 2, 9));
	CHECK(munmap(m, SIZE) == 0);
}

CASE(parts_are_freed)
{
	uint8_t *m = filled();
	int zero = 1, same = 1;

	for (size_t at = 0; at < SIZE; at += 2 * PIECE)
		CHECK(madvise(m + at, PIECE, MADV_DONTNEED) == 0);
	for (size_t at = 0; at < SIZE; at += 4096)
		if (at / PIECE % 2)
			same &= *word(m, at) == (uint32_t)at + 1;
		else
			zero &= *word(m, at) == 0;
	CHECK(zero && same);
	fill(m);
	CHECK(holds(m, 0, 1));
	CHECK(munmap(m, SIZE) == 0);
}

CASE(protected_and_moved)
{
	uint8_t *m = filled(), *to;
	const size_t half = SIZE / 2 + 4096;

	CHECK(mprotect(m + PIECE, SIZE / 4, PROT_READ) == 0);
	CHECK(mprotect(m + 2 * PIECE, PIECE, PROT_NONE) == 0);
	CHECK(mprotect(m, SIZE, PROT_READ | PROT_WRITE) == 0);
	CHECK(holds(m, 0, 1));
	to = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(to != MAP_FAILED);
	CHECK(mremap(m + half, SIZE - half, SIZE - half, MREMAP_MAYMOVE | MREMAP_FIXED, to + half) == to + half);
	CHECK(mremap(m, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(holds(to, 0, 1));
	change(to, 1, 5);
	CHECK(holds(to, 1, 5));
	CHECK(munmap(to, SIZE) == 0);
}

int main(void)
{
	return run_cases();
}
