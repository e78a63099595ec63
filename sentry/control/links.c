/*
 * links.c - control.links: a container's network interfaces, their addresses and the routes, in the form
 * in which programs read them over netlink.  Event thread.
 */
#include "control/looking.h"

#include "abi/socket.h"
#include "control/container.h"
#include "control/network.h"
#include "libipc/protocols.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX 64
#define ADDRESSES_MAX 16
#define ROUTES_MAX 64

struct text {
	struct control_link rows[LINKS_MAX];
	char names[LINKS_MAX][LINUX_IFNAMSIZ], addresses[LINKS_MAX][ADDRESSES_MAX][64], routes[ROUTES_MAX][128];
	struct msg_str address_rows[LINKS_MAX][ADDRESSES_MAX], route_rows[ROUTES_MAX];
	uint32_t n_links, n_routes;
};

typedef void take_fn(struct text *x, const struct linux_nlmsghdr *h);

/* Everything of a kind, message by message. */
static int dump(const struct container *c, uint16_t type, take_fn *take, struct text *x)
{
	struct {
		struct linux_nlmsghdr h;
		uint8_t any[32];
	} q = { .h = { .len = sizeof(q), .type = type, .flags = LINUX_NLM_F_REQUEST | LINUX_NLM_F_DUMP } };
	struct nlbuf b = { 0 };
	int r = network_ask(c, &q.h, &b);

	for (size_t at = 0; !r && at + sizeof(struct linux_nlmsghdr) <= b.len;) {
		const struct linux_nlmsghdr *h = (const void *)(b.p + at);

		if (h->type >= LINUX_NLMSG_MIN_TYPE)
			take(x, h);
		at += (h->len + 3u) & ~3u;
	}
	free(b.p);
	return r;
}

static struct control_link *find(struct text *x, uint32_t index)
{
	for (uint32_t i = 0; i < x->n_links; i++) {
		if (x->rows[i].index == index)
			return &x->rows[i];
	}
	return NULL;
}

static void take_link(struct text *x, const struct linux_nlmsghdr *h)
{
	struct linux_ifinfomsg m;
	struct nlattrs l;
	uint32_t i = x->n_links;

	if (i == LINKS_MAX || nl_parse_request(h, &m, sizeof(m), &l) || nl_get_text(&l, LINUX_IFLA_IFNAME, x->names[i], sizeof(x->names[i])))
		return;
	x->rows[i] = (struct control_link){
		.index = (uint64_t)m.index, .name = msg_str(x->names[i]), .flags = m.flags, .mtu = nl_get32(&l, LINUX_IFLA_MTU), .addresses = x->address_rows[i],
	};
	x->n_links++;
}

/* "ADDRESS", or "" where there is none. */
static void show_ip(const struct nlattrs *l, unsigned type, char out[INET6_ADDRSTRLEN])
{
	size_t n = l->a[type].n;

	if ((n != 4 && n != 16) || !inet_ntop(n == 4 ? AF_INET : AF_INET6, l->a[type].v, out, INET6_ADDRSTRLEN))
		*out = 0;
}

static void take_address(struct text *x, const struct linux_nlmsghdr *h)
{
	struct linux_ifaddrmsg m;
	struct control_link *row;
	struct nlattrs l;
	char ip[INET6_ADDRSTRLEN], *out;

	if (nl_parse_request(h, &m, sizeof(m), &l) || !(row = find(x, m.index)) || row->n_addresses == ADDRESSES_MAX)
		return;
	show_ip(&l, nl_has(&l, LINUX_IFA_LOCAL) ? LINUX_IFA_LOCAL : LINUX_IFA_ADDRESS, ip);
	out = x->addresses[row - x->rows][row->n_addresses];
	snprintf(out, 64, "%s/%u", ip, m.prefixlen);
	row->addresses[row->n_addresses++] = msg_str(out);
}

static const char *route_type(unsigned type)
{
	switch (type) {
	case LINUX_RTN_LOCAL: return "local ";
	case LINUX_RTN_BLACKHOLE: return "blackhole ";
	case LINUX_RTN_PROHIBIT: return "prohibit ";
	case LINUX_RTN_UNREACHABLE: return "unreachable ";
	default: return "";
	}
}

static void take_route(struct text *x, const struct linux_nlmsghdr *h)
{
	char to[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], len[8] = "", *out;
	const struct control_link *dev;
	struct linux_rtmsg m;
	struct nlattrs l;

	if (x->n_routes == ROUTES_MAX || nl_parse_request(h, &m, sizeof(m), &l))
		return;
	show_ip(&l, LINUX_RTA_DST, to);
	show_ip(&l, LINUX_RTA_GATEWAY, via);
	if (m.dst_len != (m.family == LINUX_AF_INET ? 32 : 128) && *to)
		snprintf(len, sizeof(len), "/%u", m.dst_len);
	dev = nl_has(&l, LINUX_RTA_OIF) ? find(x, nl_get32(&l, LINUX_RTA_OIF)) : NULL;
	out = x->routes[x->n_routes];
	snprintf(out, 128, "%s%s%s%s%s%s%s", route_type(m.type), *to ? to : "default", len, *via ? " via " : "", via, dev ? " dev " : "", dev ? dev->name.p : "");
	x->route_rows[x->n_routes++] = msg_str(out);
}

void links_answer(const struct container *c, struct rpc_call *call)
{
	struct text *x = calloc(1, sizeof(*x));
	int r = x ? dump(c, LINUX_RTM_GETLINK, take_link, x) : -ENOMEM;

	r = r ? r : dump(c, LINUX_RTM_GETADDR, take_address, x);
	r = r ? r : dump(c, LINUX_RTM_GETROUTE, take_route, x);
	if (r)
		rpc_fail(call, err_new(-r, "network of container %s", c->id));
	else
		rpc_reply(call, &(struct control_links_reply){ .links = x->rows, .n_links = x->n_links, .routes = x->route_rows, .n_routes = x->n_routes });
	free(x);
}
