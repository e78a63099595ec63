/*
 * net.c - /proc/PID/net: the interfaces, addresses and routes of the process's network
 * namespace, empty tables of what is not there, and the sockets (net_sockets.c).
 */
#include "fs/proc/tables.h"

#include "kernel/ns.h"
#include "net/outside.h"
#include "net/stack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct net_stack *proc_net(struct pctx *c)
{
	struct nsproxy *ns = c->t ? task_get_ns(c->t) : NULL;
	struct net_stack *net = ns ? ns->net : NULL;

	if (net)
		net_stack_get(net);
	nsproxy_put(ns);
	return net;
}

/* Shows something of each interface. */
static int each_device(struct pctx *c, struct pbuf *b, void (*fn)(struct pbuf *b, struct net_device *d))
{
	struct net_stack *n = proc_net(c);
	struct net_device *d;

	if (!n)
		return -EINVAL; /* as of a zombie */
	mutex_lock(&n->world->mu);
	TAILQ_FOREACH (d, &n->devices, link)
		fn(b, d);
	mutex_unlock(&n->world->mu);
	net_stack_put(n);
	return 0;
}

static void put_dev(struct pbuf *b, struct net_device *d)
{
	const struct outside_counts n = outside_counts(d);

	pprintf(b, "%6s: %7" PRIu64 " %7" PRIu64 "    0 %4" PRIu64 "    0     0          0         0 %8" PRIu64 " %7" PRIu64 "    0    0    0     0       0          0\n", d->name,
		n.rx_bytes, n.rx_packets, n.rx_dropped, n.tx_bytes, n.tx_packets);
}

static SHOW(show_dev)
{
	pprintf(b, "Inter-|   Receive                                                |  Transmit\n"
		   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n");
	return each_device(c, b, put_dev);
}

static uint32_t word(const uint8_t ip[16])
{
	uint32_t v;

	memcpy(&v, ip + 12, sizeof(v));
	return v;
}

#define ROUTE_LINE 127 /* as Linux's: filled up with spaces */

static void put_route(struct pbuf *b, const struct net_device *d, const struct net_prefix *to, const uint8_t *gateway, uint32_t metric)
{
	unsigned bits = to->len - 96u;
	uint32_t mask = bits ? __builtin_bswap32(UINT32_MAX << (32 - bits)) : 0;
	char line[ROUTE_LINE + 1];

	snprintf(line, sizeof(line), "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0", d->name, word(to->ip) & mask, gateway ? word(gateway) : 0,
		1u | (gateway ? 2u : 0) | (bits == 32 ? 4u : 0), metric, mask);
	pprintf(b, "%-*s\n", ROUTE_LINE, line);
}

/* Those that were given, by their interface, and the networks it is in. */
static void put_routes(struct pbuf *b, struct net_device *d)
{
	const struct net_address *a;
	const struct net_route *r;

	TAILQ_FOREACH (r, &d->ns->routes, link)
		if (r->dev == d && r->v4 && r->table == LINUX_RT_TABLE_MAIN)
			put_route(b, d, &r->to, r->has_gateway ? r->gateway : NULL, r->metric);
	TAILQ_FOREACH (a, &d->addresses, link)
		if (device_is_up(d) && d->kind != DEVICE_LO && prefix_is_v4(&a->p) && a->p.len < 128)
			put_route(b, d, &a->p, NULL, 0);
}

static SHOW(show_route)
{
	pprintf(b, "%-*s\n", ROUTE_LINE, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	return each_device(c, b, put_routes);
}

static void put_inet6(struct pbuf *b, struct net_device *d)
{
	const struct net_address *a;

	TAILQ_FOREACH (a, &d->addresses, link) {
		if (prefix_is_v4(&a->p))
			continue;
		for (int i = 0; i < 16; i++)
			pprintf(b, "%02x", a->p.ip[i]);
		pprintf(b, " %02x %02x %02x 80 %8s\n", (unsigned)d->index, a->p.len, d->kind == DEVICE_LO ? 0x10 : 0, d->name);
	}
}

static SHOW(show_if_inet6)
{
	return each_device(c, b, put_inet6);
}

static SHOW(show_none)
{
	pappend(b, "", 0);
	return 0;
}

const struct pentry proc_net_table[] = {
	RO("arp", show_none), RO("dev", show_dev), RO("icmp", show_icmp), RO("icmp6", show_icmp6), RO("if_inet6", show_if_inet6),
	RO("ipv6_route", show_none), RO("netlink", show_netlink), RO("netstat", show_netstat), RO("packet", show_none), RO("protocols", show_none),
	RO("raw", show_raw), RO("raw6", show_raw6), RO("route", show_route), RO("snmp", show_snmp), RO("sockstat", show_sockstat),
	RO("sockstat6", show_sockstat6), RO("softnet_stat", show_softnet), RO("tcp", show_tcp), RO("tcp6", show_tcp6),
	RO("udp", show_udp), RO("udp6", show_udp6), RO("unix", show_unix), END_,
};
