/*
 * turns.c - tasks that take turns, and those that have done so for a while and then do
 * otherwise: whoever has been woken runs, though the one that woke it goes on.
 */
#include "../test.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define TURNS 200
#define ROUNDS 20

static int there[2], back[2];

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
		while (atomic_load(seen) == before) /* the case's time limit bounds it */
			;
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
		while (atomic_load(seen) == before)
			syscall(SYS_getppid);
		CHECK(read(back[0], &c, 1) == 1);
	}
	close(there[1]);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void post(_Atomic int *sem)
{
	atomic_fetch_add(sem, 1);
	syscall(SYS_futex, sem, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void take(_Atomic int *sem)
{
	int v;

	while (!(v = atomic_load(sem)) || !atomic_compare_exchange_strong(sem, &v, v - 1))
		if (!v)
			syscall(SYS_futex, sem, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* Where one of the two is woken each time and the other finds its answer there, mostly: then that one goes
 * on, with calls that do nothing or without any. */
CASE(one_hardly_sleeps)
{
	_Atomic int *at = shared(), *to = &at[0], *from = &at[16], *seen = &at[32];
	pid_t pid = fork();

	if (!pid) {
		for (;;) {
			take(to);
			atomic_fetch_add(seen, 1);
			post(from);
		}
	}
	for (int i = 0; i < ROUNDS; i++) {
		int before;

		for (int k = 0; k < TURNS; k++) {
			post(to);
			take(from);
		}
		before = atomic_load(seen);
		CHECK(before == i * (TURNS + 1) + TURNS);
		post(to);
		while (atomic_load(seen) == before) {
			if (i % 3 == 1)
				syscall(SYS_getppid);
			else if (i % 3 == 2)
				usleep(0);
		}
		take(from);
	}
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

/* Packets, of which a pipe holds one: each side waits for the other. */
CASE(one_packet_at_a_time)
{
	int p[2], status;
	char c;
	pid_t pid;

	CHECK(pipe2(p, O_DIRECT) == 0 && fcntl(p[1], F_SETPIPE_SZ, 4096) >= 4096);
	pid = fork();
	if (!pid) {
		int n = 0;

		close(p[1]);
		while (read(p[0], &c, 1) == 1)
			if (c != (char)n++)
				_exit(1);
		_exit(n != ROUNDS * TURNS);
	}
	close(p[0]);
	for (int i = 0; i < ROUNDS * TURNS; i++) {
		c = (char)i;
		CHECK(write(p[1], &c, 1) == 1);
	}
	close(p[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* Who reads is awake soon, however busy the writer was before: it makes no call more. */
CASE(a_busy_one_goes_on)
{
	_Atomic int *seen = shared();
	int p[2], zero = open("/dev/zero", O_RDONLY), before;
	char c[64];
	pid_t pid;

	CHECK(zero >= 0 && pipe(p) == 0);
	pid = fork();
	if (!pid) {
		ssize_t n;

		close(p[1]);
		while ((n = read(p[0], c, sizeof(c))) > 0)
			atomic_fetch_add(seen, (int)n);
		_exit(0);
	}
	close(p[0]);
	for (int i = 0; i < ROUNDS; i++) {
		until_asleep(pid);
		before = atomic_load(seen);
		for (int k = 0; k < 100; k++)
			CHECK(read(zero, c, sizeof(c)) == sizeof(c));
		for (int k = 0; k < 1 + i % 3; k++)
			CHECK(write(p[1], c, 1) == 1);
		while (atomic_load(seen) < before + 1 + i % 3)
			;
	}
	close(p[1]);
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
