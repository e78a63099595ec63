/* Writers that wait for room in a pipe while it is read in small parts: what arrives, what
 * the writer is told, what others are told. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define PIPE 65536
#define PAGE 4096
#define LONG 1000000

static void on_signal(int s) { (void)s; }

static unsigned char at(size_t i)
{
	return (unsigned char)(i % 251);
}

static unsigned char *pattern(size_t n)
{
	unsigned char *b = malloc(n);

	for (size_t i = 0; b && i < n; i++)
		b[i] = at(i);
	return b;
}

/* A child that writes n bytes of a pattern at once, and tells how many it could by its status, in 4096ths. */
static pid_t writer(int p[2], const unsigned char *from, size_t n)
{
	pid_t c = fork();

	if (!c) {
		close(p[0]);
		_exit((int)(write(p[1], from, n) / PAGE));
	}
	close(p[1]);
	until_asleep(c);
	return c;
}

static int written(pid_t c)
{
	int st;

	return waitpid(c, &st, 0) == c && WIFEXITED(st) ? WEXITSTATUS(st) * PAGE : -1;
}

/* To the end. How many bytes of the pattern came; -1: others. */
static ssize_t read_all(int fd, size_t from, size_t part)
{
	static unsigned char b[PIPE];
	ssize_t r;

	while ((r = read(fd, b, part)) > 0)
		for (ssize_t i = 0; i < r; i++, from++)
			if (b[i] != at(from))
				return -1;
	return r ? -1 : (ssize_t)from;
}

CASE(one_long_write)
{
	static const size_t parts[] = { 1000, 4096, 5000, 16384, 65536 };
	unsigned char *b = pattern(LONG);

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		int p[2];
		pid_t c;

		CHECK(b && pipe(p) == 0);
		c = writer(p, b, LONG);
		CHECK(read_all(p[0], 0, parts[i]) == LONG);
		CHECK(written(c) == LONG / PAGE * PAGE);
		close(p[0]);
	}
}

CASE(scattered)
{
	static const size_t lens[] = { 1, 70000, 0, 4095, 131072, 3 };
	unsigned char *b = pattern(LONG);
	struct iovec v[6];
	size_t total = 0;
	int p[2];
	pid_t c;

	CHECK(b && pipe(p) == 0);
	for (int i = 0; i < 6; i++) {
		v[i] = (struct iovec){ b + total, lens[i] };
		total += lens[i];
	}
	c = fork();
	if (!c)
		_exit(writev(p[1], v, 6) != (ssize_t)total);
	close(p[1]);
	until_asleep(c);
	CHECK(read_all(p[0], 0, 3333) == (ssize_t)total);
	CHECK(written(c) == 0);
}

CASE(memory_that_ends)
{
	unsigned char *m = mmap(NULL, 100 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int p[2];
	pid_t c;

	CHECK(m != MAP_FAILED && munmap(m + 40 * PAGE, 60 * PAGE) == 0 && pipe(p) == 0);
	for (size_t i = 0; i < 40 * PAGE; i++)
		m[i] = at(i);
	c = writer(p, m, 90 * PAGE);
	CHECK(read_all(p[0], 0, PAGE) == 40 * PAGE);
	CHECK(written(c) == 40 * PAGE);
}

/* Nobody reads any more: what was taken counts. */
CASE(reader_goes)
{
	unsigned char *b = pattern(LONG), part[2 * PAGE];
	int p[2];
	pid_t c;

	signal(SIGPIPE, SIG_IGN);
	CHECK(b && pipe(p) == 0);
	c = writer(p, b, LONG);
	CHECK(read(p[0], part, sizeof(part)) == sizeof(part));
	until_asleep(c);
	close(p[0]);
	CHECK(written(c) == PIPE + 2 * PAGE);
}

CASE(signal_ends_it)
{
	unsigned char *b = pattern(LONG), part[2 * PAGE];
	struct sigaction sa = { .sa_handler = on_signal };
	int p[2];
	pid_t c;

	sigaction(SIGUSR1, &sa, NULL);
	CHECK(b && pipe(p) == 0);
	c = writer(p, b, LONG);
	CHECK(read(p[0], part, sizeof(part)) == sizeof(part));
	until_asleep(c);
	CHECK(kill(c, SIGUSR1) == 0);
	CHECK(written(c) == PIPE + 2 * PAGE);
	CHECK(read_all(p[0], sizeof(part), PAGE) == PIPE + 2 * PAGE);
}

CASE(killed)
{
	unsigned char *b = pattern(LONG), part[2 * PAGE];
	int p[2], st;
	pid_t c;

	CHECK(b && pipe(p) == 0);
	c = writer(p, b, LONG);
	CHECK(read(p[0], part, sizeof(part)) == sizeof(part));
	until_asleep(c);
	CHECK(kill(c, SIGKILL) == 0 && waitpid(c, &st, 0) == c && WIFSIGNALED(st));
	CHECK(read_all(p[0], sizeof(part), 10000) == PIPE + 2 * PAGE);
}

/* What a read lets in is told of as any other write is. */
CASE(edges)
{
	static unsigned char b[PIPE];
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	unsigned char *all = pattern(LONG);
	int p[2], end, ep = epoll_create1(0);
	size_t total = 0;
	pid_t c;

	CHECK(all && pipe(p) == 0 && fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	c = writer(p, all, LONG);
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e) == 0);
	while (total < LONG) {
		ssize_t r = 0, n;

		CHECK(epoll_wait(ep, &e, 1, 10000) == 1);
		while ((n = read(p[0], b, sizeof(b))) > 0)
			r += n;
		end = errno;
		CHECK(n == 0 || end == EAGAIN);
		total += (size_t)r;
	}
	CHECK(total == LONG && written(c) == LONG / PAGE * PAGE);
}

/* Another reader sleeps already. */
CASE(two_readers)
{
	static unsigned char b[2 * PIPE];
	int p[2], q[2], st, go = 0;
	pid_t c, w;
	char x;

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	c = fork();
	if (!c) {
		ssize_t n = 0, r;

		close(p[1]);
		while ((r = read(p[0], b, 1000)) > 0)
			n += r;
		go = n > 0 && r == 0;
		_exit(!(write(q[1], go ? "y" : "n", 1) == 1));
	}
	until_asleep(c);
	w = fork();
	if (!w)
		_exit((int)(write(p[1], b, sizeof(b)) / PAGE));
	close(p[1]);
	while (read(p[0], b, 5000) > 0)
		;
	CHECK(written(w) == sizeof(b));
	CHECK(waitpid(c, &st, 0) == c && st == 0);
	CHECK(read(q[0], &x, 1) == 1);
}

/* Records of up to a page stay whole. */
CASE(records_stay_whole)
{
	static unsigned char b[PIPE], got[PIPE + 8 * 3000];
	size_t n = 0;
	pid_t c[8];
	int p[2];

	CHECK(pipe(p) == 0 && write(p[1], b, PIPE) == PIPE);
	for (int i = 0; i < 8; i++) {
		c[i] = fork();
		if (c[i])
			continue;
		memset(b, 'a' + i, 3000);
		_exit(write(p[1], b, 3000) != 3000);
	}
	close(p[1]);
	for (int i = 0; i < 8; i++)
		until_asleep(c[i]);
	for (ssize_t r; (r = read(p[0], got + n, n + 1500 < sizeof(got) ? 1500 : sizeof(got) - n)) > 0;)
		n += (size_t)r;
	CHECK(n == sizeof(got));
	for (n = PIPE; n < sizeof(got); n++)
		CHECK(got[n] >= 'a' && got[n] == got[PIPE + (n - PIPE) / 3000 * 3000]);
	for (int i = 0; i < 8; i++)
		CHECK(written(c[i]) == 0);
}

int main(void) { return run_cases(); }
