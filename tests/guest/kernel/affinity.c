/*
 * affinity.c - the processors that a task may run on, and the one that it is told it is on.
 */
#include "../test.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>

static cpu_set_t all;

/* Both ways to ask. */
static unsigned by_call(void)
{
	unsigned cpu = CPU_SETSIZE;

	CHECK(syscall(SYS_getcpu, &cpu, NULL, NULL) == 0);
	return cpu;
}

static bool may_run_on(unsigned cpu, const cpu_set_t *s) { return cpu < CPU_SETSIZE && CPU_ISSET(cpu, s); }

static void only(unsigned cpu)
{
	cpu_set_t one, now;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0 && CPU_EQUAL(&one, &now));
}

static void is_on(unsigned cpu)
{
	for (int i = 0; i < 100; i++)
		CHECK(sched_getcpu() == (int)cpu && by_call() == cpu);
}

CASE(anywhere)
{
	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0 && CPU_COUNT(&all) > 0);
	for (int i = 0; i < 100; i++) {
		CHECK(may_run_on((unsigned)sched_getcpu(), &all));
		CHECK(may_run_on(by_call(), &all));
		sched_yield();
	}
}

static void *another(void *arg)
{
	const cpu_set_t *own = arg;
	cpu_set_t now;

	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0 && CPU_EQUAL(own, &now));
	for (int i = 0; i < 100; i++)
		CHECK(may_run_on((unsigned)sched_getcpu(), own));
	return NULL;
}

CASE(pinned)
{
	pthread_t thread;
	cpu_set_t one;
	int st;
	pid_t p;

	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
	CHECK(sched_getcpu() >= 0); /* asked before */
	for (unsigned i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		only(i);
		is_on(i);
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		CHECK(pthread_create(&thread, NULL, another, &one) == 0 && pthread_join(thread, NULL) == 0);
		if (!(p = fork())) {
			is_on(i);
			_exit(0);
		}
		CHECK(waitpid(p, &st, 0) == p && st == 0);
	}
	CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
	CHECK(may_run_on((unsigned)sched_getcpu(), &all));
}

/* Set by somebody else, while it runs. */
static _Atomic int step;
static _Atomic pid_t its;

static void *looks(void *arg)
{
	const unsigned *cpu = arg;

	its = (pid_t)syscall(SYS_gettid);
	while (step != 1)
		CHECK(sched_getcpu() >= 0);
	is_on(*cpu);
	return NULL;
}

CASE(by_others)
{
	pthread_t thread;
	cpu_set_t one;

	CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
	for (unsigned i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		step = its = 0;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		CHECK(pthread_create(&thread, NULL, looks, &i) == 0);
		while (!its)
			sched_yield();
		CHECK(sched_setaffinity(its, sizeof(one), &one) == 0);
		step = 1;
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(may_run_on((unsigned)sched_getcpu(), &all));
	}
}

CASE(refused)
{
	cpu_set_t none;

	CPU_ZERO(&none);
	CHECK_ERR(sched_setaffinity(0, sizeof(none), &none), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 4, &none), EINVAL);
	CHECK_ERR(syscall(SYS_getcpu, (void *)8, NULL, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_getcpu, NULL, (void *)8, NULL), EFAULT);
}

int main(void)
{
	return run_cases();
}
