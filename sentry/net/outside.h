/*
 * outside.h - connections and datagrams that leave the sandbox (--network=sandbox), for the
 * rest of net/ and for boot.
 *
 * A TCP connection to the outside is two sockets, as one inside is: the program's, and a *far
 * end*, which stands for the other host and belongs to the engine (net/outside/).  What the
 * program writes is in the far end's queue until the other host has acknowledged it; what comes
 * from there is put into the program's queue.  So reading, writing, poll and shutdown are those
 * of stream.c, which tells the engine of each change by far_changed().
 */
#ifndef SENTRY_NET_OUTSIDE_H
#define SENTRY_NET_OUTSIDE_H

#include "net/socket.h"

struct endpoint;
struct event_base;
struct net_device;
struct net_stack;

#define OUTSIDE_LINKS_MAX 16

/* An interface of the namespace that the container is in on the host. */
struct outside_link {
	char name[16];
	int index; /* its number there, and inside; 0: any */
	uint32_t mtu;
	uint8_t mac[6];
	bool up;
	bool plain; /* fd: a socket of packets with a user-mode network at its other end */
	int fd; /* its packet socket, with PACKET_VNET_HDR; used up on success */
};
/* Event thread, before programs run. -EEXIST, -EINVAL, -ENOSPC, -ENOMEM */
int outside_add_link(struct net_stack *n, struct event_base *loop, const struct outside_link *l);
/* After the links: a UDP socket connected to the name server that programs find at ip; used up on success.  -EINVAL: no link; -EEXIST, -ENOMEM */
int outside_add_name_server(struct net_stack *n, struct event_base *loop, const uint8_t ip[4], int fd);

/* What net_reach and inet_way answer for an address that is not in the sandbox. */
#define NET_OUTSIDE 1

/* No lock held from here on. */
/* s is SOCK_CONNECTING and has its own name (autobound: one that goes if it does not get through): begins to connect.
 * What follows is told by s's state, its error and its wait queue. 0 or -errno */
int far_connect(struct socket *s, const struct endpoint *from, const struct endpoint *to, bool autobound);
/* The program's side of the connection has changed: bytes were queued or read, it was shut down or closed. */
void far_changed(struct socket *far);
/* The program has read: must the other host be told of the room?  s: the program's socket; from any thread. */
bool far_window_opens(const struct socket *s, const struct socket *far);
/* A connect that has not ended is not wanted any more; the reference is used up. */
void far_abandon(struct socket *far);

ssize_t outside_udp_send(struct socket *s, struct socket_msg *m, const struct endpoint *from, const struct endpoint *to);
/* Whether a datagram that nobody inside takes is the name server's, and asking it. */
bool name_server_takes(const struct net_stack *there, const struct endpoint *to);
ssize_t name_server_ask(struct net_stack *there, struct socket_msg *m, const struct endpoint *from);
/* A message of ICMP's, complete but for the checksum of ICMPv6, which is completed too. 0 or -errno */
int outside_icmp_send(struct net_stack *n, const struct endpoint *from, const struct endpoint *to, const struct packet_info *info, const void *p, size_t n_p);

/* What has gone through an interface; the world's mutex held. All zero for one that does not lead out. */
struct outside_counts {
	uint64_t rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes;
};
struct outside_counts outside_counts(const struct net_device *d);

unsigned outside_time_waits(const struct net_stack *n); /* connections that have ended, and are remembered */

extern const struct socket_ops far_ops;
static inline bool socket_is_far(const struct socket *s) { return s->ops == &far_ops; }

#endif
