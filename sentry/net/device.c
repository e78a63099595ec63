/*
 * device.c - network interfaces (see device.h): making, naming, joining, moving
 * and deleting them.  Any thread, under the world's mutex.
 */
#include "net/device.h"

#include "net/stack.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct {
	const char *kind, *pattern; /* NULL: programs cannot make it */
	unsigned flags;
	uint32_t mtu, mtu_max;
} kinds[DEVICE_KINDS] = {
	[DEVICE_LO] = { NULL, NULL, LINUX_IFF_LOOPBACK, 65536, INT32_MAX },
	[DEVICE_VETH] = { "veth", "veth%d", LINUX_IFF_BROADCAST | LINUX_IFF_MULTICAST, 1500, 65535 },
	[DEVICE_DUMMY] = { "dummy", "dummy%d", LINUX_IFF_BROADCAST | LINUX_IFF_NOARP, 1500, INT32_MAX },
	[DEVICE_WIRE] = { NULL, NULL, LINUX_IFF_BROADCAST | LINUX_IFF_MULTICAST, 1500, 65535 },
	[DEVICE_BRIDGE] = { "bridge", "bridge%d", LINUX_IFF_BROADCAST | LINUX_IFF_MULTICAST, 1500, 65535 },
};
#define MTU_MIN 68
#define SETTABLE (LINUX_IFF_UP | LINUX_IFF_NOARP | LINUX_IFF_PROMISC | LINUX_IFF_ALLMULTI | LINUX_IFF_MULTICAST)

const char *device_kind_name(enum device_kind k)
{
	return kinds[k].kind;
}

bool device_kind_of(const char *name, size_t n, enum device_kind *out)
{
	for (unsigned k = 0; k < DEVICE_KINDS; k++) {
		if (!kinds[k].kind || strnlen(name, n) != strlen(kinds[k].kind) || memcmp(name, kinds[k].kind, strlen(kinds[k].kind)))
			continue;
		*out = (enum device_kind)k;
		return true;
	}
	return false;
}

/* --- state ------------------------------------------------------------------------ */

bool device_is_up(const struct net_device *d)
{
	return d->flags & LINUX_IFF_UP;
}

static bool bridge_has_port(const struct net_device *bridge)
{
	const struct net_device *p;

	TAILQ_FOREACH (p, &bridge->ns->devices, link)
		if (p->master == bridge)
			return true;
	return false;
}

bool device_has_carrier(const struct net_device *d)
{
	const struct net_device *p;

	if (!device_is_up(d))
		return false;
	if (d->kind == DEVICE_VETH)
		return device_is_up(d->peer);
	if (d->kind != DEVICE_BRIDGE)
		return true;
	TAILQ_FOREACH (p, &d->ns->devices, link)
		if (p->master == d && device_has_carrier(p))
			return true;
	return !bridge_has_port(d);
}

unsigned device_operstate(const struct net_device *d)
{
	if (!device_is_up(d))
		return LINUX_IF_OPER_DOWN;
	if (d->kind == DEVICE_LO || d->kind == DEVICE_DUMMY)
		return LINUX_IF_OPER_UNKNOWN;
	if (d->kind == DEVICE_BRIDGE && !bridge_has_port(d))
		return LINUX_IF_OPER_UNKNOWN;
	return device_has_carrier(d) ? LINUX_IF_OPER_UP : d->kind == DEVICE_VETH ? LINUX_IF_OPER_LOWERLAYERDOWN : LINUX_IF_OPER_DOWN;
}

static const char *device_operstate_name(const struct net_device *d)
{
	switch (device_operstate(d)) {
	case LINUX_IF_OPER_UP: return "up";
	case LINUX_IF_OPER_DOWN: return "down";
	case LINUX_IF_OPER_LOWERLAYERDOWN: return "lowerlayerdown";
	default: return "unknown";
	}
}

unsigned device_flags(const struct net_device *d)
{
	return d->flags | (device_has_carrier(d) ? LINUX_IFF_RUNNING | LINUX_IFF_LOWER_UP : 0);
}

/* --- names ---------------------------------------------------------------------------- */

struct net_device *device_find_locked(struct net_stack *n, int index)
{
	struct net_device *d;

	TAILQ_FOREACH (d, &n->devices, link)
		if (d->index == index)
			return d;
	return NULL;
}

struct net_device *device_named_locked(struct net_stack *n, const char *name)
{
	struct net_device *d;

	TAILQ_FOREACH (d, &n->devices, link)
		if (!strncmp(d->name, name, sizeof(d->name)))
			return d;
	return NULL;
}

static bool name_valid(const char *name)
{
	size_t n = strlen(name);

	if (!n || n >= LINUX_IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] == '/' || name[i] == ':' || isspace((unsigned char)name[i]))
			return false;
	return true;
}

/* The name that a pattern with one %d, or none, means in n. */
static int name_choose(struct net_stack *n, const char *pattern, char out[LINUX_IFNAMSIZ])
{
	const char *mark = strchr(pattern, '%');
	char name[2 * LINUX_IFNAMSIZ];

	if (!name_valid(pattern) || (mark && (mark[1] != 'd' || strchr(mark + 1, '%'))))
		return -EINVAL;
	if (!mark) {
		if (device_named_locked(n, pattern))
			return -EEXIST;
		strcpy(out, pattern);
		return 0;
	}
	for (unsigned i = 0; i <= DEVICES_MAX; i++) {
		snprintf(name, sizeof(name), "%.*s%u%s", (int)(mark - pattern), pattern, i, mark + 2);
		if (strlen(name) >= LINUX_IFNAMSIZ)
			return -EINVAL;
		if (device_named_locked(n, name))
			continue;
		strcpy(out, name);
		return 0;
	}
	return -ENFILE;
}

int device_rename_locked(struct net_device *d, const char *pattern)
{
	return strcmp(d->name, pattern) ? name_choose(d->ns, pattern, d->name) : 0;
}

/* --- coming and going --------------------------------------------------------------------- */

static int index_choose(struct net_stack *n, int wanted)
{
	if (wanted)
		return device_find_locked(n, wanted) ? -EBUSY : wanted;
	do
		n->last_index = n->last_index == INT32_MAX ? 1 : n->last_index + 1;
	while (device_find_locked(n, n->last_index));
	return n->last_index;
}

int device_new_locked(struct net_stack *n, enum device_kind kind, const char *name, int index, struct net_device **out)
{
	struct net_device *d;
	int r;

	/* the loopback goes with its namespace: it is not counted */
	if (kind != DEVICE_LO && n->world->n_devices >= DEVICES_MAX)
		return -ENOSPC;
	if (!(d = calloc(1, sizeof(*d))))
		return -ENOMEM;
	r = name_choose(n, *name ? name : kinds[kind].pattern, d->name);
	if (!r)
		r = index = index_choose(n, index);
	if (r < 0) {
		free(d);
		return r;
	}
	if (n->last_index < index)
		n->last_index = index;
	d->ns = n;
	d->kind = kind;
	d->index = index;
	d->flags = kinds[kind].flags;
	d->mtu = kinds[kind].mtu;
	d->txqlen = 1000;
	TAILQ_INIT(&d->addresses);
	if (kind != DEVICE_LO) {
		(void)!getrandom(d->mac, sizeof(d->mac), 0);
		d->mac[0] = (uint8_t)((d->mac[0] & 0xfe) | 2); /* one machine's, locally given */
		n->world->n_devices++;
	}
	TAILQ_INSERT_TAIL(&n->devices, d, link);
	*out = d;
	return 0;
}

void device_pair_locked(struct net_device *a, struct net_device *b)
{
	a->peer = b;
	b->peer = a;
}

static void addresses_drop(struct net_device *d, bool v6_only)
{
	struct net_address *a, *next;

	for (a = TAILQ_FIRST(&d->addresses); a; a = next) {
		next = TAILQ_NEXT(a, link);
		if (!v6_only || !prefix_is_v4(&a->p))
			address_delete_locked(d, a);
	}
}

static void ports_release(struct net_device *bridge)
{
	struct net_device *d;

	TAILQ_FOREACH (d, &bridge->ns->devices, link)
		if (d->master == bridge)
			d->master = NULL;
}

static void device_free(struct net_device *d)
{
	ports_release(d);
	routes_drop_locked(d->ns, d);
	addresses_drop(d, false);
	TAILQ_REMOVE(&d->ns->devices, d, link);
	if (d->kind != DEVICE_LO)
		d->ns->world->n_devices--;
	free(d);
}

int device_delete_locked(struct net_device *d)
{
	if (d->kind == DEVICE_LO || d->kind == DEVICE_WIRE)
		return -EOPNOTSUPP;
	if (d->peer)
		device_free(d->peer);
	device_free(d);
	return 0;
}

void devices_drop_locked(struct net_stack *n)
{
	struct net_device *d;

	routes_drop_locked(n, NULL);
	while ((d = TAILQ_FIRST(&n->devices))) {
		if (d->peer)
			device_free(d->peer);
		device_free(d);
	}
}

int device_move_locked(struct net_device *d, struct net_stack *to, const char *pattern)
{
	char name[LINUX_IFNAMSIZ];
	int r;

	if (d->kind == DEVICE_LO || d->kind == DEVICE_WIRE)
		return -EINVAL;
	if (to == d->ns)
		return 0;
	strcpy(name, d->name);
	if (device_named_locked(to, d->name)) {
		r = pattern ? name_choose(to, pattern, name) : -EEXIST;
		if (r)
			return r;
	}
	device_set_up_locked(d, false);
	ports_release(d);
	d->master = NULL;
	addresses_drop(d, false);
	TAILQ_REMOVE(&d->ns->devices, d, link);
	strcpy(d->name, name);
	if (device_find_locked(to, d->index))
		d->index = index_choose(to, 0);
	else if (to->last_index < d->index)
		to->last_index = d->index;
	d->ns = to;
	TAILQ_INSERT_TAIL(&to->devices, d, link);
	return 0;
}

/* --- settings ----------------------------------------------------------------------------- */

/* What Linux gives a loopback that comes up. */
static void give_loopback(struct net_device *d)
{
	struct net_address v4 = { .p = { { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 }, 96 + 8 }, .scope = LINUX_RT_SCOPE_HOST };
	const struct net_address v6 = { .p = { { [15] = 1 }, 128 }, .scope = LINUX_RT_SCOPE_HOST };

	strcpy(v4.label, d->name);
	(void)address_add_locked(d, &v4); /* it may have them */
	(void)address_add_locked(d, &v6);
}

void device_set_up_locked(struct net_device *d, bool up)
{
	if (up == device_is_up(d))
		return;
	d->flags ^= LINUX_IFF_UP;
	if (d->kind == DEVICE_LO)
		d->ns->lo_up = up;
	if (up && d->kind == DEVICE_LO)
		give_loopback(d);
	if (!up) {
		routes_drop_locked(d->ns, d);
		addresses_drop(d, true);
	}
}

void device_change_flags_locked(struct net_device *d, unsigned flags, unsigned mask)
{
	unsigned keep = d->flags & LINUX_IFF_UP;

	mask &= SETTABLE;
	d->flags = (d->flags & ~mask) | (flags & mask);
	if (!(mask & LINUX_IFF_UP))
		return;
	d->flags = (d->flags & ~LINUX_IFF_UP) | keep;
	device_set_up_locked(d, flags & LINUX_IFF_UP);
}

int device_set_mtu_locked(struct net_device *d, uint32_t mtu)
{
	if (mtu > kinds[d->kind].mtu_max || (mtu < MTU_MIN && (d->kind == DEVICE_VETH || d->kind == DEVICE_WIRE)))
		return -EINVAL;
	d->mtu = mtu;
	return 0;
}

int device_set_master_locked(struct net_device *d, struct net_device *bridge)
{
	if (bridge && bridge->kind != DEVICE_BRIDGE)
		return -EOPNOTSUPP;
	if (bridge && d->kind == DEVICE_BRIDGE)
		return -ELOOP;
	if (bridge && d->kind == DEVICE_LO)
		return -EINVAL;
	if (bridge && d->kind == DEVICE_WIRE)
		return -EOPNOTSUPP; /* packets are not forwarded */
	d->master = bridge;
	return 0;
}

int net_list(struct net_stack *n, struct net_listed **out, unsigned *count)
{
	struct net_listed *all = calloc(DEVICES_MAX + 1, sizeof(*all));
	const struct net_device *d;

	if (!all)
		return -ENOMEM;
	*out = all;
	*count = 0;
	mutex_lock(&n->world->mu);
	TAILQ_FOREACH (d, &n->devices, link) {
		struct net_listed *l = &all[*count];

		if (*count == DEVICES_MAX + 1)
			break;
		++*count;
		*l = (struct net_listed){ .index = d->index, .link_index = d->peer ? d->peer->index : d->index, .flags = d->flags,
			.type = d->kind == DEVICE_LO ? LINUX_ARPHRD_LOOPBACK : LINUX_ARPHRD_ETHER, .mtu = d->mtu, .txqlen = d->txqlen,
			.operstate = device_operstate_name(d) };
		strcpy(l->name, d->name);
		memcpy(l->mac, d->mac, sizeof(l->mac));
	}
	mutex_unlock(&n->world->mu);
	return 0;
}
