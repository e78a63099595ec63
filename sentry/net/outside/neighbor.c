/*
 * neighbor.c - which hardware address a neighbour has: ARP (RFC 826) for IPv4, neighbour
 * discovery (RFC 4861) for IPv6.  See engine.h.
 *
 * An address that is not known is asked for three times, a second apart; what is to be sent
 * there waits meanwhile, a few packets of it.  One that was not heard of for a while is asked
 * for again when it is used, and is forgotten if nothing answers.  Nobody is remembered who
 * was not asked for or who has not asked for us.
 */
#include "net/outside/engine.h"

#include "lib/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEIGHBORS_MAX 1024
#define QUEUE_MAX 16
#define ASK_MAX 3
#define FRESH (30 * SECOND)

#define ARP_LEN 28
#define ETHER_ARP 0x0806
#define ETHER_IP4 0x0800
#define ETHER_IP6 0x86dd
#define ND_SOLICIT 135
#define ND_ADVERTISE 136
#define ND_LEN 24 /* without options */
#define ND_OPTION_LEN 8
#define ND_SOURCE 1
#define ND_TARGET 2

static const uint8_t everybody[MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t none16[16];

/* --- the table --------------------------------------------------------------------- */

static struct neighbor *find(struct link *l, const uint8_t ip[16])
{
	struct neighbor *e;

	LIST_FOREACH(e, &l->neighbors, link)
		if (!memcmp(e->ip, ip, 16))
			break;
	if (e && e != LIST_FIRST(&l->neighbors)) {
		LIST_REMOVE(e, link);
		LIST_INSERT_HEAD(&l->neighbors, e, link);
	}
	return e;
}

static void drop_queue(struct neighbor *e)
{
	struct waiting *w;

	while ((w = STAILQ_FIRST(&e->queue))) {
		STAILQ_REMOVE_HEAD(&e->queue, link);
		free(w);
	}
	e->n_queue = 0;
}

static void forget(struct link *l, struct neighbor *e)
{
	drop_queue(e);
	LIST_REMOVE(e, link);
	l->n_neighbors--;
	free(e);
}

static struct neighbor *add(struct link *l, const uint8_t ip[16])
{
	struct neighbor *e, *last = NULL;

	if (l->n_neighbors >= NEIGHBORS_MAX) {
		LIST_FOREACH(e, &l->neighbors, link)
			last = e;
		forget(l, last);
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->ip, ip, 16);
	STAILQ_INIT(&e->queue);
	LIST_INSERT_HEAD(&l->neighbors, e, link);
	l->n_neighbors++;
	return e;
}

/* --- asking ----------------------------------------------------------------------------- */

/* An address of ours on that interface, of the kind of `to`: of its network if there is one. */
static bool own_address(struct link *l, const uint8_t to[16], uint8_t out[16])
{
	const struct net_address *a, *best = NULL;

	mutex_lock(&l->o->net->world->mu);
	TAILQ_FOREACH (a, &l->dev->addresses, link)
		if (ip_is_v4(a->p.ip) == ip_is_v4(to) && (!best || (prefix_holds(&a->p, to) && !prefix_holds(&best->p, to))))
			best = a;
	if (best)
		memcpy(out, best->p.ip, 16);
	mutex_unlock(&l->o->net->world->mu);
	return best;
}

static void send_arp(struct link *l, uint16_t op, const uint8_t from[4], const uint8_t mac[MAC_LEN], const uint8_t to[4])
{
	static const struct frame_info plain;
	uint8_t p[ARP_LEN] = { 0, 1, 8, 0, MAC_LEN, 4 };
	const struct iovec v = { p, sizeof(p) };

	put16(p + 6, op);
	memcpy(p + 8, l->mac, MAC_LEN);
	memcpy(p + 14, from, 4);
	if (op == 2)
		memcpy(p + 18, mac, MAC_LEN);
	memcpy(p + 24, to, 4);
	link_write(l, &plain, mac, ETHER_ARP, &v, 1);
}

/* Neighbour solicitation or advertisement, from our address `from`. */
static void send_nd(struct link *l, uint8_t type, const uint8_t from[16], const uint8_t to[16], const uint8_t mac[MAC_LEN], const uint8_t target[16],
	uint8_t flags)
{
	static const struct frame_info plain;
	uint8_t p[IP6_HEAD + ND_LEN + ND_OPTION_LEN] = { 0x60 }, *nd = p + IP6_HEAD;
	const size_t n = ND_LEN + ND_OPTION_LEN;
	const struct iovec v = { p, sizeof(p) };
	uint16_t sum;

	put16(p + 4, (uint32_t)n);
	p[6] = LINUX_IPPROTO_ICMPV6;
	p[7] = 255;
	memcpy(p + 8, from, 16);
	memcpy(p + 24, to, 16);
	nd[0] = type;
	nd[4] = flags;
	memcpy(nd + 8, target, 16);
	nd[ND_LEN] = type == ND_SOLICIT ? ND_SOURCE : ND_TARGET;
	nd[ND_LEN + 1] = 1;
	memcpy(nd + ND_LEN + 2, l->mac, MAC_LEN);
	sum = (uint16_t)~sum_fold(sum_add(sum_pseudo(from, to, LINUX_IPPROTO_ICMPV6, n), nd, n));
	memcpy(nd + 2, &sum, 2);
	link_write(l, &plain, mac, ETHER_IP6, &v, 1);
}

static void ask(struct link *l, struct neighbor *e, int64_t now)
{
	uint8_t from[16], group[16] = { 0xff, 2, [11] = 1, [12] = 0xff }, mac[MAC_LEN] = { 0x33, 0x33, 0xff };

	e->asked++;
	e->next = now + SECOND;
	if (!own_address(l, e->ip, from))
		return;
	if (ip_is_v4(e->ip)) {
		send_arp(l, 1, from + 12, e->known && e->asked == 1 ? e->mac : everybody, e->ip + 12);
		return;
	}
	memcpy(group + 13, e->ip + 13, 3);
	memcpy(mac + 3, e->ip + 13, 3);
	send_nd(l, ND_SOLICIT, from, group, mac, e->ip, 0);
}

/* It does not answer: those who wait for it are told. */
static void give_up(struct link *l, struct neighbor *e)
{
	struct waiting_list queue = STAILQ_HEAD_INITIALIZER(queue);
	bool v4 = ip_is_v4(e->ip);
	struct waiting *w;

	STAILQ_CONCAT(&queue, &e->queue);
	forget(l, e);
	while ((w = STAILQ_FIRST(&queue))) {
		STAILQ_REMOVE_HEAD(&queue, link);
		packet_failed(l->o, v4, w->packet, w->n, EHOSTUNREACH, 0);
		free(w);
	}
}

int64_t neighbors_tick(struct link *l, int64_t now)
{
	struct neighbor *e, *next;
	int64_t due = INT64_MAX;

	for (e = LIST_FIRST(&l->neighbors); e; e = next) {
		next = LIST_NEXT(e, link);
		if (e->known || !e->n_queue)
			continue;
		if (e->next <= now && e->asked >= ASK_MAX) {
			give_up(l, e);
			continue;
		}
		if (e->next <= now)
			ask(l, e, now);
		due = e->next < due ? e->next : due;
	}
	return due;
}

/* --- sending -------------------------------------------------------------------------------- */

static uint16_t ether_type(const uint8_t ip[16])
{
	return ip_is_v4(ip) ? ETHER_IP4 : ETHER_IP6;
}

static int enqueue(struct neighbor *e, const struct frame_info *f, const struct iovec *v, unsigned n)
{
	struct waiting *w;
	size_t total = 0;

	for (unsigned i = 0; i < n; i++)
		total += v[i].iov_len;
	if (e->n_queue >= QUEUE_MAX)
		return -ENOBUFS;
	w = malloc(sizeof(*w) + total);
	if (!w)
		return -ENOBUFS;
	w->info = *f;
	w->n = 0;
	for (unsigned i = 0; i < n; i++) {
		memcpy(w->packet + w->n, v[i].iov_base, v[i].iov_len);
		w->n += v[i].iov_len;
	}
	STAILQ_INSERT_TAIL(&e->queue, w, link);
	e->n_queue++;
	return 0;
}

/* One that everybody or a group gets: its hardware address follows from it. */
static bool group_mac(struct link *l, const uint8_t ip[16], uint8_t mac[MAC_LEN])
{
	static const uint8_t all4[4] = { 255, 255, 255, 255 };
	const struct net_address *a;
	bool broadcast = false;

	if (!ip_is_v4(ip)) {
		memcpy(mac, (const uint8_t[]){ 0x33, 0x33, ip[12], ip[13], ip[14], ip[15] }, MAC_LEN);
		return ip[0] == 0xff;
	}
	if (ip[12] >= 224 && ip[12] < 240) {
		memcpy(mac, (const uint8_t[]){ 1, 0, 0x5e, ip[13] & 0x7f, ip[14], ip[15] }, MAC_LEN);
		return true;
	}
	memcpy(mac, everybody, MAC_LEN);
	if (!memcmp(ip + 12, all4, 4))
		return true;
	mutex_lock(&l->o->net->world->mu);
	TAILQ_FOREACH (a, &l->dev->addresses, link)
		broadcast |= a->has_broadcast && !memcmp(a->broadcast, ip + 12, 4);
	mutex_unlock(&l->o->net->world->mu);
	return broadcast;
}

int neighbor_send(struct link *l, const uint8_t ip[16], const struct frame_info *f, const struct iovec *v, unsigned n)
{
	int64_t now = now_monotonic();
	uint8_t mac[MAC_LEN];
	struct neighbor *e;

	if (group_mac(l, ip, mac))
		return link_write(l, f, mac, ether_type(ip), v, n);
	e = find(l, ip);
	if (!e && !(e = add(l, ip)))
		return -ENOBUFS;
	if (e->known && now - e->confirmed > FRESH && e->next <= now) {
		if (e->asked >= ASK_MAX) {
			e->known = false;
			e->asked = 0;
		} else {
			ask(l, e, now);
		}
	}
	if (e->known)
		return link_write(l, f, e->mac, ether_type(ip), v, n);
	if (!e->asked || e->next <= now)
		ask(l, e, now);
	if (enqueue(e, f, v, n))
		return -ENOBUFS;
	engine_due(l->o, e->next);
	return 0;
}

/* It has told its address; add_it: it wants something of us, so that it will be needed. */
static void heard(struct link *l, const uint8_t ip[16], const uint8_t mac[MAC_LEN], bool add_it)
{
	struct neighbor *e = find(l, ip);
	struct waiting_list queue = STAILQ_HEAD_INITIALIZER(queue);
	struct waiting *w;

	if (mac[0] & 1)
		return; /* a group is nobody's address */
	if (!e && (!add_it || !(e = add(l, ip))))
		return;
	memcpy(e->mac, mac, MAC_LEN);
	e->known = true;
	e->asked = 0;
	e->confirmed = now_monotonic();
	STAILQ_CONCAT(&queue, &e->queue);
	e->n_queue = 0;
	while ((w = STAILQ_FIRST(&queue))) {
		const struct iovec v = { w->packet, w->n };

		STAILQ_REMOVE_HEAD(&queue, link);
		link_write(l, &w->info, mac, ether_type(ip), &v, 1);
		free(w);
	}
}

/* --- what comes ---------------------------------------------------------------------------------- */

static bool is_own(struct link *l, const uint8_t ip[16])
{
	bool own;

	mutex_lock(&l->o->net->world->mu);
	own = device_is_up(l->dev) && address_find_locked(l->dev, ip, 0);
	mutex_unlock(&l->o->net->world->mu);
	return own;
}

void arp_input(struct link *l, const uint8_t *p, size_t n)
{
	static const uint8_t head[6] = { 0, 1, 8, 0, MAC_LEN, 4 };
	uint8_t from[16], to[16];
	bool asks;

	if (n < ARP_LEN || memcmp(p, head, sizeof(head)) || (get16(p + 6) != 1 && get16(p + 6) != 2))
		return;
	ip4_put(from, p + 14);
	ip4_put(to, p + 24);
	asks = get16(p + 6) == 1 && is_own(l, to);
	if (memcmp(p + 14, none16, 4) && !is_own(l, from))
		heard(l, from, p + 8, asks);
	if (asks)
		send_arp(l, 2, to + 12, p + 8, p + 14);
}

/* The hardware address in the options from p on. */
static const uint8_t *nd_option(const uint8_t *p, size_t n, uint8_t type)
{
	while (n >= 8 && p[1] && (size_t)p[1] * 8 <= n) {
		if (p[0] == type)
			return p + 2;
		n -= (size_t)p[1] * 8;
		p += (size_t)p[1] * 8;
	}
	return NULL;
}

void neighbor_solicited(struct link *l, const struct arrival *a)
{
	const uint8_t *target = a->p + 8, *mac;
	uint8_t to[16] = { 0xff, 2, [15] = 1 }, all[MAC_LEN] = { 0x33, 0x33, [5] = 1 };
	bool probe = !memcmp(a->from, none16, 16);

	/* 255: nobody has forwarded it */
	if (a->n < ND_LEN || a->ttl != 255 || a->p[1] || target[0] == 0xff)
		return;
	if (a->p[0] == ND_ADVERTISE) {
		mac = nd_option(a->p + ND_LEN, a->n - ND_LEN, ND_TARGET);
		if (mac && !is_own(l, target))
			heard(l, target, mac, false);
		return;
	}
	if (!is_own(l, target))
		return;
	mac = nd_option(a->p + ND_LEN, a->n - ND_LEN, ND_SOURCE);
	if (mac && !probe)
		heard(l, a->from, mac, true);
	if (probe)
		send_nd(l, ND_ADVERTISE, target, to, all, target, 0x20);
	else if (mac)
		send_nd(l, ND_ADVERTISE, target, a->from, mac, target, 0x60);
}
