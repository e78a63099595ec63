/*
 * interfaces.h - the interfaces that lead out of the sandbox (net/outside.h), as boot and control are given them.
 */
#ifndef SENTRY_CONTROL_INTERFACES_H
#define SENTRY_CONTROL_INTERFACES_H

#include "libipc/protocols.h"

struct kernel;

/* Before programs run.  sockets: one for each link, and the name server's; those that were used up are set to -1.  requests: addresses and
 * routes, netlink messages. */
struct err *interfaces_add(struct kernel *k, const struct boot_link *links, unsigned n_links, int *sockets, unsigned n_sockets, const struct msg_bytes *name_server,
	const struct msg_bytes *requests) ERR_MUST_USE;

#endif
