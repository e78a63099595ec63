/*
 * icmp.c - ICMP and ICMPv6 sockets, for ping: SOCK_DGRAM, which sends echo requests only (icmp(7): the
 * caller's group is in ping_group_range; the kernel owns the identifier and the checksum), and
 * SOCK_RAW, with CAP_NET_RAW.
 *
 * A message goes to the raw sockets of the namespace that has the address; an
 * echo request is answered at once, by the sender's own thread, to the sockets of
 * its namespace.  The identifier of a SOCK_DGRAM socket is the port of its name;
 * that of a SOCK_RAW one is its protocol, as on Linux.  Names: [net->mu].
 */
#include "abi/capability.h"
#include "mm/usercopy.h"
#include "net/info.h"
#include "net/outside.h"
#include "net/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 65507u
#define SOL_RAW 255
#define ICMP_FILTER 1 /* of SOL_RAW; and of ICMPv6's level */
#define IPV6_CHECKSUM 7 /* of SOL_RAW: where in the message it is */

/* One of either family. */
struct header {
	uint8_t type, code;
	uint16_t checksum, id, seq; /* network order */
};

struct message {
	struct header *h; /* and its data */
	size_t n;
	bool v4;
	struct endpoint from, to; /* ports are of no matter */
	struct packet_info info;
};

static uint8_t echo_request(bool v4) { return v4 ? 8 : 128; }
static uint8_t echo_reply(bool v4) { return v4 ? 0 : 129; }

int icmp_may(struct net_stack *n, int type, const struct cred *c)
{
	uint64_t groups = atomic_load(&n->ping_groups);
	uint32_t first = (uint32_t)groups, last = (uint32_t)(groups >> 32);

	if (type == LINUX_SOCK_RAW)
		return cred_capable_in(c, n->owner, LINUX_CAP_NET_RAW) ? 0 : -EPERM;
	if (c->egid >= first && c->egid <= last)
		return 0;
	for (uint32_t i = 0; i < c->n_groups; i++)
		if (c->groups[i] >= first && c->groups[i] <= last)
			return 0;
	return -EACCES;
}

/* --- names ---------------------------------------------------------------------------- */

static bool is_ping(const struct socket *s)
{
	return s->type == LINUX_SOCK_DGRAM;
}

/* net->mu held */
static bool taken(const struct socket *s, uint16_t id)
{
	struct socket *o;
	struct endpoint e;

	LIST_FOREACH(o, &s->net->all, all_link)
		if (o != s && o->ops == &icmp_ops && is_ping(o) && o->name && !endpoint_of(o, &o->name->addr, &e) && e.port == id)
			return true;
	return false;
}

/* With the identifier 0 one that is free; one that is given may be shared, as on Linux. net->mu held. */
static int choose_id(struct socket *s, struct endpoint *e)
{
	if (!is_ping(s))
		e->port = (uint16_t)s->protocol;
	for (unsigned i = 0; !e->port; i++) {
		uint16_t id = (uint16_t)s->net->next_port++;

		if (i > UINT16_MAX)
			return -EADDRINUSE;
		e->port = taken(s, id) ? 0 : id;
	}
	return 0;
}

static int bind_to(struct socket *s, struct endpoint e)
{
	struct sock_name *n, *old = NULL;
	struct sockaddr_buf a = { 0 };
	int r;

	if (!endpoint_is_any(&e) && !net_is_local(s->net, e.ip))
		return -EADDRNOTAVAIL;
	n = sock_name_new(&a);
	if (!n)
		return -ENOMEM;
	mutex_lock(&s->mu);
	mutex_lock(&s->net->mu);
	r = is_ping(s) && s->name ? -EINVAL : choose_id(s, &e);
	if (!r) {
		endpoint_addr(&e, s->family, &n->addr);
		old = s->name;
		s->name = n;
	}
	mutex_unlock(&s->net->mu);
	mutex_unlock(&s->mu);
	sock_name_put(r ? n : old);
	return r;
}

static int icmp_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a)
{
	struct endpoint e;
	int r = endpoint_of(s, a, &e);

	return r ? r : bind_to(s, e);
}

static int autobind(struct socket *s)
{
	struct endpoint any = { 0 };
	int r;

	if (s->name)
		return 0;
	if (s->family == LINUX_AF_INET)
		any.ip[10] = any.ip[11] = 0xff;
	r = bind_to(s, any);
	return r == -EINVAL ? 0 : r;
}

static int icmp_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock)
{
	int r = autobind(s);

	return r ? r : inet_dgram_connect(s, c, a, nonblock);
}

/* --- checksums -------------------------------------------------------------------------- */

static uint32_t add_up(uint32_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* IPv6's is over the addresses too. */
static uint16_t checksum_of(const struct message *m)
{
	uint32_t sum = 0;

	if (!m->v4) {
		sum = add_up(add_up(LINUX_IPPROTO_ICMPV6, m->from.ip, 16), m->to.ip, 16);
		sum += (uint32_t)(m->n >> 16) + (uint32_t)(m->n & 0xffff);
	}
	return htons((uint16_t)~add_up(sum, m->h, m->n));
}

static void seal(struct message *m)
{
	m->h->checksum = 0;
	m->h->checksum = checksum_of(m);
}

/* --- to those who wait for it ------------------------------------------------------------------ */

/* What raw sockets of IPv4 see before the message. */
static void ip_header(const struct message *m, uint8_t out[20])
{
	uint16_t total = htons((uint16_t)(20 + m->n)), sum;

	memset(out, 0, 20);
	out[0] = 0x45;
	out[1] = m->info.tos;
	memcpy(out + 2, &total, 2);
	out[8] = m->info.ttl;
	out[9] = LINUX_IPPROTO_ICMP;
	memcpy(out + 12, m->from.ip + 12, 4);
	memcpy(out + 16, m->to.ip + 12, 4);
	sum = htons((uint16_t)~add_up(0, out, 20));
	memcpy(out + 10, &sum, 2);
}

static bool wants(struct socket *s, const struct message *m)
{
	struct endpoint own, peer;
	bool fits;

	if (s->ops != &icmp_ops || (s->family == LINUX_AF_INET) != m->v4)
		return false;
	if (is_ping(s) && m->h->type != echo_reply(m->v4))
		return false;
	mutex_lock(&s->mu);
	fits = is_ping(s) || !(s->icmp_filter[m->h->type / 32] >> (m->h->type % 32) & 1);
	if (is_ping(s) || s->name) {
		fits = fits && s->name && !endpoint_of(s, &s->name->addr, &own) && (endpoint_is_any(&own) || !memcmp(own.ip, m->to.ip, 16));
		fits = fits && (!is_ping(s) || own.port == ntohs(m->h->id));
	}
	if (s->peer_name)
		fits = fits && !endpoint_of(s, &s->peer_name->addr, &peer) && !memcmp(peer.ip, m->from.ip, 16);
	mutex_unlock(&s->mu);
	return fits;
}

static void give(struct socket *s, const struct message *m)
{
	size_t head = m->v4 && !is_ping(s) ? 20 : 0;
	struct seg *g = seg_new((uint32_t)(head + m->n));
	struct endpoint from = { .port = 0 };
	struct sockaddr_buf a;

	if (!g)
		return; /* lost, as packets may be */
	memcpy(from.ip, m->from.ip, 16);
	endpoint_addr(&from, s->family, &a);
	if (head)
		ip_header(m, g->data);
	memcpy(g->data + head, m->h, m->n);
	g->len = (uint32_t)(head + m->n);
	g->info = m->info;
	g->from = sock_name_new(&a);
	dgram_give(s, g);
}

static void deliver(struct net_stack *n, const struct message *m)
{
	struct socket **all;
	size_t count;
	bool answered = false; /* one of those that share an identifier has it, the newest */

	if (net_sockets(n, &all, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (wants(all[i], m) && !(is_ping(all[i]) && answered)) {
			answered |= is_ping(all[i]);
			give(all[i], m);
		}
		socket_put(all[i]);
	}
	free(all);
}

/* The other side's answer to an echo request; turns m into it. */
static void answer(struct net_stack *back, struct message *m)
{
	struct endpoint to = m->from;

	if (m->h->type != echo_request(m->v4) || m->h->code || (m->v4 && checksum_of(m)))
		return;
	m->from = m->to;
	m->to = to;
	memcpy(m->info.to, to.ip, 16);
	m->info.ifindex = LO_INDEX;
	m->info.ttl = 64;
	m->h->type = echo_reply(m->v4);
	seal(m);
	deliver(back, m);
}

void icmp_arrived(struct net_stack *n, const uint8_t from[16], const uint8_t to[16], uint8_t ttl, uint8_t tos, int ifindex, uint8_t *p, size_t n_p)
{
	struct message m = { .h = (struct header *)(void *)p, .n = n_p, .v4 = ip_is_v4(to), .info = { .ttl = ttl, .tos = tos, .ifindex = ifindex } };

	memcpy(m.from.ip, from, 16);
	memcpy(m.to.ip, to, 16);
	memcpy(m.info.to, to, 16);
	deliver(n, &m);
}

/* --- sending ------------------------------------------------------------------------------------ */

/* What the program may not choose. 0 or -EINVAL. */
static int complete(struct socket *s, struct message *m)
{
	struct endpoint own;
	int r;

	if (is_ping(s)) {
		if (m->h->type != echo_request(m->v4) || m->h->code)
			return -EINVAL;
		r = port_local(s, &own);
		if (r)
			return r;
		m->h->id = htons(own.port);
	}
	if (is_ping(s) || !m->v4)
		seal(m);
	return 0;
}

static int send_message(struct socket *s, struct socket_msg *m, struct message *e)
{
	struct net_stack *there = NULL;
	bool outside;
	int r = autobind(s);

	if (!r)
		r = inet_way(s, &e->to, &e->from, &there);
	outside = r == NET_OUTSIDE;
	if (!r || outside)
		r = inet_describe(s, m, &e->to, &e->from, outside ? s->net : there);
	e->info = m->info;
	if (!r)
		r = complete(s, e);
	if (!r && outside)
		return outside_icmp_send(s->net, &e->from, &e->to, &e->info, e->h, e->n);
	if (!r) {
		deliver(there, e);
		answer(s->net, e);
	}
	net_stack_put(there);
	return r == -ETIMEDOUT ? 0 : r; /* nobody says anything */
}

static ssize_t icmp_send(struct socket *s, struct socket_msg *m)
{
	struct message e = { .v4 = s->family == LINUX_AF_INET, .n = m->uio->resid };
	ssize_t r;

	scm_received(s->net, &m->scm);
	scm_drop(&m->scm);
	r = socket_take_error(s);
	if (!r)
		r = m->flags & LINUX_MSG_OOB ? -EOPNOTSUPP : e.n > MESSAGE_MAX ? -EMSGSIZE : e.n < sizeof(*e.h) ? -EINVAL : 0;
	if (!r)
		r = inet_destination(s, m, &e.to);
	if (!r && s->shut & SHUT_SEND)
		r = -EPIPE;
	if (r)
		return r;
	e.h = malloc(e.n);
	if (!e.h)
		return -ENOMEM;
	r = uio_copy_in(m->uio, e.h, e.n);
	r = r != (ssize_t)e.n ? -EFAULT : send_message(s, m, &e);
	free(e.h);
	return r ? r : (ssize_t)e.n;
}

/* --- options -------------------------------------------------------------------------------------- */

static bool is_filter(const struct socket *s, int level, int opt)
{
	return !is_ping(s) && opt == ICMP_FILTER && level == (s->family == LINUX_AF_INET ? SOL_RAW : LINUX_IPPROTO_ICMPV6);
}

static unsigned filter_size(const struct socket *s)
{
	return s->family == LINUX_AF_INET ? sizeof(uint32_t) : sizeof(s->icmp_filter);
}

static int icmp_setopt(struct socket *s, int level, int opt, const void *v, unsigned len)
{
	if (is_filter(s, level, opt)) {
		mutex_lock(&s->mu);
		memcpy(s->icmp_filter, v, len < filter_size(s) ? len : filter_size(s));
		mutex_unlock(&s->mu);
		return 0;
	}
	if (!is_ping(s) && s->family == LINUX_AF_INET6 && level == SOL_RAW && opt == IPV6_CHECKSUM)
		return 0; /* it is where ICMPv6's is */
	return level == LINUX_IPPROTO_IP || level == LINUX_IPPROTO_IPV6 ? ip_setopt(s, level, opt, v, len) : -ENOPROTOOPT;
}

static int icmp_getopt(struct socket *s, int level, int opt, void *v, unsigned *len)
{
	if (!is_filter(s, level, opt))
		return level == LINUX_IPPROTO_IP || level == LINUX_IPPROTO_IPV6 ? ip_getopt(s, level, opt, v, len) : -ENOPROTOOPT;
	if (*len > filter_size(s))
		*len = filter_size(s);
	mutex_lock(&s->mu);
	memcpy(v, s->icmp_filter, *len);
	mutex_unlock(&s->mu);
	return 0;
}

const struct socket_ops icmp_ops = {
	.bind = icmp_bind,
	.connect = icmp_connect,
	.send = icmp_send,
	.recv = dgram_recv,
	.poll = dgram_poll_bits,
	.shutdown = inet_dgram_shutdown,
	.name = inet_name,
	.setopt = icmp_setopt,
	.getopt = icmp_getopt,
	.close = inet_dgram_close,
};
