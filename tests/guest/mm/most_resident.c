/*
 * most_resident.c - ru_maxrss follows what a process touches, also where there are many areas
 * and it is asked for again and again, and stays when the memory is given back.
 */
#include "../test.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define AREAS 400
#define AREA (256u << 10)
#define STEPS 4
#define SLACK_KIB (8 << 10) /* Linux counts in batches too */
#define STEP_KIB ((long)(AREAS / STEPS * (AREA >> 10)))

static long most(int who)
{
	struct rusage u;

	CHECK(getrusage(who, &u) == 0);
	return u.ru_maxrss;
}

/* Every other one is read-only, so that none are joined. */
static uint8_t *map_areas(void)
{
	uint8_t *at = mmap(NULL, 2 * AREAS * AREA, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(at != MAP_FAILED);
	for (int i = 0; i < AREAS; i++)
		CHECK(mprotect(at + 2 * i * AREA, AREA, PROT_READ | PROT_WRITE) == 0);
	return at;
}

static void touch(uint8_t *at, int step)
{
	for (int i = step * (AREAS / STEPS); i < (step + 1) * (AREAS / STEPS); i++)
		for (unsigned off = 0; off < AREA; off += 4096)
			at[2 * i * AREA + off] = 1;
}

/* What was counted a moment ago may be told once more; the case's time limit bounds it. */
static void grows_to(long kib)
{
	while (most(RUSAGE_SELF) < kib || most(RUSAGE_THREAD) < kib)
		usleep(1000);
}

CASE(follows_what_is_touched)
{
	long first = most(RUSAGE_SELF);
	uint8_t *at = map_areas();

	for (int step = 0; step < STEPS; step++) {
		touch(at, step);
		for (int i = 0; i < 200; i++)
			CHECK(most(i % 2 ? RUSAGE_SELF : RUSAGE_THREAD) >= first);
		grows_to(first + (step + 1) * STEP_KIB - SLACK_KIB);
	}
	CHECK(most(RUSAGE_SELF) < first + STEPS * STEP_KIB + 4 * SLACK_KIB);
	CHECK(munmap(at, 2 * AREAS * AREA) == 0);
	CHECK(most(RUSAGE_SELF) >= first + STEPS * STEP_KIB - SLACK_KIB);
}

static void *ask(void *arg)
{
	for (int i = 0; i < 1000; i++)
		CHECK(most(RUSAGE_THREAD) > 0);
	return NULL;
}

CASE(asked_by_threads_while_it_grows)
{
	long first = most(RUSAGE_SELF);
	uint8_t *at = map_areas();
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, ask, NULL) == 0);
	for (int step = 0; step < STEPS; step++)
		touch(at, step);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	grows_to(first + STEPS * STEP_KIB - SLACK_KIB);
}

int main(void)
{
	return run_cases();
}
