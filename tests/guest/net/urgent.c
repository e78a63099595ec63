/* Urgent data: MSG_OOB of TCP, SO_OOBINLINE, SIOCATMARK, SIGURG, POLLPRI (tcp(7)). */
#include "../test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>

static void tcp_pair(int p[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(at);

	CHECK(bind(l, (void *)&at, n) == 0 && listen(l, 1) == 0 && getsockname(l, (void *)&at, &n) == 0);
	p[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(p[0], (void *)&at, n) == 0 && (p[1] = accept(l, NULL, NULL)) >= 0);
	close(l);
}

static int at_mark(int s)
{
	int v = -1;

	CHECK(ioctl(s, SIOCATMARK, &v) == 0);
	return v;
}

static int unread(int s)
{
	int v = -1;

	CHECK(ioctl(s, FIONREAD, &v) == 0);
	return v;
}

static int ready(int s, int events, int ms)
{
	struct pollfd p = { .fd = s, .events = (short)events };

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

static void until_urgent(int s)
{
	CHECK(ready(s, POLLPRI, 20000) & POLLPRI);
}

CASE(beside_the_stream)
{
	char b[16] = { 0 };
	int p[2];

	tcp_pair(p);
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3);
	until_urgent(p[1]);
	CHECK(write(p[0], "cd", 2) == 2);
	CHECK(!at_mark(p[1]));
	CHECK(recv(p[1], b, sizeof(b), MSG_OOB | MSG_PEEK) == 1 && b[0] == 'X');
	CHECK(recv(p[1], b, sizeof(b), MSG_OOB) == 1 && b[0] == 'X');
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
	CHECK(!(ready(p[1], POLLPRI, 0) & POLLPRI));
	CHECK(read(p[1], b, sizeof(b)) == 2 && !memcmp(b, "ab", 2)); /* not beyond the mark */
	CHECK(at_mark(p[1]));
	CHECK(read(p[1], b, sizeof(b)) == 2 && !memcmp(b, "cd", 2));
	CHECK(!at_mark(p[1]));
	CHECK(!unread(p[1]));
}

CASE(never_read)
{
	char b[16];
	int p[2];

	tcp_pair(p);
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && write(p[0], "cd", 2) == 2);
	until_urgent(p[1]);
	CHECK(read(p[1], b, sizeof(b)) == 2 && !memcmp(b, "ab", 2));
	CHECK(ready(p[1], POLLIN, 20000) & POLLIN);
	CHECK(read(p[1], b, sizeof(b)) == 2 && !memcmp(b, "cd", 2));
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
}

CASE(peeked)
{
	char b[16];
	int p[2];

	tcp_pair(p);
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && write(p[0], "cd", 2) == 2);
	until_urgent(p[1]);
	CHECK(recv(p[1], b, sizeof(b), MSG_PEEK) == 2 && !memcmp(b, "ab", 2));
	CHECK(recv(p[1], b, sizeof(b), MSG_WAITALL) == 2);
	CHECK(recv(p[1], b, sizeof(b), MSG_PEEK) == 2 && !memcmp(b, "cd", 2));
	CHECK(recv(p[1], b, 1, MSG_OOB) == 1 && *b == 'X');
	CHECK(read(p[1], b, sizeof(b)) == 2);
}

CASE(in_line)
{
	int p[2], one = 1;
	char b[16];

	tcp_pair(p);
	CHECK(setsockopt(p[1], SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one)) == 0);
	CHECK(send(p[0], "abX", 3, MSG_OOB) == 3 && write(p[0], "cd", 2) == 2);
	until_urgent(p[1]);
	while (unread(p[1]) < 5)
		usleep(1000);
	CHECK_ERR(recv(p[1], b, 1, MSG_OOB), EINVAL);
	CHECK(read(p[1], b, sizeof(b)) == 2 && at_mark(p[1]));
	CHECK(read(p[1], b, sizeof(b)) == 3 && !memcmp(b, "Xcd", 3));
	CHECK(!at_mark(p[1]));
}

/* What is urgent does not make the stream readable, but is an exceptional condition. */
CASE(alone)
{
	struct timeval tv = { 20, 0 };
	int p[2];
	fd_set e;
	char b;

	tcp_pair(p);
	CHECK(send(p[0], "X", 1, MSG_OOB) == 1);
	FD_ZERO(&e);
	FD_SET(p[1], &e);
	CHECK(select(p[1] + 1, NULL, NULL, &e, &tv) == 1 && FD_ISSET(p[1], &e));
	CHECK(ready(p[1], POLLIN | POLLPRI, 0) == POLLPRI);
	CHECK(at_mark(p[1]));
	CHECK(recv(p[1], &b, 1, MSG_OOB) == 1 && b == 'X');
	CHECK_ERR(recv(p[1], &b, 1, MSG_DONTWAIT), EAGAIN);
}

/* The mark moves on; the byte that was urgent is one of the others, or lost where it was the next. */
CASE(urgent_again)
{
	char b[16];
	int p[2];

	tcp_pair(p);
	CHECK(send(p[0], "aX", 2, MSG_OOB) == 2);
	until_urgent(p[1]);
	CHECK(send(p[0], "bY", 2, MSG_OOB) == 2);
	while (unread(p[1]) < 3) /* before the mark */
		usleep(1000);
	CHECK(recv(p[1], b, 1, MSG_OOB) == 1 && *b == 'Y');
	CHECK(read(p[1], b, sizeof(b)) == 3 && !memcmp(b, "aXb", 3));
	CHECK(at_mark(p[1]));
}

static volatile sig_atomic_t urgent;

static void on_urgent(int sig)
{
	urgent++;
}

CASE(signal_to_owner)
{
	int p[2];
	char b;

	signal(SIGURG, on_urgent);
	tcp_pair(p);
	CHECK(fcntl(p[1], F_SETOWN, getpid()) == 0);
	CHECK(write(p[0], "a", 1) == 1 && read(p[1], &b, 1) == 1 && !urgent);
	CHECK(send(p[0], "X", 1, MSG_OOB) == 1);
	until_urgent(p[1]);
	while (!urgent)
		usleep(1000);
	CHECK(recv(p[1], &b, 1, MSG_OOB) == 1 && b == 'X');
	CHECK(fcntl(p[1], F_SETOWN, 0) == 0);
	urgent = 0;
	CHECK(send(p[0], "Y", 1, MSG_OOB) == 1);
	until_urgent(p[1]);
	CHECK(!urgent);
}

CASE(not_for_datagrams)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = 9 };
	int s = socket(AF_INET, SOCK_DGRAM, 0), p[2];

	CHECK_ERR(sendto(s, "x", 1, MSG_OOB, (void *)&at, sizeof(at)), EOPNOTSUPP);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0);
	CHECK_ERR(send(p[0], "x", 1, MSG_OOB), EOPNOTSUPP);
}

int main(void)
{
	return run_cases();
}
