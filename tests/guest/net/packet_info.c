/* What a datagram's receiver is told of it, and what its sender says of it: control messages of ip(7), ipv6(7), socket(7). */
#include "../test.h"

#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

struct message {
	char data[16], control[512];
	struct sockaddr_in6 from;
	struct iovec iov;
	struct msghdr h;
};

static int set(int s, int level, int opt, int v)
{
	return setsockopt(s, level, opt, &v, sizeof(v));
}

static struct msghdr *message(struct message *m, size_t control)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec){ m->data, sizeof(m->data) };
	m->h = (struct msghdr){ .msg_name = &m->from, .msg_namelen = sizeof(m->from), .msg_iov = &m->iov, .msg_iovlen = 1, .msg_control = m->control,
		.msg_controllen = control };
	return &m->h;
}

static const struct cmsghdr *find(struct message *m, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m->h); c; c = CMSG_NXTHDR(&m->h, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return c;
	return NULL;
}

/* A socket on a free port of the address. */
static int bound(int family, const char *ip, struct sockaddr_storage *at)
{
	struct sockaddr_in *in = (void *)at;
	struct sockaddr_in6 *in6 = (void *)at;
	int s = socket(family, SOCK_DGRAM, 0);
	socklen_t n = sizeof(*at);

	memset(at, 0, sizeof(*at));
	at->ss_family = (sa_family_t)family;
	CHECK(inet_pton(family, ip, family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr) == 1);
	CHECK(bind(s, (void *)at, family == AF_INET ? sizeof(*in) : sizeof(*in6)) == 0 && getsockname(s, (void *)at, &n) == 0);
	return s;
}

CASE(v4_told)
{
	struct sockaddr_storage at;
	struct sockaddr_in *in = (void *)&at;
	int s = bound(AF_INET, "0.0.0.0", &at), c = socket(AF_INET, SOCK_DGRAM, 0);
	struct in_pktinfo i;
	struct message m;

	CHECK(set(s, IPPROTO_IP, IP_PKTINFO, 1) == 0 && set(s, IPPROTO_IP, IP_RECVTTL, 1) == 0 && set(s, IPPROTO_IP, IP_RECVTOS, 1) == 0);
	CHECK(set(s, IPPROTO_IP, IP_RECVORIGDSTADDR, 1) == 0 && set(c, IPPROTO_IP, IP_TTL, 7) == 0 && set(c, IPPROTO_IP, IP_TOS, 0x10) == 0);
	in->sin_addr.s_addr = htonl(0x7f000005);
	CHECK(sendto(c, "x", 1, 0, (void *)in, sizeof(*in)) == 1);
	CHECK(recvmsg(s, message(&m, 512), 0) == 1 && m.h.msg_flags == 0);
	memcpy(&i, CMSG_DATA(find(&m, IPPROTO_IP, IP_PKTINFO)), sizeof(i));
	CHECK(i.ipi_ifindex == 1 && i.ipi_addr.s_addr == htonl(0x7f000005) && i.ipi_spec_dst.s_addr == htonl(0x7f000005));
	CHECK(*(const int *)CMSG_DATA(find(&m, IPPROTO_IP, IP_TTL)) == 7);
	CHECK(*CMSG_DATA(find(&m, IPPROTO_IP, IP_TOS)) == 0x10 && find(&m, IPPROTO_IP, IP_TOS)->cmsg_len == CMSG_LEN(1));
	CHECK(memcmp(CMSG_DATA(find(&m, IPPROTO_IP, IP_ORIGDSTADDR)), in, 8) == 0);
	CHECK(m.h.msg_controllen == CMSG_SPACE(sizeof(i)) + CMSG_SPACE(4) + CMSG_SPACE(1) + CMSG_SPACE(16));

	/* with too little room it is cut off, and said so; read(2) and a socket that did not ask get none */
	CHECK(sendto(c, "x", 1, 0, (void *)in, sizeof(*in)) == 1);
	CHECK(recvmsg(s, message(&m, CMSG_LEN(sizeof(i)) - 4), 0) == 1 && m.h.msg_flags == MSG_CTRUNC);
	CHECK(sendto(c, "x", 1, 0, (void *)in, sizeof(*in)) == 1 && read(s, m.data, 4) == 1);
}

CASE(v4_said)
{
	struct sockaddr_storage at;
	struct sockaddr_in *in = (void *)&at;
	int s = bound(AF_INET, "127.0.0.1", &at), c = socket(AF_INET, SOCK_DGRAM, 0);
	struct in_pktinfo i = { .ipi_spec_dst.s_addr = htonl(0x7f000009) };
	struct message m;
	struct cmsghdr *h;
	int ttl = 3;

	CHECK(set(s, IPPROTO_IP, IP_RECVTTL, 1) == 0);
	message(&m, CMSG_SPACE(sizeof(i)) + CMSG_SPACE(sizeof(ttl)));
	memcpy(&m.from, in, sizeof(*in));
	m.h.msg_namelen = sizeof(*in);
	h = CMSG_FIRSTHDR(&m.h);
	*h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(i)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO };
	memcpy(CMSG_DATA(h), &i, sizeof(i));
	h = CMSG_NXTHDR(&m.h, h);
	*h = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(ttl)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL };
	memcpy(CMSG_DATA(h), &ttl, sizeof(ttl));
	CHECK(sendmsg(c, &m.h, 0) == sizeof(m.data));
	ttl = 0;
	memcpy(CMSG_DATA(h), &ttl, sizeof(ttl));
	CHECK_ERR(sendmsg(c, &m.h, 0), EINVAL);
	h->cmsg_type = 99;
	CHECK_ERR(sendmsg(c, &m.h, 0), EINVAL);
	m.h.msg_controllen = CMSG_SPACE(sizeof(i));
	i.ipi_spec_dst.s_addr = htonl(0x0a090807); /* nobody's here */
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m.h)), &i, sizeof(i));
	CHECK(sendmsg(c, &m.h, 0) == -1 && (errno == EINVAL || errno == ENETUNREACH)); /* ENETUNREACH: Linux 6.13 */
	CHECK(recvmsg(s, message(&m, 512), 0) == sizeof(m.data));
	CHECK(((struct sockaddr_in *)&m.from)->sin_addr.s_addr == htonl(0x7f000009));
	CHECK(*(const int *)CMSG_DATA(find(&m, IPPROTO_IP, IP_TTL)) == 3);
}

CASE(v6_told)
{
	struct sockaddr_storage at, at4;
	struct sockaddr_in6 *in6 = (void *)&at;
	struct sockaddr_in *in = (void *)&at4;
	int s = bound(AF_INET6, "::", &at), c = socket(AF_INET6, SOCK_DGRAM, 0), c4 = socket(AF_INET, SOCK_DGRAM, 0);
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };
	struct in6_pktinfo i;
	struct message m;

	CHECK(set(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0 && set(s, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) == 0);
	CHECK(set(s, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) == 0 && set(c, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9) == 0);
	in6->sin6_addr = in6addr_loopback;
	CHECK(sendto(c, "x", 1, 0, (void *)in6, sizeof(*in6)) == 1 && recvmsg(s, message(&m, 512), 0) == 1);
	memcpy(&i, CMSG_DATA(find(&m, IPPROTO_IPV6, IPV6_PKTINFO)), sizeof(i));
	CHECK(i.ipi6_ifindex == 1 && !memcmp(&i.ipi6_addr, &in6addr_loopback, 16));
	CHECK(*(const int *)CMSG_DATA(find(&m, IPPROTO_IPV6, IPV6_HOPLIMIT)) == 9);
	CHECK(*(const int *)CMSG_DATA(find(&m, IPPROTO_IPV6, IPV6_TCLASS)) == 0);

	/* of an IPv4 packet it tells the address alone */
	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = in6->sin6_port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CHECK(sendto(c4, "x", 1, 0, (void *)in, sizeof(*in)) == 1 && recvmsg(s, message(&m, 512), 0) == 1);
	memcpy(&i, CMSG_DATA(find(&m, IPPROTO_IPV6, IPV6_PKTINFO)), sizeof(i));
	CHECK(!memcmp(&i.ipi6_addr, mapped, 16) && !find(&m, IPPROTO_IPV6, IPV6_HOPLIMIT));
}

static int64_t in_microseconds(const struct timespec *t)
{
	return t->tv_sec * INT64_C(1000000) + t->tv_nsec / 1000;
}

/* Whether the stamp of what is sent now tells when it came, and not when it was read. */
static int stamped_at_arrival(int from, int to)
{
	struct timespec before, after;
	struct timeval tv;
	struct message m;
	int64_t when;

	CHECK(clock_gettime(CLOCK_REALTIME, &before) == 0 && send(from, "x", 1, 0) == 1);
	CHECK(clock_gettime(CLOCK_REALTIME, &after) == 0 && usleep(10000) == 0 && recvmsg(to, message(&m, 512), 0) == 1);
	memcpy(&tv, CMSG_DATA(find(&m, SOL_SOCKET, SCM_TIMESTAMP)), sizeof(tv));
	when = tv.tv_sec * INT64_C(1000000) + tv.tv_usec;
	CHECK(when >= in_microseconds(&before));
	return when <= in_microseconds(&after);
}

static void stamped(int from, int to)
{
	struct message m;
	struct timespec ns;
	int tries = 0;

	CHECK(set(to, SOL_SOCKET, SO_TIMESTAMP, 1) == 0);
	while (!stamped_at_arrival(from, to)) /* Linux begins to note it a little later */
		CHECK(++tries < 500);
	CHECK(set(to, SOL_SOCKET, SO_TIMESTAMPNS, 1) == 0 && send(from, "x", 1, 0) == 1 && recvmsg(to, message(&m, 512), 0) == 1);
	CHECK(!find(&m, SOL_SOCKET, SCM_TIMESTAMP) && find(&m, SOL_SOCKET, SCM_TIMESTAMPNS));
	memcpy(&ns, CMSG_DATA(find(&m, SOL_SOCKET, SCM_TIMESTAMPNS)), sizeof(ns));
	CHECK(ns.tv_sec > 1000000000 && ns.tv_nsec < 1000000000);
	CHECK(set(to, SOL_SOCKET, SO_TIMESTAMPNS, 0) == 0 && send(from, "x", 1, 0) == 1 && recvmsg(to, message(&m, 512), 0) == 1);
	CHECK(m.h.msg_controllen == 0);
}

CASE(time_of_arrival)
{
	struct sockaddr_storage at;
	int s = bound(AF_INET, "127.0.0.1", &at), c = socket(AF_INET, SOCK_DGRAM, 0), pair[2];

	CHECK(connect(c, (void *)&at, sizeof(struct sockaddr_in)) == 0);
	stamped(c, s);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	stamped(pair[0], pair[1]);
}

CASE(timestamping)
{
	const int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	struct sockaddr_storage at;
	int s = bound(AF_INET, "127.0.0.1", &at), c = socket(AF_INET, SOCK_DGRAM, 0), now = 0;
	struct timespec before, stamps[3];
	socklen_t n = sizeof(now);
	struct message m;

	CHECK(connect(c, (void *)&at, sizeof(struct sockaddr_in)) == 0);
	CHECK_ERR(set(s, SOL_SOCKET, SO_TIMESTAMPING, 1 << 30), EINVAL);
	CHECK(set(s, SOL_SOCKET, SO_TIMESTAMPING, flags) == 0);
	CHECK(getsockopt(s, SOL_SOCKET, SO_TIMESTAMPING, &now, &n) == 0 && now == flags);
	do { /* Linux begins to note it a little later */
		CHECK(clock_gettime(CLOCK_REALTIME, &before) == 0);
		CHECK(send(c, "x", 1, 0) == 1 && recvmsg(s, message(&m, 512), 0) == 1);
	} while (!find(&m, SOL_SOCKET, SCM_TIMESTAMPING) && usleep(1000) == 0);
	CHECK(find(&m, SOL_SOCKET, SCM_TIMESTAMPING)->cmsg_len == CMSG_LEN(sizeof(stamps)));
	memcpy(stamps, CMSG_DATA(find(&m, SOL_SOCKET, SCM_TIMESTAMPING)), sizeof(stamps));
	CHECK(in_microseconds(&stamps[0]) >= in_microseconds(&before) && !stamps[1].tv_sec && !stamps[2].tv_sec);
	CHECK(!find(&m, SOL_SOCKET, SCM_TIMESTAMP) && !find(&m, SOL_SOCKET, SCM_TIMESTAMPNS));
	CHECK(set(s, SOL_SOCKET, SO_TIMESTAMPING, 0) == 0);
	CHECK(send(c, "x", 1, 0) == 1 && recvmsg(s, message(&m, 512), 0) == 1 && m.h.msg_controllen == 0);
}

CASE(overflow_is_counted)
{
	struct sockaddr_storage at;
	int s = bound(AF_INET, "127.0.0.1", &at), c = socket(AF_INET, SOCK_DGRAM, 0);
	static char big[16000];
	uint32_t lost = 100, told;
	struct message m;

	CHECK(set(s, SOL_SOCKET, SO_RCVBUF, 65536) == 0 && set(s, SOL_SOCKET, SO_RXQ_OVFL, 1) == 0);
	CHECK(connect(c, (void *)&at, sizeof(struct sockaddr_in)) == 0);
	CHECK(send(c, "x", 1, 0) == 1 && recvmsg(s, message(&m, 512), 0) == 1 && m.h.msg_controllen == 0);
	for (int i = 0; i < 100; i++)
		CHECK(send(c, big, sizeof(big), 0) == (ssize_t)sizeof(big));
	for (; recvmsg(s, message(&m, 512), MSG_DONTWAIT) > 0; lost--)
		CHECK(m.h.msg_controllen == 0); /* it came before the first that was lost */
	CHECK(lost && lost < 100);
	CHECK(send(c, "x", 1, 0) == 1 && recvmsg(s, message(&m, 512), 0) == 1 && find(&m, SOL_SOCKET, SO_RXQ_OVFL));
	memcpy(&told, CMSG_DATA(find(&m, SOL_SOCKET, SO_RXQ_OVFL)), sizeof(told));
	CHECK(told == lost);
}

int main(void)
{
	return run_cases();
}
