/*
 * spawn.h - the processes of a sandbox.
 *
 * One forked child of the launcher starts the gofer and the sentry and then
 * becomes controld by exec: so controld is parent and reaper of both.  What
 * each process gets is named here and nowhere else.
 */
#ifndef REDOUBT_LAUNCHER_SPAWN_H
#define REDOUBT_LAUNCHER_SPAWN_H

#include "command.h"
#include "plan.h"
#include "state.h"

/* Descriptors and names that the child donates; all borrowed. */
struct spawn {
	const struct globals *g;
	const struct plan *plan;
	const struct state_dir *dir;
	struct state *state; /* the child's copy gets the pids and is written */
	int gofer_sock; /* the gofer's end of its connection to the sentry */
	int gofer_go; /* where the word comes from that it may begin; 0: it may at once */
	unsigned gofer_start; /* numbers of processes that others which served it have had; 0: it is the first */
	int boot_sock; /* the sentry's end of the boot connection */
	int sentry_control, controld_control; /* the two ends between sentry and controld */
	int listen; /* the control socket */
	int lifeline; /* controld's end: see sandbox.h */
	int terminal; /* the slave, -1: none; it becomes controld's controlling terminal */
	int words; /* where the components' own stderr goes */
	bool namespaces_made; /* set once the child has made those that all components share */
};

struct spawn_result {
	pid_t controld; /* our child */
	struct proc_id controld_id, gofer, sentry;
};

/* Returns once all three have been exec'ed. */
struct err *spawn_components(const struct spawn *s, struct spawn_result *out) ERR_MUST_USE;

/* A gofer alone, for a container that joins a running sandbox or in another's place: our
 * child, and then its subreaper's; it ends with its socket.  cgroup: where it is put.
 * Of s: g, plan, dir, gofer_sock, gofer_go, gofer_start, words. */
struct err *spawn_gofer(const struct spawn *s, const struct cgroup *cgroup, struct proc_id *out) ERR_MUST_USE;

/* Programs get no environment; a sanitizer's options are its own affair. */
char *const *spawn_environment(struct pool *p);

#endif
