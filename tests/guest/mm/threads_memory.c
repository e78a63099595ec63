/* Address space changes by several threads at once, and under fork. */
#include "../test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#define PG 4096ul
#define THREADS 4
#define ROUNDS 60

static _Atomic int bad;

static void *maps_and_checks(void *arg)
{
	uint64_t me = (uint64_t)(uintptr_t)arg;

	for (int r = 0; r < ROUNDS; r++) {
		size_t n = 1 + (size_t)(r * 7) % 40;
		uint64_t *p = mmap(NULL, n * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			bad++;
			break;
		}
		for (size_t i = 0; i < n; i++) {
			bad += p[i * 512] != 0;
			p[i * 512] = me << 32 | i;
		}
		if (r % 3 == 0)
			mprotect(p, n * PG / 2 / PG * PG, PROT_READ);
		for (size_t i = 0; i < n; i++)
			bad += p[i * 512] != (me << 32 | i);
		munmap(p, n * PG);
	}
	return NULL;
}

static void run(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, fn, (void *)(i + 1)) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(bad == 0);
}

CASE(threads_map_and_unmap)
{
	run(maps_and_checks);
}

static uint64_t *counters; /* a page each */
static _Atomic int stop;

static void *counts(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	uint64_t mine = 0;

	while (!stop) {
		/* a store that is lost to a copy made for a child shows */
		for (int i = 0; i < 1000; i++)
			counters[me * 512] = ++mine;
		bad += counters[me * 512] != mine;
	}
	return NULL;
}

static void *forks(void *arg)
{
	for (int i = 0; i < 15; i++) {
		pid_t c = fork();
		int st;

		if (!c) {
			uint64_t a = counters[512], b;

			for (int k = 0; k < 20; k++)
				sched_yield();
			b = counters[512];
			_exit(a == b ? 0 : 1); /* the parent's stores must not come here */
		}
		bad += waitpid(c, &st, 0) != c || st != 0;
	}
	stop = 1;
	return NULL;
}

CASE(threads_write_while_one_forks)
{
	pthread_t t[3];

	counters = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (uintptr_t i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, counts, (void *)(i + 1)) == 0);
	CHECK(pthread_create(&t[2], NULL, forks, NULL) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(bad == 0);
}

static char *region;

static void *gives_back(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	char *p = region + me * 64 * PG;

	for (int r = 0; r < ROUNDS; r++) {
		for (int i = 0; i < 64; i++)
			p[i * (long)PG] = (char)me;
		if (madvise(p + 8 * PG, 32 * PG, MADV_DONTNEED))
			bad++;
		for (int i = 0; i < 64; i++)
			bad += p[i * (long)PG] != (i >= 8 && i < 40 ? 0 : (char)me);
	}
	return NULL;
}

CASE(threads_give_memory_back)
{
	region = mmap(NULL, 64 * 8 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	run(gives_back);
}

static int file;

static void *maps_file(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	for (int r = 0; r < ROUNDS; r++) {
		char *p = mmap(NULL, 16 * PG, PROT_READ | PROT_WRITE, r % 2 ? MAP_SHARED : MAP_PRIVATE, file, 0);

		if (p == MAP_FAILED) {
			bad++;
			break;
		}
		bad += p[15 * PG] != 'e';
		p[me * PG] = (char)r;
		bad += p[me * PG] != (char)r;
		munmap(p, 16 * PG);
	}
	return NULL;
}

CASE(threads_map_one_file)
{
	char name[] = "/tmp/threads_memory.XXXXXX";

	file = mkstemp(name);
	CHECK(file >= 0 && unlink(name) == 0);
	CHECK(ftruncate(file, 16 * PG) == 0 && pwrite(file, "e", 1, 15 * PG) == 1);
	run(maps_file);
}

int main(void) { return run_cases(); }
