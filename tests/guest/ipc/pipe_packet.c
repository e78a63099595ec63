/* Pipes in packet mode. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

CASE(packet_boundaries)
{
	char buf[8192], big[5000];
	int fd[2], n;

	CHECK(pipe2(fd, O_DIRECT) == 0);
	CHECK(fcntl(fd[1], F_GETFL) & O_DIRECT);
	CHECK(write(fd[1], "one", 3) == 3 && write(fd[1], "three", 5) == 5);
	CHECK(ioctl(fd[0], FIONREAD, &n) == 0 && n == 8);
	CHECK(read(fd[0], buf, sizeof(buf)) == 3 && !memcmp(buf, "one", 3));
	CHECK(read(fd[0], buf, 2) == 2 && !memcmp(buf, "th", 2)); /* the rest is lost */
	CHECK(ioctl(fd[0], FIONREAD, &n) == 0 && n == 0);
	/* more than PIPE_BUF becomes several */
	memset(big, 'x', sizeof(big));
	CHECK(write(fd[1], big, sizeof(big)) == sizeof(big));
	CHECK(read(fd[0], buf, sizeof(buf)) == 4096);
	CHECK(read(fd[0], buf, sizeof(buf)) == (ssize_t)sizeof(big) - 4096);
	CHECK(write(fd[1], "", 0) == 0);
	CHECK(close(fd[1]) == 0 && read(fd[0], buf, 1) == 0);
}

CASE(packet_slots)
{
	struct pollfd p;
	int fd[2];
	char c;

	CHECK(pipe2(fd, O_DIRECT | O_NONBLOCK) == 0);
	for (int i = 0; i < 16; i++)
		CHECK(write(fd[1], "x", 1) == 1);
	CHECK_ERR(write(fd[1], "x", 1), EAGAIN);
	p = (struct pollfd){ .fd = fd[1], .events = POLLOUT };
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(read(fd[0], &c, 1) == 1);
	CHECK(poll(&p, 1, 0) == 1 && write(fd[1], "x", 1) == 1);
}

CASE(packet_after_stream)
{
	char buf[100];
	int fd[2];

	CHECK(pipe(fd) == 0);
	CHECK(write(fd[1], "plain", 5) == 5 && read(fd[0], buf, 5) == 5); /* what is there yet, Linux may join */
	CHECK(fcntl(fd[1], F_SETFL, O_DIRECT) == 0);
	CHECK(write(fd[1], "packet", 6) == 6);
	CHECK(fcntl(fd[1], F_SETFL, 0) == 0);
	CHECK(write(fd[1], "tail", 4) == 4);
	CHECK(read(fd[0], buf, 4) == 4 && !memcmp(buf, "pack", 4));
	CHECK(read(fd[0], buf, sizeof(buf)) == 4 && !memcmp(buf, "tail", 4));
}

int main(void) { return run_cases(); }
