/*
 * short_threads.c - threads that end at once, one after the other, and then one that does
 * not: whatever was expected of it, its maker goes on.
 */
#include "../test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#define SHORT_ONES 100

static _Atomic int ran, flag;
static pthread_t maker;

static void *ends(void *arg)
{
	atomic_fetch_add(&ran, 1);
	return arg;
}

static void make_short_ones(void)
{
	atomic_store(&ran, 0);
	for (int i = 0; i < SHORT_ONES; i++) {
		pthread_t t;
		void *r;

		CHECK(!pthread_create(&t, NULL, ends, &ran));
		CHECK(!pthread_join(t, &r) && r == &ran);
		CHECK(atomic_load(&ran) == i + 1);
	}
}

static void *spins_until_told(void *arg)
{
	while (!atomic_load(&flag))
		;
	return arg;
}

/* It needs what its maker does next. */
CASE(one_that_waits_for_its_maker)
{
	for (int round = 0; round < 3; round++) {
		pthread_t t;

		make_short_ones();
		atomic_store(&flag, 0);
		CHECK(!pthread_create(&t, NULL, spins_until_told, NULL));
		atomic_store(&flag, 1);
		CHECK(!pthread_join(t, NULL));
	}
}

static sem_t sem, answer;

static void *sleeps_until_told(void *arg)
{
	CHECK(sem_wait(&sem) == 0 && sem_post(&answer) == 0);
	return arg;
}

CASE(one_that_sleeps)
{
	pthread_t t;

	CHECK(!sem_init(&sem, 0, 0) && !sem_init(&answer, 0, 0));
	make_short_ones();
	CHECK(!pthread_create(&t, NULL, sleeps_until_told, NULL));
	CHECK(sem_post(&sem) == 0 && sem_wait(&answer) == 0);
	CHECK(!pthread_join(t, NULL));
}

static void on_signal(int signo)
{
	atomic_store(&flag, signo);
}

static void *signals_its_maker(void *arg)
{
	CHECK(!pthread_kill(maker, SIGUSR1));
	return spins_until_told(arg);
}

CASE(one_that_signals_its_maker)
{
	pthread_t t;

	CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
	maker = pthread_self();
	make_short_ones();
	CHECK(!pthread_create(&t, NULL, signals_its_maker, NULL));
	CHECK(!pthread_join(t, NULL));
	CHECK(atomic_load(&flag) == SIGUSR1);
}

static void *ends_all(void *arg)
{
	_exit(7);
	return arg;
}

CASE(one_that_ends_the_process)
{
	int st;
	pid_t p = fork();

	CHECK(p >= 0);
	if (!p) {
		pthread_t t;

		make_short_ones();
		(void)pthread_create(&t, NULL, ends_all, NULL);
		for (;;)
			pause();
	}
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 7);
}

/* As many makers as there are threads that end at once. */
static void *makes(void *arg)
{
	for (int i = 0; i < SHORT_ONES; i++) {
		pthread_t t;

		CHECK(!pthread_create(&t, NULL, ends, NULL) && !pthread_join(t, NULL));
	}
	return arg;
}

CASE(several_makers)
{
	pthread_t t[4];

	make_short_ones();
	atomic_store(&ran, 0);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, makes, NULL));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(atomic_load(&ran) == 4 * SHORT_ONES);
}

int main(void)
{
	return run_cases();
}
