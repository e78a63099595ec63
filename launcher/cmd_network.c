/*
 * cmd_network.c - network: a container's interfaces, addresses and routes are changed
 * while it runs, in the words of ip(8).  Each change is one request of route netlink(7).
 */
#include "client.h"
#include "sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 1024 /* a few attributes, each of a few bytes */

struct request {
	union {
		struct nlmsghdr h;
		uint8_t bytes[REQUEST_MAX];
	};
};

/* --- making a request ------------------------------------------------------------------ */

static void begin(struct request *q, unsigned short type, unsigned short flags, const void *fixed, size_t n)
{
	memset(q, 0, sizeof(*q));
	q->h = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(n), .nlmsg_type = type, .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags) };
	memcpy(NLMSG_DATA(&q->h), fixed, n);
}

/* Its length is known to be small. */
static void add(struct request *q, unsigned short type, const void *v, size_t n)
{
	uint32_t at = NLMSG_ALIGN(q->h.nlmsg_len);
	const struct rtattr a = { .rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = type };

	memcpy(q->bytes + at, &a, sizeof(a));
	if (n)
		memcpy(q->bytes + at + RTA_LENGTH(0), v, n);
	q->h.nlmsg_len = at + RTA_ALIGN(a.rta_len);
}

static struct err *send_request(struct rpc_client *rpc, const char *id, const struct request *q, struct control_netlink_reply *out, struct msg_arena *a)
{
	const struct control_netlink request = { .id = msg_str(id), .request = { q->bytes, q->h.nlmsg_len } };

	return RPC_CALL(rpc, control, netlink, &request, out, a, CLIENT_QUICK_MS);
}

/* --- words --------------------------------------------------------------------------------- */

struct words {
	char **v;
	int n; /* that are left */
	struct rpc_client *rpc;
	const char *id;
	struct request q;
};

static const char *next(struct words *w)
{
	return w->n ? w->n--, *w->v++ : "";
}

/* What stands behind a word, if that is the next; NULL: it is not. */
static const char *option(struct words *w, const char *word)
{
	if (w->n < 2 || strcmp(*w->v, word))
		return NULL;
	next(w);
	return next(w);
}

struct prefix {
	int family;
	unsigned char ip[16], len;
	size_t n; /* bytes of ip */
};

/* ADDRESS[/LENGTH] */
static struct err *read_prefix(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	char ip[INET6_ADDRSTRLEN + 1] = "", *end = NULL;
	unsigned long len;

	if ((slash ? (size_t)(slash - text) : strlen(text)) < sizeof(ip))
		memcpy(ip, text, slash ? (size_t)(slash - text) : strlen(text));
	out->family = inet_pton(AF_INET, ip, out->ip) == 1 ? AF_INET : inet_pton(AF_INET6, ip, out->ip) == 1 ? AF_INET6 : AF_UNSPEC;
	out->n = out->family == AF_INET ? 4 : 16;
	len = slash ? strtoul(slash + 1, &end, 10) : out->n * 8;
	if (out->family == AF_UNSPEC || len > out->n * 8 || (slash && (end == slash + 1 || *end)))
		return err_new(0, "'%.64s' is not ADDRESS/LENGTH", text);
	out->len = (unsigned char)len;
	return NULL;
}

static struct err *find_link(struct words *w, const char *name, int *index)
{
	const struct ifinfomsg any = { 0 };
	struct control_netlink_reply reply;
	struct msg_arena a = { 0 };
	struct request q;
	struct err *e;

	if (!*name || strlen(name) >= IF_NAMESIZE)
		return err_new(0, "'%.64s' is not an interface's name", name);
	begin(&q, RTM_GETLINK, 0, &any, sizeof(any));
	add(&q, IFLA_IFNAME, name, strlen(name) + 1);
	if ((e = send_request(w->rpc, w->id, &q, &reply, &a)))
		return err_wrap(e, "%s", name);
	if (reply.answers.len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		e = err_new(EPROTO, "%s: the sandbox's answer is too short", name);
	else
		memcpy(index, reply.answers.p + NLMSG_LENGTH(offsetof(struct ifinfomsg, ifi_index)), sizeof(*index));
	msg_free(&control_netlink_reply_desc, &reply, &a);
	return e;
}

static struct err *nothing_left(const struct words *w)
{
	return w->n ? err_new(0, "'%.64s': too many words", *w->v) : NULL;
}

/* --- link NAME up|down|mtu N; link add NAME type dummy|bridge; link del NAME ------------------- */

static struct err *add_link(struct words *w)
{
	const struct ifinfomsg any = { 0 };
	const char *name = next(w), *type = option(w, "type");
	struct rtattr *info;

	if (!*name || strlen(name) >= IF_NAMESIZE || !type || (strcmp(type, "dummy") && strcmp(type, "bridge")))
		return err_new(0, "link add: NAME type dummy or bridge");
	begin(&w->q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &any, sizeof(any));
	add(&w->q, IFLA_IFNAME, name, strlen(name) + 1);
	info = (struct rtattr *)(void *)(w->q.bytes + NLMSG_ALIGN(w->q.h.nlmsg_len));
	add(&w->q, IFLA_LINKINFO, NULL, 0);
	add(&w->q, IFLA_INFO_KIND, type, strlen(type));
	info->rta_len = (unsigned short)(w->q.bytes + w->q.h.nlmsg_len - (uint8_t *)info);
	return NULL;
}

static struct err *change_link(struct words *w, const char *name)
{
	struct ifinfomsg m = { .ifi_change = IFF_UP };
	const char *mtu = option(w, "mtu"), *what = mtu ? "" : next(w);
	struct err *e = find_link(w, name, &m.ifi_index);
	unsigned long n;
	char *end;

	if (e)
		return e;
	if (!mtu && strcmp(what, "up") && strcmp(what, "down"))
		return err_new(0, "link %s: up, down or mtu N", name);
	m.ifi_flags = strcmp(what, "up") ? 0 : IFF_UP;
	m.ifi_change = mtu ? 0 : IFF_UP;
	begin(&w->q, RTM_NEWLINK, 0, &m, sizeof(m));
	if (!mtu)
		return NULL;
	n = strtoul(mtu, &end, 10);
	if (end == mtu || *end || n > INT32_MAX)
		return err_new(0, "mtu: '%.64s' is not a number", mtu);
	add(&w->q, IFLA_MTU, &(uint32_t){ (uint32_t)n }, sizeof(uint32_t));
	return NULL;
}

static struct err *link_request(struct words *w)
{
	struct ifinfomsg m = { 0 };
	const char *name = next(w);
	struct err *e;

	if (!strcmp(name, "add"))
		return add_link(w);
	if (strcmp(name, "del"))
		return change_link(w, name);
	if (!(e = find_link(w, next(w), &m.ifi_index)))
		begin(&w->q, RTM_DELLINK, 0, &m, sizeof(m));
	return e;
}

/* --- address add|del ADDRESS/LENGTH dev NAME ------------------------------------------------------ */

static struct err *address_request(struct words *w)
{
	const char *verb = next(w), *address = next(w), *dev = option(w, "dev");
	bool adds = !strcmp(verb, "add");
	struct ifaddrmsg m = { 0 };
	struct prefix p;
	struct err *e;
	int index;

	if ((!adds && strcmp(verb, "del")) || !dev)
		return err_new(0, "address: add or del ADDRESS/LENGTH dev NAME");
	if ((e = read_prefix(address, &p)) || (e = find_link(w, dev, &index)))
		return e;
	m = (struct ifaddrmsg){ .ifa_family = (unsigned char)p.family, .ifa_prefixlen = p.len, .ifa_index = (uint32_t)index };
	begin(&w->q, adds ? RTM_NEWADDR : RTM_DELADDR, adds ? NLM_F_CREATE | NLM_F_EXCL : 0, &m, sizeof(m));
	add(&w->q, IFA_LOCAL, p.ip, p.n);
	add(&w->q, IFA_ADDRESS, p.ip, p.n);
	return NULL;
}

/* --- route add|del default|ADDRESS/LENGTH [via ADDRESS] [dev NAME] ---------------------------------- */

static struct err *route_request(struct words *w)
{
	const char *verb = next(w), *to = next(w), *via = option(w, "via"), *dev = option(w, "dev");
	bool adds = !strcmp(verb, "add"), everywhere = !strcmp(to, "default");
	struct prefix p = { .family = AF_INET }, gateway = { .family = AF_INET };
	struct rtmsg m;
	struct err *e;
	int index = 0;

	if ((!adds && strcmp(verb, "del")) || (!via && !dev))
		return err_new(0, "route: add or del default or ADDRESS/LENGTH, via ADDRESS, dev NAME");
	if ((via && (e = read_prefix(via, &gateway))) || (!everywhere && (e = read_prefix(to, &p))) || (dev && (e = find_link(w, dev, &index))))
		return e;
	if (everywhere)
		p.family = gateway.family;
	if (via && gateway.family != p.family)
		return err_new(0, "route: '%.64s' and '%.64s' are not of one family", to, via);
	m = (struct rtmsg){
		.rtm_family = (unsigned char)p.family, .rtm_dst_len = p.len, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
		.rtm_scope = via || p.family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK, .rtm_type = RTN_UNICAST,
	};
	begin(&w->q, adds ? RTM_NEWROUTE : RTM_DELROUTE, adds ? NLM_F_CREATE | NLM_F_EXCL : 0, &m, sizeof(m));
	if (!everywhere)
		add(&w->q, RTA_DST, p.ip, p.n);
	if (via)
		add(&w->q, RTA_GATEWAY, gateway.ip, gateway.n);
	if (dev)
		add(&w->q, RTA_OIF, &index, sizeof(index));
	return NULL;
}

/* ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	struct err *(*make)(struct words *w);
} objects[] = { { "link", link_request }, { "address", address_request }, { "route", route_request } };

static struct err *make(struct words *w)
{
	const char *object = next(w);
	struct err *e;

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		if (!strcmp(objects[i].name, object))
			return (e = objects[i].make(w)) ? e : nothing_left(w);
	}
	return err_new(0, "'%.64s' is not link, address or route", object);
}

static struct err *run(struct context *c, int *status)
{
	struct words w = { .v = c->argv + 1, .n = c->argc - 1, .id = c->argv[0] };
	struct control_netlink_reply reply;
	struct sandbox s = SANDBOX_NONE;
	struct msg_arena a = { 0 };
	struct err *e = sandbox_open(c, w.id, &s);

	if (e)
		return e;
	if (!(e = client_connect(&s.dir, &w.rpc))) {
		if (!(e = make(&w)) && !(e = send_request(w.rpc, w.id, &w.q, &reply, &a)))
			msg_free(&control_netlink_reply_desc, &reply, &a);
		rpc_client_free(w.rpc);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_network = {
	.name = "network",
	.arguments = "ID link|address|route WORDS...",
	.summary = "change a container's interfaces, addresses and routes, with ip(8)'s syntax",
	.min_args = 4,
	.max_args = -1,
	.run = run,
};
