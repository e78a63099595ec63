/*
 * sandbox.h - the one sandbox that this controld looks after.
 *
 * One thread, one libevent loop; everything hangs from struct sandbox.
 *
 *   main.c       start-up, confinement
 *   supervise.c  the children: their ends, ending them, the lifeline
 *   server.c     clients of the control socket: who they are
 *   methods.c    what clients may ask, and what of it the sentry is asked
 *   records.c    how processes ended
 */
#ifndef REDOUBT_CONTROLD_SANDBOX_H
#define REDOUBT_CONTROLD_SANDBOX_H

#include "options.h"
#include "records.h"

#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <event2/event.h>

enum phase { PHASE_CREATED, PHASE_RUNNING, PHASE_STOPPED, PHASE_PAUSED }; /* as control.state numbers them */

struct child {
	struct sandbox *sandbox;
	const char *name;
	bool ours; /* our child: reaped here */
	int pidfd; /* -1: gone */
	int epoll; /* not ours: says whether it has ended, at once */
	int status; /* ours: as wait(2) gives it, once gone */
	struct event *event;
};

struct sandbox {
	const char *id;
	struct event_base *base;
	enum phase phase;
	struct child sentry, gofer;
	uint32_t sentry_pid;
	struct rpc *rpc; /* to the sentry; NULL once lost */
	struct event *let_go; /* of the sentry: the container has ended */
	struct records records;
	struct rpc_call *destroying; /* who asked for the end, or NULL */
	struct event *force; /* when an end takes too long */
	bool ending;

	/* supervise.c */
	int lifeline;
	struct event *lifeline_event;

	/* server.c */
	int listen;
	struct event *listen_event;
	uint32_t owner; /* the creator's uid as it looks from here */
	LIST_HEAD(, client) clients;
	unsigned n_clients;
};

struct err *supervise_start(struct sandbox *s, const struct options *o) ERR_MUST_USE;
void supervise_stop(struct sandbox *s);
/* Kills what is left; call (may be NULL) is answered, and the loop left, when
 * all is gone. */
void supervise_destroy(struct sandbox *s, struct rpc_call *call);
/* Makes sure that what is known of the sentry is so now. */
void supervise_look(struct sandbox *s);
void supervise_kill_sentry(struct sandbox *s);
bool supervise_all_gone(const struct sandbox *s);

/* A client, from a call of its: its sandbox. */
struct sandbox *server_sandbox(struct rpc_call *call);
struct err *server_start(struct sandbox *s, int listen) ERR_MUST_USE;
void server_stop(struct sandbox *s);
bool server_has_clients(const struct sandbox *s);

/* methods.c */
struct err *methods_connect_sentry(struct sandbox *s, int sock) ERR_MUST_USE;
void methods_sentry_gone(struct sandbox *s); /* everything that waited for it is answered */
extern const struct rpc_method methods[];
extern const size_t n_methods;

#endif
