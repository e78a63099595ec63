/* Options of the levels IP and IPv6: checked, kept, told back, inherited by accepted sockets. */
#include "../test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int get(int s, int level, int opt)
{
	int v = -1;
	socklen_t n = sizeof(v);

	return getsockopt(s, level, opt, &v, &n) ? -errno : v;
}

static int set(int s, int level, int opt, int v)
{
	return setsockopt(s, level, opt, &v, sizeof(v));
}

CASE(ip_options_are_none)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	char b[64];
	socklen_t n = sizeof(b);

	CHECK(getsockopt(s, IPPROTO_IP, IP_OPTIONS, b, &n) == 0 && n == 0); /* sshd refuses a connection that has any */
}

CASE(ip_values)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(get(s, IPPROTO_IP, IP_TTL) == 64);
	CHECK(set(s, IPPROTO_IP, IP_TTL, 5) == 0 && get(s, IPPROTO_IP, IP_TTL) == 5);
	CHECK(set(s, IPPROTO_IP, IP_TTL, -1) == 0 && get(s, IPPROTO_IP, IP_TTL) == 64);
	CHECK_ERR(set(s, IPPROTO_IP, IP_TTL, 256), EINVAL);
	CHECK(set(s, IPPROTO_IP, IP_TOS, 0x10) == 0 && get(s, IPPROTO_IP, IP_TOS) == 0x10);
	CHECK(get(s, IPPROTO_IP, IP_MULTICAST_LOOP) == 1 && get(s, IPPROTO_IP, IP_MULTICAST_TTL) == 1);
	CHECK(set(s, IPPROTO_IP, IP_PKTINFO, 7) == 0 && get(s, IPPROTO_IP, IP_PKTINFO) == 1);
	CHECK(get(s, IPPROTO_IP, IP_MTU) == -ENOTCONN);
	CHECK(get(s, IPPROTO_IP, 150) == -ENOPROTOOPT);
	CHECK_ERR(set(s, IPPROTO_IP, 150, 1), ENOPROTOOPT);
}

CASE(ipv6_values)
{
	int s = socket(AF_INET6, SOCK_DGRAM, 0);

	CHECK(get(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 64);
	CHECK(set(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9) == 0 && get(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 9);
	CHECK(set(s, IPPROTO_IPV6, IPV6_TCLASS, 4) == 0 && get(s, IPPROTO_IPV6, IPV6_TCLASS) == 4);
	CHECK(set(s, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0 && get(s, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
	CHECK(set(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0 && get(s, IPPROTO_IPV6, IPV6_RECVPKTINFO) == 1);
}

CASE(accepted_socket_inherits)
{
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), a;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);

	CHECK(set(l, IPPROTO_IP, IP_TOS, 8) == 0 && set(l, IPPROTO_TCP, TCP_KEEPIDLE, 33) == 0);
	CHECK(bind(l, (void *)&in, sizeof(in)) == 0 && listen(l, 1) == 0 && getsockname(l, (void *)&in, &n) == 0);
	CHECK(connect(c, (void *)&in, sizeof(in)) == 0);
	a = accept(l, NULL, NULL);
	CHECK(a >= 0 && get(a, IPPROTO_IP, IP_TOS) == 8 && get(a, IPPROTO_TCP, TCP_KEEPIDLE) == 33);
}

int main(void) { return run_cases(); }
