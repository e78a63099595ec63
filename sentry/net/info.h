/*
 * info.h - what /proc/net shows of sockets.
 */
#ifndef SENTRY_NET_INFO_H
#define SENTRY_NET_INFO_H

#include "net/socket.h"

struct socket_info {
	const struct socket *id; /* to tell them apart; not to be followed */
	int family, type, protocol, state; /* enum sock_state */
	struct sockaddr_buf name, peer; /* len 0: none */
	uint32_t queued, unread; /* bytes received, not read; sent, and not read by the other side */
	uint32_t waiting, backlog; /* connections not accepted, and how many there may be */
	uint32_t rcvbuf, sndbuf;
	unsigned refs, shut;
	bool v6only;
	uint32_t uid;
	uint64_t ino, peer_ino; /* of the open files, 0: none, or not accepted yet */
	uint64_t bound_ino, bound_dev; /* unix: of the file that is its name; 0: none */
	uint64_t cookie;
};
int socket_info_state(const struct socket_info *i); /* as Linux numbers the states of TCP: LINUX_TCP_* */

/* References to the sockets there are, in an array that is the caller's. -ENOMEM */
int net_sockets(struct net_stack *n, struct socket ***out, size_t *n_out);

/* All sockets of the stack, newest first, each as it was at one moment; until fn returns non-zero. -ENOMEM. No locks held. */
int net_each_socket(struct net_stack *n, int (*fn)(const struct socket_info *i, void *arg), void *arg);

#endif
