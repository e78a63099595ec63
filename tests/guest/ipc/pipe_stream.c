/* Pieces of all sizes that stream through pipes; and what else is done with the pipe in between. */
#include "pipe_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

static unsigned char at(uint64_t i) { return (unsigned char)(i * 7 % 251); }

static void fill(unsigned char *b, size_t n, uint64_t from)
{
	for (size_t i = 0; i < n; i++)
		b[i] = at(from + i);
}

static int differs(const unsigned char *b, size_t n, uint64_t from)
{
	for (size_t i = 0; i < n; i++)
		if (b[i] != at(from + i))
			return 1;
	return 0;
}

static const size_t sizes[] = { 1, 100, 4096, 7, 10240, 4097, 300, 65536, 12, 65537, 5000, 100000 };
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void write_all(int fd, uint64_t total, unsigned first, unsigned naps)
{
	static unsigned char b[100000];

	for (uint64_t done = 0; done < total; first++) {
		size_t n = sizes[first / 20 % N_SIZES];

		fill(b, n, done);
		CHECK(write(fd, b, n) == (ssize_t)n);
		done += n;
		if (naps && first % naps == 0)
			usleep(300);
	}
	close(fd);
}

static void read_all(int fd, uint64_t total, unsigned first, unsigned naps)
{
	static unsigned char b[100000];
	uint64_t done = 0;
	ssize_t r;

	for (; (r = read(fd, b, sizes[first / 30 % N_SIZES])) > 0; first++) {
		CHECK(!differs(b, (size_t)r, done));
		done += (uint64_t)r;
		if (naps && first % naps == 0)
			usleep(300);
	}
	CHECK(!r && done >= total);
}

static void both(uint64_t total, unsigned first, unsigned writer_naps, unsigned reader_naps)
{
	int p[2];
	pid_t c;

	CHECK(!pipe(p));
	c = fork();
	if (!c) {
		close(p[0]);
		write_all(p[1], total, first, writer_naps);
		_exit(0);
	}
	close(p[1]);
	read_all(p[0], total, 3 * first, reader_naps);
	ends_well(c);
}

CASE(pieces_of_all_sizes)
{
	for (unsigned first = 0; first < 5; first++)
		both(3000000, 50 * first, 0, 0);
}

CASE(a_slow_side)
{
	both(2000000, 40, 5, 0);
	both(2000000, 40, 0, 5);
	both(2000000, 0, 7, 11);
}

/* --- in between ------------------------------------------------------------------------ */

static int ready(int fd, short events)
{
	struct pollfd f = { .fd = fd, .events = events };

	CHECK(poll(&f, 1, 0) >= 0);
	return f.revents;
}

CASE(looked_at_in_between)
{
	static char b[PIPE];
	int p[2], n;

	CHECK(!pipe(p));
	for (int round = 0; round < 3; round++) {
		stream_here(p);
		CHECK(!ready(p[0], POLLIN) && ready(p[1], POLLOUT) == POLLOUT);
		stream_here(p);
		CHECK(write(p[1], b, 1000) == 1000 && !ioctl(p[0], FIONREAD, &n) && n == 1000);
		CHECK(ready(p[0], POLLIN) == POLLIN && read(p[0], b, sizeof(b)) == 1000);
	}
	stream_here(p);
	CHECK(!fcntl(p[0], F_SETFL, O_NONBLOCK) && !fcntl(p[1], F_SETFL, O_NONBLOCK));
	CHECK_ERR(read(p[0], b, 1), EAGAIN);
	stream_here(p);
	for (n = 0; n < PIPE; n += PAGE)
		CHECK(write(p[1], b, PAGE) == PAGE);
	CHECK_ERR(write(p[1], b, 1), EAGAIN);
	CHECK(!ready(p[1], POLLOUT) && read(p[0], b, PAGE) == PAGE && ready(p[1], POLLOUT) == POLLOUT);
	CHECK(read(p[0], b, sizeof(b)) == PIPE - PAGE);
	stream_here(p);
}

CASE(spliced_and_copied_in_between)
{
	unsigned char b[3000], c[3000];
	int p[2], q[2];

	CHECK(!pipe(p) && !pipe(q));
	for (int round = 0; round < 3; round++) {
		stream_here(p);
		stream_here(q);
		fill(b, sizeof(b), 0);
		CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
		CHECK(tee(p[0], q[1], sizeof(b), 0) == sizeof(b) && read(q[0], c, sizeof(c)) == sizeof(c) && !differs(c, sizeof(c), 0));
		CHECK(read(p[0], c, 1000) == 1000 && !differs(c, 1000, 0));
		CHECK(splice(p[0], NULL, q[1], NULL, 5000, 0) == 2000 && read(q[0], c, sizeof(c)) == 2000 && !differs(c, 2000, 1000));
	}
	stream_here(p);
}

CASE(changed_in_between)
{
	char b[PIPE];
	int p[2];

	CHECK(!pipe(p));
	stream_here(p);
	CHECK(write(p[1], b, 100) == 100 && fcntl(p[1], F_SETPIPE_SZ, PAGE) == PAGE);
	CHECK(!fcntl(p[1], F_SETFL, O_NONBLOCK) && read(p[0], b, sizeof(b)) == 100 && write(p[1], b, 2 * PAGE) == PAGE);
	CHECK(read(p[0], b, sizeof(b)) == PAGE && fcntl(p[1], F_SETPIPE_SZ, PIPE) == PIPE);
	stream_here(p);
	CHECK(!fcntl(p[1], F_SETFL, O_DIRECT));
	CHECK(write(p[1], b, 10) == 10 && write(p[1], b, 20) == 20 && read(p[0], b, 100) == 10 && read(p[0], b, 100) == 20);
	for (int i = 0; i < MANY; i++)
		CHECK(write(p[1], b, 10) == 10 && write(p[1], b, 20) == 20 && read(p[0], b, 15) == 10 && read(p[0], b, 15) == 15);
}

CASE(memory_that_is_not_there)
{
	char *m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char b[2 * PAGE];
	int p[2];

	CHECK(m != MAP_FAILED && !pipe(p) && !munmap(m + 3 * PAGE, PAGE));
	stream_here(p);
	CHECK_ERR(write(p[1], m + 3 * PAGE, 100), EFAULT);
	CHECK_ERR(write(p[1], (void *)-4096, 100), EFAULT);
	CHECK(write(p[1], m + PAGE, PAGE) == PAGE && read(p[0], m + 2 * PAGE - 10, PAGE) == PAGE);
	CHECK(write(p[1], m, 100) == 100);
	CHECK_ERR(read(p[0], m + 3 * PAGE, 100), EFAULT);
	CHECK(read(p[0], b, sizeof(b)) == 100);
	stream_here(p);
	CHECK(!mprotect(m, PAGE, PROT_READ) && write(p[1], m, 100) == 100);
	CHECK_ERR(read(p[0], m, 100), EFAULT);
	CHECK(read(p[0], b, sizeof(b)) == 100 && write(p[1], b, 0) == 0);
	stream_here(p);
}

int main(void) { return run_cases(); }
