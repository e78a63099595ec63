/*
 * rtnetlink.h - requests of NETLINK_ROUTE sockets: links (rt_link.c: shown, rt_setlink.c:
 * made and changed), addresses (rt_address.c), routes (rt_route.c).
 */
#ifndef SENTRY_NET_RTNETLINK_H
#define SENTRY_NET_RTNETLINK_H

#include "net/device.h"
#include "net/nlmsg.h"

struct cred;
struct mm;
struct net_stack;

/* What members of multicast groups are to be told of a change: gathered under the world's mutex, sent without it. */
#define NEWS_MAX 8 /* more are dropped */
struct rt_news {
	unsigned n;
	struct {
		struct net_stack *to; /* referenced */
		unsigned group; /* LINUX_RTNLGRP_* */
		struct nlbuf b;
	} v[NEWS_MAX];
};
/* Where to put a message; NULL: nobody listens. */
struct nlbuf *news_begin(struct rt_news *news, struct net_stack *to, unsigned group);
void news_send(struct rt_news *news); /* and empties it; no locks held */
void news_link(struct rt_news *news, uint16_t type, const struct net_device *d); /* LINUX_RTM_NEWLINK, DELLINK */

struct rt_request {
	const struct linux_nlmsghdr *h; /* h->len bytes, private */
	struct net_stack *net;
	const struct cred *cred; /* whose it is */
	bool dump;
	struct nlbuf *answer;
	struct rt_news *news;
};

/* Answers one request: what is to be sent goes to q->answer; 0 or the error to tell. */
int rtnetlink_request(struct rt_request *q);

/* netlink.c: puts b's messages into the queues of the members of a group in n. No locks held. */
void netlink_multicast(struct net_stack *n, unsigned group, const struct nlbuf *b);

/* Each answers a kind of request, or an error. */
int rt_get_link(struct rt_request *q);
int rt_new_link(struct rt_request *q);
int rt_set_link(struct rt_request *q);
int rt_delete_link(struct rt_request *q);
int rt_get_address(struct rt_request *q);
int rt_new_address(struct rt_request *q);
int rt_delete_address(struct rt_request *q);
int rt_get_route(struct rt_request *q);
int rt_get_rule(struct rt_request *q);
int rt_new_route(struct rt_request *q);
int rt_delete_route(struct rt_request *q);

/* The interface that a request is about, by index or name: NULL, *r why. World's mutex held. */
struct net_device *rt_device_locked(struct net_stack *n, int index, const struct nlattrs *l, int *r);
/* An address of a family, as ip of 16 bytes: false: of another length. */
bool rt_get_ip(const struct nlattrs *l, unsigned type, int family, uint8_t ip[16]);
void rt_put_ip(struct nlbuf *b, uint16_t type, const uint8_t ip[16]); /* 4 bytes where it is IPv4 */

/* ifreq.c: SIOC[GS]IF* of any socket. -ENOTTY: not one of them; -ENODEV: no such interface; -EFAULT, -EPERM. */
int netdev_ioctl(struct net_stack *n, const struct cred *c, struct mm *mm, unsigned cmd, uint64_t arg);

#endif
