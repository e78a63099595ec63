/*
 * sandbox.h - the one sandbox that this controld looks after.
 *
 * One thread, one libevent loop; everything hangs from struct sandbox.
 *
 *   main.c       start-up, confinement
 *   supervise.c  the children: their ends, ending them, the lifeline
 *   server.c     clients of the control socket: who they are
 *   methods.c    what clients may ask
 *   forward.c    what of it goes on to the sentry
 *   containers.c the containers of the sandbox, and their processes' ends
 *   records.c    how processes ended
 *   adopted.c    what there is, when it takes the place of another
 *   terminal.c   the size of the first container's terminal
 *   view.c       a container's /proc and tmpfs, for processes of the host (fuse.c, nodes.c)
 */
#ifndef REDOUBT_CONTROLD_SANDBOX_H
#define REDOUBT_CONTROLD_SANDBOX_H

#include "options.h"
#include "records.h"

#include "libipc/protocols.h"
#include "libipc/rpc.h"

#include <event2/event.h>

enum phase { PHASE_CREATED, PHASE_RUNNING, PHASE_STOPPED, PHASE_PAUSED }; /* as control.state numbers them */

/* One container of the sandbox.  The first is made with it, ends with it, and
 * its end is the sandbox's; the others come and go by requests.  It lives as
 * long as somebody refers to it: the list, and questions to the sentry. */
struct container {
	LIST_ENTRY(container) link;
	struct sandbox *sandbox;
	unsigned refs;
	char *id;
	enum phase phase;
	struct records records;
	LIST_HEAD(, view) views; /* view.c */
};

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
	struct event_base *base;
	struct container *first;
	LIST_HEAD(, container) containers;
	unsigned n_containers, n_views;
	struct child sentry, gofer;
	uint32_t sentry_pid;
	struct rpc *rpc; /* to the sentry; NULL once lost */
	struct event *let_go; /* of the sentry: the first container has ended */
	struct rpc_call *destroying; /* who asked for the end, or NULL */
	struct event *force; /* when an end takes too long */
	struct event *again; /* while the sentry cannot be killed yet */
	bool ending;

	/* supervise.c */
	int lifeline;
	struct event *lifeline_event;

	/* terminal.c */
	int terminal, resized; /* resized: a signalfd */
	struct event *resized_event;

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

/* containers.c */
#define CONTAINERS_MAX 256
struct err *containers_start(struct sandbox *s, const char *id) ERR_MUST_USE;
void containers_stop(struct sandbox *s);
struct container *container_find(const struct sandbox *s, const char *id);
struct err *container_new(struct sandbox *s, const char *id, struct container **out) ERR_MUST_USE; /* in no list yet; one reference, the caller's */
void container_get(struct container *c);
void container_put(struct container *c);
void container_made(struct container *c); /* it exists in the sentry: into the list, its end is waited for */
/* It has been destroyed: out of the list, who waited is answered. */
void container_gone(struct container *c);
/* Asks the sentry how a process of its ends (pid 0: the container's first). */
void container_watch(struct container *c, uint32_t pid);
/* Answers a wait, at once or later.  stand_in: host pid of an asker whose own end is
 * to be the process's; 0: none. */
void container_wait(struct container *c, uint32_t pid, uint32_t stand_in, struct rpc_call *call);
void containers_sentry_gone(struct sandbox *s); /* all that had not ended was killed */

/* terminal.c; fd -1: there is none */
struct err *terminal_start(struct sandbox *s, int fd) ERR_MUST_USE;
void terminal_stop(struct sandbox *s);

/* adopted.c: clients are served once it is known what there is */
struct err *adopted_start(struct sandbox *s, int listen) ERR_MUST_USE;

/* methods.c */
struct err *methods_connect_sentry(struct sandbox *s, int sock) ERR_MUST_USE;
void methods_sentry_gone(struct sandbox *s); /* everything that waited for it is answered */
extern const struct rpc_method methods[];
extern const size_t n_methods;

#endif
