/*
 * spawn.h - the processes of a sandbox.
 *
 * A forked child of the launcher starts the gofer and the sentry and then
 * becomes controld by exec.  Every descriptor that a component is given is
 * named here.
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
	int gofer_go; /* the gofer starts serving when a byte comes from here; 0: at once */
	unsigned gofer_start; /* how many processes have served gofer_sock before: gofer --start */
	int boot_sock; /* the sentry's end of the boot connection */
	int sentry_control, controld_control; /* the two ends between sentry and controld */
	int listen; /* the control socket */
	int lifeline; /* controld's end: see sandbox.h */
	int terminal; /* the slave, -1: none; it becomes controld's controlling terminal */
	int words; /* the components' stderr */
	bool own_network; /* the sentry makes namespaces of its own: hooks fill its network's */
	bool namespaces_made; /* set when the child has made the namespaces that all components share */
};

struct spawn_result {
	pid_t controld; /* our child */
	struct proc_id controld_id, gofer, sentry;
};

/* Returns once all three have been exec'ed. */
struct err *spawn_components(const struct spawn *s, struct spawn_result *out) ERR_MUST_USE;

/* Starts a gofer alone: for a container that joins a running sandbox, or to replace one that
 * was killed.  It is our child (later our subreaper's), is put into cgroup, and ends when its
 * socket closes.  Uses of s: g, plan, dir, gofer_sock, gofer_go, gofer_start, words. */
struct err *spawn_gofer(const struct spawn *s, const struct cgroup *cgroup, struct proc_id *out) ERR_MUST_USE;

/* Programs get no environment; a sanitizer's options are its own affair. */
char *const *spawn_environment(struct pool *p);

#endif
