/*
 * futex_waitv: waiting for several words at once.
 */
#include "../test.h"

#include <linux/futex.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define MANY 128

struct one { /* struct futex_waitv, which older headers lack */
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static _Atomic uint32_t *words; /* MANY, shared with children */

static void make_words(void)
{
	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(words != MAP_FAILED);
}

static void fill(struct one *v, int n)
{
	for (int i = 0; i < n; i++)
		v[i] = (struct one){ .uaddr = (uintptr_t)&words[i], .flags = 2 };
}

static long waitv(const void *v, unsigned n, unsigned flags, const struct timespec *until, int clock)
{
	return syscall(SYS_futex_waitv, v, n, flags, until, clock);
}

static long wake(_Atomic uint32_t *w)
{
	return syscall(SYS_futex, w, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* A child waits for n words; whoever wakes the one at index i ends it, and it tells which. */
static void woken_at(unsigned n, int i)
{
	struct one v[MANY];
	pid_t p = fork();
	int st;

	CHECK(p >= 0);
	fill(v, (int)n);
	if (!p)
		_exit((int)waitv(v, n, 0, NULL, 0));
	while (wake(&words[i]) == 0)
		usleep(1000);
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == i);
	for (unsigned k = 0; k < n; k++)
		CHECK(wake(&words[k]) == 0); /* it waits for none any more */
}

CASE(tells_which)
{
	make_words();
	woken_at(1, 0);
	woken_at(3, 0);
	woken_at(3, 1);
	woken_at(3, 2);
	woken_at(MANY, 127);
	woken_at(MANY, 5);
}

CASE(private_words)
{
	struct one v[2];
	struct timespec now;

	make_words();
	fill(v, 2);
	v[0].flags = v[1].flags = 2 | FUTEX_PRIVATE_FLAG;
	v[1].val = 1;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EAGAIN);
	words[1] = 1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	CHECK_ERR(waitv(v, 2, 0, &now, CLOCK_MONOTONIC), ETIMEDOUT);
}

CASE(until_a_time)
{
	struct one v[3];
	struct timespec now, end;

	make_words();
	fill(v, 3);
	for (int i = 0; i < 2; i++) {
		clockid_t c = i ? CLOCK_REALTIME : CLOCK_MONOTONIC;

		clock_gettime(c, &now);
		now.tv_nsec += 20000000;
		if (now.tv_nsec >= 1000000000) {
			now.tv_nsec -= 1000000000;
			now.tv_sec++;
		}
		CHECK_ERR(waitv(v, 3, 0, &now, c), ETIMEDOUT);
		clock_gettime(c, &end);
		CHECK(end.tv_sec > now.tv_sec || (end.tv_sec == now.tv_sec && end.tv_nsec >= now.tv_nsec));
	}
	CHECK(wake(&words[0]) == 0 && wake(&words[2]) == 0);
}

CASE(mistakes)
{
	struct one v[MANY];
	struct timespec ts = { 0, 0 }, bad = { 0, 1000000000 };

	make_words();
	fill(v, MANY);
	CHECK_ERR(waitv(v, 1, 1, NULL, 0), EINVAL);
	CHECK_ERR(waitv(v, 0, 0, NULL, 0), EINVAL);
	CHECK_ERR(waitv(v, MANY + 1, 0, NULL, 0), EINVAL);
	CHECK_ERR(waitv(NULL, 1, 0, NULL, 0), EINVAL);
	CHECK_ERR(waitv((void *)8, 1, 0, NULL, 0), EFAULT);
	CHECK_ERR(waitv(v, 1, 0, &ts, CLOCK_BOOTTIME), EINVAL);
	CHECK_ERR(waitv(v, 1, 0, &bad, CLOCK_MONOTONIC), EINVAL);
	CHECK_ERR(waitv(v, 1, 0, (void *)8, CLOCK_MONOTONIC), EFAULT);
	v[1].flags = 0;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EINVAL);
	v[1].flags = 2 | 4;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EINVAL);
	v[1].flags = 2;
	v[1].reserved = 1;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EINVAL);
	v[1].reserved = 0;
	v[1].uaddr += 2;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EINVAL);
	v[1].uaddr = 8;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EFAULT);
	v[1].uaddr = 0;
	CHECK_ERR(waitv(v, 2, 0, NULL, 0), EFAULT);
}

static void nothing(int sig)
{
	(void)sig;
}

CASE(signals)
{
	struct one v[4];
	struct sigaction sa = { .sa_handler = nothing };
	int st;
	pid_t p;

	make_words();
	fill(v, 4);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p) {
		CHECK_ERR(waitv(v, 4, 0, NULL, 0), EINTR);
		_exit(7);
	}
	until_asleep(p);
	while (waitpid(p, &st, WNOHANG) == 0) { /* one may come before it sleeps in the call */
		kill(p, SIGUSR1);
		usleep(1000);
	}
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 7);
	CHECK(wake(&words[3]) == 0);
	sa.sa_flags = SA_RESTART;
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	p = fork();
	CHECK(p >= 0);
	if (!p)
		_exit((int)waitv(v, 4, 0, NULL, 0));
	until_asleep(p);
	for (int i = 0; i < 20; i++) {
		kill(p, SIGUSR1);
		usleep(1000);
	}
	while (wake(&words[2]) == 0)
		usleep(1000);
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 2);
}

/* Moved to another word, it is woken there. */
CASE(moved)
{
	struct one v[3];
	long r;
	pid_t p;
	int st;

	make_words();
	fill(v, 3);
	p = fork();
	CHECK(p >= 0);
	if (!p)
		_exit((int)waitv(v, 3, 0, NULL, 0));
	while ((r = syscall(SYS_futex, &words[1], FUTEX_CMP_REQUEUE, 0, 1L, &words[9], 0)) == 0)
		usleep(1000);
	CHECK(r == 1);
	CHECK(wake(&words[1]) == 0 && wake(&words[9]) == 1);
	CHECK(waitpid(p, &st, 0) == p && WIFEXITED(st) && WEXITSTATUS(st) == 1);
}

int main(void)
{
	return run_cases();
}
