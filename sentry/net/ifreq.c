/*
 * ifreq.c - the interface requests of ioctl(2) (netdevice(7)), of the network
 * namespace of the socket that they are made on.
 */
#include "net/rtnetlink.h"

#include "abi/capability.h"
#include "abi/socket.h"
#include "mm/usercopy.h"
#include "net/stack.h"
#include "vfs/cred.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96u
#define ETH_ALEN 6

static void set_addr(struct linux_ifreq *r, const uint8_t ip[4])
{
	memset(r->bytes, 0, sizeof(r->bytes));
	r->in.family = LINUX_AF_INET;
	memcpy(&r->in.addr, ip, 4);
}

static struct net_address *first_v4(struct net_device *d)
{
	struct net_address *a;

	TAILQ_FOREACH (a, &d->addresses, link)
		if (prefix_is_v4(&a->p))
			return a;
	return NULL;
}

/* The addresses there are, as many as fit; buffer 0 asks for the size. */
static int list(struct net_stack *n, struct mm *mm, uint64_t arg)
{
	struct linux_ifreq *all = calloc(DEVICES_MAX, sizeof(*all));
	struct net_device *d;
	struct net_address *a;
	struct linux_ifconf c;
	int32_t count = 0;
	int r = -ENOMEM;

	if (!all)
		return r;
	mutex_lock(&n->world->mu);
	TAILQ_FOREACH (d, &n->devices, link) {
		TAILQ_FOREACH (a, &d->addresses, link) {
			if (!prefix_is_v4(&a->p) || count == DEVICES_MAX)
				continue;
			memcpy(all[count].name, *a->label ? a->label : d->name, sizeof(all[count].name));
			set_addr(&all[count++], a->p.ip + 12);
		}
	}
	mutex_unlock(&n->world->mu);
	r = copy_from_user(mm, &c, UADDR(arg), sizeof(c)) ? -EFAULT : 0;
	if (!r && c.buf && (c.len < 0 || c.len / (int32_t)sizeof(*all) < count))
		count = c.len < 0 ? 0 : c.len / (int32_t)sizeof(*all);
	c.len = count * (int32_t)sizeof(*all);
	if (!r && c.buf && c.len && copy_to_user(mm, UADDR(c.buf), all, (size_t)c.len))
		r = -EFAULT;
	free(all);
	return r ? r : copy_to_user(mm, UADDR(arg), &c, sizeof(c));
}

/* --- asking -------------------------------------------------------------------------- */

static int get_address(unsigned cmd, struct net_device *d, struct linux_ifreq *r)
{
	static const uint8_t none[4];
	const struct net_address *a = first_v4(d);
	struct net_prefix mask = { .len = 0 };

	if (!a)
		return -EADDRNOTAVAIL;
	for (unsigned bit = V4_BITS; bit < a->p.len; bit++)
		mask.ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	set_addr(r, cmd == LINUX_SIOCGIFNETMASK ? mask.ip + 12 : cmd == LINUX_SIOCGIFDSTADDR && a->has_peer ? a->peer + 12 :
		cmd != LINUX_SIOCGIFBRDADDR ? a->p.ip + 12 : a->has_broadcast ? a->broadcast : none);
	return 0;
}

/* Fills r; -ENOTTY: no such request. World's mutex held. */
static int get(unsigned cmd, struct net_device *d, struct linux_ifreq *r)
{
	switch (cmd) {
	case LINUX_SIOCGIFFLAGS:
		r->flags = (int16_t)device_flags(d);
		return 0;
	case LINUX_SIOCGIFADDR:
	case LINUX_SIOCGIFDSTADDR:
	case LINUX_SIOCGIFBRDADDR:
	case LINUX_SIOCGIFNETMASK:
		return get_address(cmd, d, r);
	case LINUX_SIOCGIFMETRIC:
		r->value = 0;
		return 0;
	case LINUX_SIOCGIFMTU:
		r->value = (int32_t)d->mtu;
		return 0;
	case LINUX_SIOCGIFTXQLEN:
		r->value = (int32_t)d->txqlen;
		return 0;
	case LINUX_SIOCGIFINDEX:
		r->value = d->index;
		return 0;
	case LINUX_SIOCGIFHWADDR:
		memset(r->bytes, 0, 16);
		r->in.family = d->kind == DEVICE_LO ? LINUX_ARPHRD_LOOPBACK : LINUX_ARPHRD_ETHER;
		memcpy(r->bytes + 2, d->mac, ETH_ALEN);
		return 0;
	case LINUX_SIOCETHTOOL:
		return -EOPNOTSUPP; /* there is no driver that could tell */
	case LINUX_SIOCGIFMAP:
		memset(r->bytes, 0, sizeof(r->bytes));
		return 0;
	default:
		return -ENOTTY;
	}
}

/* --- changing --------------------------------------------------------------------------- */

static unsigned class_prefix(const uint8_t ip[4])
{
	return V4_BITS + (ip[0] < 128 ? 8 : ip[0] < 192 ? 16 : 24);
}

/* The one IPv4 address that is set so; 0.0.0.0 takes it away. */
static int set_address(struct net_device *d, const struct linux_ifreq *r)
{
	struct net_address a = { .p = { { [10] = 0xff, [11] = 0xff }, 0 } }, *old = first_v4(d);

	if (r->in.family != LINUX_AF_INET)
		return -EINVAL;
	memcpy(a.p.ip + 12, &r->in.addr, 4);
	a.p.len = (uint8_t)class_prefix(a.p.ip + 12);
	if (d->kind == DEVICE_LO)
		a.scope = LINUX_RT_SCOPE_HOST;
	if (old)
		address_delete_locked(d, old);
	return r->in.addr ? address_add_locked(d, &a) : 0;
}

static int set_netmask(struct net_device *d, const struct linux_ifreq *r)
{
	struct net_address *a = first_v4(d);
	uint32_t mask = __builtin_bswap32(r->in.addr);
	unsigned bits = mask ? (unsigned)__builtin_clz(~mask | 1) : 0;

	if (!a)
		return -EADDRNOTAVAIL;
	if (mask == UINT32_MAX)
		bits = 32;
	if (bits < 32 && mask << bits)
		return -EINVAL;
	a->p.len = (uint8_t)(V4_BITS + bits);
	return 0;
}

static int set(unsigned cmd, struct net_device *d, const struct linux_ifreq *r)
{
	char name[LINUX_IFNAMSIZ + 1] = "";
	struct net_address *a;

	switch (cmd) {
	case LINUX_SIOCSIFFLAGS:
		device_change_flags_locked(d, (uint16_t)r->flags, UINT32_MAX);
		return 0;
	case LINUX_SIOCSIFADDR:
		return set_address(d, r);
	case LINUX_SIOCSIFNETMASK:
		return set_netmask(d, r);
	case LINUX_SIOCSIFBRDADDR:
		if (!(a = first_v4(d)))
			return -EADDRNOTAVAIL;
		memcpy(a->broadcast, &r->in.addr, 4);
		a->has_broadcast = true;
		return 0;
	case LINUX_SIOCSIFMTU:
		return r->value < 0 ? -EINVAL : device_set_mtu_locked(d, (uint32_t)r->value);
	case LINUX_SIOCSIFTXQLEN:
		d->txqlen = (uint32_t)r->value;
		return r->value < 0 ? -EINVAL : 0;
	case LINUX_SIOCSIFNAME:
		memcpy(name, r->bytes, LINUX_IFNAMSIZ);
		return device_rename_locked(d, name);
	default:
		return -ENOTTY;
	}
}

/* --- one request ---------------------------------------------------------------------------- */

enum { GETS, SETS, NEITHER };

static int sort_of(unsigned cmd)
{
	static const uint16_t gets[] = { LINUX_SIOCGIFFLAGS, LINUX_SIOCGIFADDR, LINUX_SIOCGIFDSTADDR, LINUX_SIOCGIFBRDADDR, LINUX_SIOCGIFNETMASK,
		LINUX_SIOCGIFMETRIC, LINUX_SIOCGIFMTU, LINUX_SIOCGIFTXQLEN, LINUX_SIOCGIFINDEX, LINUX_SIOCGIFHWADDR, LINUX_SIOCGIFMAP,
		LINUX_SIOCETHTOOL };
	static const uint16_t sets[] = { LINUX_SIOCSIFFLAGS, LINUX_SIOCSIFADDR, LINUX_SIOCSIFNETMASK, LINUX_SIOCSIFBRDADDR, LINUX_SIOCSIFMTU,
		LINUX_SIOCSIFTXQLEN, LINUX_SIOCSIFNAME };

	for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++)
		if (gets[i] == cmd)
			return GETS;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (sets[i] == cmd)
			return SETS;
	return NEITHER;
}

/* SIOCGIFNAME alone goes by number. */
static int get_name(struct net_stack *n, struct linux_ifreq *r)
{
	struct net_device *d = device_find_locked(n, r->value);

	if (d)
		memcpy(r->name, d->name, sizeof(r->name));
	return d ? 0 : -ENODEV;
}

int netdev_ioctl(struct net_stack *n, const struct cred *c, struct mm *mm, unsigned cmd, uint64_t arg)
{
	bool by_number = cmd == LINUX_SIOCGIFNAME;
	struct rt_news news = { 0 };
	struct net_device *d;
	struct linux_ifreq r;
	int e = 0, sort = sort_of(cmd);

	if (cmd == LINUX_SIOCGIFCONF)
		return list(n, mm, arg);
	if (sort == NEITHER && !by_number)
		return -ENOTTY;
	if (copy_from_user(mm, &r, UADDR(arg), sizeof(r)))
		return -EFAULT;
	if (sort == SETS && !cred_capable_in(c, n->owner, LINUX_CAP_NET_ADMIN))
		return -EPERM;
	mutex_lock(&n->world->mu);
	d = by_number ? NULL : device_named_locked(n, r.name);
	if (by_number)
		e = get_name(n, &r);
	else
		e = !d ? -ENODEV : sort == GETS ? get(cmd, d, &r) : set(cmd, d, &r);
	if (!e && sort == SETS)
		news_link(&news, LINUX_RTM_NEWLINK, d);
	mutex_unlock(&n->world->mu);
	news_send(&news);
	return e || sort == SETS ? e : copy_to_user(mm, UADDR(arg), &r, sizeof(r));
}
