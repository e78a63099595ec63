/*
 * rt_link.c - NETLINK_ROUTE: lists interfaces.
 */
#include "net/rtnetlink.h"

#include "net/outside.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

/* What kind it is, and where its other end is. */
static void put_kind(struct nlbuf *b, const struct net_device *d)
{
	size_t info;

	if (!device_kind_name(d->kind))
		return;
	info = nl_nest(b, LINUX_IFLA_LINKINFO);
	nl_text(b, LINUX_IFLA_INFO_KIND, device_kind_name(d->kind));
	nl_nest_end(b, info);
	if (d->peer)
		nl_attr32(b, LINUX_IFLA_LINK, (uint32_t)d->peer->index);
	if (d->master)
		nl_attr32(b, LINUX_IFLA_MASTER, (uint32_t)d->master->index);
}

static void tell_link(struct nlbuf *b, uint16_t type, const struct net_device *d)
{
	static const uint8_t none[6], all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct outside_counts n = outside_counts(d);
	const uint64_t stats64[24] = { n.rx_packets, n.tx_packets, n.rx_bytes, n.tx_bytes, [6] = n.rx_dropped };
	uint32_t stats[24];
	const struct linux_ifinfomsg i = { .type = d->kind == DEVICE_LO ? LINUX_ARPHRD_LOOPBACK : LINUX_ARPHRD_ETHER, .index = d->index,
		.flags = device_flags(d) };

	for (int k = 0; k < 24; k++)
		stats[k] = (uint32_t)stats64[k];
	nl_begin(b, type, &i, sizeof(i));
	nl_text(b, LINUX_IFLA_IFNAME, d->name);
	nl_attr32(b, LINUX_IFLA_TXQLEN, d->txqlen);
	nl_attr8(b, LINUX_IFLA_OPERSTATE, (uint8_t)device_operstate(d));
	nl_attr8(b, LINUX_IFLA_LINKMODE, 0);
	nl_attr32(b, LINUX_IFLA_MTU, d->mtu);
	nl_attr32(b, LINUX_IFLA_GROUP, 0);
	nl_attr32(b, LINUX_IFLA_PROMISCUITY, 0);
	nl_attr32(b, LINUX_IFLA_NUM_TX_QUEUES, 1);
	nl_attr32(b, LINUX_IFLA_NUM_RX_QUEUES, 1);
	nl_attr8(b, LINUX_IFLA_CARRIER, device_has_carrier(d) || d->kind == DEVICE_LO);
	nl_text(b, LINUX_IFLA_QDISC, device_is_up(d) ? "noqueue" : "noop");
	nl_attr(b, LINUX_IFLA_ADDRESS, d->mac, sizeof(d->mac));
	nl_attr(b, LINUX_IFLA_BROADCAST, d->kind == DEVICE_LO ? none : all, sizeof(all));
	nl_attr(b, LINUX_IFLA_STATS64, stats64, sizeof(stats64));
	nl_attr(b, LINUX_IFLA_STATS, stats, sizeof(stats));
	put_kind(b, d);
	nl_end(b);
}

void news_link(struct rt_news *news, uint16_t type, const struct net_device *d)
{
	struct nlbuf *b = news_begin(news, d->ns, LINUX_RTNLGRP_LINK);

	if (b)
		tell_link(b, type, d);
}

/* A dump may ask for one kind, or for the ports of one bridge. */
static bool is_wanted(const struct net_device *d, const struct nlattrs *l)
{
	struct nlattrs info;
	enum device_kind kind;

	if (nl_has(l, LINUX_IFLA_MASTER) && (!d->master || d->master->index != (int)nl_get32(l, LINUX_IFLA_MASTER)))
		return false;
	if (!nl_has(l, LINUX_IFLA_LINKINFO) || nl_parse(l->a[LINUX_IFLA_LINKINFO].v, l->a[LINUX_IFLA_LINKINFO].n, &info) ||
		!nl_has(&info, LINUX_IFLA_INFO_KIND))
		return true;
	return device_kind_of((const char *)info.a[LINUX_IFLA_INFO_KIND].v, info.a[LINUX_IFLA_INFO_KIND].n, &kind) && kind == d->kind;
}

int rt_get_link(struct rt_request *q)
{
	struct linux_ifinfomsg i = { 0 };
	struct net_device *d;
	struct nlattrs l;
	int r = nl_parse_request(q->h, &i, sizeof(i), &l);

	if (r && !q->dump)
		return r;
	if (r) /* the family alone is enough */
		memset(&l, 0, sizeof(l));
	r = 0;
	mutex_lock(&q->net->world->mu);
	if (q->dump) {
		TAILQ_FOREACH (d, &q->net->devices, link)
			if (is_wanted(d, &l))
				tell_link(q->answer, LINUX_RTM_NEWLINK, d);
	} else if ((d = rt_device_locked(q->net, i.index, &l, &r))) {
		tell_link(q->answer, LINUX_RTM_NEWLINK, d);
	}
	mutex_unlock(&q->net->world->mu);
	return r;
}
