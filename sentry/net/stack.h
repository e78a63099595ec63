/*
 * stack.h - a network namespace: the names of unix sockets, ports, interfaces; and
 * what all namespaces of the sandbox share.  For net/ only.
 */
#ifndef SENTRY_NET_STACK_H
#define SENTRY_NET_STACK_H

#include "net/device.h"
#include "net/socket.h"

#define NAME_BUCKETS 64

LIST_HEAD(socket_list, socket);
TAILQ_HEAD(socket_queue, socket);

/* What the namespaces of a sandbox share. */
struct net_world {
	struct vfs *vfs; /* [I] */
	void (*caller)(struct sock_caller *out); /* [I] may be NULL */
	void (*show)(const struct sock_id *id, struct linux_ucred *out); /* [I] */
	net_ns_finder *by_fd, *by_pid; /* [I] may be NULL */
	/* files in flight; taken with no socket locked, sockets' locks nest in it */
	struct mutex gc_mu; /* RANK_FILE */
	struct socket_queue inflight; /* [gc_mu] unix sockets in flight */
	_Atomic uint64_t n_files; /* [gc_mu to write] files in flight */
	_Atomic uint64_t n_sockets; /* of these, unix sockets */
	struct mutex mu; /* RANK_LEAF: interfaces, addresses and routes of all namespaces */
	unsigned n_devices; /* [mu] */
	uint64_t searches; /* [mu] across bridges: route.c */
	_Atomic uint64_t cookies; /* given to sockets */
	struct outside *outside; /* net/outside.h: the engine, if there is an interface to the outside; set before programs run */
};

struct net_stack {
	struct ref ref; /* tasks, sockets and files */
	struct net_world *world; /* [I] */
	uint64_t ino; /* [I] as /proc/PID/ns/net shows it */
	struct user_ns *owner; /* [I] whose capabilities count; referenced; NULL: the container's */
	struct mutex mu; /* RANK_LEAF: the tables of names */
	struct socket_list abstract[NAME_BUCKETS]; /* [mu] unix sockets with abstract names */
	struct socket_list ports[NAME_BUCKETS]; /* [mu] inet sockets with a port */
	uint32_t next_autobind, next_port; /* [mu] */
	/* sysctls */
	_Atomic uint32_t port_range; /* ports that sockets get: the first, and the last << 16 */
	_Atomic uint32_t port_unprivileged; /* the first that anybody may bind */
	_Atomic uint32_t backlog_max; /* net.core.somaxconn */
	_Atomic uint64_t ping_groups; /* who may ask for echoes without a capability: the first group, and the last << 32 */
	struct socket_list all; /* [mu] every socket there is, newest first */
	size_t n_all; /* [mu] */
	_Atomic unsigned n_members; /* netlink sockets that are in a multicast group */
	struct net_devices devices; /* [world->mu] */
	struct net_routes routes; /* [world->mu] those that were given, in the order of use */
	int last_index; /* [world->mu] */
	_Atomic bool lo_up; /* [world->mu to write] 127.0.0.0/8 and ::1 are there */
	_Atomic bool forward4, forward6; /* net.ipv4.ip_forward, net.ipv6.conf.all.forwarding */
};

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops, tcp_ops, udp_ops, icmp_ops, netlink_ops;

/* connect.c: streams and seqpackets, both families. l referenced by the caller; s is SOCK_CONNECTING.
 * On success s is connected. full: what a non-blocking call gets when the queue is full.
 * The accepted socket is called `local` and its peer `remote`: borrowed; NULL: the listener's and s's names. */
int connect_to_listener(struct socket *s, struct socket *l, const struct sock_caller *c, bool nonblock, int full, struct sock_name *local,
	struct sock_name *remote);
/* connect_wait.c: TCP; no lock held.  The queue of l is full, and s, which is SOCK_CONNECTING, connects when there is
 * room.  What follows is told by s's state, its error and its wait queue. 0 or -errno */
int connect_later(struct socket *s, struct socket *l, const struct sock_caller *c, bool autobound, struct sock_name *local, struct sock_name *remote);
void connect_proceed(struct socket *l); /* there may be room */
void connect_refuse_all(struct socket *l); /* it listens no more */
void connect_cancel(struct socket *s); /* s is being closed */
void connect_options(struct socket *child, const struct socket *l); /* what an accepted socket has of its listener; l->mu held */
/* UNCONNECTED -> CONNECTING; -EISCONN, -EALREADY, -EINVAL. */
int connect_begin(struct socket *s);
void connect_abort(struct socket *s);

/* What listen(2) is told, within net.core.somaxconn. */
int listen_backlog(const struct socket *s, int backlog);

/* unix_name.c */
int unix_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a);
int unix_autobind(struct socket *s);
/* The socket at a name, a new reference, of the type. */
int unix_find(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, struct socket **out);
void unix_unbind(struct socket *s); /* at close */
int unix_name(struct socket *s, bool peer, struct sockaddr_buf *out);

/* --- inet_port.c: addresses and ports --- */
struct endpoint { /* IPv4 as ::ffff:a.b.c.d */
	uint8_t ip[16];
	uint16_t port; /* host order */
};
int endpoint_of(const struct socket *s, const struct sockaddr_buf *a, struct endpoint *out); /* -EINVAL, -EAFNOSUPPORT */
void endpoint_addr(const struct endpoint *e, int family, struct sockaddr_buf *out);
bool endpoint_is_any(const struct endpoint *e);
void endpoint_loopback(struct endpoint *e); /* any -> the loopback address of its kind; the port stays */
int port_autobind(struct socket *s); /* if it has none yet */
/* It becomes SOCK_LISTENING, unless another one listens where it is bound too (SO_REUSEADDR lets both be bound).
 * s->mu held. 0 or -EADDRINUSE */
int port_listen(struct socket *s);
/* Replaces the address in s's name. */
/* Where `to` is and the name that s has towards it: a port of its own, and an address that is filled in where it has
 * none. *there: a new reference.  Errors of net_reach; *from is filled for -EHOSTUNREACH and -ETIMEDOUT too. */
int inet_way(struct socket *s, const struct endpoint *to, struct endpoint *from, struct net_stack **there);
int port_set_local(struct socket *s, const struct endpoint *e);
int port_local(struct socket *s, struct endpoint *out); /* s's own; -EINVAL: none */
/* The listener (streams) or receiver for what comes from `from` to `to`: a new reference, or NULL. */
struct socket *port_find(struct net_stack *n, int type, const struct endpoint *to, const struct endpoint *from);
void port_release(struct socket *s);
void port_forget(struct socket *s); /* with its name: as if it had never been bound */
int inet_name(struct socket *s, bool peer, struct sockaddr_buf *out);
int inet_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a);
int inet_setopt(struct socket *s, int level, int opt, const void *v, unsigned len);
int inet_getopt(struct socket *s, int level, int opt, void *v, unsigned *len);
/* Of the levels IP and IPv6. -ENOPROTOOPT: unknown. */
int ip_setopt(struct socket *s, int level, int opt, const void *v, unsigned len);
int ip_getopt(struct socket *s, int level, int opt, void *v, unsigned *len);
/* The value of a numeric option that s has set; else `otherwise`. */
int ip_option(struct socket *s, int level, int opt, int otherwise);
/* icmp.c: a message that came from outside, to those sockets that want it; the engine's lock is held */
void icmp_arrived(struct net_stack *n, const uint8_t from[16], const uint8_t to[16], uint8_t ttl, uint8_t tos, int ifindex, uint8_t *p, size_t n_p);
/* udp.c: of all sockets of datagrams over IP that have a name or get one by themselves */
int inet_dgram_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock);
int inet_dgram_shutdown(struct socket *s, int how);
void inet_dgram_close(struct socket *s);
int inet_destination(struct socket *s, const struct socket_msg *m, struct endpoint *to); /* -EDESTADDRREQ */
/* m->info, and the sender's own choice of its address in *from. 0 or -EINVAL */
int inet_describe(struct socket *s, struct socket_msg *m, const struct endpoint *to, struct endpoint *from, struct net_stack *there);
/* icmp.c: whether c may make one of these */
int icmp_may(struct net_stack *n, int type, const struct cred *c);
#define INET_V6ONLY 1u
#define INET_CONNECTED 2u /* UDP: has a default destination, peer_name */

#endif
