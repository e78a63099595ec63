/*
 * client.h - talking to a sandbox's controld.
 */
#ifndef REDOUBT_LAUNCHER_CLIENT_H
#define REDOUBT_LAUNCHER_CLIENT_H

#include "state.h"

#include "libipc/protocols.h"
#include "libipc/rpc.h"

/* Makes the control socket, however long its directory's path. */
struct err *client_listen(const struct state_dir *d, int *fd) ERR_MUST_USE;
/* ECONNREFUSED: its controld has gone. */
struct err *client_socket_of_living(const struct state_dir *d, int *fd) ERR_MUST_USE;
/* The same, with another controld should it have gone. */
struct err *client_socket(const struct state_dir *d, int *fd) ERR_MUST_USE;
/* The same, from an empty mount namespace; home: a descriptor of the one that paths are of. */
struct err *client_socket_from(const struct state_dir *d, int home, int *fd) ERR_MUST_USE;
/* ... and with another gofer, should the container's have gone. */
struct err *client_connect(const struct state_dir *d, struct rpc_client **out) ERR_MUST_USE;
#define CLIENT_RECONNECTS 100 /* of who waits: a controld that ends again and again is not asked for ever */

#define CLIENT_QUICK_MS 5000 /* for requests that nothing should hold up */

enum client_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };
extern const char *const client_status_names[];

/* What a container is doing now, by its record, its controld and, when
 * controld is gone, its processes. */
struct client_state {
	enum client_status status;
	unsigned wait_status; /* of the container, when stopped */
	unsigned sentry_status; /* of the sentry, when it is gone */
	uint64_t sentry_pid; /* host pid; 0 when gone */
};
void client_state(const struct state_dir *d, const struct state *s, struct client_state *out);

/* What a container's kernel counts: the memory is the sandbox's. */
struct err *client_usage(const struct state_dir *d, struct control_usage_reply *out) ERR_MUST_USE;

/* A shell's exit status from a wait status: code, or 128 + signal. */
int client_exit_code(unsigned wait_status);

#endif
