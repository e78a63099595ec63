/* Urgent data of unix streams: MSG_OOB, SO_OOBINLINE, SIOCATMARK, SIGURG, POLLPRI (unix(7)). */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int p[2];
static char b[16];

static void pair(void)
{
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
}

static int at_mark(void)
{
	int v = -1;

	CHECK(ioctl(p[1], SIOCATMARK, &v) == 0);
	return v;
}

static int unread(void)
{
	int v = -1;

	CHECK(ioctl(p[1], FIONREAD, &v) == 0);
	return v;
}

static int ready(int events)
{
	struct pollfd f = { .fd = p[1], .events = (short)events };

	CHECK(poll(&f, 1, 0) >= 0);
	return f.revents;
}

static int gets_next(const char *what)
{
	ssize_t n = recv(p[1], b, sizeof(b), MSG_DONTWAIT);

	return n == (ssize_t)strlen(what) && !memcmp(b, what, (size_t)n);
}

CASE(beside_the_stream)
{
	pair();
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && write(p[0], "cd", 2) == 2);
	CHECK(ready(POLLPRI) == POLLPRI && !at_mark() && unread() == 5);
	CHECK(recv(p[1], b, sizeof(b), MSG_OOB | MSG_PEEK) == 1 && b[0] == 'X');
	CHECK(recv(p[1], b, sizeof(b), MSG_OOB) == 1 && b[0] == 'X');
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
	CHECK(ready(POLLPRI) == 0 && unread() == 4);
	CHECK(gets_next("ab") && at_mark()); /* not beyond the mark */
	CHECK(gets_next("cd") && !at_mark() && !unread());
}

CASE(never_read)
{
	pair();
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && write(p[0], "cd", 2) == 2);
	CHECK(gets_next("ab") && at_mark() && ready(POLLPRI) == POLLPRI && unread() == 3);
	CHECK(recv(p[1], b, sizeof(b), MSG_PEEK) == 2 && !memcmp(b, "cd", 2));
	CHECK(gets_next("cd"));
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
}

CASE(alone)
{
	pair();
	CHECK(send(p[0], "X", 1, MSG_OOB) == 1 && at_mark() && unread() == 1);
	CHECK_ERR(recv(p[1], b, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL); /* the read went past it */
}

/* One that a second one follows becomes a byte of the stream, if it was not read. */
CASE(twice)
{
	pair();
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && send(p[0], "cdY", 3, MSG_OOB) == 3);
	CHECK(recv(p[1], b, 1, MSG_OOB) == 1 && b[0] == 'Y');
	CHECK(gets_next("abXcd") && at_mark());
	pair();
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && recv(p[1], b, 1, MSG_OOB) == 1 && b[0] == 'X');
	CHECK(send(p[0], "cdY", 3, MSG_OOB) == 3 && unread() == 5);
	CHECK(recv(p[1], b, 1, MSG_OOB) == 1 && b[0] == 'Y');
	CHECK(gets_next("ab") || (gets_next("abcd"), 1));
}

CASE(in_line)
{
	int one = 1;

	pair();
	CHECK(setsockopt(p[1], SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)) == 0);
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && write(p[0], "cd", 2) == 2);
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
	CHECK(ready(POLLPRI) == POLLPRI && gets_next("ab") && at_mark());
	CHECK(gets_next("Xcd") && ready(POLLPRI) == 0);
}

static volatile int urgent_signals;
static void on_urgent(int sig) { urgent_signals++; }

CASE(signal)
{
	pair();
	signal(SIGURG, on_urgent);
	CHECK(fcntl(p[1], F_SETOWN, getpid()) == 0);
	CHECK(write(p[0], "a", 1) == 1 && urgent_signals == 0);
	CHECK(send(p[0], "X", 1, MSG_OOB) == 1);
	while (!urgent_signals)
		usleep(1000);
}

CASE(flags_and_errors)
{
	struct iovec v = { b, sizeof(b) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	pair();
	CHECK_ERR(send(p[0], "", 0, MSG_OOB), EOPNOTSUPP);
	CHECK(send(p[0], "X", 1, MSG_OOB) == 1 && recvmsg(p[1], &m, MSG_OOB) == 1 && m.msg_flags & MSG_OOB);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0);
	CHECK_ERR(send(p[0], "X", 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EOPNOTSUPP);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p) == 0);
	CHECK_ERR(send(p[0], "X", 1, MSG_OOB), EOPNOTSUPP);
}

int main(void) { return run_cases(); }
