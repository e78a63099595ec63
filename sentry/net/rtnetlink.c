/*
 * rtnetlink.c - NETLINK_ROUTE: dispatches requests, checks who may make them, and notifies the members of
 * multicast groups of their effects.  Threads of callers.
 */
#include "net/rtnetlink.h"

#include "abi/capability.h"
#include "net/stack.h"
#include "vfs/cred.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- news ------------------------------------------------------------------------------- */

struct nlbuf *news_begin(struct rt_news *news, struct net_stack *to, unsigned group)
{
	if (news->n == NEWS_MAX || !to->n_members || !ref_get_unless_zero(&to->ref))
		return NULL;
	news->v[news->n].to = to;
	news->v[news->n].group = group;
	news->v[news->n].b = (struct nlbuf){ 0 };
	return &news->v[news->n++].b;
}

void news_send(struct rt_news *news)
{
	for (unsigned i = 0; i < news->n; i++) {
		if (!news->v[i].b.failed)
			netlink_multicast(news->v[i].to, news->v[i].group, &news->v[i].b);
		free(news->v[i].b.p);
		net_stack_put(news->v[i].to);
	}
	news->n = 0;
}

/* --- parts of requests ----------------------------------------------------------------------- */

struct net_device *rt_device_locked(struct net_stack *n, int index, const struct nlattrs *l, int *r)
{
	struct net_device *d = NULL;
	char name[LINUX_IFNAMSIZ];

	*r = nl_get_text(l, LINUX_IFLA_IFNAME, name, sizeof(name));
	if (*r)
		return NULL;
	if (index > 0)
		d = device_find_locked(n, index);
	else if (*name)
		d = device_named_locked(n, name);
	*r = d ? 0 : index > 0 || *name ? -ENODEV : -EINVAL;
	return d;
}

bool rt_get_ip(const struct nlattrs *l, unsigned type, int family, uint8_t ip[16])
{
	size_t n = family == LINUX_AF_INET ? 4 : 16;

	if (l->a[type].n != n)
		return false;
	memset(ip, 0, 16);
	if (n == 4)
		ip[10] = ip[11] = 0xff;
	memcpy(ip + 16 - n, l->a[type].v, n);
	return true;
}

void rt_put_ip(struct nlbuf *b, uint16_t type, const uint8_t ip[16])
{
	nl_attr(b, type, ip_is_v4(ip) ? ip + 12 : ip, ip_is_v4(ip) ? 4 : 16);
}

/* --- one request ---------------------------------------------------------------------------------- */

static int get_nothing(struct rt_request *q)
{
	return q->dump ? 0 : -ENOENT;
}

/* Numbers of namespaces as others see them: none is ever given one. */
static int get_nsid(struct rt_request *q)
{
	const uint8_t fixed[4] = { 0 };

	if (q->dump)
		return 0;
	nl_begin(q->answer, LINUX_RTM_NEWNSID, fixed, sizeof(fixed));
	nl_attr32(q->answer, LINUX_NETNSA_NSID, UINT32_MAX);
	nl_end(q->answer);
	return 0;
}

static const struct {
	uint16_t type;
	int (*answer)(struct rt_request *q);
} requests[] = {
	{ LINUX_RTM_NEWLINK, rt_new_link },
	{ LINUX_RTM_DELLINK, rt_delete_link },
	{ LINUX_RTM_GETLINK, rt_get_link },
	{ LINUX_RTM_SETLINK, rt_set_link },
	{ LINUX_RTM_NEWADDR, rt_new_address },
	{ LINUX_RTM_DELADDR, rt_delete_address },
	{ LINUX_RTM_GETADDR, rt_get_address },
	{ LINUX_RTM_NEWROUTE, rt_new_route },
	{ LINUX_RTM_DELROUTE, rt_delete_route },
	{ LINUX_RTM_GETROUTE, rt_get_route },
	{ LINUX_RTM_GETNEIGH, get_nothing },
	{ LINUX_RTM_GETRULE, rt_get_rule },
	{ LINUX_RTM_GETNSID, get_nsid },
};

int rtnetlink_request(struct rt_request *q)
{
	const struct linux_nlmsghdr *h = q->h;
	bool get = (h->type - LINUX_RTM_BASE) % 4 == 2;
	const int32_t zero = 0;
	int r = -EOPNOTSUPP;

	q->dump = get && h->flags & LINUX_NLM_F_DUMP;
	if (h->type > LINUX_RTM_MAX)
		return -EOPNOTSUPP;
	if (h->len < sizeof(*h) + 1)
		return 0; /* as Linux: not even a family */
	if (!get && !cred_capable_in(q->cred, q->net->owner, LINUX_CAP_NET_ADMIN))
		return -EPERM;
	q->answer->flags = q->dump ? LINUX_NLM_F_MULTI : 0;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == h->type)
			r = requests[i].answer(q);
	if (r || !q->dump)
		return r;
	nl_begin(q->answer, LINUX_NLMSG_DONE, &zero, sizeof(zero));
	nl_end(q->answer);
	return 0;
}
