/* Options of SOL_SOCKET and of TCP that are kept and told back (socket(7), tcp(7)). */
#include "../test.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>

static int get(int s, int opt)
{
	int v = -77;
	socklen_t n = sizeof(v);

	CHECK(getsockopt(s, SOL_SOCKET, opt, &v, &n) == 0 && n == sizeof(v));
	return v;
}

static int set(int s, int opt, int v)
{
	return setsockopt(s, SOL_SOCKET, opt, &v, sizeof(v));
}

CASE(numbers)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(get(s, SO_PRIORITY) == 0 && set(s, SO_PRIORITY, 5) == 0 && get(s, SO_PRIORITY) == 5);
	CHECK(get(s, SO_INCOMING_CPU) == -1 && set(s, SO_INCOMING_CPU, 1) == 0 && get(s, SO_INCOMING_CPU) == 1);
	CHECK(get(s, SO_RXQ_OVFL) == 0 && set(s, SO_RXQ_OVFL, 7) == 0 && get(s, SO_RXQ_OVFL) == 1);
	CHECK(get(s, SO_NO_CHECK) == 0 && set(s, SO_NO_CHECK, 1) == 0 && get(s, SO_NO_CHECK) == 1);
	CHECK(get(s, SO_BPF_EXTENSIONS) == 64);
	CHECK(set(s, SO_BSDCOMPAT, 1) == 0 && get(s, SO_BSDCOMPAT) == 0);
	CHECK(get(s, SO_BUSY_POLL) >= 0);
	CHECK_ERR(set(s, SO_BUSY_POLL, -1), EINVAL);
}

CASE(cookies)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
	uint64_t x = 0, y = 0;
	socklen_t n = 4;

	CHECK_ERR(getsockopt(a, SOL_SOCKET, SO_COOKIE, &x, &n), EINVAL);
	n = 8;
	CHECK(getsockopt(a, SOL_SOCKET, SO_COOKIE, &x, &n) == 0 && n == 8 && x);
	CHECK(getsockopt(b, SOL_SOCKET, SO_COOKIE, &y, &n) == 0 && y && x != y);
}

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

CASE(cookie_of_the_namespace)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
	uint64_t x = 0, y = 0;
	socklen_t n = 4;

	CHECK_ERR(getsockopt(a, SOL_SOCKET, SO_NETNS_COOKIE, &x, &n), EINVAL);
	n = 8;
	CHECK(getsockopt(a, SOL_SOCKET, SO_NETNS_COOKIE, &x, &n) == 0 && n == 8 && x);
	CHECK(getsockopt(b, SOL_SOCKET, SO_NETNS_COOKIE, &y, &n) == 0 && x == y);
	CHECK_ERR(setsockopt(a, SOL_SOCKET, SO_NETNS_COOKIE, &x, 8), ENOPROTOOPT);
}

CASE(interface)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	char name[IFNAMSIZ] = "x";
	socklen_t n = sizeof(name);

	CHECK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &n) == 0 && n == 0);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nonesuch0", 10), ENODEV);
	CHECK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == 0);
	n = sizeof(name);
	CHECK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &n) == 0 && n == 3 && !strcmp(name, "lo"));
	CHECK(get(s, SO_BINDTOIFINDEX) == (int)if_nametoindex("lo"));
	n = 4;
	CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &n), EINVAL);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_ERR(set(s, SO_BINDTOIFINDEX, -1), EINVAL);
	CHECK(set(s, SO_BINDTOIFINDEX, 12345) == 0 && get(s, SO_BINDTOIFINDEX) == 12345); /* there may be one some day */
	n = sizeof(name);
	CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &n), ENODEV);
}

CASE(pacing)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t wide = 0;
	socklen_t n = sizeof(wide);

	CHECK(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &n) == 0 && n == 8 && wide == UINT64_MAX);
	CHECK(set(s, SO_MAX_PACING_RATE, 1000000) == 0 && get(s, SO_MAX_PACING_RATE) == 1000000);
	n = sizeof(wide);
	CHECK(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &n) == 0 && wide == 1000000);
}

CASE(memory)
{
	uint32_t m[9] = { 0 };
	socklen_t n = sizeof(m);
	int p[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0 && write(p[1], "abc", 3) == 3);
	CHECK(getsockopt(p[0], SOL_SOCKET, SO_MEMINFO, m, &n) == 0 && n == sizeof(m));
	CHECK(m[1] == (uint32_t)get(p[0], SO_RCVBUF) && m[3] == (uint32_t)get(p[0], SO_SNDBUF));
	n = sizeof(m);
	CHECK(getsockopt(p[1], SOL_SOCKET, SO_MEMINFO, m, &n) == 0 && m[2] > 0); /* charged to the sender */
}

CASE(peer_name)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, a = { 0 };
	int s = socket(AF_INET, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t n = sizeof(at);

	CHECK(bind(s, (void *)&at, n) == 0 && getsockname(s, (void *)&at, &n) == 0);
	CHECK_ERR(getsockopt(c, SOL_SOCKET, SO_PEERNAME, &a, &n), ENOTCONN);
	CHECK(connect(c, (void *)&at, n) == 0);
	CHECK(getsockopt(c, SOL_SOCKET, SO_PEERNAME, &a, &n) == 0 && a.sin_port == at.sin_port);
}

static int set_tcp(int s, int opt, int v)
{
	return setsockopt(s, IPPROTO_TCP, opt, &v, sizeof(v));
}

static int get_tcp(int s, int opt)
{
	int v = -77;
	socklen_t n = sizeof(v);

	CHECK(getsockopt(s, IPPROTO_TCP, opt, &v, &n) == 0 && n == sizeof(v));
	return v;
}

CASE(tcp)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(set_tcp(s, TCP_NOTSENT_LOWAT, 16384) == 0 && get_tcp(s, TCP_NOTSENT_LOWAT) == 16384);
	CHECK(set_tcp(s, TCP_FASTOPEN_CONNECT, 1) == 0 && get_tcp(s, TCP_FASTOPEN_CONNECT) == 1);
	CHECK_ERR(set_tcp(s, TCP_FASTOPEN_CONNECT, 2), EINVAL);
	CHECK(set_tcp(s, TCP_NODELAY, 5) == 0 && get_tcp(s, TCP_NODELAY) == 1);
	CHECK_ERR(set_tcp(s, TCP_MAXSEG, 1), EINVAL);
	CHECK_ERR(set_tcp(s, TCP_KEEPIDLE, 0), EINVAL);
	CHECK_ERR(set_tcp(s, TCP_KEEPCNT, 128), EINVAL);
	CHECK_ERR(set_tcp(s, TCP_SYNCNT, 0), EINVAL);
	CHECK(set_tcp(s, TCP_SYNCNT, 3) == 0 && get_tcp(s, TCP_SYNCNT) == 3);
	CHECK_ERR(set_tcp(s, 999, 1), ENOPROTOOPT);
}

CASE(congestion)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	char name[16] = "";
	socklen_t n = sizeof(name);

	CHECK(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0);
	CHECK(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &n) == 0 && !strcmp(name, "reno"));
	CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8), ENOENT);
}

int main(void)
{
	return run_cases();
}
