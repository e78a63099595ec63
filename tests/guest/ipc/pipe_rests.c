/* Who reads a stream and has nothing to read for the moment, while its writer does something else: what comes then
 * arrives, and whatever is wanted of the reader happens. */
#include "pipe_stream.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#define PIECE 8192
#define STREAM (64 * PIECE)
#define ROUNDS 30

struct told {
	_Atomic uint64_t got; /* bytes */
	_Atomic int signals;
};

static struct told *told;

static void on_signal(int s)
{
	(void)s;
	told->signals++;
}

static uint8_t byte_at(uint64_t at) { return (uint8_t)(at * 31 + (at >> 12)); }

static void reads(int fd)
{
	static uint8_t b[2 * PIECE];
	ssize_t n;

	while ((n = read(fd, b, sizeof(b))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			CHECK(b[i] == byte_at(told->got + (uint64_t)i));
		told->got += (uint64_t)n;
	}
}

/* n bytes more, behind at. */
static uint64_t write_more(int fd, uint64_t at, uint64_t n)
{
	static uint8_t b[PIECE];

	while (n) {
		size_t piece = n < PIECE ? n : PIECE;

		for (size_t i = 0; i < piece; i++)
			b[i] = byte_at(at + i);
		CHECK(write(fd, b, piece) == (ssize_t)piece);
		at += piece;
		n -= piece;
	}
	return at;
}

static void await(uint64_t at)
{
	while (told->got < at) /* makes no call */
		;
	CHECK(told->got == at);
}

static pid_t begin(int p[2])
{
	const struct sigaction a = { .sa_handler = on_signal };
	pid_t c;

	told = shared();
	CHECK(!pipe(p) && !sigaction(SIGUSR1, &a, NULL));
	c = fork();
	if (!c) {
		close(p[1]);
		reads(p[0]);
		_exit(0);
	}
	CHECK(c > 0);
	return c;
}

static void end(const int p[2], pid_t c, uint64_t at)
{
	close(p[1]);
	ends_well(c);
	CHECK(told->got == at);
}

CASE(little_after_much)
{
	uint64_t at = 0;
	int p[2];
	pid_t c = begin(p);

	for (int i = 0; i < ROUNDS; i++) {
		at = write_more(p[1], at, STREAM);
		await(at);
		at = write_more(p[1], at, 1);
		await(at);
		at = write_more(p[1], at, PIPE - 1);
		await(at);
	}
	end(p, c, at);
}

CASE(it_ends_at_once)
{
	for (int i = 0; i < ROUNDS; i++) {
		int p[2];
		pid_t c = begin(p);

		end(p, c, write_more(p[1], 0, STREAM + (uint64_t)i));
	}
}

CASE(signals)
{
	uint64_t at = 0;
	int p[2];
	pid_t c = begin(p);

	for (int i = 1; i <= ROUNDS; i++) {
		at = write_more(p[1], at, STREAM);
		await(at);
		CHECK(!kill(c, SIGUSR1));
		while (told->signals < i)
			;
	}
	end(p, c, at);
}

CASE(stopped)
{
	uint64_t at = 0;
	int p[2], st;
	pid_t c = begin(p);

	for (int i = 0; i < ROUNDS; i++) {
		at = write_more(p[1], at, STREAM);
		await(at);
		CHECK(!kill(c, SIGSTOP) && waitpid(c, &st, WUNTRACED) == c && WIFSTOPPED(st));
		at = write_more(p[1], at, 10);
		CHECK(!kill(c, SIGCONT));
		await(at);
	}
	end(p, c, at);
}

CASE(killed)
{
	for (int i = 0; i < ROUNDS; i++) {
		int p[2], st;
		pid_t c = begin(p);

		await(write_more(p[1], 0, STREAM));
		CHECK(!kill(c, SIGKILL) && waitpid(c, &st, 0) == c && WIFSIGNALED(st));
		close(p[0]);
		close(p[1]);
	}
}

/* Others look at the pipe, and use it. */
CASE(others_look)
{
	uint64_t at = 0;
	int p[2], left;
	pid_t c = begin(p);

	for (int i = 0; i < ROUNDS; i++) {
		struct pollfd f = { .fd = p[i % 2], .events = i % 2 ? POLLOUT : POLLIN };

		at = write_more(p[1], at, STREAM);
		await(at);
		CHECK(poll(&f, 1, 0) == i % 2 && !ioctl(p[0], FIONREAD, &left) && !left);
		at = write_more(p[1], at, 100);
		await(at);
	}
	end(p, c, at);
}

/* Another writer has come meanwhile. */
CASE(a_second_writer)
{
	uint64_t at = 0;
	int p[2];
	pid_t c = begin(p), d;

	for (int i = 0; i < ROUNDS; i++) {
		at = write_more(p[1], at, STREAM);
		await(at);
		d = fork();
		if (!d) {
			write_more(p[1], at, 100);
			_exit(0);
		}
		await(at += 100);
		ends_well(d);
	}
	end(p, c, at);
}

int main(void) { return run_cases(); }
