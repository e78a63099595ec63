/*
 * rt_setlink.c - NETLINK_ROUTE: makes, changes, moves and deletes interfaces.
 */
#include "net/rtnetlink.h"

#include "abi/capability.h"
#include "net/stack.h"
#include "vfs/cred.h"

#include <errno.h>
#include <string.h>

/* A request, looked through before anything is locked. */
struct change {
	struct linux_ifinfomsg i;
	struct nlattrs l;
	char name[LINUX_IFNAMSIZ];
	struct net_stack *to; /* where it is to be: referenced; NULL: where it is */
};

static void change_end(struct change *c)
{
	net_stack_put(c->to);
}

/* The namespace that attributes name: *out stays NULL where they name none. */
static int find_target(struct rt_request *q, const struct nlattrs *l, struct net_stack **out)
{
	struct net_world *w = q->net->world;
	struct net_stack *to = NULL;

	if (nl_has(l, LINUX_IFLA_NET_NS_PID)) {
		to = w->by_pid ? w->by_pid((int)nl_get32(l, LINUX_IFLA_NET_NS_PID)) : NULL;
		if (!to)
			return -ESRCH;
	} else if (nl_has(l, LINUX_IFLA_NET_NS_FD)) {
		to = w->by_fd ? w->by_fd((int)nl_get32(l, LINUX_IFLA_NET_NS_FD)) : NULL;
		if (!to)
			return -EINVAL;
	}
	if (to && !cred_capable_in(q->cred, to->owner, LINUX_CAP_NET_ADMIN)) {
		net_stack_put(to);
		return -EPERM;
	}
	*out = to;
	return 0;
}

/* What needs no lock of attributes that were parsed. */
static int prepare(struct rt_request *q, struct change *c)
{
	int r = nl_get_text(&c->l, LINUX_IFLA_IFNAME, c->name, sizeof(c->name));

	c->to = NULL;
	if (!r && nl_has(&c->l, LINUX_IFLA_ADDRESS) && c->l.a[LINUX_IFLA_ADDRESS].n != 6)
		r = -EINVAL;
	return r ? r : find_target(q, &c->l, &c->to);
}

static int parse(struct rt_request *q, struct change *c)
{
	int r = nl_parse_request(q->h, &c->i, sizeof(c->i), &c->l);

	c->to = NULL;
	return r ? r : c->i.index < 0 ? -EINVAL : prepare(q, c);
}

/* --- changing one ------------------------------------------------------------------------- */

static int change_master(struct net_device *d, int index)
{
	struct net_device *bridge = index ? device_find_locked(d->ns, index) : NULL;

	return index && !bridge ? -EINVAL : device_set_master_locked(d, bridge);
}

/* All but where it is, on d itself. */
static int apply_locked(struct net_device *d, const struct change *c)
{
	const struct nlattrs *l = &c->l;
	unsigned mask = c->i.change ? c->i.change : c->i.flags ? UINT32_MAX : 0;
	int r = 0;

	if (nl_has(l, LINUX_IFLA_ADDRESS) && d->kind != DEVICE_LO) {
		if (l->a[LINUX_IFLA_ADDRESS].v[0] & 1)
			return -EADDRNOTAVAIL;
		memcpy(d->mac, l->a[LINUX_IFLA_ADDRESS].v, sizeof(d->mac));
	}
	if (nl_has(l, LINUX_IFLA_MTU))
		r = device_set_mtu_locked(d, nl_get32(l, LINUX_IFLA_MTU));
	if (!r && *c->name)
		r = device_rename_locked(d, c->name);
	if (!r && nl_has(l, LINUX_IFLA_TXQLEN))
		d->txqlen = nl_get32(l, LINUX_IFLA_TXQLEN);
	if (!r && nl_has(l, LINUX_IFLA_MASTER))
		r = change_master(d, (int)nl_get32(l, LINUX_IFLA_MASTER));
	if (!r)
		device_change_flags_locked(d, c->i.flags, mask);
	return r;
}

/* A veth's other end may have got, or lost, its carrier. */
static void tell_change(struct rt_news *news, const struct net_device *d)
{
	news_link(news, LINUX_RTM_NEWLINK, d);
	if (d->peer)
		news_link(news, LINUX_RTM_NEWLINK, d->peer);
}

static int change_locked(struct rt_request *q, struct net_device *d, const struct change *c)
{
	int r;

	if (c->to && c->to != d->ns) {
		news_link(q->news, LINUX_RTM_DELLINK, d);
		r = device_move_locked(d, c->to, *c->name ? c->name : NULL);
		if (r)
			return r;
	}
	r = apply_locked(d, c);
	tell_change(q->news, d);
	return r;
}

int rt_set_link(struct rt_request *q)
{
	struct net_device *d;
	struct change c;
	int r = parse(q, &c);

	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	d = rt_device_locked(q->net, c.i.index, &c.l, &r);
	if (d)
		r = change_locked(q, d, &c);
	mutex_unlock(&q->net->world->mu);
	change_end(&c);
	return r;
}

/* --- making one ----------------------------------------------------------------------------- */

/* The other end of a veth, as its kind's data describe it: an interface message of its own. */
static int parse_peer(struct rt_request *q, const struct nlattrs *info, struct change *peer)
{
	struct nlattrs data;
	const uint8_t *p;
	size_t n;

	memset(peer, 0, sizeof(*peer));
	if (!nl_has(info, LINUX_IFLA_INFO_DATA))
		return 0;
	if (nl_parse(info->a[LINUX_IFLA_INFO_DATA].v, info->a[LINUX_IFLA_INFO_DATA].n, &data))
		return -EINVAL;
	p = data.a[LINUX_VETH_INFO_PEER].v;
	n = data.a[LINUX_VETH_INFO_PEER].n;
	if (!p)
		return 0;
	if (n < sizeof(peer->i) || nl_parse(p + sizeof(peer->i), n - sizeof(peer->i), &peer->l))
		return -EINVAL;
	memcpy(&peer->i, p, sizeof(peer->i));
	return peer->i.index < 0 ? -EINVAL : prepare(q, peer);
}

static int make_one(struct rt_request *q, const struct change *c, enum device_kind kind, struct net_device **out)
{
	return device_new_locked(c->to ? c->to : q->net, kind, c->name, c->i.index, out);
}

/* A veth's other end first, as Linux numbers them. */
static int make_locked(struct rt_request *q, const struct change *c, enum device_kind kind, const struct change *peer)
{
	struct net_device *d, *other = NULL;
	struct change given = *c;
	int r = kind == DEVICE_VETH ? make_one(q, peer, kind, &other) : 0;

	if (!r && (r = make_one(q, c, kind, &d)) && other)
		device_delete_locked(other);
	if (r)
		return r;
	if (other) {
		struct change names = *peer;

		device_pair_locked(d, other);
		*names.name = 0; /* it has that name already */
		r = apply_locked(other, &names);
	}
	*given.name = 0;
	if (!r)
		r = apply_locked(d, &given);
	if (r)
		device_delete_locked(d);
	else
		tell_change(q->news, d);
	return r;
}

static int make(struct rt_request *q, const struct change *c)
{
	struct nlattrs info;
	enum device_kind kind;
	struct change peer;
	int r;

	if (!nl_has(&c->l, LINUX_IFLA_LINKINFO) || nl_parse(c->l.a[LINUX_IFLA_LINKINFO].v, c->l.a[LINUX_IFLA_LINKINFO].n, &info))
		return -EOPNOTSUPP;
	if (!nl_has(&info, LINUX_IFLA_INFO_KIND) ||
		!device_kind_of((const char *)info.a[LINUX_IFLA_INFO_KIND].v, info.a[LINUX_IFLA_INFO_KIND].n, &kind))
		return -EOPNOTSUPP; /* as a kernel without its module */
	r = parse_peer(q, &info, &peer);
	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	r = make_locked(q, c, kind, &peer);
	mutex_unlock(&q->net->world->mu);
	change_end(&peer);
	return r;
}

/* A new one, or a change to one that there is. */
int rt_new_link(struct rt_request *q)
{
	struct net_device *d;
	struct change c;
	int r = parse(q, &c), why;

	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	d = rt_device_locked(q->net, c.i.index, &c.l, &why);
	if (d)
		r = q->h->flags & LINUX_NLM_F_EXCL ? -EEXIST : q->h->flags & LINUX_NLM_F_REPLACE ? -EOPNOTSUPP : change_locked(q, d, &c);
	mutex_unlock(&q->net->world->mu);
	if (!d)
		r = q->h->flags & LINUX_NLM_F_CREATE ? make(q, &c) : -ENODEV;
	change_end(&c);
	return r;
}

int rt_delete_link(struct rt_request *q)
{
	struct linux_ifinfomsg i;
	struct net_device *d;
	struct nlattrs l;
	int r = nl_parse_request(q->h, &i, sizeof(i), &l);

	if (r)
		return r;
	mutex_lock(&q->net->world->mu);
	d = rt_device_locked(q->net, i.index, &l, &r);
	if (d && d->kind == DEVICE_LO) {
		r = -EOPNOTSUPP;
	} else if (d) {
		news_link(q->news, LINUX_RTM_DELLINK, d);
		if (d->peer)
			news_link(q->news, LINUX_RTM_DELLINK, d->peer);
		r = device_delete_locked(d);
	}
	mutex_unlock(&q->net->world->mu);
	return r;
}
