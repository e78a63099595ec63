/* Threads: join, mutexes of all kinds, condition variables, exit, exec from a thread. */
#include "../test.h"

#include <dirent.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int shared;
static __thread int local = 5;

static void *adder(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(arg);
		shared++;
		pthread_mutex_unlock(arg);
	}
	local = 6;
	return (void *)(long)local;
}

static void contend(pthread_mutex_t *m)
{
	pthread_t t[4];
	void *r;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, adder, m) == 0);
	for (int i = 0; i < 4; i++) {
		CHECK(pthread_join(t[i], &r) == 0);
		CHECK((long)r == 6);
	}
	CHECK(shared == 4000 && local == 5);
}

CASE(mutex) { contend(&mu); }

static void with_attr(int protocol, int robust, int pshared)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;

	pthread_mutexattr_init(&a);
	CHECK(pthread_mutexattr_setprotocol(&a, protocol) == 0);
	CHECK(pthread_mutexattr_setrobust(&a, robust) == 0);
	CHECK(pthread_mutexattr_setpshared(&a, pshared) == 0);
	CHECK(pthread_mutex_init(&m, &a) == 0);
	contend(&m);
}

CASE(pi_mutex) { with_attr(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE); }
CASE(robust_mutex) { with_attr(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE); }
CASE(shared_mutex) { with_attr(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED); }

static void *dies_with_lock(void *m)
{
	pthread_mutex_lock(m);
	return NULL;
}

CASE(robust_owner_dies)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_t t;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&m, &a);
	pthread_create(&t, NULL, dies_with_lock, &m);
	pthread_join(t, NULL);
	CHECK(pthread_mutex_lock(&m) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(&m) == 0);
	CHECK(pthread_mutex_unlock(&m) == 0);
	CHECK(pthread_mutex_lock(&m) == 0);
}

CASE(robust_pi_owner_dies)
{
	pthread_t t;
	pthread_mutexattr_t a;
	pthread_mutex_t m;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&m, &a);
	pthread_create(&t, NULL, dies_with_lock, &m);
	pthread_join(t, NULL);
	CHECK(pthread_mutex_lock(&m) == EOWNERDEAD);
}

static uint64_t robust_list(pid_t tid)
{
	uint64_t head = 1, len = 0;

	CHECK(syscall(SYS_get_robust_list, tid, &head, &len) == 0 && len == 24);
	return head;
}

static void *tell_robust_list(void *arg)
{
	static uint64_t list[3];
	int *fds = arg, tid = (int)syscall(SYS_gettid);
	char c;

	CHECK(robust_list(0) != 0); /* the C library's */
	for (int i = 0; i < 10; i++)
		CHECK(syscall(SYS_set_robust_list, list, sizeof(list)) == 0 && robust_list(0) == (uint64_t)list);
	list[0] = (uint64_t)list; /* an empty one */
	CHECK(write(fds[1], &tid, sizeof(tid)) == sizeof(tid) && read(fds[2], &c, 1) == 1);
	return list;
}

CASE(robust_list_is_told)
{
	uint64_t own = robust_list(0);
	int fds[4], tid, st;
	pthread_t t;
	void *list;
	pid_t p;

	CHECK(pipe(fds) == 0 && pipe(fds + 2) == 0);
	CHECK_ERR(syscall(SYS_set_robust_list, own, 23), EINVAL);
	for (int i = 0; i < 10; i++)
		CHECK(syscall(SYS_set_robust_list, own + 8, 24) == 0 && robust_list(0) == own + 8);
	CHECK(syscall(SYS_set_robust_list, own, 24) == 0 && robust_list(0) == own);
	CHECK(pthread_create(&t, NULL, tell_robust_list, fds) == 0);
	CHECK(read(fds[0], &tid, sizeof(tid)) == sizeof(tid));
	CHECK(robust_list(tid) != own && robust_list(tid) != 0 && robust_list(0) == own);
	tid = (int)robust_list(tid);
	CHECK(write(fds[3], "x", 1) == 1 && pthread_join(t, &list) == 0 && tid == (int)(uintptr_t)list);
	p = (pid_t)syscall(SYS_fork);
	if (!p)
		_exit(robust_list(0) != 0);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

CASE(robust_across_processes)
{
	pthread_mutexattr_t a;
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int st, locked[2];
	char c;
	pid_t p;

	CHECK(pipe(locked) == 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(m, &a);
	p = fork();
	if (!p) {
		pthread_mutex_lock(m);
		if (write(locked[1], "x", 1) != 1)
			_exit(1);
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
		_exit(0);
	}
	CHECK(read(locked[0], &c, 1) == 1);
	CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
	waitpid(p, &st, 0);
}

static void *signaller(void *arg)
{
	pthread_mutex_lock(&mu);
	shared = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mu);
	return NULL;
}

CASE(condition)
{
	struct timespec until;
	pthread_t t;

	pthread_mutex_lock(&mu);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 50000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	CHECK(pthread_cond_timedwait(&cond, &mu, &until) == ETIMEDOUT);
	pthread_create(&t, NULL, signaller, NULL);
	while (!shared)
		pthread_cond_wait(&cond, &mu);
	pthread_mutex_unlock(&mu);
	pthread_join(t, NULL);
}

CASE(futex_errors)
{
	static uint32_t word = 1;
	struct timespec t = { 0, 20000000 };

	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 2, NULL, NULL, 0), EAGAIN);
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &t, NULL, 0), ETIMEDOUT);
	CHECK_ERR(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 1, &t, NULL, 0), EINVAL);
	CHECK_ERR(syscall(SYS_futex, (void *)8, FUTEX_WAIT, 1, &t, NULL, 0), EFAULT);
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERR(syscall(SYS_futex, &word, 99, 1, NULL, NULL, 0), ENOSYS);
	CHECK(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	t.tv_nsec = 1000000000;
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &t, NULL, 0), EINVAL);
	CHECK_ERR(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, NULL, &word, 5), EAGAIN);
}

CASE(leader_leaves_first)
{
	int st;
	pid_t p = fork();

	if (!p) {
		pthread_t t;

		pthread_create(&t, NULL, signaller, NULL);
		pthread_exit(NULL);
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

static void *execs(void *arg)
{
	char me[32];

	snprintf(me, sizeof(me), "test $$ = %d", (int)getpid());
	execl("/bin/sh", "sh", "-c", me, NULL);
	return NULL;
}

static void *spins(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

CASE(exec_from_a_thread)
{
	int st;
	pid_t p = fork();

	if (!p) {
		pthread_t t;

		pthread_create(&t, NULL, spins, NULL);
		pthread_create(&t, NULL, execs, NULL);
		for (;;)
			pause();
	}
	CHECK(waitpid(p, &st, 0) == p && st == 0);
}

/* Private barriers are for who has said so; a child of fork has it from its parent, a new program has not. */
CASE(barriers)
{
	int st;

	CHECK(syscall(SYS_membarrier, 0, 0) & 24);
	CHECK_ERR(syscall(SYS_membarrier, 8, 0), EPERM);
	CHECK(syscall(SYS_membarrier, 16, 0) == 0 && syscall(SYS_membarrier, 8, 0) == 0);
	CHECK(syscall(SYS_membarrier, 2, 0) == 0 && syscall(SYS_membarrier, 4, 0) == 0);
	CHECK_ERR(syscall(SYS_membarrier, 8, 2), EINVAL);
	if (!fork()) {
		CHECK(syscall(SYS_membarrier, 8, 0) == 0);
		_exit(0);
	}
	CHECK(wait(&st) > 0 && st == 0);
}

CASE(many_threads)
{
	pthread_t t[60];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 60; i++)
			CHECK(pthread_create(&t[i], NULL, signaller, NULL) == 0);
		for (int i = 0; i < 60; i++)
			CHECK(pthread_join(t[i], NULL) == 0);
	}
}

static pthread_barrier_t together;

static void *waits_twice(void *arg)
{
	pthread_barrier_wait(&together);
	pthread_barrier_wait(&together);
	return arg;
}

/* Each thread is shown once, in the order of the numbers, also to who looks at a few at a time. */
CASE(threads_listed)
{
	enum { N = 100 };
	pthread_t t[N];
	struct dirent *e;
	long first = 0, last = 0, n = 0;
	DIR *d;

	CHECK(pthread_barrier_init(&together, NULL, N + 1) == 0);
	for (int i = 0; i < N; i++)
		CHECK(pthread_create(&t[i], NULL, waits_twice, NULL) == 0);
	pthread_barrier_wait(&together);
	CHECK((d = opendir("/proc/self/task")) != NULL);
	while ((e = readdir(d))) {
		long tid = strtol(e->d_name, NULL, 10);

		if (e->d_name[0] == '.')
			continue;
		/* the numbers may have come to their end meanwhile, and begun again; but once */
		CHECK(last < first ? tid > last && tid < first : tid > last || tid < first);
		first = first ? first : tid;
		last = tid;
		n++;
		seekdir(d, telldir(d));
	}
	CHECK(n == N + 1);
	pthread_barrier_wait(&together);
	for (int i = 0; i < N; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	/* A thread is joined when its number is cleared, and leaves the list when its exit goes on from there. */
	do {
		n = 0;
		rewinddir(d);
		while ((e = readdir(d)))
			n += e->d_name[0] != '.';
	} while (n != 1);
	CHECK(closedir(d) == 0);
}

static int64_t thread_time(void)
{
	struct timespec ts;

	CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void *calls_a_lot(void *arg)
{
	while (thread_time() < 200000000)
		syscall(SYS_getppid);
	return NULL;
}

static void *tells_its_time(void *arg)
{
	*(int64_t *)arg = thread_time();
	return NULL;
}

/* A new thread has used no time, whatever threads before it have.  Waiting for a processor
 * may be counted as time inside, so on a busy machine a round may be off; time taken over
 * from the thread before would show in every round but the first. */
CASE(cpu_time_starts_at_zero)
{
	int64_t used = -1;
	pthread_t t;
	int good = 0;

	for (int i = 0; i < 10 && good < 2; i++) {
		CHECK(pthread_create(&t, NULL, calls_a_lot, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		CHECK(pthread_create(&t, NULL, tells_its_time, &used) == 0);
		CHECK(pthread_join(t, NULL) == 0);
		CHECK(used >= 0);
		good += used < 150000000;
	}
	CHECK(good == 2);
}

int main(void) { return run_cases(); }
