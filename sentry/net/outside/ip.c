/*
 * ip.c - sending packets to the outside: the way, the header, the checksum.  See engine.h.
 *
 * TCP's segments go out as one large packet which the host's kernel, or hardware, cuts up
 * (gso_size); checksums are left to them as well.
 */
#include "net/outside/engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define DONT_FRAGMENT 0x4000

/* --- checksums (RFC 1071) ------------------------------------------------------------- */

uint32_t sum_add(uint32_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t s = sum;
	uint32_t w;
	uint16_t h;

	for (; n >= 4; n -= 4, p += 4) {
		memcpy(&w, p, 4);
		s += w;
	}
	if (n & 2) {
		memcpy(&h, p, 2);
		s += h;
		p += 2;
	}
	if (n & 1)
		s += htons((uint16_t)(*p << 8));
	s = (s & 0xffffffff) + (s >> 32);
	return (uint32_t)((s & 0xffffffff) + (s >> 32));
}

uint16_t sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint32_t sum_pseudo(const uint8_t from[16], const uint8_t to[16], uint8_t proto, size_t n)
{
	bool v4 = ip_is_v4(to);
	const uint8_t tail[8] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, proto };
	uint32_t sum = sum_add(0, v4 ? from + 12 : from, v4 ? 4 : 16);

	sum = sum_fold(sum_add(sum, v4 ? to + 12 : to, v4 ? 4 : 16));
	return sum_add(sum, tail, sizeof(tail));
}

void ip4_put(uint8_t out[16], const uint8_t ip[4])
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, ip, 4);
}

/* --- the way ------------------------------------------------------------------------------ */

/* 0 or why there is none. */
static int find_way(struct outside *o, const uint8_t to[16], struct link **l, uint8_t next[16], uint32_t *mtu)
{
	struct net_way way;
	int r;

	mutex_lock(&o->net->world->mu);
	r = way_find_locked(o->net, to, &way);
	if (!r && (!way.dev || way.dev->kind != DEVICE_WIRE))
		r = -ENETUNREACH;
	if (!r && !device_is_up(way.dev))
		r = -ENETDOWN;
	if (!r) {
		*l = way.dev->outside;
		*mtu = way.dev->mtu;
		memcpy(next, way.next, 16);
	}
	mutex_unlock(&o->net->world->mu);
	return r;
}

uint32_t ip_mtu(struct outside *o, const uint8_t to[16])
{
	struct link *l;
	uint8_t next[16];
	uint32_t mtu;

	return find_way(o, to, &l, next, &mtu) ? 0 : mtu;
}

/* --- headers --------------------------------------------------------------------------------- */

void ip4_put_head(uint8_t h[IP4_HEAD], const struct departure *d, size_t n, uint32_t id, uint32_t fragment)
{
	uint16_t sum;

	memset(h, 0, IP4_HEAD);
	h[0] = 0x45;
	h[1] = d->tos;
	put16(h + 2, (uint32_t)(IP4_HEAD + n));
	put16(h + 4, id);
	put16(h + 6, fragment);
	h[8] = d->ttl;
	h[9] = d->proto;
	memcpy(h + 12, d->from + 12, 4);
	memcpy(h + 16, d->to + 12, 4);
	sum = (uint16_t)~sum_fold(sum_add(0, h, IP4_HEAD));
	memcpy(h + 10, &sum, 2);
}

void ip6_put_head(uint8_t h[IP6_HEAD], const struct departure *d, size_t n, uint8_t next)
{
	memset(h, 0, IP6_HEAD);
	h[0] = (uint8_t)(0x60 | d->tos >> 4);
	h[1] = (uint8_t)(d->tos << 4);
	put16(h + 4, (uint32_t)n);
	h[6] = next;
	h[7] = d->ttl;
	memcpy(h + 8, d->from, 16);
	memcpy(h + 24, d->to, 16);
}

int ip_send(struct outside *o, const struct departure *d)
{
	bool v4 = ip_is_v4(d->to);
	struct frame_info f = { 0 };
	struct iovec v[36];
	uint8_t head[IP6_HEAD], next[16];
	struct link *l;
	uint32_t mtu;
	int r = find_way(o, d->to, &l, next, &mtu);

	if (r)
		return r;
	if (d->n_v > sizeof(v) / sizeof(v[0]) - 1 || d->n + IP_HEAD(v4) > PACKET_MAX)
		return -EMSGSIZE;
	if (!d->gso_size && d->n + IP_HEAD(v4) > mtu)
		return d->whole ? -EMSGSIZE : fragment_send(o, d, l, next, mtu);
	if (v4)
		ip4_put_head(head, d, d->n, o->next_id++, d->whole ? DONT_FRAGMENT : 0);
	else
		ip6_put_head(head, d, d->n, d->proto);
	if (d->sum_at) {
		f.flags = FRAME_NEEDS_CSUM;
		f.csum_start = IP_HEAD(v4);
		f.csum_offset = d->sum_at;
		f.hdr_len = (uint16_t)(IP_HEAD(v4) + d->head);
	}
	if (d->gso_size) {
		f.gso_type = v4 ? FRAME_GSO_TCP4 : FRAME_GSO_TCP6;
		f.gso_size = d->gso_size;
	}
	v[0] = (struct iovec){ head, IP_HEAD(v4) };
	memcpy(v + 1, d->v, d->n_v * sizeof(*v));
	return neighbor_send(l, next, &f, v, d->n_v + 1);
}
