/*
 * net_sockets.c - /proc/net/{tcp,tcp6,udp,udp6,raw,raw6,icmp,icmp6,unix,netlink}: the sockets of the sandbox, for
 * ss(8), netstat(8), lsof(8).
 */
#include "fs/proc/internal.h"

#include "abi/netlink.h"
#include "net/info.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct listing {
	struct pbuf *b;
	int family, type, n;
	bool echo; /* of ICMP (ping), which are datagrams too */
};

/* Of the process's network namespace. */
int proc_each_socket(struct pctx *c, int (*fn)(const struct socket_info *i, void *arg), void *arg)
{
	struct net_stack *n = proc_net(c);
	int r = n ? net_each_socket(n, fn, arg) : -EINVAL;

	net_stack_put(n);
	return r;
}

static void put_address(struct pbuf *b, int family, const struct sockaddr_buf *a)
{
	uint32_t w[4] = { 0 };
	uint16_t port = 0;

	if (a->len && family == LINUX_AF_INET) {
		w[0] = a->in.addr;
		port = a->in.port;
	} else if (a->len) {
		memcpy(w, a->in6.addr, sizeof(w));
		port = a->in6.port;
	}
	for (int i = 0; i < (family == LINUX_AF_INET ? 1 : 4); i++)
		pprintf(b, "%08X", w[i]);
	pprintf(b, ":%04X ", ntohs(port));
}

static int put_inet(const struct socket_info *i, void *arg)
{
	struct listing *l = arg;

	bool echo = i->protocol == LINUX_IPPROTO_ICMP || i->protocol == LINUX_IPPROTO_ICMPV6;

	if (i->family != l->family || i->type != l->type || echo != l->echo || !i->name.len)
		return 0;
	if (i->type == LINUX_SOCK_STREAM && i->state == SOCK_UNCONNECTED)
		return 0; /* bound only: no packet finds it */
	pprintf(l->b, "%4d: ", l->n++);
	put_address(l->b, i->family, &i->name);
	put_address(l->b, i->family, &i->peer);
	pprintf(l->b, "%02X %08X:%08X 00:00000000 00000000 %5u        0 %" PRIu64 " %u %016" PRIxPTR "%s\n", socket_info_state(i), i->unread,
		i->state == SOCK_LISTENING ? i->waiting : i->queued, i->uid, i->ino, i->refs, (uintptr_t)l->n,
		i->type == LINUX_SOCK_STREAM ? " 100 0 0 10 0" : " 0");
	return 0;
}

static int show_inet(struct pctx *c, struct pbuf *b, int family, int type, bool echo)
{
	struct listing l = { .b = b, .family = family, .type = type, .echo = echo };

	pprintf(b, "  sl  %-*s %-*s st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode%s\n", family == LINUX_AF_INET ? 13 : 37, "local_address",
		family == LINUX_AF_INET ? 13 : 37, family == LINUX_AF_INET ? "rem_address" : "remote_address",
		type != LINUX_SOCK_STREAM ? " ref pointer drops" : "");
	return proc_each_socket(c, put_inet, &l);
}

SHOW(show_tcp) { return show_inet(c, b, LINUX_AF_INET, LINUX_SOCK_STREAM, false); }
SHOW(show_tcp6) { return show_inet(c, b, LINUX_AF_INET6, LINUX_SOCK_STREAM, false); }
SHOW(show_udp) { return show_inet(c, b, LINUX_AF_INET, LINUX_SOCK_DGRAM, false); }
SHOW(show_udp6) { return show_inet(c, b, LINUX_AF_INET6, LINUX_SOCK_DGRAM, false); }
SHOW(show_raw) { return show_inet(c, b, LINUX_AF_INET, LINUX_SOCK_RAW, true); }
SHOW(show_raw6) { return show_inet(c, b, LINUX_AF_INET6, LINUX_SOCK_RAW, true); }
SHOW(show_icmp) { return show_inet(c, b, LINUX_AF_INET, LINUX_SOCK_DGRAM, true); }
SHOW(show_icmp6) { return show_inet(c, b, LINUX_AF_INET6, LINUX_SOCK_DGRAM, true); }

static void put_unix_name(struct pbuf *b, const struct sockaddr_buf *a)
{
	size_t n = a->len > 2 ? a->len - 2 : 0;

	if (!n)
		return;
	pprintf(b, " ");
	for (size_t i = 0; i < n; i++) {
		char ch = a->un.path[i];

		if (!ch && i && a->un.path[0]) /* a path ends there; abstract names go on */
			break;
		pprintf(b, "%c", ch ? ch : '@');
	}
}

static int put_unix(const struct socket_info *i, void *arg)
{
	struct listing *l = arg;

	if (i->family != LINUX_AF_UNIX)
		return 0;
	pprintf(l->b, "%016" PRIxPTR ": %08X 00000000 %08X %04X %02X %5" PRIu64, (uintptr_t)++l->n, i->refs + 1, i->state == SOCK_LISTENING ? 0x10000 : 0,
		(unsigned)i->type, i->state == SOCK_CONNECTED ? 3 : 1, i->ino);
	put_unix_name(l->b, &i->name);
	pprintf(l->b, "\n");
	return 0;
}

SHOW(show_unix)
{
	struct listing l = { .b = b };

	pprintf(b, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	return proc_each_socket(c, put_unix, &l);
}

static int put_netlink(const struct socket_info *i, void *arg)
{
	struct listing *l = arg;
	struct linux_sockaddr_nl nl = { 0 };

	if (i->family != LINUX_AF_NETLINK)
		return 0;
	if (i->name.len)
		memcpy(&nl, i->name.bytes, sizeof(nl));
	pprintf(l->b, "%016" PRIxPTR " %-3d %-10u %08x %-8u %-8u %-5d %-8u %-8u %-8" PRIu64 "\n", (uintptr_t)++l->n, i->protocol, nl.pid, nl.groups, i->queued, 0, 0,
		i->refs + 1, 0, i->ino);
	return 0;
}

SHOW(show_netlink)
{
	struct listing l = { .b = b };

	pprintf(b, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
	return proc_each_socket(c, put_netlink, &l);
}
