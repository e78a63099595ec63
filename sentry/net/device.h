/*
 * device.h - network interfaces, their addresses and routes.
 *
 * The sandbox has no packets: a connection or a datagram goes straight from one socket to another.
 * Interfaces only determine who can reach whom (route.c): each namespace has its loopback; a veth pair
 * connects two of them; a bridge connects several; a dummy only holds addresses; a wire leads out of the
 * sandbox, where there are packets (net/outside.h).
 *
 * All of it is guarded by the world's mutex (struct net_world, [w] below), which
 * every function named _locked wants held; nothing is taken under it.
 */
#ifndef SENTRY_NET_DEVICE_H
#define SENTRY_NET_DEVICE_H

#include "abi/netlink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct link;
struct net_device;
struct net_stack;
struct net_world;

#define DEVICES_MAX 1024 /* in the sandbox */
#define DEVICE_ADDRESSES_MAX 256
#define ROUTES_MAX 1024 /* in a namespace */
#define LO_INDEX 1

/* IPv4 as ::ffff:a.b.c.d, and prefixes counted accordingly. */
struct net_prefix {
	uint8_t ip[16];
	uint8_t len; /* bits of ip, 0 to 128 */
};
static inline bool prefix_is_v4(const struct net_prefix *p) { return p->len >= 96 && !p->ip[0] && p->ip[10] == 0xff && p->ip[11] == 0xff; }
bool prefix_holds(const struct net_prefix *p, const uint8_t ip[16]);
bool ip_is_v4(const uint8_t ip[16]);

struct net_address {
	TAILQ_ENTRY(net_address) link;
	struct net_prefix p; /* the address, and how long its network's prefix is */
	uint8_t broadcast[4], scope; /* IPv4's; zero: none */
	bool has_broadcast, has_peer;
	uint8_t peer[16]; /* of a point-to-point address: p.len is its prefix */
	char label[LINUX_IFNAMSIZ];
};
TAILQ_HEAD(net_addresses, net_address);

enum device_kind { DEVICE_LO, DEVICE_VETH, DEVICE_DUMMY, DEVICE_BRIDGE, DEVICE_WIRE, DEVICE_KINDS };

struct net_device {
	TAILQ_ENTRY(net_device) link; /* [w] as the rest */
	struct net_stack *ns; /* owns it */
	enum device_kind kind;
	int index;
	char name[LINUX_IFNAMSIZ];
	unsigned flags; /* LINUX_IFF_UP and those that programs set and that mean nothing */
	uint32_t mtu, txqlen;
	uint8_t mac[6];
	struct net_device *peer; /* veth: the other end, never NULL */
	struct link *outside; /* wire: the engine's part of it */
	struct net_device *master; /* the bridge that it is a port of, in the same namespace; NULL */
	struct net_addresses addresses;
	unsigned n_addresses;
	uint64_t searched; /* bridge: the last search (route.c) that came to it */
	STAILQ_ENTRY(net_device) search_link;
};
TAILQ_HEAD(net_devices, net_device);

struct net_route {
	TAILQ_ENTRY(net_route) link;
	struct net_prefix to;
	bool v4, has_gateway, has_source;
	uint8_t gateway[16], source[16];
	struct net_device *dev; /* same namespace; NULL for those that refuse */
	uint32_t table, metric;
	uint8_t type, scope, protocol;
};
TAILQ_HEAD(net_routes, net_route);

const char *device_kind_name(enum device_kind k); /* as IFLA_INFO_KIND has it; NULL: no such name is told (lo) */
bool device_kind_of(const char *name, size_t n, enum device_kind *out);
bool device_is_up(const struct net_device *d);
bool device_has_carrier(const struct net_device *d); /* a veth's other end is up too */
unsigned device_flags(const struct net_device *d); /* as programs see them: IFF_* */
unsigned device_operstate(const struct net_device *d); /* LINUX_IF_OPER_* */

struct net_device *device_find_locked(struct net_stack *n, int index);
struct net_device *device_named_locked(struct net_stack *n, const char *name);
/* name "": the kind's name and the first free number; it may hold one %d; index 0: the next. -EEXIST, -EINVAL (name),
 * -ENOSPC, -ENOMEM. */
int device_new_locked(struct net_stack *n, enum device_kind kind, const char *name, int index, struct net_device **out);
void device_pair_locked(struct net_device *a, struct net_device *b); /* two fresh veths */
/* Goes, with its other end. -EOPNOTSUPP: the loopback, a wire. */
int device_delete_locked(struct net_device *d);
/* To another namespace, down and without addresses; pattern: as for device_new_locked, for the case that its name is
 * taken there (NULL: -EEXIST).  -EINVAL: the loopback, a wire. */
int device_move_locked(struct net_device *d, struct net_stack *to, const char *pattern);
int device_rename_locked(struct net_device *d, const char *pattern);
void device_set_up_locked(struct net_device *d, bool up);
void device_change_flags_locked(struct net_device *d, unsigned flags, unsigned mask); /* those of LINUX_IFF_* that can be set */
int device_set_mtu_locked(struct net_device *d, uint32_t mtu); /* -EINVAL */
int device_set_master_locked(struct net_device *d, struct net_device *bridge /* NULL: none */); /* -EINVAL, -ELOOP */
void devices_drop_locked(struct net_stack *n); /* all that are n's; it ends */

/* -EEXIST, -ENOSPC, -ENOMEM; a is copied. */
int address_add_locked(struct net_device *d, const struct net_address *a);
/* The address of this kind: bits as well where len is not 0. */
struct net_address *address_find_locked(struct net_device *d, const uint8_t ip[16], unsigned len);
void address_delete_locked(struct net_device *d, struct net_address *a);

/* r is copied; replace: in the place of one with the same prefix, metric and table. -EEXIST, -ENOSPC, -ENOMEM */
int route_add_locked(struct net_stack *n, const struct net_route *r, bool replace, bool exclusive);
/* The first that fits (a member that r leaves empty fits all). -ESRCH */
int route_delete_locked(struct net_stack *n, const struct net_route *r);
void routes_drop_locked(struct net_stack *n, const struct net_device *d /* NULL: all */);

/* What lookup of a way found: where to, and what address the sender has. */
struct net_way {
	const struct net_route *route; /* the given route; NULL: an address's own network, or the host itself */
	struct net_device *dev; /* NULL: it is an address of the namespace itself */
	uint8_t next[16], source[16];
	bool has_source;
};
/* -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL: no way, as routes say. */
int way_find_locked(struct net_stack *n, const uint8_t to[16], struct net_way *out);
bool ip_is_local_locked(struct net_stack *n, const uint8_t ip[16]);

/* --- without the lock --- */
/* An interface as it was at one moment, for /sys. */
struct net_listed {
	char name[LINUX_IFNAMSIZ];
	int index, link_index; /* link_index: of a veth's other end, else its own */
	unsigned flags, type;
	uint32_t mtu, txqlen;
	uint8_t mac[6];
	const char *operstate;
};
int net_list(struct net_stack *n, struct net_listed **out, unsigned *count); /* the array is the caller's. -ENOMEM */
/* Whether ip is an address of n's. */
bool net_is_local(struct net_stack *n, const uint8_t ip[16]);
int net_index_of(struct net_stack *n, const uint8_t ip[16]); /* of the interface that has the address; LO_INDEX: none else */
/* Who has the address `to`, as seen from n, when the sender's address is source, or, if that is all zero, the one
 * that is put there: a new reference in *out.  -ENETUNREACH: no way; -EHOSTUNREACH: nobody there;
 * -ETIMEDOUT: it does not come there, or no answer would come back (source is filled in for both).  NET_OUTSIDE: it
 * leaves the sandbox (source is filled in, *out is not). */
int net_reach(struct net_stack *n, const uint8_t to[16], uint8_t source[16], struct net_stack **out);

#endif
