/*
 * stack.h - a network namespace: the names of unix sockets, ports, files in flight.
 * For net/ only.
 */
#ifndef SENTRY_NET_STACK_H
#define SENTRY_NET_STACK_H

#include "net/socket.h"

#define NAME_BUCKETS 64

LIST_HEAD(socket_list, socket);
TAILQ_HEAD(socket_queue, socket);

struct net_stack {
	struct vfs *vfs; /* [I] */
	struct mutex mu; /* RANK_LEAF: the tables of names */
	struct socket_list abstract[NAME_BUCKETS]; /* [mu] unix sockets with abstract names */
	struct socket_list ports[NAME_BUCKETS]; /* [mu] inet sockets with a port */
	uint32_t next_autobind, next_port; /* [mu] */
	/* files in flight; taken with no socket locked, sockets' locks nest in it */
	struct mutex gc_mu; /* RANK_FILE */
	struct socket_queue inflight; /* [gc_mu] unix sockets in flight */
	_Atomic uint64_t n_files; /* [gc_mu to write] files in flight */
	_Atomic uint64_t n_sockets; /* of these, unix sockets */
};

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops, tcp_ops, udp_ops, netlink_ops;

/* connect.c: streams and seqpackets, both families. l referenced by the caller; s is SOCK_CONNECTING.
 * On success s is connected. full: what a non-blocking call gets when the queue is full. */
int connect_to_listener(struct socket *s, struct socket *l, const struct sock_caller *c, bool nonblock, int full);
/* UNCONNECTED -> CONNECTING; -EISCONN, -EALREADY, -EINVAL. */
int connect_begin(struct socket *s);
void connect_abort(struct socket *s);

/* unix_name.c */
int unix_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a);
int unix_autobind(struct socket *s);
/* The socket at a name, a new reference, of the type. */
int unix_find(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, struct socket **out);
void unix_unbind(struct socket *s); /* at close */
int unix_name(struct socket *s, bool peer, struct sockaddr_buf *out);

#endif
