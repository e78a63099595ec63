/*
 * udp_io.c - UDP with the outside.  See engine.h; sockets and ports are those of udp.c.
 */
#include "net/outside/engine.h"

#include "mm/usercopy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- receiving ------------------------------------------------------------------------- */

void udp_give(struct socket *s, const struct packet_info *info, const struct endpoint *from, const struct endpoint *to, const uint8_t *p, size_t n)
{
	struct seg *g = seg_new((uint32_t)n);
	struct sockaddr_buf name;

	if (!g)
		return; /* lost, as datagrams may be */
	endpoint_addr(from, s->family, &name);
	g->from = sock_name_new(&name);
	memcpy(g->data, p, n);
	g->len = (uint32_t)n;
	g->cred = (struct sock_id){ 0 };
	g->info = *info;
	memcpy(g->info.to, to->ip, 16);
	dgram_give(s, g);
}

void udp_input(struct outside *o, struct arrival *a)
{
	struct endpoint from = { .port = get16(a->p) }, to = { .port = get16(a->p + 2) };
	size_t n = get16(a->p + 4), each;
	struct packet_info info;
	struct socket *s;

	/* of several with one header, and with the checksum of the first, the length is that of all */
	if (n < UDP_HEAD || n > a->n) {
		a->link->rx_dropped++;
		return;
	}
	memcpy(from.ip, a->from, 16);
	memcpy(to.ip, a->to, 16);
	s = port_find(o->net, LINUX_SOCK_DGRAM, &to, &from);
	if (!s) {
		icmp_complain(o, a, 3);
		return;
	}
	n -= UDP_HEAD;
	info = (struct packet_info){ .port = to.port, .ttl = a->ttl, .tos = a->tos, .ifindex = a->link->index };
	each = a->gso_size ? a->gso_size : n;
	for (size_t at = 0; at < n || !at; at += each) {
		udp_give(s, &info, &from, &to, a->p + UDP_HEAD + at, n - at < each ? n - at : each);
		if (!each)
			break;
	}
	socket_put(s);
}

void udp_failed(struct outside *o, const struct endpoint *here, const struct endpoint *there, int error)
{
	struct socket *s = port_find(o->net, LINUX_SOCK_DGRAM, here, there);
	struct endpoint own;

	if (!s)
		return;
	/* only who has chosen a peer, or asked to be told, hears of it */
	if (s->inet_flags & INET_CONNECTED && !port_local(s, &own) && own.port == here->port) {
		s->err = error;
		waitq_wake(&s->wq, EVENT_ALL);
	}
	socket_put(s);
}

/* --- sending ------------------------------------------------------------------------------ */

static bool is_broadcast(struct net_stack *n, const uint8_t ip[16])
{
	static const uint8_t all4[4] = { 255, 255, 255, 255 };
	const struct net_device *d;
	const struct net_address *a;
	bool found = ip_is_v4(ip) && !memcmp(ip + 12, all4, 4);

	if (!ip_is_v4(ip))
		return false;
	mutex_lock(&n->world->mu);
	TAILQ_FOREACH (d, &n->devices, link)
		TAILQ_FOREACH (a, &d->addresses, link)
			found |= a->has_broadcast && !memcmp(a->broadcast, ip + 12, 4);
	mutex_unlock(&n->world->mu);
	return found;
}

ssize_t outside_udp_send(struct socket *s, struct socket_msg *m, const struct endpoint *from, const struct endpoint *to)
{
	struct outside *o = s->net->world->outside;
	size_t n = m->uio->resid, total = UDP_HEAD + n;
	uint8_t *p = malloc(total);
	const struct iovec v = { p, total };
	struct departure d = { .proto = LINUX_IPPROTO_UDP, .ttl = m->info.ttl, .tos = m->info.tos, .v = &v, .n_v = 1, .n = total, .head = UDP_HEAD, .sum_at = 6 };
	uint16_t sum;
	ssize_t r = 0;

	if (!p)
		return -ENOBUFS;
	if (is_broadcast(s->net, to->ip) && !sock_flag(s, LINUX_SO_BROADCAST))
		r = -EACCES;
	else if (n && uio_copy_in(m->uio, p + UDP_HEAD, n) != (ssize_t)n)
		r = -EFAULT;
	if (!r) {
		put16(p, from->port);
		put16(p + 2, to->port);
		put16(p + 4, (uint32_t)total);
		sum = sum_fold(sum_pseudo(from->ip, to->ip, d.proto, total));
		memcpy(p + 6, &sum, 2);
		memcpy(d.from, from->ip, 16);
		memcpy(d.to, to->ip, 16);
		mutex_lock(&o->mu);
		r = ip_send(o, &d);
		mutex_unlock(&o->mu);
	}
	free(p);
	/* a full queue on the way loses datagrams, silently */
	return r && r != -EAGAIN && r != -ENOBUFS ? r : (ssize_t)n;
}
