/*
 * network.h - the network namespace that an engine has made for a container (--network=sandbox):
 * its interfaces are handed to the sentry, which has a TCP/IP of its own.  Either the configuration
 * gives its path, or it wants a new one, which is the sentry's then and is filled by hooks, or by
 * an engine between create and start.
 */
#ifndef LAUNCHER_NETWORK_H
#define LAUNCHER_NETWORK_H

#include "command.h"
#include "plan.h"
#include "pool.h"
#include "state.h"

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

/* Where the interfaces come from. */
enum network_source {
	NETWORK_NOWHERE, /* a loopback is all there is */
	NETWORK_BY_PATH, /* the namespace that the configuration names */
	NETWORK_BY_HOOKS, /* a new one, which hooks fill when it has a process: those of Docker before 25 do */
	NETWORK_UNTIL_START, /* a new one, which an engine fills until start */
};
struct err *network_find(const struct globals *g, const struct plan *plan, struct pool *p, enum network_source *out) ERR_MUST_USE;

/* state.network: what is in a new namespace at start is the container's. */
#define NETWORK_ASKED "sandbox"

/* Takes the interfaces of the namespace: opens a packet socket on each, and removes its addresses, so that the host's kernel does not answer
 * for the container.  sentry: the process that hooks have been told of.  out->n is 0 where there is nothing but a loopback. */
struct err *network_take(const struct plan *plan, enum network_source source, uint64_t sentry, struct pool *p, struct network *out) ERR_MUST_USE;
/* The same, of the namespace that a process is in. */
struct err *network_take_of(uint64_t pid, struct pool *p, struct network *out) ERR_MUST_USE;
void network_close(struct network *n);

/* Hands to the sentry what was put into the namespace since create; nothing where the record says that it has a network
 * already, or is to have none. */
struct err *network_at_start(const struct state_dir *d, const struct state *s) ERR_MUST_USE;

#endif
