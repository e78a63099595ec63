/*
 * address.c - the addresses of interfaces and the routes that programs give (see
 * device.h).  Any thread, under the world's mutex.
 */
#include "net/device.h"

#include "net/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool ip_is_v4(const uint8_t ip[16])
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(ip, v4, sizeof(v4));
}

bool prefix_holds(const struct net_prefix *p, const uint8_t ip[16])
{
	unsigned bytes = p->len / 8, bits = p->len % 8;

	if (memcmp(p->ip, ip, bytes))
		return false;
	return !bits || !((p->ip[bytes] ^ ip[bytes]) >> (8 - bits));
}

/* --- addresses ------------------------------------------------------------------------ */

struct net_address *address_find_locked(struct net_device *d, const uint8_t ip[16], unsigned len)
{
	struct net_address *a;

	TAILQ_FOREACH (a, &d->addresses, link)
		if (!memcmp(a->p.ip, ip, 16) && (!len || a->p.len == len))
			return a;
	return NULL;
}

int address_add_locked(struct net_device *d, const struct net_address *a)
{
	struct net_address *copy;

	if (address_find_locked(d, a->p.ip, ip_is_v4(a->p.ip) ? a->p.len : 0))
		return -EEXIST;
	if (d->n_addresses >= DEVICE_ADDRESSES_MAX)
		return -ENOSPC;
	if (!(copy = malloc(sizeof(*copy))))
		return -ENOMEM;
	*copy = *a;
	TAILQ_INSERT_TAIL(&d->addresses, copy, link);
	d->n_addresses++;
	return 0;
}

void address_delete_locked(struct net_device *d, struct net_address *a)
{
	TAILQ_REMOVE(&d->addresses, a, link);
	d->n_addresses--;
	free(a);
}

/* Prefix and metric say what a route is. */
static bool same_place(const struct net_route *a, const struct net_route *b)
{
	return a->v4 == b->v4 && a->to.len == b->to.len && prefix_holds(&a->to, b->to.ip) && a->metric == b->metric && a->table == b->table;
}

/* --- routes ----------------------------------------------------------------------------- */

static int count_routes(const struct net_stack *n)
{
	const struct net_route *r;
	int count = 0;

	TAILQ_FOREACH (r, &n->routes, link)
		count++;
	return count;
}

int route_add_locked(struct net_stack *n, const struct net_route *new, bool replace, bool exclusive)
{
	struct net_route *r, *copy, *before = NULL;

	TAILQ_FOREACH (r, &n->routes, link) {
		if (same_place(r, new) && replace) {
			struct net_route *next = TAILQ_NEXT(r, link);

			TAILQ_REMOVE(&n->routes, r, link);
			free(r);
			before = next;
			break;
		}
		if (same_place(r, new) && (exclusive || (r->dev == new->dev && r->type == new->type && !memcmp(r->gateway, new->gateway, 16))))
			return -EEXIST;
		/* the longest prefix first, then the smallest metric */
		if (!before && (r->to.len < new->to.len || (r->to.len == new->to.len && r->metric > new->metric)))
			before = r;
	}
	if (count_routes(n) >= ROUTES_MAX)
		return -ENOSPC;
	if (!(copy = malloc(sizeof(*copy))))
		return -ENOMEM;
	*copy = *new;
	if (before)
		TAILQ_INSERT_BEFORE(before, copy, link);
	else
		TAILQ_INSERT_TAIL(&n->routes, copy, link);
	return 0;
}

static bool route_fits(const struct net_route *r, const struct net_route *want)
{
	if (r->v4 != want->v4 || r->to.len != want->to.len || !prefix_holds(&r->to, want->to.ip) || r->table != want->table)
		return false;
	if ((want->dev && r->dev != want->dev) || (want->metric && r->metric != want->metric))
		return false;
	return !want->has_gateway || (r->has_gateway && !memcmp(r->gateway, want->gateway, 16));
}

int route_delete_locked(struct net_stack *n, const struct net_route *want)
{
	struct net_route *r;

	TAILQ_FOREACH (r, &n->routes, link) {
		if (!route_fits(r, want))
			continue;
		TAILQ_REMOVE(&n->routes, r, link);
		free(r);
		return 0;
	}
	return -ESRCH;
}

void routes_drop_locked(struct net_stack *n, const struct net_device *d)
{
	struct net_route *r, *next;

	for (r = TAILQ_FIRST(&n->routes); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (d && r->dev != d)
			continue;
		TAILQ_REMOVE(&n->routes, r, link);
		free(r);
	}
}
