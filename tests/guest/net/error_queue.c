/* IP_RECVERR: what became of datagrams that nobody took (ip(7), ipv6(7)). */
#include "../test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>

struct told {
	char data[64], control[512];
	struct sockaddr_in6 to, who;
	struct sock_extended_err e;
	int n, flags;
	bool ttl;
};

/* A port of UDP on the loopback where nobody is. */
static uint16_t closed_port(int family)
{
	struct sockaddr_in6 a = { .sin6_family = (sa_family_t)family };
	int s = socket(family, SOCK_DGRAM, 0);
	socklen_t n = sizeof(a);

	CHECK(bind(s, (void *)&a, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(a)) == 0 && getsockname(s, (void *)&a, &n) == 0);
	close(s);
	return a.sin6_port; /* where that of IPv4 is */
}

static bool next_error(int s, int family, struct told *t)
{
	struct iovec iov = { t->data, sizeof(t->data) };
	struct msghdr h = { .msg_name = &t->to, .msg_namelen = sizeof(t->to), .msg_iov = &iov, .msg_iovlen = 1, .msg_control = t->control };
	int level = family == AF_INET ? SOL_IP : SOL_IPV6, type = family == AF_INET ? IP_RECVERR : IPV6_RECVERR;
	bool found = false;

	memset(t, 0, sizeof(*t));
	h.msg_controllen = sizeof(t->control);
	t->n = (int)recvmsg(s, &h, MSG_ERRQUEUE);
	if (t->n < 0)
		return false;
	t->flags = h.msg_flags;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level == level && c->cmsg_type == type) {
			found = true;
			memcpy(&t->e, CMSG_DATA(c), sizeof(t->e));
			memcpy(&t->who, CMSG_DATA(c) + sizeof(t->e), c->cmsg_len - CMSG_LEN(sizeof(t->e)));
		}
		t->ttl |= c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL;
	}
	return found;
}

static int on(int s, int level, int option)
{
	int one = 1;

	return setsockopt(s, level, option, &one, sizeof(one));
}

static void until_error(int s)
{
	struct pollfd p = { .fd = s, .events = 0 };

	CHECK(poll(&p, 1, 20000) == 1 && p.revents & POLLERR);
}

CASE(port_unreachable)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = closed_port(AF_INET) };
	int s = socket(AF_INET, SOCK_DGRAM, 0), error = 0;
	struct sockaddr_in *told_to, *who;
	socklen_t n = sizeof(error);
	struct told t;

	CHECK(on(s, SOL_IP, IP_RECVERR) == 0 && on(s, SOL_IP, IP_RECVTTL) == 0);
	CHECK(!next_error(s, AF_INET, &t) && errno == EAGAIN);
	CHECK(sendto(s, "hello", 5, 0, (void *)&to, sizeof(to)) == 5);
	until_error(s);
	CHECK(next_error(s, AF_INET, &t));
	CHECK(t.n == 5 && !memcmp(t.data, "hello", 5) && t.flags & MSG_ERRQUEUE && t.ttl);
	told_to = (void *)&t.to;
	who = (void *)&t.who;
	CHECK(told_to->sin_family == AF_INET && told_to->sin_port == to.sin_port && told_to->sin_addr.s_addr == to.sin_addr.s_addr);
	CHECK(who->sin_family == AF_INET && who->sin_addr.s_addr == to.sin_addr.s_addr);
	CHECK(t.e.ee_errno == ECONNREFUSED && t.e.ee_origin == SO_EE_ORIGIN_ICMP && t.e.ee_type == ICMP_DEST_UNREACH && t.e.ee_code == ICMP_PORT_UNREACH);
	CHECK(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && !error); /* it was told */
	CHECK(!next_error(s, AF_INET, &t) && errno == EAGAIN);
}

/* One that is not asked for in the queue is the next call's. */
CASE(next_call)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = closed_port(AF_INET) };
	int s = socket(AF_INET, SOCK_DGRAM, 0), zero = 0;
	struct told t;
	char c;

	CHECK(on(s, SOL_IP, IP_RECVERR) == 0);
	CHECK(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)) == 1);
	until_error(s);
	CHECK_ERR(recv(s, &c, 1, MSG_DONTWAIT), ECONNREFUSED);
	CHECK_ERR(recv(s, &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK(setsockopt(s, SOL_IP, IP_RECVERR, &zero, sizeof(zero)) == 0); /* that empties it */
	CHECK(!next_error(s, AF_INET, &t) && errno == EAGAIN);
}

CASE(not_wanted)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = closed_port(AF_INET) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct told t;

	for (int i = 0; i < 3; i++)
		CHECK(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)) == 1);
	CHECK(!next_error(s, AF_INET, &t) && errno == EAGAIN);
}

CASE(version6)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT, .sin6_port = closed_port(AF_INET6) };
	int s = socket(AF_INET6, SOCK_DGRAM, 0);
	struct told t;

	CHECK(on(s, SOL_IPV6, IPV6_RECVERR) == 0);
	if (connect(s, (void *)&to, sizeof(to)) < 0 && errno == EADDRNOTAVAIL)
		return; /* the machine has no IPv6 */
	CHECK(send(s, "six", 3, 0) == 3);
	until_error(s);
	CHECK(next_error(s, AF_INET6, &t));
	CHECK(t.n == 3 && t.to.sin6_family == AF_INET6 && t.to.sin6_port == to.sin6_port);
	CHECK(!memcmp(&t.who.sin6_addr, &to.sin6_addr, 16));
	CHECK(t.e.ee_errno == ECONNREFUSED && t.e.ee_origin == SO_EE_ORIGIN_ICMP6 && t.e.ee_type == ICMPV6_DEST_UNREACH && t.e.ee_code == ICMPV6_PORT_UNREACH);
}

int main(void)
{
	return run_cases();
}
