/*
 * socket_packet.c - control messages of datagrams (ip(7), ipv6(7), socket(7)): what a
 * receiver has asked to be told of each (when it came, where to, its hops), and
 * what a sender says of one (its own address, hops, type of service).  On the
 * thread of the task that calls; owns nothing.
 */
#include "syscalls/socket_cmsg.h"

#include "net/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define V4 LINUX_IPPROTO_IP
#define V6 LINUX_IPPROTO_IPV6
#define NSEC INT64_C(1000000000)

/* --- receiving ------------------------------------------------------------------------- */

static unsigned tell_pktinfo4(const struct packet_info *p, void *out)
{
	struct linux_in_pktinfo i = { .ifindex = p->ifindex };

	memcpy(&i.addr, p->to + 12, 4);
	i.spec_dst = i.addr;
	memcpy(out, &i, sizeof(i));
	return sizeof(i);
}

static unsigned tell_pktinfo6(const struct packet_info *p, void *out)
{
	struct linux_in6_pktinfo i = { .ifindex = p->ifindex };

	memcpy(i.addr, p->to, 16);
	memcpy(out, &i, sizeof(i));
	return sizeof(i);
}

static unsigned tell_destination(const struct packet_info *p, int family, void *out)
{
	struct endpoint e = { .port = p->port };
	struct sockaddr_buf a;

	memcpy(e.ip, p->to, 16);
	endpoint_addr(&e, family, &a);
	memcpy(out, a.bytes, a.len);
	return a.len;
}

static unsigned tell_destination4(const struct packet_info *p, void *out)
{
	return tell_destination(p, LINUX_AF_INET, out);
}

static unsigned tell_destination6(const struct packet_info *p, void *out)
{
	return tell_destination(p, LINUX_AF_INET6, out);
}

static unsigned tell_number(int n, void *out)
{
	memcpy(out, &n, sizeof(n));
	return sizeof(n);
}

static unsigned tell_ttl(const struct packet_info *p, void *out)
{
	return tell_number(p->ttl, out);
}

static unsigned tell_class(const struct packet_info *p, void *out)
{
	return tell_number(p->tos, out);
}

static unsigned tell_tos(const struct packet_info *p, void *out)
{
	memcpy(out, &p->tos, 1);
	return 1;
}

/* In Linux's order. which: of packets of this level only; 0: of all. tell: fills out, at most 64 bytes; how many. */
static const struct teller {
	int level, option, type, which;
	unsigned (*tell)(const struct packet_info *p, void *out);
} tellers[] = {
	{ V4, LINUX_IP_PKTINFO, LINUX_IP_PKTINFO, V4, tell_pktinfo4 },
	{ V4, LINUX_IP_RECVTTL, LINUX_IP_TTL, V4, tell_ttl },
	{ V4, LINUX_IP_RECVTOS, LINUX_IP_TOS, V4, tell_tos },
	{ V4, LINUX_IP_RECVORIGDSTADDR, LINUX_IP_RECVORIGDSTADDR, V4, tell_destination4 },
	{ V6, LINUX_IPV6_RECVPKTINFO, LINUX_IPV6_PKTINFO, 0, tell_pktinfo6 },
	{ V6, LINUX_IPV6_RECVHOPLIMIT, LINUX_IPV6_HOPLIMIT, V6, tell_ttl },
	{ V6, LINUX_IPV6_RECVTCLASS, LINUX_IPV6_TCLASS, V6, tell_class },
	{ V6, LINUX_IPV6_RECVORIGDSTADDR, LINUX_IPV6_RECVORIGDSTADDR, V6, tell_destination6 },
};

static int tell_time(struct control *c, struct socket *s, const struct packet_info *p)
{
	bool nanoseconds = sock_flag(s, LINUX_SO_TIMESTAMPNS);
	int64_t when = p->when ? p->when : now_realtime();
	int64_t pair[2] = { when / NSEC, nanoseconds ? when % NSEC : when % NSEC / 1000 };

	return cmsg_put(c, LINUX_SOL_SOCKET, nanoseconds ? LINUX_SO_TIMESTAMPNS : LINUX_SO_TIMESTAMP, pair, sizeof(pair));
}

/* The software's time, then two of hardware's. */
static int tell_times(struct control *c, const struct packet_info *p)
{
	const int64_t times[6] = { p->when / NSEC, p->when % NSEC };

	return cmsg_put(c, LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPING, times, sizeof(times));
}

/* What became of a record of s's own, and who says so: the receiver, as there is nobody between. */
static int tell_error(struct control *c, struct socket *s, const struct socket_msg *m)
{
	bool v4 = s->family == LINUX_AF_INET;
	struct linux_sock_extended_err e = { .error = m->info.error, .type = m->info.error_type, .code = m->info.error_code,
		.origin = ip_is_v4(m->info.to) ? LINUX_SO_EE_ORIGIN_ICMP : LINUX_SO_EE_ORIGIN_ICMP6 };
	uint8_t data[sizeof(e) + sizeof(struct linux_sockaddr_in6)] = { 0 };
	struct sockaddr_buf who = *m->name;

	if (v4)
		who.in.port = 0;
	else
		who.in6.port = 0;
	memcpy(data, &e, sizeof(e));
	memcpy(data + sizeof(e), who.bytes, v4 ? sizeof(who.in) : sizeof(who.in6));
	return cmsg_put(c, v4 ? V4 : V6, v4 ? LINUX_IP_RECVERR : LINUX_IPV6_RECVERR, data, sizeof(e) + (v4 ? sizeof(who.in) : sizeof(who.in6)));
}

int packet_export(struct control *c, struct socket *s, const struct socket_msg *m)
{
	const struct packet_info *p = &m->info;
	int level = ip_is_v4(p->to) ? V4 : V6, r = 0;
	uint8_t data[64];

	if (sock_flag(s, LINUX_SO_TIMESTAMP) || sock_flag(s, LINUX_SO_TIMESTAMPNS))
		r = tell_time(c, s, p);
	if (!r && s->timestamping & LINUX_SOF_TIMESTAMPING_SOFTWARE && p->when && !p->error)
		r = tell_times(c, p);
	if (!r && sock_flag(s, LINUX_SO_RXQ_OVFL) && p->dropped && s->family != LINUX_AF_UNIX)
		r = cmsg_put(c, LINUX_SOL_SOCKET, LINUX_SO_RXQ_OVFL, &p->dropped, sizeof(p->dropped));
	if ((s->family != LINUX_AF_INET && s->family != LINUX_AF_INET6) || !s->ip_set)
		return r;
	for (size_t i = 0; !r && i < sizeof(tellers) / sizeof(*tellers); i++) {
		const struct teller *t = &tellers[i];

		if ((!t->which || t->which == level) && ip_option(s, t->level, t->option, 0) > 0)
			r = cmsg_put(c, t->level, t->type, data, t->tell(p, data));
	}
	return !r && p->error ? tell_error(c, s, m) : r;
}

/* --- sending ------------------------------------------------------------------------------ */

static int said_number(const uint8_t *data, uint64_t n, int least, int most, int *out)
{
	if (n != sizeof(*out))
		return -EINVAL;
	memcpy(out, data, sizeof(*out));
	return *out < least || *out > most ? -EINVAL : 0;
}

static int import_v4(int type, const uint8_t *data, uint64_t n, struct packet_choice *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct linux_in_pktinfo i;
	int v, r = 0;

	switch (type) {
	case LINUX_IP_PKTINFO:
		if (n != sizeof(i))
			return -EINVAL;
		memcpy(&i, data, sizeof(i));
		memset(out->source, 0, sizeof(out->source));
		if (i.spec_dst) {
			memcpy(out->source, mapped, 12);
			memcpy(out->source + 12, &i.spec_dst, 4);
		}
		return 0;
	case LINUX_IP_TTL:
		r = said_number(data, n, 1, 255, &v);
		if (!r)
			out->ttl = (uint8_t)v;
		return r;
	case LINUX_IP_TOS:
		if (n == 1)
			v = *data;
		else
			r = said_number(data, n, 0, 255, &v);
		if (!r) {
			out->tos = (uint8_t)v;
			out->has_tos = true;
		}
		return r;
	default:
		return -EINVAL;
	}
}

static int import_v6(int type, const uint8_t *data, uint64_t n, struct packet_choice *out)
{
	int v, r;

	switch (type) {
	case LINUX_IPV6_PKTINFO:
		if (n < sizeof(struct linux_in6_pktinfo))
			return -EINVAL;
		memcpy(out->source, data, 16);
		return 0;
	case LINUX_IPV6_HOPLIMIT:
		r = said_number(data, n, -1, 255, &v);
		if (!r)
			out->ttl = v < 0 ? 0 : (uint8_t)v;
		return r;
	case LINUX_IPV6_TCLASS:
		r = said_number(data, n, -1, 255, &v);
		if (!r) {
			out->tos = v < 0 ? 0 : (uint8_t)v;
			out->has_tos = v >= 0;
		}
		return r;
	default:
		return -EINVAL;
	}
}

int packet_import(struct socket *s, int level, int type, const uint8_t *data, uint64_t n, struct packet_choice *out)
{
	if (s->type == LINUX_SOCK_STREAM)
		return 0;
	if (level == V4 && (s->family == LINUX_AF_INET || s->family == LINUX_AF_INET6))
		return import_v4(type, data, n, out);
	if (level == V6 && s->family == LINUX_AF_INET6)
		return import_v6(type, data, n, out);
	return 0;
}
