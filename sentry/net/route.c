/*
 * route.c - decides who reaches whom: the way out of a namespace by its addresses and routes, who answers
 * at the other end of an interface, and onward from there where that namespace forwards.  Any thread.
 *
 * The way is resolved when a connection is made and for each datagram; established connections do not
 * notice that it has changed.
 */
#include "net/device.h"

#include "net/outside.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define HOPS_MAX 16 /* namespaces that forward */

static const uint8_t loopback4[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };

static bool is_loopback(const uint8_t ip[16])
{
	static const uint8_t loop6[16] = { [15] = 1 };

	return ip_is_v4(ip) ? ip[12] == 127 : !memcmp(ip, loop6, 16);
}

bool ip_is_local_locked(struct net_stack *n, const uint8_t ip[16])
{
	struct net_device *d;
	struct net_address *a;

	if (is_loopback(ip))
		return n->lo_up;
	TAILQ_FOREACH (d, &n->devices, link) {
		if (!device_is_up(d))
			continue;
		TAILQ_FOREACH (a, &d->addresses, link)
			if (!memcmp(a->p.ip, ip, 16) || (d->kind == DEVICE_LO && ip_is_v4(ip) && prefix_holds(&a->p, ip)))
				return true; /* all of a loopback's network is the host's own */
	}
	return false;
}

bool net_is_local(struct net_stack *n, const uint8_t ip[16])
{
	bool r;

	mutex_lock(&n->world->mu);
	r = ip_is_local_locked(n, ip);
	mutex_unlock(&n->world->mu);
	return r;
}

int net_index_of(struct net_stack *n, const uint8_t ip[16])
{
	struct net_device *d;
	int index = LO_INDEX;

	mutex_lock(&n->world->mu);
	TAILQ_FOREACH (d, &n->devices, link)
		if (address_find_locked(d, ip, 0))
			index = d->index;
	mutex_unlock(&n->world->mu);
	return index;
}

/* --- the way out ------------------------------------------------------------------------- */

/* The address that what leaves by d for `next` carries: one of that network, else any that others know. */
static bool source_choose(struct net_stack *n, struct net_device *d, const uint8_t next[16], uint8_t out[16])
{
	const struct net_address *a, *best = NULL;
	struct net_device *other;

	TAILQ_FOREACH (a, &d->addresses, link)
		if (ip_is_v4(a->p.ip) == ip_is_v4(next) && (!best || (prefix_holds(&a->p, next) && !prefix_holds(&best->p, next))))
			best = a;
	TAILQ_FOREACH (other, &n->devices, link)
		TAILQ_FOREACH (a, &other->addresses, link)
			if (!best && device_is_up(other) && other->kind != DEVICE_LO && ip_is_v4(a->p.ip) == ip_is_v4(next))
				best = a;
	if (best)
		memcpy(out, best->p.ip, 16);
	return best;
}

/* Of the networks that n's interfaces are in, the narrowest that holds `to`. */
static unsigned find_connected(struct net_stack *n, const uint8_t to[16], struct net_way *way)
{
	const struct net_address *a;
	struct net_device *d;
	unsigned best = 0;

	TAILQ_FOREACH (d, &n->devices, link) {
		if (!device_is_up(d) || d->kind == DEVICE_LO || d->master)
			continue;
		TAILQ_FOREACH (a, &d->addresses, link) {
			struct net_prefix p = a->p;

			if (a->has_peer)
				memcpy(p.ip, a->peer, 16);
			if (p.len < best || ip_is_v4(p.ip) != ip_is_v4(to) || !prefix_holds(&p, to) || (best && p.len == best))
				continue;
			best = p.len;
			way->dev = d;
			memcpy(way->source, a->p.ip, 16);
			way->has_source = true;
		}
	}
	return best;
}

static int refusal(const struct net_route *r)
{
	switch (r->type) {
	case LINUX_RTN_BLACKHOLE: return -EINVAL;
	case LINUX_RTN_PROHIBIT: return -EACCES;
	case LINUX_RTN_UNREACHABLE: return -EHOSTUNREACH;
	default: return 0;
	}
}

static int follow_route(struct net_stack *n, const struct net_route *r, struct net_way *way)
{
	if (refusal(r))
		return refusal(r);
	way->route = r;
	way->dev = r->dev;
	if (r->has_gateway)
		memcpy(way->next, r->gateway, 16);
	way->has_source = r->has_source || source_choose(n, r->dev, way->next, way->source);
	if (r->has_source)
		memcpy(way->source, r->source, 16);
	return 0;
}

int way_find_locked(struct net_stack *n, const uint8_t to[16], struct net_way *way)
{
	const struct net_route *r;
	unsigned connected;

	*way = (struct net_way){ 0 };
	memcpy(way->next, to, 16);
	if (ip_is_local_locked(n, to)) {
		memcpy(way->source, is_loopback(to) && ip_is_v4(to) ? loopback4 : to, 16);
		way->has_source = true;
		return 0;
	}
	connected = find_connected(n, to, way);
	TAILQ_FOREACH (r, &n->routes, link) {
		if (r->table != LINUX_RT_TABLE_MAIN || r->v4 != ip_is_v4(to) || !prefix_holds(&r->to, to))
			continue;
		if (connected >= r->to.len && connected)
			break;
		return follow_route(n, r, way);
	}
	return connected ? 0 : -ENETUNREACH;
}

/* --- the other end --------------------------------------------------------------------------- */

/* Bridges to look at.  Programs may connect them in circles, and many times over: each is looked at once. */
struct search {
	uint64_t number;
	const struct net_device *from; /* the port by which it comes to the first one; NULL: it begins there */
	STAILQ_HEAD(, net_device) todo;
};

static void add_bridge(struct search *s, struct net_device *bridge)
{
	if (bridge->searched == s->number || !device_is_up(bridge))
		return;
	bridge->searched = s->number;
	STAILQ_INSERT_TAIL(&s->todo, bridge, search_link);
}

static struct net_stack *answers(struct net_stack *n, const uint8_t ip[16])
{
	return ip_is_local_locked(n, ip) && !is_loopback(ip) ? n : NULL;
}

/* Who it is at the other end of a veth; NULL: nobody, or a bridge, which is added. */
static struct net_stack *other_end(struct search *s, struct net_device *d, const uint8_t ip[16])
{
	if (d->kind != DEVICE_VETH || !device_has_carrier(d))
		return NULL;
	if (!d->peer->master)
		return answers(d->peer->ns, ip);
	add_bridge(s, d->peer->master);
	return NULL;
}

static struct net_stack *search_ports(struct search *s, struct net_device *bridge, const uint8_t ip[16])
{
	struct net_stack *found = NULL;
	struct net_device *d;

	TAILQ_FOREACH (d, &bridge->ns->devices, link)
		if (!found && d->master == bridge && d != s->from)
			found = other_end(s, d, ip);
	return found;
}

/* Who answers for ip on the wire that begins at d; NULL: nobody. */
static struct net_stack *behind(struct net_device *d, const uint8_t ip[16])
{
	struct search s = { .number = ++d->ns->world->searches, .from = d->peer };
	struct net_stack *found = NULL;
	struct net_device *b;

	STAILQ_INIT(&s.todo);
	if (d->kind != DEVICE_BRIDGE)
		found = other_end(&s, d, ip);
	else if (device_has_carrier(d))
		add_bridge(&s, d);
	while (!found && (b = STAILQ_FIRST(&s.todo))) {
		STAILQ_REMOVE_HEAD(&s.todo, search_link);
		if (b != d)
			found = answers(b->ns, ip);
		if (!found)
			found = search_ports(&s, b, ip);
	}
	return found;
}

/* From n to whose address `to` is, by those that forward. */
static int walk(struct net_stack *n, const uint8_t to[16], struct net_stack **out)
{
	for (int hop = 0; hop < HOPS_MAX; hop++) {
		struct net_way way;
		int r = way_find_locked(n, to, &way);

		if (r)
			return hop ? -ETIMEDOUT : r;
		if (!way.dev) {
			*out = n;
			return 0;
		}
		if (way.dev->kind == DEVICE_WIRE)
			return hop ? -ETIMEDOUT : NET_OUTSIDE; /* what others send is not forwarded there */
		n = behind(way.dev, way.next);
		if (!n)
			return -EHOSTUNREACH;
		if (!ip_is_local_locked(n, to) && !(ip_is_v4(to) ? n->forward4 : n->forward6))
			return -ETIMEDOUT; /* thrown away there */
	}
	return -EHOSTUNREACH;
}

static int reach_locked(struct net_stack *n, const uint8_t to[16], uint8_t source[16], struct net_stack **out)
{
	static const uint8_t none6[16], none4[16] = { [10] = 0xff, [11] = 0xff };
	struct net_way way;
	struct net_stack *home;
	int r = way_find_locked(n, to, &way);

	if (r)
		return r;
	if (!memcmp(source, none6, 16) || !memcmp(source, none4, 16)) {
		if (!way.has_source)
			return -EADDRNOTAVAIL;
		memcpy(source, way.source, 16);
	}
	if (way.dev && is_loopback(source))
		return -EINVAL;
	r = walk(n, to, out);
	if (r || *out == n)
		return r;
	return walk(*out, source, &home) || home != n ? -ETIMEDOUT : 0;
}

int net_reach(struct net_stack *n, const uint8_t to[16], uint8_t source[16], struct net_stack **out)
{
	struct net_stack *found;
	int r;

	mutex_lock(&n->world->mu);
	r = reach_locked(n, to, source, &found);
	if (!r && !ref_get_unless_zero(&found->ref))
		r = -EHOSTUNREACH; /* on its way out */
	mutex_unlock(&n->world->mu);
	if (!r)
		*out = found;
	return r;
}
