/* TCP and UDP over 127.0.0.1 and ::1. */
#include "../test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static struct sockaddr_in v4(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listener(struct sockaddr_in *a)
{
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(*a);

	*a = v4(0);
	CHECK(l >= 0 && bind(l, (void *)a, sizeof(*a)) == 0 && listen(l, 8) == 0);
	CHECK(getsockname(l, (void *)a, &n) == 0 && ntohs(a->sin_port) >= 1024);
	return l;
}

/* What the other side has done arrives by and by. */
static void until_error(int s)
{
	struct pollfd p = { s, 0, 0 };

	CHECK(poll(&p, 1, 20000) == 1 && p.revents & POLLERR);
}

CASE(tcp_echo)
{
	struct sockaddr_in a, o, p;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), s, v = 1;
	socklen_t n = sizeof(o);
	char b[16];

	CHECK(connect(c, (void *)&a, sizeof(a)) == 0);
	s = accept(l, (void *)&o, &n);
	CHECK(s >= 0 && n == sizeof(o) && o.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	n = sizeof(p);
	CHECK(getsockname(c, (void *)&p, &n) == 0 && p.sin_port == o.sin_port && p.sin_addr.s_addr == o.sin_addr.s_addr);
	n = sizeof(p);
	CHECK(getpeername(c, (void *)&p, &n) == 0 && p.sin_port == a.sin_port);
	CHECK(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)) == 0);
	v = 0;
	n = sizeof(v);
	CHECK(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, &n) == 0 && v == 1);
	CHECK(write(c, "ping", 4) == 4 && read(s, b, 16) == 4);
	CHECK(write(s, "pong!", 5) == 5 && read(c, b, 16) == 5);
	CHECK(shutdown(c, SHUT_WR) == 0 && read(s, b, 1) == 0);
	CHECK(write(s, "late", 4) == 4 && read(c, b, 16) == 4);
	close(s);
	CHECK(read(c, b, 1) == 0);
}

CASE(tcp_refused_and_errors)
{
	struct sockaddr_in a, far = { .sin_family = AF_INET, .sin_port = htons(80) };
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), d;
	char b;

	CHECK_ERR(read(c, &b, 1), ENOTCONN);
	CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERR(shutdown(c, SHUT_RD), ENOTCONN);
	d = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(bind(d, (void *)&a, sizeof(a)), EADDRINUSE);
	close(l);
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	inet_pton(AF_INET, "192.0.2.1", &far.sin_addr);
	CHECK_ERR(bind(d, (void *)&far, sizeof(far)), EADDRNOTAVAIL);
	CHECK_ERR(bind(d, (void *)&a, 4), EINVAL);
	CHECK_ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
}

/* SO_REUSEADDR: both may have the address, one may listen there. */
CASE(tcp_one_listener)
{
	struct sockaddr_in a = v4(0);
	socklen_t n = sizeof(a);
	int s[2], on = 1;

	for (int i = 0; i < 2; i++) {
		CHECK((s[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
		CHECK(setsockopt(s[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
		CHECK(bind(s[i], (void *)&a, sizeof(a)) == 0);
		CHECK(getsockname(s[i], (void *)&a, &n) == 0);
	}
	CHECK(listen(s[0], 8) == 0);
	CHECK_ERR(listen(s[1], 8), EADDRINUSE);
	CHECK(listen(s[0], 4) == 0);
	close(s[0]);
	CHECK(listen(s[1], 8) == 0);
}

CASE(tcp_reset)
{
	struct sockaddr_in a;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), s, n = 0;
	char b;

	CHECK(connect(c, (void *)&a, sizeof(a)) == 0 && (s = accept(l, NULL, NULL)) >= 0);
	CHECK(write(c, "unread", 6) == 6);
	while (!ioctl(s, FIONREAD, &n) && n < 6)
		usleep(1000);
	close(s);
	CHECK_ERR(read(c, &b, 1), ECONNRESET);
}

/* What came before the reset can still be read; the peer has no name any more. */
CASE(tcp_reset_with_data)
{
	struct linger hard = { 1, 0 };
	struct sockaddr_in a;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), s;
	socklen_t n = sizeof(a);
	char b;

	CHECK(connect(c, (void *)&a, sizeof(a)) == 0 && (s = accept(l, NULL, NULL)) >= 0);
	CHECK(getpeername(s, (void *)&a, &n) == 0);
	CHECK(write(c, "x", 1) == 1 && setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	close(c);
	until_error(s);
	CHECK_ERR(getpeername(s, (void *)&a, &n), ENOTCONN);
	CHECK(getsockname(s, (void *)&a, &n) == 0);
	CHECK(read(s, &b, 1) == 1 && b == 'x');
	CHECK_ERR(read(s, &b, 1), ECONNRESET);
}

/* A peer that is gone answers with a reset: of a GiB only what the send buffer holds is taken. */
CASE(tcp_much_to_a_closed_peer)
{
	static char buf[1 << 20];
	struct iovec v[1024];
	struct sockaddr_in a;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), s;
	ssize_t r;

	for (size_t i = 0; i < 1024; i++)
		v[i] = (struct iovec){ buf, sizeof(buf) };
	signal(SIGPIPE, SIG_IGN);
	CHECK(connect(c, (void *)&a, sizeof(a)) == 0 && (s = accept(l, NULL, NULL)) >= 0);
	close(s);
	r = writev(c, v, 1024);
	CHECK(r > 0);
	CHECK(r < 1 << 30);
	for (int i = 0; i < 100 && r > 0; i++)
		r = write(c, buf, sizeof(buf));
	CHECK(r < 0);
}

CASE(tcp_nonblocking_connect)
{
	struct sockaddr_in a;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), v = 1;
	struct pollfd p = { c, POLLOUT, 0 };
	socklen_t n = sizeof(v);

	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EINPROGRESS);
	CHECK(poll(&p, 1, 20000) == 1 && p.revents == POLLOUT);
	CHECK(getsockopt(c, SOL_SOCKET, SO_ERROR, &v, &n) == 0 && v == 0);
	CHECK(accept(l, NULL, NULL) >= 0);
	CHECK(connect(c, (void *)&a, sizeof(a)) == 0); /* told once */
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EISCONN);
}

CASE(tcp_nonblocking_refused)
{
	struct sockaddr_in a = v4(1);
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), v = 0;
	struct pollfd p = { c, POLLIN | POLLOUT | POLLRDHUP, 0 };
	socklen_t n = sizeof(v);

	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EINPROGRESS);
	CHECK(poll(&p, 1, 20000) == 1 && p.revents == (POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP));
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLOUT | POLLHUP));
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EINPROGRESS);
	CHECK(poll(&p, 1, 20000) == 1 && getsockopt(c, SOL_SOCKET, SO_ERROR, &v, &n) == 0 && v == ECONNREFUSED);
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNABORTED);
	CHECK_ERR(read(c, &v, 1), ENOTCONN);
}

CASE(tcp_dual_stack)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 }, o;
	int l = socket(AF_INET6, SOCK_STREAM, 0), c, s;
	socklen_t n = sizeof(a);
	struct sockaddr_in t;
	char text[64];

	if (l < 0 && errno == EAFNOSUPPORT)
		return;
	CHECK(bind(l, (void *)&a, sizeof(a)) == 0 && listen(l, 3) == 0 && getsockname(l, (void *)&a, &n) == 0);
	t = v4(ntohs(a.sin6_port));
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(c, (void *)&t, sizeof(t)) == 0);
	n = sizeof(o);
	s = accept(l, (void *)&o, &n);
	CHECK(s >= 0 && o.sin6_family == AF_INET6);
	CHECK(!strcmp(inet_ntop(AF_INET6, &o.sin6_addr, text, sizeof(text)), "::ffff:127.0.0.1"));
	c = socket(AF_INET6, SOCK_STREAM, 0);
	a.sin6_addr = in6addr_loopback;
	CHECK(connect(c, (void *)&a, sizeof(a)) == 0);
}

CASE(tcp_bulk)
{
	struct sockaddr_in a;
	int l = listener(&a), c = socket(AF_INET, SOCK_STREAM, 0), s, st;
	static unsigned char b[65536];
	size_t total = 0;
	ssize_t r;

	CHECK(connect(c, (void *)&a, sizeof(a)) == 0 && (s = accept(l, NULL, NULL)) >= 0);
	if (!fork()) {
		close(c);
		for (int i = 0; i < 64; i++)
			if (send(s, b, sizeof(b), 0) != sizeof(b))
				_exit(1);
		_exit(0);
	}
	close(s);
	while ((r = read(c, b, sizeof(b))) > 0)
		total += r;
	CHECK(r == 0 && total == 64 * sizeof(b));
	CHECK(wait(&st) > 0 && st == 0);
}

CASE(udp)
{
	struct sockaddr_in a = v4(0), o;
	int x = socket(AF_INET, SOCK_DGRAM, 0), y = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t n = sizeof(a);
	char b[16];

	CHECK(bind(x, (void *)&a, sizeof(a)) == 0 && getsockname(x, (void *)&a, &n) == 0);
	CHECK_ERR(send(y, "x", 1, 0), EDESTADDRREQ);
	CHECK(sendto(y, "abc", 3, 0, (void *)&a, sizeof(a)) == 3);
	n = sizeof(o);
	CHECK(recvfrom(x, b, 2, MSG_TRUNC, (void *)&o, &n) == 3 && o.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(sendto(x, "re", 2, 0, (void *)&o, sizeof(o)) == 2 && recv(y, b, 16, 0) == 2);
	CHECK(connect(y, (void *)&a, sizeof(a)) == 0 && send(y, "", 0, 0) == 0 && recv(x, b, 16, 0) == 0);
	close(x);
	CHECK(send(y, "x", 1, 0) == 1);
	until_error(y);
	CHECK_ERR(recv(y, b, 1, MSG_DONTWAIT), ECONNREFUSED);
}

int main(void) { return run_cases(); }
