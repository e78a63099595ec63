/*
 * rtnetlink.c - NETLINK_ROUTE: tells links, addresses and routes of the loopback
 * interface; nothing can be changed.  Works on private copies, takes no locks.
 */
#include "net/lo.h"

#include "abi/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- making messages ------------------------------------------------------------------ */

static void put(struct nlbuf *b, const void *v, size_t n)
{
	size_t room = LINUX_NLMSG_ALIGN(n);

	if (b->failed)
		return;
	if (b->len + room > b->cap) {
		size_t cap = (b->len + room) * 2;
		uint8_t *p = realloc(b->p, cap);

		if (!p) {
			b->failed = true;
			return;
		}
		b->p = p;
		b->cap = cap;
	}
	memcpy(b->p + b->len, v, n);
	memset(b->p + b->len + n, 0, room - n);
	b->len += room;
}

void nl_begin(struct nlbuf *b, uint16_t type, const void *fixed, size_t n)
{
	const struct linux_nlmsghdr h = { .type = type, .flags = b->flags, .seq = b->seq, .pid = b->pid };

	b->start = b->len;
	put(b, &h, sizeof(h));
	put(b, fixed, n);
}

static void nl_attr(struct nlbuf *b, uint16_t type, const void *v, size_t n)
{
	const struct linux_rtattr a = { .len = (uint16_t)(sizeof(a) + n), .type = type };

	put(b, &a, sizeof(a));
	put(b, v, n);
}

void nl_end(struct nlbuf *b)
{
	uint32_t len = (uint32_t)(b->len - b->start);

	if (!b->failed)
		memcpy(b->p + b->start, &len, sizeof(len));
}

static void attr32(struct nlbuf *b, uint16_t type, uint32_t v)
{
	nl_attr(b, type, &v, sizeof(v));
}

static void attr8(struct nlbuf *b, uint16_t type, uint8_t v)
{
	nl_attr(b, type, &v, sizeof(v));
}

/* --- reading requests ------------------------------------------------------------------ */

/* The attribute of a type behind a fixed part of `fixed` bytes: its value and length, or NULL. */
static const void *find_attr(const struct linux_nlmsghdr *h, size_t fixed, uint16_t type, size_t *len)
{
	const uint8_t *p = (const uint8_t *)h;
	size_t at = sizeof(*h) + LINUX_NLMSG_ALIGN(fixed);
	struct linux_rtattr a;

	while (at + sizeof(a) <= h->len) {
		memcpy(&a, p + at, sizeof(a));
		if (a.len < sizeof(a) || a.len > h->len - at)
			return NULL;
		if ((a.type & 0x3fff) == type) {
			*len = a.len - sizeof(a);
			return p + at + sizeof(a);
		}
		at += LINUX_NLMSG_ALIGN(a.len);
	}
	return NULL;
}

/* The fixed part, as far as it was sent; the family alone is enough for a dump. */
static void read_fixed(const struct linux_nlmsghdr *h, void *out, size_t n)
{
	size_t have = h->len - sizeof(*h);

	memset(out, 0, n);
	memcpy(out, h + 1, have < n ? have : n);
}

/* --- links -------------------------------------------------------------------------------- */

static void tell_link(struct nlbuf *b)
{
	static const uint8_t mac[6];
	static const uint64_t stats64[24];
	static const uint32_t stats[24];
	const struct linux_ifinfomsg i = { .type = LINUX_ARPHRD_LOOPBACK, .index = LO_INDEX, .flags = LO_FLAGS | LINUX_IFF_LOWER_UP };

	nl_begin(b, LINUX_RTM_NEWLINK, &i, sizeof(i));
	nl_attr(b, LINUX_IFLA_IFNAME, LO_NAME, sizeof(LO_NAME));
	attr32(b, LINUX_IFLA_TXQLEN, LO_TXQLEN);
	attr8(b, LINUX_IFLA_OPERSTATE, LINUX_IF_OPER_UNKNOWN);
	attr8(b, LINUX_IFLA_LINKMODE, 0);
	attr32(b, LINUX_IFLA_MTU, LO_MTU);
	attr32(b, LINUX_IFLA_GROUP, 0);
	attr32(b, LINUX_IFLA_PROMISCUITY, 0);
	attr32(b, LINUX_IFLA_NUM_TX_QUEUES, 1);
	attr32(b, LINUX_IFLA_NUM_RX_QUEUES, 1);
	attr8(b, LINUX_IFLA_CARRIER, 1);
	nl_attr(b, LINUX_IFLA_QDISC, "noqueue", 8);
	nl_attr(b, LINUX_IFLA_ADDRESS, mac, sizeof(mac));
	nl_attr(b, LINUX_IFLA_BROADCAST, mac, sizeof(mac));
	nl_attr(b, LINUX_IFLA_STATS64, stats64, sizeof(stats64));
	nl_attr(b, LINUX_IFLA_STATS, stats, sizeof(stats));
	nl_end(b);
}

static int get_link(const struct linux_nlmsghdr *h, bool dump, struct nlbuf *b)
{
	struct linux_ifinfomsg i;
	const void *name;
	size_t n;

	read_fixed(h, &i, sizeof(i));
	if (!dump) {
		if (h->len < sizeof(*h) + sizeof(i))
			return -EINVAL;
		name = find_attr(h, sizeof(i), LINUX_IFLA_IFNAME, &n);
		if (i.index ? i.index != LO_INDEX : !name || strnlen(name, n) != strlen(LO_NAME) || memcmp(name, LO_NAME, strlen(LO_NAME)))
			return i.index > 0 || name ? -ENODEV : -EINVAL;
	}
	tell_link(b);
	return 0;
}

/* --- addresses ------------------------------------------------------------------------------ */

struct address {
	uint8_t family, prefix, len, bytes[16];
};
static const struct address addresses[] = {
	{ LINUX_AF_INET, 8, 4, { 127, 0, 0, 1 } },
	{ LINUX_AF_INET6, 128, 16, { [15] = 1 } },
};
#define N_ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

static void tell_address(struct nlbuf *b, const struct address *a)
{
	static const uint32_t forever[4] = { UINT32_MAX, UINT32_MAX, 0, 0 };
	const struct linux_ifaddrmsg m = { .family = a->family, .prefixlen = a->prefix, .flags = LINUX_IFA_F_PERMANENT, .scope = LINUX_RT_SCOPE_HOST,
		.index = LO_INDEX };

	nl_begin(b, LINUX_RTM_NEWADDR, &m, sizeof(m));
	nl_attr(b, LINUX_IFA_ADDRESS, a->bytes, a->len);
	if (a->family == LINUX_AF_INET) {
		nl_attr(b, LINUX_IFA_LOCAL, a->bytes, a->len);
		nl_attr(b, LINUX_IFA_LABEL, LO_NAME, sizeof(LO_NAME));
	}
	attr32(b, LINUX_IFA_FLAGS, LINUX_IFA_F_PERMANENT);
	nl_attr(b, LINUX_IFA_CACHEINFO, forever, sizeof(forever));
	nl_end(b);
}

static int get_address(const struct linux_nlmsghdr *h, bool dump, struct nlbuf *b)
{
	struct linux_ifaddrmsg m;

	read_fixed(h, &m, sizeof(m));
	if (!dump)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < N_ADDRESSES; i++)
		if (!m.family || m.family == addresses[i].family)
			tell_address(b, &addresses[i]);
	return 0;
}

/* --- routes ----------------------------------------------------------------------------------- */

static void tell_route(struct nlbuf *b, const struct address *to, const struct address *source)
{
	const struct linux_rtmsg m = { .family = to->family, .dst_len = to->prefix, .table = LINUX_RT_TABLE_LOCAL, .protocol = LINUX_RTPROT_KERNEL,
		.scope = to->family == LINUX_AF_INET ? LINUX_RT_SCOPE_HOST : 0, .type = LINUX_RTN_LOCAL };

	nl_begin(b, LINUX_RTM_NEWROUTE, &m, sizeof(m));
	attr32(b, LINUX_RTA_TABLE, LINUX_RT_TABLE_LOCAL);
	nl_attr(b, LINUX_RTA_DST, to->bytes, to->len);
	if (to->family == LINUX_AF_INET)
		nl_attr(b, LINUX_RTA_PREFSRC, source->bytes, source->len);
	attr32(b, LINUX_RTA_OIF, LO_INDEX);
	nl_end(b);
}

static int get_route(const struct linux_nlmsghdr *h, bool dump, struct nlbuf *b)
{
	static const struct address net = { LINUX_AF_INET, 8, 4, { 127 } };
	struct linux_rtmsg m;
	struct address to;
	const void *dst;
	size_t n;

	read_fixed(h, &m, sizeof(m));
	if (dump) {
		if (!m.family || m.family == LINUX_AF_INET)
			tell_route(b, &net, &addresses[0]);
		for (size_t i = 0; i < N_ADDRESSES; i++) {
			to = addresses[i];
			to.prefix = (uint8_t)(to.len * 8);
			if (!m.family || m.family == to.family)
				tell_route(b, &to, &addresses[i]);
		}
		return 0;
	}
	if (h->len < sizeof(*h) + sizeof(m))
		return -EINVAL;
	dst = find_attr(h, sizeof(m), LINUX_RTA_DST, &n);
	for (size_t i = 0; i < N_ADDRESSES; i++) {
		to = addresses[i];
		if (m.family != to.family || !dst || n != to.len || (i ? memcmp(dst, to.bytes, n) : *(const uint8_t *)dst != 127))
			continue;
		memcpy(to.bytes, dst, n);
		to.prefix = (uint8_t)(n * 8);
		tell_route(b, &to, &addresses[i]);
		return 0;
	}
	return -ENETUNREACH;
}

static int get_nothing(const struct linux_nlmsghdr *h, bool dump, struct nlbuf *b)
{
	return dump ? 0 : -ENOENT;
}

/* --- one request ---------------------------------------------------------------------------------- */

static const struct {
	uint16_t type;
	int (*get)(const struct linux_nlmsghdr *h, bool dump, struct nlbuf *b);
} requests[] = {
	{ LINUX_RTM_GETLINK, get_link },
	{ LINUX_RTM_GETADDR, get_address },
	{ LINUX_RTM_GETROUTE, get_route },
	{ LINUX_RTM_GETNEIGH, get_nothing },
	{ LINUX_RTM_GETRULE, get_nothing },
};

int rtnetlink_request(const struct linux_nlmsghdr *h, bool privileged, struct nlbuf *b)
{
	bool get = (h->type - LINUX_RTM_BASE) % 4 == 2, dump = get && h->flags & LINUX_NLM_F_DUMP;
	const int32_t zero = 0;
	int r = -EOPNOTSUPP;

	if (h->type > LINUX_RTM_MAX)
		return -EOPNOTSUPP;
	if (h->len < sizeof(*h) + 1)
		return 0; /* as Linux: not even a family */
	if (!get && !privileged)
		return -EPERM;
	b->flags = dump ? LINUX_NLM_F_MULTI : 0;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == h->type)
			r = requests[i].get(h, dump, b);
	if (r || !dump)
		return r;
	nl_begin(b, LINUX_NLMSG_DONE, &zero, sizeof(zero));
	nl_end(b);
	return 0;
}
