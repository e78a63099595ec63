/*
 * short_threads.c - threads that end at once, one after the other, and then one that does
 * not: whatever was expected of it, its maker goes on.
 */
#include "../test.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
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

/* The exit status of a process that makes short threads and then one that runs fn, by which it ends. */
static int ends_by(void *(*fn)(void *))
{
	int st;
	pid_t p = fork();

	CHECK(p >= 0);
	if (!p) {
		pthread_t t;

		make_short_ones();
		(void)pthread_create(&t, NULL, fn, NULL);
		for (;;)
			pause();
	}
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st));
	return WEXITSTATUS(st);
}

CASE(one_that_ends_the_process)
{
	CHECK(ends_by(ends_all) == 7);
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

/* What a thread does before it ends, or instead. */
static void *calls(void *arg)
{
	CHECK(syscall(SYS_getppid) == getppid() && syscall(SYS_gettid) != getpid());
	return ends(arg);
}

static void *touches_memory(void *arg)
{
	char *m = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	for (int i = 0; i < 65536; i += 4096)
		m[i] = 1;
	CHECK(munmap(m, 65536) == 0);
	return ends(arg);
}

static void *traps(void *arg)
{
	atomic_store(&flag, 0);
	__asm__ volatile("ud2; 1:" ::: "memory");
	CHECK(atomic_load(&flag) == SIGILL);
	return ends(arg);
}

static void over_ud2(int signo, siginfo_t *si, void *uc)
{
	(void)si;
	((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP] += 2;
	atomic_store(&flag, signo);
}

static void *rounds_up(void *arg)
{
	CHECK(fegetround() == FE_UPWARD);
	return ends(arg);
}

CASE(each_does_something_else)
{
	void *(*const fns[])(void *) = { ends, calls, touches_memory, traps, rounds_up };
	const struct sigaction sa = { .sa_sigaction = over_ud2, .sa_flags = SA_SIGINFO };
	const int n = 5 * SHORT_ONES;

	CHECK(sigaction(SIGILL, &sa, NULL) == 0);
	make_short_ones();
	CHECK(fesetround(FE_UPWARD) == 0);
	atomic_store(&ran, 0);
	for (int i = 0; i < n; i++) {
		pthread_t t;
		void *r;

		/* mostly such as end, so that the others are expected to */
		CHECK(!pthread_create(&t, NULL, fns[i % 20 < 16 ? 0 : 1 + i % 20 % 4], &ran));
		CHECK(!pthread_join(t, &r) && r == &ran && atomic_load(&ran) == i + 1);
	}
	CHECK(fesetround(FE_TONEAREST) == 0);
}

static pthread_mutex_t robust;

static void *ends_with_it_locked(void *arg)
{
	CHECK(pthread_mutex_lock(&robust) == 0);
	return ends(arg);
}

CASE(one_that_ends_with_a_lock)
{
	pthread_mutexattr_t a;
	pthread_t t;

	CHECK(!pthread_mutexattr_init(&a) && !pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&robust, &a));
	make_short_ones();
	for (int i = 0; i < SHORT_ONES; i++) {
		CHECK(!pthread_create(&t, NULL, ends_with_it_locked, NULL));
		CHECK(!pthread_join(t, NULL) && pthread_mutex_lock(&robust) == EOWNERDEAD);
		CHECK(!pthread_mutex_consistent(&robust) && !pthread_mutex_unlock(&robust));
	}
}

static _Atomic int number;
static char stack[65536] __attribute__((aligned(16)));

/* Its number is written once, before it runs, however it is begun. */
static int changes_its_number(void *arg)
{
	(void)arg;
	if (atomic_load(&number) != (int)syscall(SYS_gettid))
		return 0;
	atomic_store(&number, -5);
	syscall(SYS_getppid);
	atomic_store(&flag, atomic_load(&number));
	return 0;
}

CASE(its_number_is_written_once)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

	make_short_ones();
	for (int i = 0; i < SHORT_ONES; i++) {
		int n;

		atomic_store(&flag, 0);
		atomic_store(&number, -1);
		CHECK(clone(changes_its_number, stack + sizeof(stack), flags, NULL, NULL, NULL, &number) > 0);
		while ((n = atomic_load(&number)))
			syscall(SYS_futex, &number, 0 /* FUTEX_WAIT */, n, NULL, NULL, 0);
		CHECK(atomic_load(&flag) == -5);
	}
}

/* A process that makes short threads on and on. */
static pid_t maker_process(void)
{
	pid_t p = fork();

	CHECK(p >= 0);
	while (!p)
		make_short_ones();
	return p;
}

CASE(stopped_and_continued)
{
	pid_t p = maker_process();
	int st;

	for (int i = 0; i < 50; i++) {
		for (int n = 0; n < i; n++)
			sched_yield();
		CHECK(kill(p, SIGSTOP) == 0 && waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st));
		CHECK(kill(p, SIGCONT) == 0 && waitpid(p, &st, WCONTINUED) == p && WIFCONTINUED(st));
	}
	CHECK(kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p && WIFSIGNALED(st));
}

CASE(killed)
{
	for (int i = 0; i < 30; i++) {
		pid_t p = maker_process();
		int st;

		for (int n = 0; n < 10 * i; n++)
			sched_yield();
		CHECK(kill(p, SIGKILL) == 0 && waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	}
}

static void *becomes_another(void *arg)
{
	execl("/bin/sh", "sh", "-c", "exit 9", (char *)NULL);
	return arg;
}

CASE(one_that_becomes_another_program)
{
	CHECK(ends_by(becomes_another) == 9);
}

/* Signals to the whole process may be any thread's to take. */
CASE(signals_meanwhile)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pid_t p, got;
	int st;

	CHECK(sigaction(SIGUSR2, &sa, NULL) == 0); /* before there is who sends it */
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		for (int i = 0; i < 200; i++) {
			CHECK(kill(getppid(), SIGUSR2) == 0);
			sched_yield();
		}
		_exit(0);
	}
	for (int i = 0; i < 10; i++)
		make_short_ones();
	while ((got = waitpid(p, &st, 0)) < 0 && errno == EINTR)
		;
	CHECK(got == p && WIFEXITED(st) && WEXITSTATUS(st) == 0 && atomic_load(&flag) == SIGUSR2);
}

int main(void)
{
	return run_cases();
}
