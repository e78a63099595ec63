/*
 * rt_route.c - NETLINK_ROUTE: lists routes (those that follow from addresses and those that were added),
 * adds and removes the latter, and answers which route is used for an address.
 */
#include "net/rtnetlink.h"

#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define V4_BITS 96u /* what an IPv4 prefix is longer by in here */
#define V6_METRIC 1024u /* of routes that are given without one */
#define V6_METRIC_OWN 256u /* of networks that an address is in */

/* What it leads through, in the order in which Linux tells it of a route, */
static void tell_hop(struct nlbuf *b, const struct net_route *r)
{
	if (r->has_gateway)
		rt_put_ip(b, LINUX_RTA_GATEWAY, r->gateway);
	if (r->metric)
		nl_attr32(b, LINUX_RTA_PRIORITY, r->metric);
	if (r->has_source)
		rt_put_ip(b, LINUX_RTA_PREFSRC, r->source);
	if (r->dev)
		nl_attr32(b, LINUX_RTA_OIF, (uint32_t)r->dev->index);
}

/* and of the way to an address; nmap leaves the last attributes unread. */
static void tell_way(struct nlbuf *b, const struct net_route *r)
{
	const uint32_t cache[8] = { 1 };

	if (r->dev)
		nl_attr32(b, LINUX_RTA_OIF, (uint32_t)r->dev->index);
	if (r->has_source)
		rt_put_ip(b, LINUX_RTA_PREFSRC, r->source);
	if (r->has_gateway)
		rt_put_ip(b, LINUX_RTA_GATEWAY, r->gateway);
	nl_attr32(b, LINUX_RTA_UID, 0);
	nl_attr(b, LINUX_RTA_CACHEINFO, cache, sizeof(cache));
}

static void tell_route(struct nlbuf *b, uint16_t type, const struct net_route *r, uint32_t flags)
{
	const struct linux_rtmsg m = { .family = r->v4 ? LINUX_AF_INET : LINUX_AF_INET6, .dst_len = (uint8_t)(r->to.len - (r->v4 ? V4_BITS : 0)),
		.table = r->table < 256 ? (uint8_t)r->table : 0, .protocol = r->protocol, .scope = r->scope, .type = r->type, .flags = flags };

	nl_begin(b, type, &m, sizeof(m));
	nl_attr32(b, LINUX_RTA_TABLE, r->table);
	if (m.dst_len)
		rt_put_ip(b, LINUX_RTA_DST, r->to.ip);
	if (flags & LINUX_RTM_F_CLONED)
		tell_way(b, r);
	else
		tell_hop(b, r);
	nl_end(b);
}

/* --- those that come of an address ----------------------------------------------------------- */

static void clear_host_bits(struct net_prefix *p)
{
	for (unsigned bit = p->len; bit < 128; bit++)
		p->ip[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
}

/* The address itself. */
static struct net_route own_route(struct net_device *d, const struct net_address *a)
{
	struct net_route r = { .to = a->p, .v4 = prefix_is_v4(&a->p), .dev = d, .table = LINUX_RT_TABLE_LOCAL, .type = LINUX_RTN_LOCAL,
		.protocol = LINUX_RTPROT_KERNEL };

	r.to.len = 128;
	r.scope = r.v4 ? LINUX_RT_SCOPE_HOST : 0;
	r.has_source = r.v4;
	memcpy(r.source, a->p.ip, 16);
	return r;
}

/* Its network: reached by the interface; a loopback's is the host's own. */
static struct net_route network_route(struct net_device *d, const struct net_address *a)
{
	struct net_route r = own_route(d, a);

	if (a->has_peer)
		memcpy(r.to.ip, a->peer, 16);
	r.to.len = a->p.len;
	clear_host_bits(&r.to);
	if (d->kind == DEVICE_LO)
		return r;
	r.type = LINUX_RTN_UNICAST;
	r.table = LINUX_RT_TABLE_MAIN;
	r.scope = r.v4 ? LINUX_RT_SCOPE_LINK : 0;
	r.metric = r.v4 ? 0 : V6_METRIC_OWN;
	return r;
}

static void tell_address_routes(struct nlbuf *b, struct net_device *d, const struct net_address *a)
{
	struct net_route own = own_route(d, a), network = network_route(d, a);

	if (a->p.len < 128 && !d->master)
		tell_route(b, LINUX_RTM_NEWROUTE, &network, device_has_carrier(d) ? 0 : LINUX_RTNH_F_LINKDOWN);
	tell_route(b, LINUX_RTM_NEWROUTE, &own, 0);
}

/* --- asking ------------------------------------------------------------------------------------ */

static int dump(struct rt_request *q, int family)
{
	struct net_address *a;
	struct net_device *d;
	struct net_route *r;

	TAILQ_FOREACH (r, &q->net->routes, link)
		if (!family || (family == LINUX_AF_INET) == r->v4)
			tell_route(q->answer, LINUX_RTM_NEWROUTE, r, r->dev && !device_has_carrier(r->dev) ? LINUX_RTNH_F_LINKDOWN : 0);
	TAILQ_FOREACH (d, &q->net->devices, link)
		TAILQ_FOREACH (a, &d->addresses, link)
			if (device_is_up(d) && (!family || (family == LINUX_AF_INET) == prefix_is_v4(&a->p)))
				tell_address_routes(q->answer, d, a);
	return 0;
}

/* Which way what is for `to` goes. */
static int answer_way(struct rt_request *q, int family, const uint8_t to[16])
{
	struct net_route told = { .v4 = family == LINUX_AF_INET, .table = LINUX_RT_TABLE_MAIN, .type = LINUX_RTN_UNICAST };
	struct net_way way;
	int r = way_find_locked(q->net, to, &way);

	if (r)
		return r;
	memcpy(told.to.ip, to, 16);
	told.to.len = 128;
	told.dev = way.dev ? way.dev : device_find_locked(q->net, LO_INDEX);
	if (!way.dev)
		told.type = LINUX_RTN_LOCAL;
	told.has_gateway = way.route && way.route->has_gateway;
	memcpy(told.gateway, way.next, 16);
	told.has_source = way.has_source;
	memcpy(told.source, way.source, 16);
	tell_route(q->answer, LINUX_RTM_NEWROUTE, &told, LINUX_RTM_F_CLONED | (way.dev ? 0 : LINUX_RTCF_LOCAL));
	return 0;
}

int rt_get_route(struct rt_request *q)
{
	struct linux_rtmsg m = { .family = *(const uint8_t *)(q->h + 1) };
	struct nlattrs l;
	uint8_t to[16];
	int r = nl_parse_request(q->h, &m, sizeof(m), &l);

	if (!q->dump) {
		if (r)
			return r;
		if (m.family != LINUX_AF_INET && m.family != LINUX_AF_INET6)
			return -EOPNOTSUPP;
		if (!rt_get_ip(&l, LINUX_RTA_DST, m.family, to))
			return -EINVAL;
	}
	mutex_lock(&q->net->world->mu);
	r = q->dump ? dump(q, m.family) : answer_way(q, m.family, to);
	mutex_unlock(&q->net->world->mu);
	return r;
}

/* --- changing -------------------------------------------------------------------------------- */

static int parse(struct rt_request *q, struct linux_rtmsg *m, struct nlattrs *l, struct net_route *out)
{
	int r = nl_parse_request(q->h, m, sizeof(*m), l);

	*out = (struct net_route){ .v4 = m->family == LINUX_AF_INET, .type = m->type, .scope = m->scope, .protocol = m->protocol };
	if (r)
		return r;
	if (!out->v4 && m->family != LINUX_AF_INET6)
		return -EOPNOTSUPP;
	if (m->dst_len > (out->v4 ? 32 : 128))
		return -EINVAL;
	if (out->v4)
		out->to.ip[10] = out->to.ip[11] = 0xff;
	out->to.len = (uint8_t)(m->dst_len + (out->v4 ? V4_BITS : 0));
	if (nl_has(l, LINUX_RTA_DST) && !rt_get_ip(l, LINUX_RTA_DST, m->family, out->to.ip))
		return -EINVAL;
	clear_host_bits(&out->to);
	out->table = nl_has(l, LINUX_RTA_TABLE) ? nl_get32(l, LINUX_RTA_TABLE) : m->table;
	if (!out->table)
		out->table = LINUX_RT_TABLE_MAIN;
	out->metric = nl_get32(l, LINUX_RTA_PRIORITY);
	out->has_gateway = rt_get_ip(l, LINUX_RTA_GATEWAY, m->family, out->gateway);
	out->has_source = rt_get_ip(l, LINUX_RTA_PREFSRC, m->family, out->source);
	return nl_has(l, LINUX_RTA_MULTIPATH) ? -EOPNOTSUPP : 0;
}

/* The interface of a new route: the one that is named, or the one that the gateway is behind. */
static int find_device_locked(struct net_stack *n, const struct nlattrs *l, struct net_route *r)
{
	struct net_way way;

	if (r->type != LINUX_RTN_UNICAST)
		return r->type >= LINUX_RTN_BLACKHOLE && r->type <= LINUX_RTN_PROHIBIT ? 0 : -EOPNOTSUPP;
	if (nl_has(l, LINUX_RTA_OIF) && !(r->dev = device_find_locked(n, (int)nl_get32(l, LINUX_RTA_OIF))))
		return -ENODEV;
	if (r->dev && !device_is_up(r->dev))
		return -ENETDOWN;
	if (r->has_source && !ip_is_local_locked(n, r->source))
		return -EINVAL;
	if (!r->has_gateway)
		return r->dev ? 0 : -ENODEV;
	if (way_find_locked(n, r->gateway, &way) || !way.dev || way.route || (r->dev && way.dev != r->dev))
		return r->v4 ? -ENETUNREACH : -EHOSTUNREACH;
	r->dev = way.dev;
	return 0;
}

static void news_route(struct rt_request *q, uint16_t type, const struct net_route *r)
{
	struct nlbuf *b = news_begin(q->news, q->net, r->v4 ? LINUX_RTNLGRP_IPV4_ROUTE : LINUX_RTNLGRP_IPV6_ROUTE);

	if (b)
		tell_route(b, type, r, 0);
}

int rt_new_route(struct rt_request *q)
{
	struct linux_rtmsg m;
	struct net_route route;
	struct nlattrs l;
	int r = parse(q, &m, &l, &route);

	if (r)
		return r;
	if (!route.v4 && !route.metric)
		route.metric = V6_METRIC;
	mutex_lock(&q->net->world->mu);
	r = find_device_locked(q->net, &l, &route);
	if (!r)
		r = route_add_locked(q->net, &route, q->h->flags & LINUX_NLM_F_REPLACE, q->h->flags & LINUX_NLM_F_EXCL);
	if (!r)
		news_route(q, LINUX_RTM_NEWROUTE, &route);
	mutex_unlock(&q->net->world->mu);
	return r;
}

int rt_delete_route(struct rt_request *q)
{
	struct linux_rtmsg m;
	struct net_route route;
	struct nlattrs l;
	int r = parse(q, &m, &l, &route);

	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	if (nl_has(&l, LINUX_RTA_OIF) && !(route.dev = device_find_locked(q->net, (int)nl_get32(&l, LINUX_RTA_OIF))))
		r = -ENODEV;
	if (!r)
		r = route_delete_locked(q->net, &route);
	if (!r)
		news_route(q, LINUX_RTM_DELROUTE, &route);
	mutex_unlock(&q->net->world->mu);
	return r;
}
