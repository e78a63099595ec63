/* Pipes in packet mode; credentials and names that come with data on unix sockets. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

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

static pid_t sender_of(int s)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} c;
	struct iovec v = { &(char[8]){ 0 }, 8 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	struct ucred u;

	CHECK(recvmsg(s, &m, 0) == 1);
	CHECK(CMSG_FIRSTHDR(&m) && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
	memcpy(&u, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(u));
	return u.pid;
}

CASE(write_carries_the_writer)
{
	int s[2], st;
	pid_t p;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == 0);
	p = fork();
	if (!p)
		_exit(write(s[1], "x", 1) == 1 ? 0 : 1);
	CHECK(waitpid(p, &st, 0) == p && st == 0);
	CHECK(sender_of(s[0]) == p);
	CHECK(write(s[1], "y", 1) == 1);
	CHECK(sender_of(s[0]) == getpid());
}

CASE(stream_tells_the_named_sender)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX }, from;
	socklen_t n = sizeof(sa_family_t) + 1 + snprintf(a.sun_path + 1, 60, "redoubt-sender-%d", getpid()), fn = sizeof(from);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), s;
	char ch;

	CHECK(bind(l, (void *)&a, n) == 0 && listen(l, 1) == 0 && connect(c, (void *)&a, n) == 0);
	s = accept(l, NULL, NULL);
	CHECK(write(s, "x", 1) == 1 && write(c, "y", 1) == 1);
	CHECK(recvfrom(c, &ch, 1, 0, (void *)&from, &fn) == 1 && fn == n && !memcmp(&from, &a, n));
	fn = sizeof(from);
	CHECK(recvfrom(s, &ch, 1, 0, (void *)&from, &fn) == 1 && fn == 0);
}

int main(void) { return run_cases(); }
