/* Processor time where processors are scarce: what is counted is what a program has run, not how long it wanted to. */
#include "../test.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define MS 1000000ll
#define CROWD 3 /* so many a processor */
#define CROWD_MOST 48

static int64_t now(clockid_t c)
{
	struct timespec t;

	CHECK(clock_gettime(c, &t) == 0);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t used(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000ll + (u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000ll;
}

static int cpus(void)
{
	cpu_set_t set;

	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
	return CPU_COUNT(&set);
}

static int crowd(void)
{
	int n = CROWD * cpus();

	return n < CROWD_MOST ? n : CROWD_MOST;
}

/* No more than the processors have had; a tenth for what a clock may be ahead. */
static bool possible(int64_t cpu, int64_t wall, int n_cpus)
{
	if (cpu * 10 <= wall * n_cpus * 11)
		return true;
	fprintf(stderr, "%lld ms of processors in %lld ms on %d\n", (long long)(cpu / MS), (long long)(wall / MS), n_cpus);
	return false;
}

static void work(clockid_t c, int64_t ns)
{
	int64_t until = now(c) + ns;

	while (now(c) < until)
		for (volatile int i = 0; i < 100000; i++)
			;
}

static volatile sig_atomic_t fired;

static void on_signal(int s)
{
	fired = s;
}

/* Until a timer of its own clock, or its limit, says it is enough. */
static void work_until_told(int64_t ns)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec it = { .it_value = { .tv_nsec = ns } };
	int64_t begun = now(CLOCK_PROCESS_CPUTIME_ID);
	timer_t t;

	signal(SIGUSR1, on_signal);
	CHECK(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &t) == 0);
	CHECK(timer_settime(t, 0, &it, NULL) == 0);
	while (!fired)
		;
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - begun >= ns);
}

/* n children do that; what they have used is possible, and each at least that. */
static void together(void (*does)(void), int64_t least)
{
	int n = crowd(), st;
	struct rusage u, all;
	int64_t sum = 0, begun = now(CLOCK_MONOTONIC);

	for (int i = 0; i < n; i++) {
		pid_t p = fork();

		CHECK(p >= 0);
		if (!p) {
			does();
			_exit(0);
		}
	}
	for (int i = 0; i < n; i++) {
		CHECK(wait4(-1, &st, 0, &u) > 0 && st == 0);
		CHECK(used(&u) >= least);
		sum += used(&u);
	}
	CHECK(possible(sum, now(CLOCK_MONOTONIC) - begun, cpus()));
	CHECK(getrusage(RUSAGE_CHILDREN, &all) == 0);
	CHECK(used(&all) >= sum - n * 2000 && used(&all) <= sum + n * 2000);
}

/* In their own time, so that a busy machine only takes longer. (Linux may share out less between user and system
 * than the clock says: so a little less is asked for.) */
static void works(void)
{
	work(CLOCK_PROCESS_CPUTIME_ID, 150 * MS);
}

CASE(crowd)
{
	together(works, 100 * MS);
}

static void is_told(void)
{
	work_until_told(150 * MS);
}

CASE(timers_in_a_crowd)
{
	together(is_told, 100 * MS);
}

static void *thread_works(void *arg)
{
	work(CLOCK_THREAD_CPUTIME_ID, 100 * MS);
	*(int64_t *)arg = now(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

CASE(crowd_of_threads)
{
	int64_t begun = now(CLOCK_MONOTONIC), before = now(CLOCK_PROCESS_CPUTIME_ID), each[CROWD_MOST], all, sum = 0;
	pthread_t th[CROWD_MOST];
	int n = crowd();

	for (int i = 0; i < n; i++)
		CHECK(pthread_create(&th[i], NULL, thread_works, &each[i]) == 0);
	for (int i = 0; i < n; i++) {
		CHECK(pthread_join(th[i], NULL) == 0);
		sum += each[i];
	}
	all = now(CLOCK_PROCESS_CPUTIME_ID) - before;
	CHECK(possible(all, now(CLOCK_MONOTONIC) - begun, cpus()));
	CHECK(possible(sum, now(CLOCK_MONOTONIC) - begun, cpus()));
	CHECK(all >= n * 50 * MS);
}

/* What is done in calls and what beside them is not the same time twice. */
CASE(calls)
{
	int64_t begun = now(CLOCK_MONOTONIC), before = now(CLOCK_PROCESS_CPUTIME_ID), cpu;
	struct rusage u;

	do {
		for (int i = 0; i < 1000; i++)
			syscall(SYS_getppid);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID) - before;
	} while (cpu < 200 * MS);
	CHECK(possible(cpu, now(CLOCK_MONOTONIC) - begun, 1));
	CHECK(getrusage(RUSAGE_SELF, &u) == 0);
	CHECK(used(&u) >= 100 * MS);
}

/* Seen by somebody else, while it works and sleeps in a crowd. */
CASE(never_goes_back)
{
	pid_t p[CROWD_MOST];
	int n = crowd();
	int64_t last = 0, t;
	clockid_t c;

	for (int i = 0; i < n; i++) {
		p[i] = fork();
		if (!p[i])
			for (;;) {
				work(CLOCK_MONOTONIC, 2 * MS);
				usleep(500);
			}
	}
	CHECK(clock_getcpuclockid(p[0], &c) == 0);
	for (int i = 0; i < 300; i++) {
		t = now(c);
		CHECK(t >= last);
		last = t;
		usleep(1000);
	}
	for (int i = 0; i < n; i++) {
		CHECK(kill(p[i], SIGKILL) == 0);
		CHECK(wait4(p[i], NULL, 0, NULL) == p[i]);
	}
}

static void work_under(struct rlimit limit)
{
	CHECK(setrlimit(RLIMIT_CPU, &limit) == 0);
	for (;;)
		;
}

CASE(limit)
{
	int st;
	pid_t p = fork();

	if (!p)
		work_under((struct rlimit){ 0, RLIM_INFINITY });
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGXCPU);
	p = fork();
	if (!p)
		work_under((struct rlimit){ 0, 0 });
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

/* It holds for children that set none. */
CASE(limit_inherited)
{
	struct rlimit r;
	int st;

	signal(SIGXCPU, SIG_IGN);
	do {
		pid_t p;

		r = (struct rlimit){ 0, 100 };
		CHECK(setrlimit(RLIMIT_CPU, &r) == 0);
		p = fork();
		if (!p) {
			signal(SIGXCPU, SIG_DFL);
			CHECK(getrlimit(RLIMIT_CPU, &r) == 0 && r.rlim_max == 100);
			if (r.rlim_cur)
				_exit(7); /* the parent was told first: its limit went up */
			for (;;)
				;
		}
		CHECK(waitpid(p, &st, 0) == p);
	} while (WIFEXITED(st) && WEXITSTATUS(st) == 7);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGXCPU);
}

CASE(soft_limit_goes_up)
{
	struct rlimit r = { 0, 100 };

	signal(SIGXCPU, on_signal);
	CHECK(setrlimit(RLIMIT_CPU, &r) == 0);
	while (!fired)
		;
	CHECK(fired == SIGXCPU);
	CHECK(getrlimit(RLIMIT_CPU, &r) == 0 && r.rlim_cur >= 1 && r.rlim_max == 100);
	r.rlim_cur = RLIM_INFINITY;
	CHECK_ERR(setrlimit(RLIMIT_CPU, &r), EINVAL);
	r.rlim_cur = 100;
	CHECK(setrlimit(RLIMIT_CPU, &r) == 0);
	fired = 0;
	work(CLOCK_PROCESS_CPUTIME_ID, 50 * MS);
	CHECK(!fired);
}

int main(void)
{
	return run_cases();
}
