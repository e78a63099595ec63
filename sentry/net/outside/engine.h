/*
 * engine.h - the sandbox's own TCP/IP towards the world outside: what the files of this
 * folder share.  (net/outside.h is what the rest of net/ knows.)
 *
 * The launcher donates a packet socket for each interface of the container's network
 * namespace.  Frames are read on the event thread and written by whichever thread has
 * something to say; all state is guarded by one mutex, o->mu (RANK_OUTSIDE), under which
 * sockets' locks nest.  Every byte of a frame is hostile: each parser checks the length
 * of what it reads first, and nothing of a frame is used as an index or a size unchecked.
 *
 * Addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d, ports in host order.
 *
 *	engine.c     life, interfaces, the event thread's part, the one timer
 *	neighbor.c   which hardware address a neighbour has: ARP and neighbour discovery
 *	ip.c         sending packets; ip_input.c: taking them apart; fragment.c: both ways
 *	icmp_io.c, udp_io.c
 *	name_server.c  one that no packets lead to
 *	tcp*.c       see tcb.h
 */
#ifndef SENTRY_NET_OUTSIDE_ENGINE_H
#define SENTRY_NET_OUTSIDE_ENGINE_H

#include "net/outside.h"
#include "net/stack.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

struct event;
struct tcb;

#define MAC_LEN 6
#define ETHER_HEAD 14
#define IP4_HEAD 20
#define MORE_FRAGMENTS 0x2000 /* with the offset, in units of 8, in an IPv4 header */
#define IP6_HEAD 40
#define UDP_HEAD 8
#define IP_HEAD(v4) ((v4) ? IP4_HEAD : IP6_HEAD)
#define PACKET_MAX 65535
#define TCP_BUCKETS 1024
#define PARTS_MAX 32 /* pieces of one datagram that are kept */

/* Before each frame, in both directions (struct virtio_net_hdr, the host's byte order). */
struct frame_info {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
#define FRAME_NEEDS_CSUM 1u /* the checksum covers the pseudo-header only: whoever puts it on a wire completes it */
#define FRAME_DATA_VALID 2u /* the checksum was found right */
#define FRAME_GSO_TCP4 1u
#define FRAME_GSO_TCP6 4u
#define FRAME_GSO_UDP 5u
#define FRAME_GSO_KINDS 0x7fu /* without the bit of ECN */

/* What could not be sent yet: a whole packet, from its IP header on. */
struct waiting {
	STAILQ_ENTRY(waiting) link;
	struct frame_info info;
	size_t n;
	uint8_t packet[];
};
STAILQ_HEAD(waiting_list, waiting);

struct neighbor {
	LIST_ENTRY(neighbor) link;
	uint8_t ip[16], mac[MAC_LEN];
	bool known; /* mac is */
	unsigned asked; /* requests without an answer */
	unsigned n_queue;
	int64_t confirmed, next; /* ns: when it was last heard; when it may be asked again */
	struct waiting_list queue;
};

struct link {
	struct outside *o; /* [I] */
	struct net_device *dev; /* [I] never deleted */
	struct event *in; /* [I] */
	int fd, index; /* [I] */
	uint8_t mac[MAC_LEN]; /* [I] */
	bool plain; /* [I] frames are bare: no struct frame_info before them, and nobody does what it asks for */
	LIST_HEAD(, neighbor) neighbors; /* most recently used first */
	unsigned n_neighbors;
	_Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, rx_dropped;
};

/* A datagram that came in pieces; see fragment.c. */
struct assembly {
	LIST_ENTRY(assembly) link;
	uint8_t from[16], to[16], proto;
	uint32_t id;
	int64_t deadline;
	unsigned n_parts;
	struct part {
		uint32_t off, len;
	} parts[PARTS_MAX];
	uint32_t total; /* 0: not known yet */
	uint32_t got;
	uint8_t *bytes; /* PACKET_MAX */
};

LIST_HEAD(tcb_list, tcb);

struct outside {
	struct mutex mu; /* RANK_OUTSIDE: all that follows */
	struct net_stack *net; /* [I] the namespace whose interfaces these are; it lives as long as the sandbox */
	struct event *tick; /* [I] */
	int64_t tick_at; /* when it will run; INT64_MAX: never */
	struct link *links[OUTSIDE_LINKS_MAX];
	unsigned n_links;
	bool whole; /* a link is plain: no packet is more than one segment */
	uint8_t *frame; /* where the event thread reads to */
	uint16_t next_id; /* IPv4's identification */
	LIST_HEAD(, assembly) assemblies; /* newest first */
	unsigned n_assemblies;
	int64_t errors_since; /* ICMP errors and the like are sent at a bounded rate */
	unsigned n_errors;
	struct tcb_list hash[TCP_BUCKETS], timed, owing;
	TAILQ_HEAD(, tcb) half_open, time_waits; /* oldest first */
	unsigned n_tcbs, n_half_open;
	_Atomic unsigned n_time_waits; /* [mu] to write */
	struct name_server *names; /* NULL: none; set before programs run */
};

/* A packet that has come, from its transport header on, all of it in one piece. */
struct arrival {
	struct link *link;
	bool v4, checked; /* checked: its checksum is known to be right */
	bool direct; /* it is for one of our own addresses, not for a group or for all */
	uint8_t from[16], to[16], proto, ttl, tos;
	const uint8_t *ip; /* the IP header and what follows; what an ICMP error quotes */
	size_t ip_n;
	uint8_t *p; /* the transport header */
	size_t n;
	uint16_t gso_size; /* not 0: several datagrams with one header (UDP), each but the last of this size */
};

/* A packet to be sent. */
struct departure {
	uint8_t from[16], to[16], proto, ttl, tos;
	const struct iovec *v; /* from the transport header on */
	unsigned n_v;
	size_t n; /* bytes in all */
	uint16_t gso_size; /* TCP: the packet becomes several with so many bytes each; 0: one */
	uint16_t head; /* TCP: its header's length */
	uint16_t sum_at; /* where its checksum is, which holds the sum of the pseudo-header; 0: it is complete */
	bool whole; /* it must not be fragmented on the way (nor here: -EMSGSIZE) */
};

/* All functions from here on: o->mu held. */

/* --- engine.c --- */
void engine_due(struct outside *o, int64_t when); /* ns, monotonic: the timers are looked at then at the latest */
bool engine_may_complain(struct outside *o); /* within the rate of ICMP errors */
int link_write(struct link *l, const struct frame_info *f, const uint8_t to[MAC_LEN], uint16_t ether_type, const struct iovec *v, unsigned n);

/* --- neighbor.c --- */
/* Sends the packet v (from its IP header on) to the neighbour `ip`, or keeps a copy until its hardware address is
 * known. 0, -EAGAIN (the host takes no more now), -EHOSTUNREACH (it does not answer), -ENOBUFS */
int neighbor_send(struct link *l, const uint8_t ip[16], const struct frame_info *f, const struct iovec *v, unsigned n);
void arp_input(struct link *l, const uint8_t *p, size_t n);
void neighbor_solicited(struct link *l, const struct arrival *a); /* ICMPv6 types 135 and 136 */
int64_t neighbors_tick(struct link *l, int64_t now); /* when it wants to be called again; INT64_MAX: never */

/* --- ip.c --- */
uint32_t sum_add(uint32_t sum, const void *data, size_t n); /* n even but for the last piece */
uint16_t sum_fold(uint32_t sum); /* not complemented; network order */
uint32_t sum_pseudo(const uint8_t from[16], const uint8_t to[16], uint8_t proto, size_t n);
/* 0, -EMSGSIZE, -ENETUNREACH ..., and what neighbor_send says. */
int ip_send(struct outside *o, const struct departure *d);
/* A header in front of n bytes of d's (IPv6: extension headers included, of which next is the first). */
void ip4_put_head(uint8_t h[IP4_HEAD], const struct departure *d, size_t n, uint32_t id, uint32_t fragment);
void ip6_put_head(uint8_t h[IP6_HEAD], const struct departure *d, size_t n, uint8_t next);
/* The largest packet that fits on the way to `to`; 0: there is no way. */
uint32_t ip_mtu(struct outside *o, const uint8_t to[16]);

/* --- ip_input.c, fragment.c --- */
void ip_input(struct link *l, const struct frame_info *f, uint16_t ether_type, uint8_t *p, size_t n);
/* A piece of a datagram; more: it is not the last. The whole in a->p, a->n: true; the bytes are valid until the next call. */
bool fragment_input(struct outside *o, struct arrival *a, uint32_t id, uint32_t off, bool more);
int fragment_send(struct outside *o, const struct departure *d, struct link *l, const uint8_t next[16], uint32_t mtu);
int64_t fragments_tick(struct outside *o, int64_t now);

/* --- transports --- */
void icmp_input(struct outside *o, struct arrival *a);
/* What we have sent did not arrive: the packet, or as much of it as an error quotes. mtu: that of the way, with EMSGSIZE */
void packet_failed(struct outside *o, bool v4, const uint8_t *ip, size_t n, int error, uint32_t mtu);
/* Tells the sender of a: destination unreachable, with that code of IPv4's (3: port, 2: protocol). */
void icmp_complain(struct outside *o, const struct arrival *a, uint8_t code);
void udp_input(struct outside *o, struct arrival *a);
/* n bytes to the socket that takes them; info: but for the address.  With or without o->mu. */
void udp_give(struct socket *s, const struct packet_info *info, const struct endpoint *from, const struct endpoint *to, const uint8_t *p, size_t n);
/* An ICMP error for what we have sent: its header and data as quoted (at least 8 bytes). */
void udp_failed(struct outside *o, const struct endpoint *here, const struct endpoint *there, int error);
void tcp_input(struct outside *o, struct arrival *a);
void tcp_failed(struct outside *o, const struct endpoint *here, const struct endpoint *there, uint32_t seq, int error, uint32_t mtu);
int64_t tcp_tick(struct outside *o, int64_t now);
void tcp_pay(struct outside *o); /* the frames that have come are taken: what they called for is sent */

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t get32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static inline void put16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static inline void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16); put16(p + 2, v); }
void ip4_put(uint8_t out[16], const uint8_t ip[4]); /* as ::ffff:a.b.c.d */

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)

#endif
