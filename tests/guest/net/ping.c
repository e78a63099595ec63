/* ICMP: sockets that ask for echoes (SOCK_DGRAM), and raw ones. */
#include "../test.h"

#include <arpa/inet.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define WAIT_MS 20000

static const struct sockaddr_in loop4 = { .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f };
static const struct sockaddr_in6 loop6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

/* Lets every group ask, in a network namespace of its own where it may make one. */
static void allow_all(void)
{
	struct ifreq q = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	FILE *f;

	if (!unshare(CLONE_NEWNET))
		CHECK(ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &q) == 0);
	f = fopen("/proc/sys/net/ipv4/ping_group_range", "w");
	if (f) {
		fprintf(f, "0 2147483647\n");
		fclose(f);
	}
}

/* A socket for echoes; where the caller may neither have nor allow it the case ends. */
static int ping_socket(int family)
{
	int protocol = family == AF_INET ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6, s = socket(family, SOCK_DGRAM, protocol);

	if (s >= 0)
		return s;
	CHECK_ERR(socket(family, SOCK_DGRAM, protocol), EACCES);
	allow_all();
	s = socket(family, SOCK_DGRAM, protocol);
	if (s < 0)
		exit(0);
	return s;
}

static uint16_t sum(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

static ssize_t receive(int s, void *buf, size_t n, void *from, socklen_t len)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	CHECK(poll(&p, 1, WAIT_MS) == 1);
	return recvfrom(s, buf, n, 0, from, from ? &len : NULL);
}

CASE(groups_may)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ping_group_range", "r");
	unsigned first, last;

	CHECK(f && fscanf(f, "%u %u", &first, &last) == 2);
	if (first > last)
		CHECK_ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), EACCES);
	else if (!geteuid() && !first)
		CHECK(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0);
	CHECK_ERR(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMP), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

CASE(echo)
{
	struct { struct icmphdr h; char data[8]; } q = { .h = { .type = ICMP_ECHO, .un.echo = { 1, htons(5) } }, .data = "payload" }, a;
	struct sockaddr_in from, own;
	socklen_t n = sizeof(own);
	int s = ping_socket(AF_INET);

	CHECK(sendto(s, &q, sizeof(q), 0, (void *)&loop4, sizeof(loop4)) == sizeof(q));
	CHECK(receive(s, &a, sizeof(a), &from, sizeof(from)) == sizeof(a));
	CHECK(getsockname(s, (void *)&own, &n) == 0 && own.sin_port == a.h.un.echo.id && own.sin_port);
	CHECK(a.h.type == ICMP_ECHOREPLY && a.h.un.echo.sequence == htons(5) && !strcmp(a.data, "payload") && sum(&a, sizeof(a)) == 0);
	CHECK(from.sin_addr.s_addr == loop4.sin_addr.s_addr && from.sin_port == 0);
	q.h.type = ICMP_TIMESTAMP;
	CHECK_ERR(sendto(s, &q, sizeof(q), 0, (void *)&loop4, sizeof(loop4)), EINVAL);
	q.h.type = ICMP_ECHO;
	CHECK_ERR(sendto(s, &q, 7, 0, (void *)&loop4, sizeof(loop4)), EINVAL);
	CHECK_ERR(send(s, &q, sizeof(q), 0), EDESTADDRREQ);
	CHECK(connect(s, (void *)&loop4, sizeof(loop4)) == 0 && send(s, &q, sizeof(q), 0) == sizeof(q) && receive(s, &a, sizeof(a), NULL, 0) == sizeof(a));
}

CASE(identifiers)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(4711) };
	int s = ping_socket(AF_INET), o = ping_socket(AF_INET), u = socket(AF_INET, SOCK_DGRAM, 0);
	struct icmphdr q = { .type = ICMP_ECHO }, a;

	CHECK(bind(s, (void *)&at, sizeof(at)) == 0);
	CHECK_ERR(bind(s, (void *)&at, sizeof(at)), EINVAL);
	CHECK(bind(u, (void *)&at, sizeof(at)) == 0); /* they are not UDP's ports */
	CHECK(sendto(o, &q, sizeof(q), 0, (void *)&loop4, sizeof(loop4)) == sizeof(q) && receive(o, &a, sizeof(a), NULL, 0) == sizeof(a));
	CHECK(a.un.echo.id != htons(4711));
	CHECK_ERR(recv(s, &a, sizeof(a), MSG_DONTWAIT), EAGAIN);
}

CASE(echo6)
{
	struct icmp6_hdr q = { .icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_seq = htons(3) }, a;
	struct sockaddr_in6 from;
	int s = ping_socket(AF_INET6);

	CHECK(sendto(s, &q, sizeof(q), 0, (void *)&loop6, sizeof(loop6)) == sizeof(q) && receive(s, &a, sizeof(a), &from, sizeof(from)) == sizeof(a));
	CHECK(a.icmp6_type == ICMP6_ECHO_REPLY && a.icmp6_seq == htons(3) && !memcmp(&from.sin6_addr, &in6addr_loopback, 16) && !from.sin6_port);
}

/* With the header before it; on the loopback the question is seen too. */
CASE(raw)
{
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct icmphdr q = { .type = ICMP_ECHO, .un.echo = { 0x1234, 1 } };
	struct { struct iphdr ip; struct icmphdr h; } a = { 0 };
	uint32_t others = ~(1u << ICMP_ECHOREPLY);
	struct sockaddr_in to = loop4;

	CHECK(s >= 0);
	q.checksum = sum(&q, sizeof(q));
	to.sin_addr.s_addr = htonl(0x7f000102);
	CHECK(connect(s, (void *)&to, sizeof(to)) == 0); /* what others ask and get is not seen */
	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	do
		CHECK(receive(s, &a, sizeof(a), NULL, 0) == sizeof(a));
	while (a.h.type != ICMP_ECHOREPLY);
	CHECK(a.ip.version == 4 && a.ip.ihl == 5 && a.ip.protocol == IPPROTO_ICMP && a.ip.ttl == 64 && a.ip.saddr == to.sin_addr.s_addr);
	CHECK(a.ip.tot_len == htons(sizeof(a)) && sum(&a.ip, sizeof(a.ip)) == 0 && a.h.un.echo.id == 0x1234);
	CHECK(setsockopt(s, SOL_RAW, 1 /* ICMP_FILTER */, &others, sizeof(others)) == 0 && send(s, &q, sizeof(q), 0) == sizeof(q));
	CHECK(receive(s, &a, sizeof(a), NULL, 0) == sizeof(a) && a.h.type == ICMP_ECHOREPLY);
}

CASE(raw_needs_capability)
{
	if (geteuid())
		return;
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	CHECK_ERR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	CHECK_ERR(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), EPERM);
}

int main(void)
{
	return run_cases();
}
