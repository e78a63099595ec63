/*
 * stack_left.c - MADV_DONTNEED of the unused part of a stack, which does nothing as long
 * as nothing is there, and must not go on doing nothing then.
 */
#include "../test.h"

#include <pthread.h>
#include <sys/mman.h>

#define PG 4096ul
#define LEN (2048 * PG)
#define LOW_LEN (LEN - 16 * PG)

/* A stack of which the uppermost page is used. */
static char *stack(void)
{
	char *m = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	CHECK(m != MAP_FAILED);
	m[LEN - 1] = 1;
	return m;
}

/* As threads do that end, several times: after the first few it may be told without asking. */
static void give_back(char *m)
{
	for (int i = 0; i < 10; i++)
		CHECK(madvise(m, LOW_LEN, MADV_DONTNEED) == 0);
	CHECK(m[LEN - 1] == 1);
}

CASE(written_since)
{
	char *m = stack();

	for (unsigned i = 0; i < 20; i++) {
		char *p = m + i * 11 % 200 * PG;

		give_back(m);
		*p = 1;
		CHECK(madvise(p, PG, MADV_DONTNEED) == 0 && *p == 0);
		give_back(m);
		*p = 1;
		give_back(m);
		CHECK(*p == 0);
	}
}

CASE(written_by_a_call)
{
	char *m = stack();
	int fd[2];

	CHECK(pipe(fd) == 0);
	for (int i = 0; i < 20; i++) {
		give_back(m);
		CHECK(write(fd[1], "x", 1) == 1 && read(fd[0], m + 5 * PG, 1) == 1);
		give_back(m);
		CHECK(m[5 * PG] == 0);
	}
}

CASE(changed_since)
{
	char *m = stack();

	give_back(m);
	CHECK(mlock(m + 8 * PG, PG) == 0);
	CHECK_ERR(madvise(m, LOW_LEN, MADV_DONTNEED), EINVAL);
	CHECK(munlock(m + 8 * PG, PG) == 0);
	give_back(m);
	CHECK(munmap(m + 20 * PG, PG) == 0);
	CHECK_ERR(madvise(m, LOW_LEN, MADV_DONTNEED), ENOMEM);
}

CASE(other_arguments)
{
	char *m = stack();

	give_back(m);
	CHECK_ERR(madvise(m + 1, PG, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(m, (size_t)-1, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(m, (size_t)-PG, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(m, PG, 12345), EINVAL);
	CHECK(madvise(m, 0, MADV_DONTNEED) == 0 && madvise(m, 1, MADV_DONTNEED) == 0);
	CHECK(madvise(m, LEN, MADV_DONTNEED) == 0 && m[LEN - 1] == 0);
}

/* Both processes have their own. */
CASE(forked)
{
	char *m = stack();
	int st;
	pid_t p;

	give_back(m);
	p = fork();
	CHECK(p >= 0);
	m[3 * PG] = 1;
	give_back(m);
	CHECK(m[3 * PG] == 0);
	if (!p)
		_exit(0);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

static char *shared_stack;
static pthread_barrier_t barrier;

static void *writes(void *arg)
{
	for (int i = 0; i < 20; i++) {
		pthread_barrier_wait(&barrier);
		shared_stack[i * 3 * PG] = 1;
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

CASE(written_by_another_thread)
{
	pthread_t t;

	shared_stack = stack();
	CHECK(!pthread_barrier_init(&barrier, NULL, 2) && !pthread_create(&t, NULL, writes, NULL));
	for (int i = 0; i < 20; i++) {
		give_back(shared_stack);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		CHECK(shared_stack[i * 3 * PG] == 1);
		give_back(shared_stack);
		CHECK(shared_stack[i * 3 * PG] == 0);
	}
	CHECK(!pthread_join(t, NULL));
}

int main(void)
{
	return run_cases();
}
