/*
 * rings.c - programs that overwrite what a sandbox lets them share with each other, the bytes of
 * pipes that they stream through.  On Linux there is nothing.  The two may get anything from each
 * other but no more than they asked for; the sandbox and others' pipes stay whole.
 */
#include "attack.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define RINGS 0x7fffc0000000ul
#define STRIDE 0x20000ul
#define N_RINGS 128u
#define PIPE 65536
#define CANARY 0x5a
#define EDGE 64

static void store(uint64_t at, uint64_t value) { *(volatile uint64_t *)at = value; }

static uint64_t odd_value(uint64_t *seed)
{
	static const uint64_t values[] = { 0, 1, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0xffffffff, 1ul << 63, 1ul << 63 | 0xffffffff,
		UINT64_MAX, 1ul << 63 | 0x10000, 1ul << 63 | 4 };
	uint64_t r = random64(seed);

	return r % 3 ? values[r / 3 % 12] : 1ul << 63 | (r >> 7 & 0x3ffff);
}

/* Each page of each ring that is there, the words more often. */
static void *overwrites(void *arg)
{
	struct sigaction sa = { .sa_handler = on_segv, .sa_flags = SA_NODEFER };
	uint64_t seed = (uint64_t)arg * 2 + 1;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (;;)
		for (uint64_t at = RINGS; at < RINGS + N_RINGS * STRIDE; at += STRIDE) {
			if (!tried(store, at, odd_value(&seed)))
				continue;
			for (int i = 0; i < 50; i++) {
				store(at + random64(&seed) % 3 * 64, odd_value(&seed));
				store(at + 4096 + random64(&seed) % PIPE / 8 * 8, random64(&seed));
			}
		}
	return NULL;
}

/* Reads into the middle of its memory, whose edges stay. */
static void reads(int fd)
{
	static unsigned char b[3 * PIPE];
	uint64_t seed = 7;

	memset(b, CANARY, sizeof(b));
	for (;;) {
		size_t n = random64(&seed) % PIPE;
		ssize_t r;

		memset(b + PIPE + n, CANARY, EDGE);
		r = read(fd, b + PIPE, n);
		if (r > (ssize_t)n)
			_exit(9);
		for (size_t i = 0; i < EDGE; i++)
			if (b[PIPE - 1 - i] != CANARY || b[PIPE + n + i] != CANARY)
				_exit(9);
		if (random64(&seed) % 64 == 0) {
			struct pollfd f = { .fd = fd, .events = POLLIN };
			int left = -1;

			if (ioctl(fd, FIONREAD, &left) || left < 0 || left > PIPE)
				_exit(9);
			poll(&f, 1, 0);
		}
	}
}

static void writes(int fd)
{
	static unsigned char b[PIPE];
	uint64_t seed = 5;

	for (;;) {
		size_t n = random64(&seed) % (random64(&seed) % 4 ? 3000 : PIPE);

		if (write(fd, b, n) > (ssize_t)n)
			_exit(9);
	}
}

static int run(const int p[2], int reader, int hostile)
{
	struct itimerval soon = { .it_value = { .tv_usec = 400000 } };
	pid_t c = fork();
	pthread_t t;

	if (c)
		return c;
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	close(p[reader]);
	setitimer(ITIMER_REAL, &soon, NULL);
	if (hostile)
		pthread_create(&t, NULL, overwrites, (void *)(uintptr_t)(1 + reader));
	if (reader)
		reads(p[0]);
	writes(p[1]);
	_exit(0);
}

/* A pair that is not concerned. */
static pid_t counts(void)
{
	uint32_t i, got;
	int p[2];
	pid_t c = fork();

	if (c)
		return c;
	if (pipe(p))
		_exit(1);
	c = fork();
	if (!c) {
		for (i = 0; i < 30000; i++)
			if (write(p[1], &i, sizeof(i)) != sizeof(i))
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 30000; i++)
		if (read(p[0], &got, sizeof(got)) != sizeof(got) || got != i)
			_exit(1);
	_exit(0);
}

CASE(each_side_overwrites)
{
	for (int hostile = 1; hostile <= 3; hostile++) {
		pid_t r, w, c = counts();
		int p[2], st;

		CHECK(!pipe(p));
		r = run(p, 1, hostile & 1);
		w = run(p, 0, hostile & 2);
		close(p[0]);
		close(p[1]);
		CHECK(waitpid(c, &st, 0) == c && WIFEXITED(st) && WEXITSTATUS(st) == 0);
		CHECK(waitpid(w, &st, 0) == w && (!WIFEXITED(st) || WEXITSTATUS(st) != 9));
		CHECK(waitpid(r, &st, 0) == r && (!WIFEXITED(st) || WEXITSTATUS(st) != 9));
	}
}

/* What it overwrites after it has closed its end reaches nobody: those who still have it go on by themselves. */
CASE(overwriting_what_was_closed)
{
	uint32_t i, got;
	pthread_t t;
	pid_t c;
	int p[2], st;

	CHECK(!pipe(p));
	for (i = 0; i < 1000; i++)
		CHECK(write(p[1], &i, sizeof(i)) == sizeof(i) && read(p[0], &got, sizeof(got)) == sizeof(got) && got == i);
	c = fork();
	if (!c) {
		for (i = 0; i < 50000; i++)
			if (write(p[1], &i, sizeof(i)) != sizeof(i))
				_exit(1);
		_exit(0);
	}
	close(p[1]);
	CHECK(!pthread_create(&t, NULL, overwrites, (void *)3));
	if (!fork()) {
		for (i = 0; read(p[0], &got, sizeof(got)) == sizeof(got); i++)
			if (got != i)
				_exit(1);
		_exit(i == 50000 ? 0 : 1);
	}
	close(p[0]);
	for (int n = 0; n < 2; n++)
		CHECK(wait(&st) > 0 && WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

#define SLOT_LOOKS 1024u /* how long a program that waits for its turn looks on */

/* Who would look on for ever is interrupted and killed all the same. */
static void *never_ends(void *arg)
{
	struct sigaction sa = { .sa_handler = on_segv, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (;;)
		for (uint64_t at = SLOTS + SLOT_LOOKS; at < SLOTS + 64 * SLOT_SIZE; at += SLOT_SIZE)
			tried(store, at, UINT64_MAX >> 1);
	return arg;
}

static void on_alarm(int sig) { (void)sig; }

static void waits_for_ever(const int to[2], const int from[2])
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value = { .tv_usec = 20000 }, .it_interval = { .tv_usec = 20000 } };
	sigset_t alarms;
	pthread_t t;
	char c = 0;

	for (int i = 0; i < 1000; i++)
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			_exit(9);
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL); /* in the other thread */
	if (pthread_create(&t, NULL, never_ends, NULL))
		_exit(9);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (int i = 0; i < 5; i++)
		while (read(from[0], &c, 1) != -1)
			;
	if (write(to[1], "!", 1) != 1) /* the alarms came: now the other side is to end it */
		_exit(9);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	while (read(from[0], &c, 1) != 1)
		;
	_exit(9);
}

CASE(looking_on_for_ever)
{
	int to[2], from[2], st;
	char c;
	pid_t p;

	CHECK(!pipe(to) && !pipe(from));
	p = fork();
	if (!p)
		waits_for_ever(to, from);
	for (;;) {
		CHECK(read(to[0], &c, 1) == 1);
		if (c == '!')
			break;
		CHECK(write(from[1], &c, 1) == 1);
	}
	usleep(20000);
	CHECK(!kill(p, SIGKILL) && waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

int main(void) { return run_cases(); }
