/*
 * ip_opt.c - socket options of the levels IP and IPv6.  Between sockets of the sandbox most have no effect:
 * they are checked as Linux checks them, stored and returned.
 */
#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define V4 LINUX_IPPROTO_IP
#define V6 LINUX_IPPROTO_IPV6
#define ON 1 /* any number: on or off */
#define NUMBER 2 /* min ... max; -1: back to the default */
#define IGNORED 3 /* structures about interfaces and groups: there is but the loopback */

/* A row's place is its place in socket.ip_values: kept for sockets that set it. */
static const struct ip_option {
	uint8_t level, opt, kind;
	int16_t min, max, initial;
} options[] = {
	{ V4, 1 /* IP_TOS */, NUMBER, 0, 255, 0 },
	{ V4, 2 /* IP_TTL */, NUMBER, 1, 255, 64 },
	{ V4, 5 /* IP_ROUTER_ALERT */, ON, 0, 0, 0 },
	{ V4, 6 /* IP_RECVOPTS */, ON, 0, 0, 0 },
	{ V4, 7 /* IP_RETOPTS */, ON, 0, 0, 0 },
	{ V4, 8 /* IP_PKTINFO */, ON, 0, 0, 0 },
	{ V4, 10 /* IP_MTU_DISCOVER */, NUMBER, 0, 5, 1 },
	{ V4, 11 /* IP_RECVERR */, ON, 0, 0, 0 },
	{ V4, 12 /* IP_RECVTTL */, ON, 0, 0, 0 },
	{ V4, 13 /* IP_RECVTOS */, ON, 0, 0, 0 },
	{ V4, 15 /* IP_FREEBIND */, ON, 0, 0, 0 },
	{ V4, 18 /* IP_PASSSEC */, ON, 0, 0, 0 },
	{ V4, 20 /* IP_RECVORIGDSTADDR */, ON, 0, 0, 0 },
	{ V4, 21 /* IP_MINTTL */, NUMBER, 0, 255, 0 },
	{ V4, 23 /* IP_CHECKSUM */, ON, 0, 0, 0 },
	{ V4, 24 /* IP_BIND_ADDRESS_NO_PORT */, ON, 0, 0, 0 },
	{ V4, 25 /* IP_RECVFRAGSIZE */, ON, 0, 0, 0 },
	{ V4, 32 /* IP_MULTICAST_IF */, IGNORED, 0, 0, 0 },
	{ V4, 33 /* IP_MULTICAST_TTL */, NUMBER, 0, 255, 1 },
	{ V4, 34 /* IP_MULTICAST_LOOP */, ON, 0, 0, 1 },
	{ V4, 35 /* IP_ADD_MEMBERSHIP */, IGNORED, 0, 0, 0 },
	{ V4, 36 /* IP_DROP_MEMBERSHIP */, IGNORED, 0, 0, 0 },
	{ V4, 49 /* IP_MULTICAST_ALL */, ON, 0, 0, 1 },
	{ V6, 16 /* IPV6_UNICAST_HOPS */, NUMBER, 0, 255, 64 },
	{ V6, 17 /* IPV6_MULTICAST_IF */, NUMBER, 0, 1, 0 },
	{ V6, 18 /* IPV6_MULTICAST_HOPS */, NUMBER, 0, 255, 1 },
	{ V6, 19 /* IPV6_MULTICAST_LOOP */, ON, 0, 0, 1 },
	{ V6, 20 /* IPV6_JOIN_GROUP */, IGNORED, 0, 0, 0 },
	{ V6, 21 /* IPV6_LEAVE_GROUP */, IGNORED, 0, 0, 0 },
	{ V6, 23 /* IPV6_MTU_DISCOVER */, NUMBER, 0, 5, 1 },
	{ V6, 25 /* IPV6_RECVERR */, ON, 0, 0, 0 },
	{ V6, 29 /* IPV6_MULTICAST_ALL */, ON, 0, 0, 1 },
	{ V6, 11 /* IPV6_FLOWINFO */, ON, 0, 0, 0 },
	{ V6, 49 /* IPV6_RECVPKTINFO */, ON, 0, 0, 0 },
	{ V6, 51 /* IPV6_RECVHOPLIMIT */, ON, 0, 0, 0 },
	{ V6, 53 /* IPV6_RECVHOPOPTS */, ON, 0, 0, 0 },
	{ V6, 56 /* IPV6_RECVRTHDR */, ON, 0, 0, 0 },
	{ V6, 58 /* IPV6_RECVDSTOPTS */, ON, 0, 0, 0 },
	{ V6, 60 /* IPV6_RECVPATHMTU */, ON, 0, 0, 0 },
	{ V6, 62 /* IPV6_DONTFRAG */, ON, 0, 0, 0 },
	{ V6, 66 /* IPV6_RECVTCLASS */, ON, 0, 0, 0 },
	{ V6, 67 /* IPV6_TCLASS */, NUMBER, 0, 255, 0 },
	{ V6, 70 /* IPV6_AUTOFLOWLABEL */, ON, 0, 0, 1 },
	{ V6, 72 /* IPV6_ADDR_PREFERENCES */, IGNORED, 0, 0, 0 },
	{ V6, 73 /* IPV6_MINHOPCOUNT */, NUMBER, 0, 255, 0 },
	{ V6, 74 /* IPV6_RECVORIGDSTADDR */, ON, 0, 0, 0 },
	{ V6, 77 /* IPV6_RECVFRAGSIZE */, ON, 0, 0, 0 },
	{ V6, 78 /* IPV6_FREEBIND */, ON, 0, 0, 0 },
};
#define COUNT (sizeof(options) / sizeof(*options))
_Static_assert(COUNT <= SOCK_IP_OPTIONS, "socket.ip_values");

#define IP_OPTIONS_OPT 4
#define IP_MTU_OPT 14
#define IPV6_MTU_OPT 24
#define LOOPBACK_MTU 65536

static const struct ip_option *find(int level, int opt)
{
	for (size_t i = 0; i < COUNT; i++)
		if (options[i].level == level && options[i].opt == opt)
			return &options[i];
	return NULL;
}

/* 0, 1 (one byte) or 4 bytes are taken for a number. */
static bool number_of(const void *v, unsigned len, int *n)
{
	uint8_t byte = 0;

	*n = 0;
	if (len >= sizeof(*n)) {
		memcpy(n, v, sizeof(*n));
	} else if (len) {
		memcpy(&byte, v, 1);
		*n = byte;
	}
	return len > 0;
}

static int set_v6only(struct socket *s, int n, unsigned len)
{
	if (len < sizeof(n) || s->name)
		return -EINVAL;
	if (n)
		s->inet_flags |= INET_V6ONLY;
	else
		s->inet_flags &= ~INET_V6ONLY;
	return 0;
}

int ip_option(struct socket *s, int level, int opt, int otherwise)
{
	const struct ip_option *o;
	int n = otherwise;

	mutex_lock(&s->mu);
	o = s->ip_set ? find(level, opt) : NULL;
	if (o && s->ip_set >> (o - options) & 1)
		n = s->ip_values[o - options];
	mutex_unlock(&s->mu);
	return n;
}

int ip_setopt(struct socket *s, int level, int opt, const void *v, unsigned len)
{
	const struct ip_option *o = find(level, opt);
	int n;
	bool given = number_of(v, len, &n);

	if (level == V6 && opt == LINUX_IPV6_V6ONLY)
		return set_v6only(s, n, len);
	if (level == V4 && opt == IP_OPTIONS_OPT)
		return len ? -EINVAL : 0; /* none are carried */
	if (!o)
		return -ENOPROTOOPT;
	if (o->kind == IGNORED)
		return 0;
	if (!given || (level == V6 && len < sizeof(n)))
		return -EINVAL;
	if (o->kind == ON)
		n = !!n;
	else if (n == -1)
		n = o->initial;
	else if (n < o->min || n > o->max)
		return -EINVAL;
	mutex_lock(&s->mu);
	s->ip_values[o - options] = (int16_t)n;
	s->ip_set |= UINT64_C(1) << (o - options);
	mutex_unlock(&s->mu);
	if (!n && opt == (level == V4 ? LINUX_IP_RECVERR : LINUX_IPV6_RECVERR))
		errqueue_drop(s);
	return 0;
}

static int put_number(int level, int n, void *v, unsigned *len)
{
	if (level == V4 && *len > 0 && *len < sizeof(n) && n >= 0 && n <= 255) {
		*len = 1;
		*(uint8_t *)v = (uint8_t)n;
		return 0;
	}
	if (*len > sizeof(n))
		*len = sizeof(n);
	memcpy(v, &n, *len);
	return 0;
}

int ip_getopt(struct socket *s, int level, int opt, void *v, unsigned *len)
{
	const struct ip_option *o = find(level, opt);
	int n;

	if (level == V6 && opt == LINUX_IPV6_V6ONLY)
		return put_number(level, s->inet_flags & INET_V6ONLY ? 1 : 0, v, len);
	if (level == V4 && opt == IP_OPTIONS_OPT) {
		*len = 0;
		return 0;
	}
	if ((level == V4 && opt == IP_MTU_OPT) || (level == V6 && opt == IPV6_MTU_OPT))
		return s->peer || s->inet_flags & INET_CONNECTED ? put_number(level, LOOPBACK_MTU, v, len) : -ENOTCONN;
	if (!o)
		return -ENOPROTOOPT;
	mutex_lock(&s->mu);
	n = s->ip_set >> (o - options) & 1 ? s->ip_values[o - options] : o->initial;
	mutex_unlock(&s->mu);
	return put_number(level, n, v, len);
}
