/*
 * crowd.c - many threads that call at once, all the time: each goes on, whatever the others
 * do, is interrupted by its signals, and ends with its process.
 */
#include "../test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define CALLERS 100
#define CALLS 300

static _Atomic int ready, done, handled, stop;
static pid_t parent;

static void make(pthread_t *t, int n, void *(*fn)(void *))
{
	pthread_attr_t small;

	parent = getppid();
	CHECK(!pthread_attr_init(&small) && !pthread_attr_setstacksize(&small, 64 * 1024));
	for (int i = 0; i < n; i++)
		CHECK(!pthread_create(&t[i], &small, fn, &done));
}

static void end(const pthread_t *t, int n)
{
	for (int i = 0; i < n; i++) {
		void *r;

		CHECK(!pthread_join(t[i], &r) && r == &done);
	}
}

static void *calls(void *arg)
{
	for (int i = 0; i < CALLS; i++)
		CHECK(syscall(SYS_getppid) == parent);
	atomic_fetch_add(&done, 1);
	return arg;
}

CASE(all_go_on)
{
	pthread_t t[CALLERS];

	make(t, CALLERS, calls);
	end(t, CALLERS);
	CHECK(atomic_load(&done) == CALLERS);
}

/* It has called, as one of many, and then does not for as long as any of the others. */
static void *calls_and_works(void *arg)
{
	calls(arg);
	while (atomic_load(&done) < CALLERS)
		;
	return arg;
}

CASE(one_that_works)
{
	pthread_t t[CALLERS];

	make(t, 1, calls_and_works);
	make(t + 1, CALLERS - 1, calls);
	end(t, CALLERS);
}

static void on_signal(int signo)
{
	(void)signo;
	atomic_fetch_add(&handled, 1);
}

static void *calls_until_told(void *arg)
{
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&stop))
		CHECK(syscall(SYS_getppid) == parent);
	return arg;
}

CASE(each_is_interrupted)
{
	const struct sigaction sa = { .sa_handler = on_signal };
	pthread_t t[CALLERS];

	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	make(t, CALLERS, calls_until_told);
	for (int i = 0; i < CALLERS; i++)
		CHECK(!pthread_kill(t[i], SIGUSR1));
	while (atomic_load(&handled) < CALLERS)
		usleep(1000);
	atomic_store(&stop, 1);
	end(t, CALLERS);
	CHECK(atomic_load(&handled) == CALLERS);
}

/* Pairs that wake each other, and call a few times in between, amid those that never sleep. */
#define PAIRS 10
#define ROUNDS 20

static int ends[2 * PAIRS][2];

static void *takes_turns(void *arg)
{
	int *mine = arg, *other = ends[(mine - ends[0]) / 2 ^ 1];
	char c = 0;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(read(mine[0], &c, 1) == 1 && c == (char)i);
		for (int n = 0; n < 4; n++)
			CHECK(syscall(SYS_getppid) == parent);
		c += (mine - ends[0]) / 2 & 1;
		CHECK(write(other[1], &c, 1) == 1);
	}
	return &done;
}

CASE(pairs_that_sleep)
{
	pthread_t callers[CALLERS], pairs[2 * PAIRS];

	for (int i = 0; i < 2 * PAIRS; i++)
		CHECK(!pipe(ends[i]));
	make(callers, CALLERS, calls_until_told);
	for (int i = 0; i < 2 * PAIRS; i++)
		CHECK(!pthread_create(&pairs[i], NULL, takes_turns, ends[i]));
	for (int i = 0; i < 2 * PAIRS; i += 2)
		CHECK(write(ends[i][1], "", 1) == 1);
	end(pairs, 2 * PAIRS);
	atomic_store(&stop, 1);
	end(callers, CALLERS);
}

/* How a process ends whose threads all call: what ends it is told, or has it end by itself. */
static int status_of(int signo)
{
	int fds[2], status;
	char c;
	pid_t p;

	CHECK(!pipe(fds));
	CHECK((p = fork()) >= 0);
	if (!p) {
		pthread_t t[CALLERS];

		make(t, CALLERS, calls_until_told);
		while (atomic_load(&ready) < CALLERS)
			usleep(1000);
		CHECK(write(fds[1], "r", 1) == 1);
		if (!signo)
			_exit(7);
		end(t, CALLERS);
	}
	CHECK(read(fds[0], &c, 1) == 1);
	if (signo)
		CHECK(!kill(p, signo));
	CHECK(waitpid(p, &status, 0) == p);
	return status;
}

CASE(ended_by_itself)
{
	CHECK(status_of(0) == 7 << 8);
}

CASE(killed)
{
	CHECK(status_of(SIGKILL) == SIGKILL);
}

static void *stays(void *arg)
{
	calls(arg);
	if (atomic_load(&done) == CALLERS)
		execl("/bin/true", "true", (char *)NULL);
	return calls_until_told(arg);
}

CASE(one_that_executes)
{
	pthread_t t[CALLERS];

	make(t, CALLERS, stays);
	end(t, CALLERS);
}

int main(void)
{
	return run_cases();
}
