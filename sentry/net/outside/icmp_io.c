/*
 * icmp_io.c - ICMP and ICMPv6 with the outside: answers echo requests, hands answers to the
 * sockets that ask for them (icmp.c), tells connections and UDP sockets of errors, and tells
 * others of ours.  See engine.h.
 */
#include "net/outside/engine.h"

#include <errno.h>
#include <string.h>

#define QUOTE_MAX 512 /* of what was wrong, in a complaint */

/* --- errors that come ------------------------------------------------------------------ */

/* 0: it says nothing that matters. */
static int error_of(const struct arrival *a, uint32_t *mtu)
{
	static const int codes4[] = { ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE, EOPNOTSUPP, ENETUNREACH, EHOSTUNREACH,
		ENONET, ENETUNREACH, EHOSTUNREACH, ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH };
	static const int codes6[] = { ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EACCES };
	uint8_t type = a->p[0], code = a->p[1];

	*mtu = 0;
	if (a->v4) {
		if (type == 3 && code == 4)
			*mtu = get16(a->p + 6);
		if (type == 11)
			return EHOSTUNREACH;
		return type == 3 && code < sizeof(codes4) / sizeof(codes4[0]) ? codes4[code] : 0;
	}
	if (type == 2)
		*mtu = get32(a->p + 4);
	if (type == 3)
		return EHOSTUNREACH;
	return type == 2 ? EMSGSIZE : type == 1 && code < sizeof(codes6) / sizeof(codes6[0]) ? codes6[code] : 0;
}

void packet_failed(struct outside *o, bool v4, const uint8_t *ip, size_t n, int error, uint32_t mtu)
{
	struct endpoint here, there;
	const uint8_t *t;
	uint8_t proto;
	size_t head;

	if (n < (size_t)IP_HEAD(v4) || ip[0] >> 4 != (v4 ? 4 : 6))
		return;
	head = v4 ? (size_t)(ip[0] & 15) * 4 : IP6_HEAD;
	if (head < (size_t)IP_HEAD(v4) || n < head + 8)
		return;
	proto = v4 ? ip[9] : ip[6];
	if (v4) {
		ip4_put(here.ip, ip + 12);
		ip4_put(there.ip, ip + 16);
	} else {
		memcpy(here.ip, ip + 8, 16);
		memcpy(there.ip, ip + 24, 16);
	}
	t = ip + head;
	here.port = get16(t);
	there.port = get16(t + 2);
	if (proto == LINUX_IPPROTO_TCP)
		tcp_failed(o, &here, &there, get32(t + 4), error, mtu);
	else if (proto == LINUX_IPPROTO_UDP)
		udp_failed(o, &here, &there, error);
}

/* --- what comes ----------------------------------------------------------------------------- */

static void send_message(struct outside *o, const uint8_t from[16], const uint8_t to[16], uint8_t *p, size_t n)
{
	bool v4 = ip_is_v4(to);
	const struct iovec v = { p, n };
	struct departure d = { .proto = v4 ? LINUX_IPPROTO_ICMP : LINUX_IPPROTO_ICMPV6, .ttl = 64, .v = &v, .n_v = 1, .n = n };
	uint16_t sum;

	memcpy(d.from, from, 16);
	memcpy(d.to, to, 16);
	memset(p + 2, 0, 2);
	sum = (uint16_t)~sum_fold(sum_add(v4 ? 0 : sum_pseudo(from, to, d.proto, n), p, n));
	memcpy(p + 2, &sum, 2);
	ip_send(o, &d);
}

void icmp_input(struct outside *o, struct arrival *a)
{
	uint8_t echo = a->v4 ? 8 : 128, type = a->p[0];
	uint32_t mtu;
	int error;

	if (type == echo && a->direct) {
		if (!engine_may_complain(o))
			return;
		a->p[0] = a->v4 ? 0 : 129;
		send_message(o, a->to, a->from, a->p, a->n);
		return;
	}
	if (!a->v4 && (type == 135 || type == 136)) {
		neighbor_solicited(a->link, a);
		return;
	}
	if (!a->direct)
		return;
	error = error_of(a, &mtu);
	if (error)
		packet_failed(o, a->v4, a->p + 8, a->n - 8, error, mtu);
	icmp_arrived(o->net, a->from, a->to, a->ttl, a->tos, a->link->index, a->p, a->n);
}

void icmp_complain(struct outside *o, const struct arrival *a, uint8_t code)
{
	uint8_t p[8 + QUOTE_MAX] = { a->v4 ? 3 : code == 3 ? 1 : 4 };
	size_t n = a->ip_n < QUOTE_MAX ? a->ip_n : QUOTE_MAX;

	if (!a->direct || !engine_may_complain(o))
		return;
	p[1] = a->v4 ? code : code == 3 ? 4 : 1;
	if (!a->v4 && code != 3)
		p[7] = 6; /* where the unknown protocol's number is */
	memcpy(p + 8, a->ip, n);
	send_message(o, a->to, a->from, p, 8 + n);
}

/* --- what programs send -------------------------------------------------------------------------- */

int outside_icmp_send(struct net_stack *n, const struct endpoint *from, const struct endpoint *to, const struct packet_info *info, const void *p, size_t n_p)
{
	struct outside *o = n->world->outside;
	bool v4 = ip_is_v4(to->ip);
	struct iovec v[2];
	uint8_t head[8];
	struct departure d = { .proto = v4 ? LINUX_IPPROTO_ICMP : LINUX_IPPROTO_ICMPV6, .ttl = info->ttl, .tos = info->tos, .v = v, .n_v = 2, .n = n_p };
	uint16_t sum;
	int r;

	if (n_p < sizeof(head))
		return -EINVAL;
	memcpy(head, p, sizeof(head));
	v[0] = (struct iovec){ head, sizeof(head) };
	v[1] = (struct iovec){ (void *)((uintptr_t)p + sizeof(head)), n_p - sizeof(head) };
	memcpy(d.from, from->ip, 16);
	memcpy(d.to, to->ip, 16);
	if (!v4) { /* it was made when the addresses were not known yet */
		memset(head + 2, 0, 2);
		sum = (uint16_t)~sum_fold(sum_add(sum_add(sum_pseudo(from->ip, to->ip, d.proto, n_p), head, sizeof(head)), v[1].iov_base, v[1].iov_len));
		memcpy(head + 2, &sum, 2);
	}
	mutex_lock(&o->mu);
	r = ip_send(o, &d);
	mutex_unlock(&o->mu);
	return r == -EAGAIN ? -ENOBUFS : r;
}
