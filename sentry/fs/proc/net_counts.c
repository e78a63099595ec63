/*
 * net_counts.c - /proc/net/{sockstat,sockstat6,snmp,netstat,softnet_stat}: how many sockets there
 * are, and the counters of protocols.  There are no packets in the sandbox (device.h): what
 * counts them is zero.
 */
#include "fs/proc/internal.h"

#include "abi/sock_diag.h"
#include "net/info.h"
#include "net/outside.h"
#include "net/stack.h"

struct counts {
	unsigned all;
	unsigned tcp[2], udp[2], raw[2]; /* of IPv4, of IPv6; with a name */
	unsigned alloc, established; /* of TCP, both families */
};

static int count(const struct socket_info *i, void *arg)
{
	struct counts *n = arg;
	bool v6 = i->family == LINUX_AF_INET6, named = i->name.len;
	int state = socket_info_state(i);

	n->all++;
	if (i->family != LINUX_AF_INET && !v6)
		return 0;
	if (i->type == LINUX_SOCK_RAW)
		n->raw[v6] += named;
	else if (i->type == LINUX_SOCK_DGRAM)
		n->udp[v6] += named && i->protocol == LINUX_IPPROTO_UDP;
	if (i->type != LINUX_SOCK_STREAM)
		return 0;
	n->alloc++;
	n->tcp[v6] += state != LINUX_TCP_CLOSE;
	n->established += state == LINUX_TCP_ESTABLISHED || state == LINUX_TCP_CLOSE_WAIT;
	return 0;
}

SHOW(show_sockstat)
{
	struct net_stack *net = proc_net(c);
	unsigned ended = net ? outside_time_waits(net) : 0;
	struct counts n = { 0 };
	int r = proc_each_socket(c, count, &n);

	net_stack_put(net);
	pprintf(b, "sockets: used %u\nTCP: inuse %u orphan 0 tw %u alloc %u mem 0\nUDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n", n.all,
		n.tcp[0], ended, n.alloc, n.udp[0], n.raw[0]);
	return r;
}

SHOW(show_sockstat6)
{
	struct counts n = { 0 };
	int r = proc_each_socket(c, count, &n);

	pprintf(b, "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse %u\nFRAG6: inuse 0 memory 0\n", n.tcp[1], n.udp[1], n.raw[1]);
	return r;
}

static void put_zeros(struct pbuf *b, unsigned n)
{
	while (n--)
		pprintf(b, " 0");
	pprintf(b, "\n");
}

SHOW(show_snmp)
{
	struct net_stack *net = proc_net(c);
	struct counts n = { 0 };
	int r = proc_each_socket(c, count, &n);

	pprintf(b, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests "
		   "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits\nIp: %d 64",
		net && net->forward4 ? 1 : 2);
	put_zeros(b, 18);
	pprintf(b, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps "
		   "InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs "
		   "OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps\nIcmp:");
	put_zeros(b, 29);
	pprintf(b, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs "
		   "OutRsts InCsumErrors\nTcp: 1 200 120000 -1 0 0 0 0 %u",
		n.established);
	put_zeros(b, 6);
	for (int lite = 0; lite < 2; lite++) {
		pprintf(b, "%s: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors\n%s:",
			lite ? "UdpLite" : "Udp", lite ? "UdpLite" : "Udp");
		put_zeros(b, 9);
	}
	net_stack_put(net);
	return r;
}

SHOW(show_netstat)
{
	pprintf(b, "TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned TW DelayedACKs ListenOverflows "
		   "ListenDrops TCPTimeouts\nTcpExt:");
	put_zeros(b, 12);
	pprintf(b, "IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets\nIpExt:");
	put_zeros(b, 8);
	return 0;
}

SHOW(show_softnet)
{
	for (unsigned i = 0; i < c->k->cpus; i++) {
		for (int k = 0; k < 12; k++)
			pprintf(b, "00000000 ");
		pprintf(b, "%08x 00000000 00000000\n", i);
	}
	return 0;
}
