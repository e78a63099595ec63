/*
 * network.h - the network namespace that an engine has made for a container (--network=sandbox):
 * its interfaces are handed to the sentry, which has a TCP/IP of its own.
 */
#ifndef LAUNCHER_NETWORK_H
#define LAUNCHER_NETWORK_H

#include "plan.h"
#include "pool.h"

#include "libipc/err.h"

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_LINKS_MAX 16

struct network {
	struct boot_link links[NETWORK_LINKS_MAX];
	int fds[NETWORK_LINKS_MAX]; /* packet sockets */
	unsigned n;
	struct msg_bytes requests; /* addresses and routes: netlink messages, the pool's */
};

/* Takes the interfaces of the namespace that the configuration names: opens a packet socket on each, and removes its addresses, so that the
 * host's kernel does not answer for the container.  out->n is 0 where there is nothing but a loopback. */
struct err *network_take(const struct plan *plan, struct pool *p, struct network *out) ERR_MUST_USE;
void network_close(struct network *n);

#endif
