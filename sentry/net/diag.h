/*
 * diag.h - requests of NETLINK_SOCK_DIAG sockets: the list of sockets (diag.c), and the filter programs
 * by which ss(8) selects some of them (diag_filter.c).
 */
#ifndef SENTRY_NET_DIAG_H
#define SENTRY_NET_DIAG_H

#include "abi/sock_diag.h"
#include "net/rtnetlink.h"

/* Answers one request, as rtnetlink_request does. */
int diag_request(struct rt_request *q);

/* A checked program, borrowed from the request; p NULL: everything is wanted. */
struct diag_filter {
	const uint8_t *p;
	size_t n;
};
int diag_filter_check(const struct diag_filter *f); /* -EINVAL: a step that leads nowhere */
bool diag_filter_wants(const struct diag_filter *f, const struct linux_inet_diag_msg *m);

#endif
