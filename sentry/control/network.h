/*
 * network.h - route netlink requests that the control protocol makes in a container's network namespace.
 */
#ifndef SENTRY_CONTROL_NETWORK_H
#define SENTRY_CONTROL_NETWORK_H

#include "net/nlmsg.h"

struct container;
struct net_stack;

/* As a program with CAP_NET_ADMIN there.  h: all of h->len bytes are there.  What shows something is put
 * into answer, whose memory is the caller's to free also on errors. */
int network_ask(const struct container *c, const struct linux_nlmsghdr *h, struct nlbuf *answer);
/* The same in a namespace, for boot. */
int network_request(struct net_stack *n, const struct linux_nlmsghdr *h, struct nlbuf *answer);

#endif
