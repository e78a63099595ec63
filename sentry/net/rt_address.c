/*
 * rt_address.c - NETLINK_ROUTE: lists, adds and removes addresses.
 */
#include "net/rtnetlink.h"

#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define V4_BITS 96u /* what an IPv4 prefix is longer by in here */

/* An earlier address of the same network makes it one. */
static bool is_secondary(const struct net_device *d, const struct net_address *a)
{
	const struct net_address *o;

	if (!prefix_is_v4(&a->p))
		return false;
	for (o = TAILQ_FIRST(&d->addresses); o && o != a; o = TAILQ_NEXT(o, link))
		if (o->p.len == a->p.len && prefix_holds(&o->p, a->p.ip))
			return true;
	return false;
}

static void tell_address(struct nlbuf *b, uint16_t type, const struct net_device *d, const struct net_address *a)
{
	static const uint32_t forever[4] = { UINT32_MAX, UINT32_MAX, 0, 0 };
	bool v4 = prefix_is_v4(&a->p);
	uint32_t flags = LINUX_IFA_F_PERMANENT | (is_secondary(d, a) ? LINUX_IFA_F_SECONDARY : 0);
	const struct linux_ifaddrmsg m = { .family = v4 ? LINUX_AF_INET : LINUX_AF_INET6, .prefixlen = (uint8_t)(a->p.len - (v4 ? V4_BITS : 0)),
		.flags = (uint8_t)flags, .scope = a->scope, .index = (uint32_t)d->index };

	nl_begin(b, type, &m, sizeof(m));
	rt_put_ip(b, LINUX_IFA_ADDRESS, a->has_peer ? a->peer : a->p.ip);
	if (v4 || a->has_peer)
		rt_put_ip(b, LINUX_IFA_LOCAL, a->p.ip);
	if (a->has_broadcast)
		nl_attr(b, LINUX_IFA_BROADCAST, a->broadcast, 4);
	if (v4)
		nl_text(b, LINUX_IFA_LABEL, *a->label ? a->label : d->name);
	nl_attr32(b, LINUX_IFA_FLAGS, flags);
	nl_attr(b, LINUX_IFA_CACHEINFO, forever, sizeof(forever));
	nl_end(b);
}

static void news_address(struct rt_news *news, uint16_t type, const struct net_device *d, const struct net_address *a)
{
	struct nlbuf *b = news_begin(news, d->ns, prefix_is_v4(&a->p) ? LINUX_RTNLGRP_IPV4_IFADDR : LINUX_RTNLGRP_IPV6_IFADDR);

	if (b)
		tell_address(b, type, d, a);
}

int rt_get_address(struct rt_request *q)
{
	struct linux_ifaddrmsg m = { .family = *(const uint8_t *)(q->h + 1) };
	struct net_address *a;
	struct net_device *d;
	struct nlattrs l;

	if (!q->dump)
		return -EOPNOTSUPP;
	(void)nl_parse_request(q->h, &m, sizeof(m), &l); /* the family alone is enough */
	mutex_lock(&q->net->world->mu);
	TAILQ_FOREACH (d, &q->net->devices, link)
		TAILQ_FOREACH (a, &d->addresses, link)
			if (!m.family || (m.family == LINUX_AF_INET) == prefix_is_v4(&a->p))
				tell_address(q->answer, LINUX_RTM_NEWADDR, d, a);
	mutex_unlock(&q->net->world->mu);
	return 0;
}

/* --- changing ------------------------------------------------------------------------ */

static int parse(struct rt_request *q, struct linux_ifaddrmsg *m, struct net_address *a)
{
	struct nlattrs l;
	int r = nl_parse_request(q->h, m, sizeof(*m), &l);
	bool v4 = m->family == LINUX_AF_INET, local;

	memset(a, 0, sizeof(*a));
	if (r)
		return r;
	if (!v4 && m->family != LINUX_AF_INET6)
		return -EOPNOTSUPP;
	if (m->prefixlen > (v4 ? 32 : 128))
		return -EINVAL;
	a->p.len = (uint8_t)(m->prefixlen + (v4 ? V4_BITS : 0));
	a->scope = v4 ? m->scope : 0;
	local = rt_get_ip(&l, LINUX_IFA_LOCAL, m->family, a->p.ip);
	if (!rt_get_ip(&l, LINUX_IFA_ADDRESS, m->family, local ? a->peer : a->p.ip) && !local)
		return -EINVAL;
	if (v4 && !local)
		return -EINVAL;
	a->has_peer = local && nl_has(&l, LINUX_IFA_ADDRESS) && memcmp(a->peer, a->p.ip, 16);
	if (v4 && l.a[LINUX_IFA_BROADCAST].n == 4) {
		memcpy(a->broadcast, l.a[LINUX_IFA_BROADCAST].v, 4);
		a->has_broadcast = true;
	}
	return nl_get_text(&l, LINUX_IFA_LABEL, a->label, sizeof(a->label));
}

int rt_new_address(struct rt_request *q)
{
	struct linux_ifaddrmsg m;
	struct net_address a;
	struct net_device *d;
	int r = parse(q, &m, &a);

	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	d = device_find_locked(q->net, (int)m.index);
	r = d ? address_add_locked(d, &a) : -ENODEV;
	if (r == -EEXIST && q->h->flags & LINUX_NLM_F_REPLACE && !(q->h->flags & LINUX_NLM_F_EXCL))
		r = 0;
	else if (!r)
		news_address(q->news, LINUX_RTM_NEWADDR, d, address_find_locked(d, a.p.ip, a.p.len));
	mutex_unlock(&q->net->world->mu);
	return r;
}

int rt_delete_address(struct rt_request *q)
{
	struct net_address a, *found;
	struct linux_ifaddrmsg m;
	struct net_device *d;
	int r = parse(q, &m, &a);

	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	d = device_find_locked(q->net, (int)m.index);
	found = d ? address_find_locked(d, a.p.ip, a.p.len) : NULL;
	if (found) {
		news_address(q->news, LINUX_RTM_DELADDR, d, found);
		address_delete_locked(d, found);
	} else {
		r = d ? -EADDRNOTAVAIL : -ENODEV;
	}
	mutex_unlock(&q->net->world->mu);
	return r;
}
