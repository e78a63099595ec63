/*
 * net.c - /proc/net: the loopback interface, empty tables of what is not there, and
 * the sockets (net_sockets.c).
 */
#include "fs/proc/internal.h"

static SHOW(show_dev)
{
	pprintf(b, "Inter-|   Receive                                                |  Transmit\n"
		   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
		   "    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n");
	return 0;
}

static SHOW(show_route)
{
	pprintf(b, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
	return 0;
}

static SHOW(show_if_inet6)
{
	pprintf(b, "00000000000000000000000000000001 01 80 10 80       lo\n");
	return 0;
}

static SHOW(show_none)
{
	pappend(b, "", 0);
	return 0;
}

#define RO(n, f) { .name = n, .kind = P_FILE, .mode = 0444, .show = f }
const struct pentry proc_net_table[] = {
	RO("arp", show_none), RO("dev", show_dev), RO("if_inet6", show_if_inet6), RO("ipv6_route", show_none), RO("netlink", show_none),
	RO("packet", show_none), RO("protocols", show_none), RO("route", show_route), RO("snmp", show_none), RO("tcp", show_tcp), RO("tcp6", show_tcp6),
	RO("udp", show_udp), RO("udp6", show_udp6), RO("unix", show_unix), { .name = NULL },
};
