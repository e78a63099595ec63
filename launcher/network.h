/*
 * network.h - the network namespace that an engine has made for a container: its interfaces are handed
 * to the sentry, which has a TCP/IP of its own.  Either the configuration gives its path, or it wants a
 * new one, which is the sentry's then and is filled by hooks, or by an engine between create and start.
 *
 * With --network=sandbox a container that cannot have them is not made.  Without the option they are
 * taken where nobody else uses them: no process is in the namespace and nothing listens on its
 * interfaces.  Else there is a loopback only, and a warning.  What is taken from a namespace by path is
 * recorded (network_record.c) and given back when the container is deleted.
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
#define NETWORK_REQUESTS_MAX 32768 /* bytes */

struct network {
	struct boot_link links[NETWORK_LINKS_MAX];
	int fds[NETWORK_LINKS_MAX + 1]; /* packet sockets; behind them, a UDP socket that is connected to the name server */
	unsigned n, n_fds;
	struct msg_bytes name_server; /* where programs find it: Docker's, 127.0.0.11; empty: none */
	struct msg_bytes requests; /* addresses and routes: netlink messages, the pool's */
};

/* Where the interfaces come from. */
enum network_source {
	NETWORK_NOWHERE, /* a loopback is all there is */
	NETWORK_BY_PATH, /* the namespace that the configuration names */
	NETWORK_BY_HOOKS, /* a new one, which hooks fill when it has a process: those of Docker before 25 do */
	NETWORK_UNTIL_START, /* a new one, which an engine fills until start */
	NETWORK_BY_USER, /* none: a user-mode network's program is at the other end of its interface */
};
struct err *network_find(const struct globals *g, const struct plan *plan, struct pool *p, enum network_source *out) ERR_MUST_USE;

/* state.network: what is in a new namespace at start is the container's, or it does not start; or a loopback has to do. */
#define NETWORK_ASKED "sandbox"
#define NETWORK_UNASKED "unasked"

/* What a warning ends with. */
#define NETWORK_LOOPBACK "the container has a loopback only"

/* Takes the interfaces of the namespace: opens a packet socket on each, and removes its addresses, so that the host's kernel does not answer
 * for the container.  sentry: the process that hooks have been told of.  out->n is 0 where there is nothing but a loopback, or (unless it was asked
 * for) nothing that can be taken, with a warning.  d: where it is recorded. */
struct err *network_take(const struct globals *g, const struct plan *plan, enum network_source source, uint64_t sentry, const struct state_dir *d,
	struct pool *p, struct network *out) ERR_MUST_USE;
/* The same, of the namespace that a process is in; nothing is recorded, as it ends with the sandbox. */
struct err *network_take_of(uint64_t pid, bool asked, struct pool *p, struct network *out) ERR_MUST_USE;
void network_close(struct network *n);

/* Calls f in the namespace, with a descriptor of it and a netlink socket; both are closed afterwards.  An error if it is the caller's own, or ENOENT. */
struct err *network_inside(const char *path, struct err *(*f)(int there, int nl, void *arg), void *arg) ERR_MUST_USE;

/* One request of netlink's, with NLM_F_ACK; the error `but` is none. */
struct nlmsghdr;
struct err *network_ask(int nl, const struct nlmsghdr *h, int but) ERR_MUST_USE;

/* network_record.c.  Of what has been taken from a namespace by path.  Written before the addresses are removed. */
struct err *network_record(const struct state_dir *d, int there, const char *path, const struct msg_bytes *requests) ERR_MUST_USE;
/* When the sandbox has ended: what is recorded is the host's again, if the namespace still exists; failures are told in the log. */
void network_give_back(const struct state_dir *d);

/* Both buffers of a socket of packets: to what the caller may have. */
void network_enlarge(int fd);
/* A UDP socket that is connected to port of ip, where programs find it at port 53. */
struct in_addr;
struct err *network_add_name_server(struct network *n, const struct in_addr *ip, unsigned port, struct pool *p) ERR_MUST_USE;

/* network_user.c.  Starts the program, which ends with the launcher or by network_user_end.  out: empty. */
struct err *network_user_begin(const struct state_dir *d, struct pool *p, struct network *out) ERR_MUST_USE;
void network_user_end(void);

/* network_fit.c.  Whether the caller may change into other network namespaces. */
bool network_may_enter(void);
/* Why a namespace that nobody has asked us to take is left alone; NULL: nobody else uses it. */
const char *network_unfit(const char *path, struct pool *p);
/* The same, asked in the namespace. */
const char *network_is_listened_to(void);

/* Hands to the sentry what was put into the namespace since create; nothing where the record says that it has a network
 * already, or is to have none. */
struct err *network_at_start(const struct state_dir *d, const struct state *s) ERR_MUST_USE;

#endif
