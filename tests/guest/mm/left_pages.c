/*
 * left_pages.c - memory that a process gets reads as zero, whatever processes that ended
 * have left in it: heaps that grow, areas of one size after another, stacks.
 */
#include "../test.h"

#include <stdint.h>
#include <sys/mman.h>

#define AREA (256u << 10)
#define AREAS 8
#define ROUNDS 24

/* Whether all of it was zero; it is full of the process's own number then. */
static int clean(uint64_t *at, size_t bytes)
{
	const uint64_t mine = UINT64_C(0xabad1dea00000000) | (uint64_t)getpid();
	int is = 1;

	for (size_t i = 0; i < bytes / sizeof(*at); i++) {
		is &= !at[i];
		at[i] = mine;
	}
	return is;
}

static int heap_is_clean(void)
{
	for (int i = 0; i < AREAS; i++) {
		void *p = sbrk(AREA / 2);

		if (p == (void *)-1 || !clean(p, AREA / 2))
			return 0;
	}
	return 1;
}

static int areas_are_clean(void)
{
	for (int i = 0; i < AREAS; i++) {
		void *p = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || !clean(p, AREA))
			return 0;
		if (i % 3 == 2)
			munmap(p, AREA);
		p = mmap(NULL, AREA / 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || !clean(p, AREA / 8))
			return 0;
	}
	return 1;
}

/* One after another, a few at the same time: each leaves what the next ones get. */
static void generations(int (*body)(void))
{
	int st;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t two[2];

		for (int k = 0; k < 2; k++) {
			two[k] = fork();
			CHECK(two[k] >= 0);
			if (!two[k])
				_exit(!body());
		}
		for (int k = 0; k < 2; k++) {
			CHECK(waitpid(two[k], &st, 0) == two[k]);
			CHECK(st == 0);
		}
	}
}

CASE(heaps)
{
	generations(heap_is_clean);
}

CASE(areas)
{
	generations(areas_are_clean);
}

static int both(void)
{
	return heap_is_clean() & areas_are_clean();
}

CASE(heaps_and_areas)
{
	generations(both);
}

int main(void)
{
	return run_cases();
}
