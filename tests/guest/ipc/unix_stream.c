/* Unix sockets: streams, seqpackets, datagrams; names, ends, options. */
#include "../test.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#define OFF offsetof(struct sockaddr_un, sun_path)
static struct sockaddr_un path_addr(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/un.%d", getpid());
	unlink(a.sun_path);
	return a;
}

static socklen_t abstract(struct sockaddr_un *a, const char *tag)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	return OFF + 1 + snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "%s.%d", tag, getpid());
}

CASE(pair_and_ends)
{
	int s[2];
	char b[16];
	struct pollfd p;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(write(s[0], "hello", 5) == 5 && write(s[0], "world", 5) == 5);
	CHECK(recv(s[1], b, 3, MSG_PEEK) == 3 && !memcmp(b, "hel", 3));
	CHECK(read(s[1], b, 16) == 10 && !memcmp(b, "helloworld", 10));
	CHECK_ERR(recv(s[1], b, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(shutdown(s[0], SHUT_WR) == 0);
	CHECK(read(s[1], b, 1) == 0);
	p = (struct pollfd){ s[1], POLLIN | POLLOUT | POLLRDHUP, 0 };
	CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT | POLLRDHUP));
	CHECK(write(s[1], "x", 1) == 1 && read(s[0], b, 1) == 1);
	close(s[1]);
	p.fd = s[0];
	CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLHUP);
	CHECK(read(s[0], b, 1) == 0);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

static volatile sig_atomic_t got;
static void on_signal(int s) { got = s; }

CASE(reset_and_sigpipe)
{
	int s[2];
	char b;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	CHECK(write(s[0], "x", 1) == 1);
	close(s[1]);
	CHECK_ERR(read(s[0], &b, 1), ECONNRESET);
	CHECK(read(s[0], &b, 1) == 0);
	signal(SIGPIPE, on_signal);
	CHECK_ERR(write(s[0], "x", 1), EPIPE);
	CHECK(got == SIGPIPE);
}

CASE(path_server)
{
	struct sockaddr_un a = path_addr(), o;
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), s, v;
	socklen_t n = sizeof(o);
	struct ucred uc;
	struct stat st;
	char b[8];

	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ENOENT);
	CHECK_ERR(listen(l, 5), EINVAL);
	CHECK(bind(l, (void *)&a, sizeof(a)) == 0);
	CHECK(stat(a.sun_path, &st) == 0 && S_ISSOCK(st.st_mode));
	CHECK(bind(l, (void *)&a, sizeof(sa_family_t)) == 0); /* asks for any name: it has one */
	CHECK_ERR(bind(c, (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	CHECK(listen(l, 5) == 0);
	n = sizeof(v);
	CHECK(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &v, &n) == 0 && v == 1);
	CHECK(connect(c, (void *)&a, sizeof(a)) == 0);
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EISCONN);
	n = sizeof(o);
	s = accept4(l, (void *)&o, &n, SOCK_CLOEXEC);
	CHECK(s >= 0 && n == 2 && fcntl(s, F_GETFD) == FD_CLOEXEC);
	n = sizeof(o);
	CHECK(getpeername(c, (void *)&o, &n) == 0 && !strcmp(o.sun_path, a.sun_path) && n == OFF + strlen(a.sun_path) + 1);
	n = sizeof(o);
	CHECK(getsockname(s, (void *)&o, &n) == 0 && !strcmp(o.sun_path, a.sun_path));
	n = sizeof(uc);
	CHECK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &uc, &n) == 0 && uc.pid == getpid() && uc.uid == geteuid());
	CHECK(write(c, "hi", 2) == 2 && read(s, b, 8) == 2);
	CHECK_ERR(accept(c, NULL, NULL), EINVAL);
	close(l);
	close(c);
	CHECK(read(s, b, 8) == 0);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	unlink(a.sun_path);
}

CASE(abstract_and_autobind)
{
	struct sockaddr_un a, o;
	socklen_t len = abstract(&a, "abs"), n = sizeof(o);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), d = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK(bind(l, (void *)&a, len) == 0 && listen(l, 1) == 0);
	CHECK(connect(c, (void *)&a, len) == 0);
	CHECK_ERR(connect(d, (void *)&a, len), ECONNREFUSED);
	CHECK(getsockname(l, (void *)&o, &n) == 0 && n == len && !memcmp(&o, &a, len));
	a.sun_family = AF_UNIX;
	CHECK(bind(d, (void *)&a, sizeof(sa_family_t)) == 0);
	n = sizeof(o);
	CHECK(getsockname(d, (void *)&o, &n) == 0 && n == OFF + 6 && o.sun_path[0] == 0);
	close(l);
	close(c);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	len = abstract(&a, "abs");
	CHECK_ERR(connect(c, (void *)&a, len), ECONNREFUSED);
}

CASE(backlog_and_nonblock)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, "bl");
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c[3];
	struct pollfd p = { l, POLLIN, 0 };

	CHECK(bind(l, (void *)&a, len) == 0 && listen(l, 1) == 0);
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	CHECK(poll(&p, 1, 0) == 0);
	for (int i = 0; i < 3; i++)
		c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(connect(c[0], (void *)&a, len) == 0 && connect(c[1], (void *)&a, len) == 0);
	CHECK_ERR(connect(c[2], (void *)&a, len), EAGAIN);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK(connect(c[2], (void *)&a, len) == 0);
	close(l);
	CHECK_ERR(send(c[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERR(recv(c[1], &p, 1, 0), ECONNRESET);
}

CASE(unconnected)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un o;
	socklen_t n = sizeof(o);
	char b;

	CHECK_ERR(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERR(read(s, &b, 1), EINVAL);
	CHECK_ERR(getpeername(s, (void *)&o, &n), ENOTCONN);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(45, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERR(listen(0, 1), ENOTSOCK);
}

CASE(datagrams)
{
	struct sockaddr_un a, b, o;
	socklen_t la = abstract(&a, "dga"), lb = abstract(&b, "dgb"), n = sizeof(o);
	int x = socket(AF_UNIX, SOCK_DGRAM, 0), y = socket(AF_UNIX, SOCK_DGRAM, 0), z = socket(AF_UNIX, SOCK_DGRAM, 0), v;
	char buf[16];

	CHECK(bind(x, (void *)&a, la) == 0 && bind(y, (void *)&b, lb) == 0);
	CHECK(sendto(x, "one", 3, 0, (void *)&b, lb) == 3 && sendto(x, "four", 4, 0, (void *)&b, lb) == 4);
	CHECK(ioctl(y, FIONREAD, &v) == 0 && v == 3);
	CHECK(recvfrom(y, buf, 2, MSG_TRUNC, (void *)&o, &n) == 3 && n == la && !memcmp(&o, &a, la));
	CHECK(recv(y, buf, 16, 0) == 4);
	CHECK(send(x, "", 0, MSG_DONTWAIT) == -1 && errno == ENOTCONN);
	CHECK(sendto(x, "", 0, 0, (void *)&b, lb) == 0 && recv(y, buf, 16, 0) == 0);
	CHECK(connect(y, (void *)&a, la) == 0 && send(y, "back", 4, 0) == 4 && recv(x, buf, 16, 0) == 4);
	CHECK_ERR(sendto(z, "no", 2, 0, (void *)&b, lb), EPERM);
	close(x);
	CHECK_ERR(send(y, "x", 1, 0), ECONNREFUSED);
	CHECK_ERR(sendto(z, "x", 1, 0, (void *)&a, la), ECONNREFUSED);
}

CASE(seqpackets)
{
	int s[2];
	char b[16];
	struct msghdr m = { 0 };
	struct iovec v = { b, 2 };

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	CHECK(write(s[0], "one", 3) == 3 && write(s[0], "three", 5) == 5 && write(s[0], "six", 3) == 3);
	m.msg_iov = &v;
	m.msg_iovlen = 1;
	CHECK(recvmsg(s[1], &m, 0) == 2 && m.msg_flags & MSG_TRUNC);
	CHECK(recv(s[1], b, 16, MSG_PEEK) == 5 && read(s[1], b, 16) == 5 && !memcmp(b, "three", 5));
	close(s[0]);
	CHECK(read(s[1], b, 16) == 3);
	CHECK(read(s[1], b, 16) == 0);
}

CASE(waitall_big_and_timeouts)
{
	static char b[500000];
	int s[2], st;
	struct timeval tv = { 0, 30000 };

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	if (!fork()) {
		memset(b, 'q', sizeof(b));
		for (size_t n = 0; n < sizeof(b);) {
			ssize_t r = write(s[0], b + n, sizeof(b) - n);

			if (r <= 0)
				_exit(1);
			n += r;
		}
		_exit(0);
	}
	CHECK(recv(s[1], b, sizeof(b), MSG_WAITALL) == sizeof(b) && b[499999] == 'q');
	CHECK(wait(&st) > 0 && st == 0);
	CHECK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0);
	CHECK_ERR(read(s[1], b, 1), EAGAIN);
	CHECK(fcntl(s[0], F_SETFL, O_NONBLOCK) == 0);
	while (write(s[0], b, sizeof(b)) > 0)
		;
	CHECK_ERR(write(s[0], b, 1), EAGAIN);
	while (recv(s[1], b, sizeof(b), MSG_DONTWAIT) > 0)
		;
	CHECK(write(s[0], b, 1000) == 1000);
}

CASE(options)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), v = 1000;
	socklen_t n = sizeof(v);

	CHECK(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)) == 0);
	CHECK(getsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, &n) == 0 && v >= 2000);
	CHECK(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &n) == 0 && v == SOCK_STREAM);
	CHECK(getsockopt(s, SOL_SOCKET, SO_DOMAIN, &v, &n) == 0 && v == AF_UNIX);
	CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &v, &n) == 0 && v == 0);
	CHECK_ERR(getsockopt(s, SOL_SOCKET, 9999, &v, &n), ENOPROTOOPT);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, 1), EINVAL);
	CHECK(n == sizeof(v));
}

int main(void) { return run_cases(); }
