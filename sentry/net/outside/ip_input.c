/*
 * ip_input.c - takes frames apart: which protocol, whether it is for us, who gets it.  See
 * engine.h.  Event thread.
 *
 * Nothing is forwarded, and nothing is accepted that claims to come from a loopback, from a
 * group, or from ourselves.  Of groups only what IPv6 needs for finding neighbours is heard.
 */
#include "net/outside/engine.h"

#include <string.h>

#define ETHER_ARP 0x0806
#define ETHER_IP4 0x0800
#define ETHER_IP6 0x86dd
#define FRAGMENT_OFFSET 0x1fff

#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_NONE 59
#define NEXT_DESTINATION 60
#define EXTENSIONS_MAX 8

/* --- is it for us ---------------------------------------------------------------------- */

static bool is_broadcast(struct link *l, const uint8_t ip[16])
{
	static const uint8_t all4[4] = { 255, 255, 255, 255 };
	const struct net_address *a;
	bool found = ip_is_v4(ip) && !memcmp(ip + 12, all4, 4);

	if (found || !ip_is_v4(ip))
		return found;
	mutex_lock(&l->o->net->world->mu);
	TAILQ_FOREACH (a, &l->dev->addresses, link)
		found |= a->has_broadcast && !memcmp(a->broadcast, ip + 12, 4);
	mutex_unlock(&l->o->net->world->mu);
	return found;
}

static bool is_group(const uint8_t ip[16])
{
	return ip_is_v4(ip) ? ip[12] >= 224 : ip[0] == 0xff;
}

static bool is_loopback(const uint8_t ip[16])
{
	static const uint8_t loop6[16] = { [15] = 1 };

	return ip_is_v4(ip) ? ip[12] == 127 : !memcmp(ip, loop6, 16);
}

static bool sender_is_possible(struct link *l, const struct arrival *a)
{
	static const uint8_t none6[16];
	bool solicits = !a->v4 && a->proto == LINUX_IPPROTO_ICMPV6 && !memcmp(a->from, none6, 16);

	if (!a->v4 && ip_is_v4(a->from))
		return false; /* ::ffff:a.b.c.d is no address on a wire */
	if (is_group(a->from) || is_loopback(a->from) || is_broadcast(l, a->from))
		return false;
	if (a->v4 ? !a->from[12] : !solicits && !memcmp(a->from, none6, 16))
		return false;
	return !net_is_local(l->o->net, a->from);
}

/* Also says, in a->direct, whether by an address of our own. */
static bool is_for_us(struct link *l, struct arrival *a)
{
	bool up, local = !is_loopback(a->to) && net_is_local(l->o->net, a->to);

	if (!a->v4 && ip_is_v4(a->to))
		return false;
	mutex_lock(&l->o->net->world->mu);
	up = device_is_up(l->dev);
	mutex_unlock(&l->o->net->world->mu);
	a->direct = local;
	if (!up)
		return false;
	if (local)
		return true;
	return a->v4 ? is_broadcast(l, a->to) : is_group(a->to) && a->proto == LINUX_IPPROTO_ICMPV6;
}

/* --- to whom ------------------------------------------------------------------------------- */

static bool sum_is_right(const struct arrival *a)
{
	uint32_t sum = a->v4 && a->proto == LINUX_IPPROTO_ICMP ? 0 : sum_pseudo(a->from, a->to, a->proto, a->n);

	return sum_fold(sum_add(sum, a->p, a->n)) == 0xffff;
}

static void hand_on(struct outside *o, struct arrival *a)
{
	static const struct {
		uint8_t proto;
		bool v4, v6;
		size_t least; /* bytes */
		void (*input)(struct outside *o, struct arrival *a);
	} takers[] = {
		{ LINUX_IPPROTO_TCP, true, true, 20, tcp_input },
		{ LINUX_IPPROTO_UDP, true, true, UDP_HEAD, udp_input },
		{ LINUX_IPPROTO_ICMP, true, false, 8, icmp_input },
		{ LINUX_IPPROTO_ICMPV6, false, true, 8, icmp_input },
	};

	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (a->proto != takers[i].proto || !(a->v4 ? takers[i].v4 : takers[i].v6))
			continue;
		/* UDP over IPv4 may have none */
		if (a->n < takers[i].least || (!a->checked && !(a->v4 && a->proto == LINUX_IPPROTO_UDP && !get16(a->p + 6)) && !sum_is_right(a)))
			a->link->rx_dropped++;
		else
			takers[i].input(o, a);
		return;
	}
	if (a->direct)
		icmp_complain(o, a, 2);
}

static void ip4_input(struct link *l, struct arrival *a, uint8_t *p, size_t n)
{
	size_t head, total;
	uint16_t fragment;

	if (n < IP4_HEAD || p[0] >> 4 != 4)
		return;
	head = (size_t)(p[0] & 15) * 4;
	total = get16(p + 2);
	if (head < IP4_HEAD || total < head || total > n || sum_fold(sum_add(0, p, head)) != 0xffff)
		return;
	a->v4 = true;
	a->tos = p[1];
	a->ttl = p[8];
	a->proto = p[9];
	ip4_put(a->from, p + 12);
	ip4_put(a->to, p + 16);
	a->ip = p;
	a->ip_n = total;
	a->p = p + head;
	a->n = total - head;
	if (!is_for_us(l, a) || !sender_is_possible(l, a))
		return;
	fragment = get16(p + 6);
	if (fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET) &&
		!fragment_input(l->o, a, get16(p + 4), (fragment & FRAGMENT_OFFSET) * 8u, fragment & MORE_FRAGMENTS))
		return;
	hand_on(l->o, a);
}

/* Passes over what stands before the transport header. false: nothing is to be handed on. */
static bool skip_extensions(struct outside *o, struct arrival *a)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		size_t n;

		switch (a->proto) {
		case NEXT_HOP_BY_HOP:
		case NEXT_ROUTING:
		case NEXT_DESTINATION:
			if (a->n < 8 || (n = ((size_t)a->p[1] + 1) * 8) > a->n)
				return false;
			if (a->proto == NEXT_ROUTING && a->p[3])
				return false; /* with segments left: it is to go elsewhere */
			a->proto = a->p[0];
			a->p += n;
			a->n -= n;
			break;
		case NEXT_FRAGMENT: {
			uint32_t off, id;
			bool more;

			if (a->n < 8)
				return false;
			off = get16(a->p + 2) & 0xfff8u;
			more = a->p[3] & 1;
			id = get32(a->p + 4);
			a->proto = a->p[0];
			a->p += 8;
			a->n -= 8;
			if ((off || more) && !fragment_input(o, a, id, off, more))
				return false;
			break;
		}
		case NEXT_NONE:
			return false;
		default:
			return true;
		}
	}
	return false;
}

static void ip6_input(struct link *l, struct arrival *a, uint8_t *p, size_t n)
{
	size_t total;

	if (n < IP6_HEAD || p[0] >> 4 != 6)
		return;
	total = get16(p + 4);
	if (total > n - IP6_HEAD)
		return;
	a->tos = (uint8_t)(p[0] << 4 | p[1] >> 4);
	a->proto = p[6];
	a->ttl = p[7];
	memcpy(a->from, p + 8, 16);
	memcpy(a->to, p + 24, 16);
	a->ip = p;
	a->ip_n = IP6_HEAD + total;
	a->p = p + IP6_HEAD;
	a->n = total;
	if (!skip_extensions(l->o, a) || !is_for_us(l, a) || !sender_is_possible(l, a))
		return;
	hand_on(l->o, a);
}

void ip_input(struct link *l, const struct frame_info *f, uint16_t ether_type, uint8_t *p, size_t n)
{
	struct arrival a = { .link = l, .checked = f->flags & (FRAME_NEEDS_CSUM | FRAME_DATA_VALID) };

	if ((f->gso_type & FRAME_GSO_KINDS) == FRAME_GSO_UDP)
		a.gso_size = f->gso_size;
	if (ether_type == ETHER_ARP)
		arp_input(l, p, n);
	else if (ether_type == ETHER_IP4)
		ip4_input(l, &a, p, n);
	else if (ether_type == ETHER_IP6)
		ip6_input(l, &a, p, n);
}
