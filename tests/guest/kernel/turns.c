/*
 * turns.c - tasks that take turns, and those that have done so for a while and then do
 * otherwise: whoever has been woken runs, though the one that woke it goes on.
 */
#include "../test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define TURNS 200
#define ROUNDS 20

static int there[2], back[2];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Answers each byte; counts them where others can see it at once. */
static pid_t echo(_Atomic int *seen)
{
	pid_t pid;
	char c;

	CHECK(pipe(there) == 0 && pipe(back) == 0);
	pid = fork();
	if (pid)
		return pid;
	close(there[1]);
	close(back[0]);
	while (read(there[0], &c, 1) == 1) {
		atomic_fetch_add(seen, 1);
		if (write(back[1], &c, 1) != 1)
			break;
	}
	_exit(0);
}

static void take_turns(int n)
{
	char c = 'x';

	for (int i = 0; i < n; i++)
		CHECK(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1);
}

static _Atomic int *shared(void)
{
	void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

/* It is not waited for asleep. */
CASE(then_one_spins)
{
	_Atomic int *seen = shared();
	pid_t pid = echo(seen);
	char c = 'x';
	int before;

	for (int i = 0; i < ROUNDS; i++) {
		take_turns(TURNS);
		before = atomic_load(seen);
		CHECK(write(there[1], &c, 1) == 1);
		for (double end = now() + 10; atomic_load(seen) == before;)
			CHECK(now() < end);
		CHECK(read(back[0], &c, 1) == 1);
	}
	close(there[1]);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* Nor by one that goes on calling. */
CASE(then_one_goes_on)
{
	_Atomic int *seen = shared();
	pid_t pid = echo(seen);
	char c = 'x';
	int before;

	for (int i = 0; i < ROUNDS; i++) {
		take_turns(TURNS);
		before = atomic_load(seen);
		CHECK(write(there[1], &c, 1) == 1);
		for (double end = now() + 10; atomic_load(seen) == before;) {
			syscall(SYS_getppid);
			CHECK(now() < end);
		}
		CHECK(read(back[0], &c, 1) == 1);
	}
	close(there[1]);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

/* Nor by one that ends. */
CASE(then_one_ends)
{
	_Atomic int *seen = shared();
	int status;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t client, server = echo(seen);
		char c = 'x';

		client = fork();
		if (!client) {
			take_turns(TURNS);
			_exit(write(there[1], &c, 1) != 1);
		}
		close(there[1]);
		CHECK(waitpid(client, &status, 0) == client && status == 0);
		CHECK(read(back[0], &c, 1) == 1 && waitpid(server, &status, 0) == server);
		close(there[0]);
		close(back[0]);
		close(back[1]);
	}
	CHECK(atomic_load(seen) == ROUNDS * (TURNS + 1));
}

static void *nothing(void *arg)
{
	return arg;
}

CASE(threads_one_after_the_other)
{
	pthread_t t[8];

	for (int i = 0; i < TURNS; i++)
		CHECK(pthread_create(&t[0], NULL, nothing, NULL) == 0 && pthread_join(t[0], NULL) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&t[i], NULL, nothing, NULL) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

int main(void)
{
	return run_cases();
}
