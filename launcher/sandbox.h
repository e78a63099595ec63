/*
 * sandbox.h - making and ending a sandbox.
 *
 * The lifeline is a socket pair between the launcher and controld.  While it
 * is held, controld ends the whole sandbox as soon as the launcher's end closes:
 * so a launcher that is killed at any instant leaves no processes behind, only
 * files, which `delete --force` clears.  sandbox_detach() lets go of it.
 */
#ifndef REDOUBT_LAUNCHER_SANDBOX_H
#define REDOUBT_LAUNCHER_SANDBOX_H

#include "command.h"
#include "plan.h"
#include "state.h"

struct sandbox {
	struct state_dir dir;
	struct state state;
	struct proc_id controld_id, gofer_id, sentry_id;
	pid_t controld; /* our child, 0 when it is not */
	int lifeline;
	struct scope_holder scope; /* while it is made */
};
#define SANDBOX_NONE { .dir = STATE_DIR_NONE, .lifeline = -1, .scope = SCOPE_HOLDER_NONE }

/* Up to the state "created".  Makes the mounts that the plan's trees are to be.  stdio is borrowed.  On failure everything is
 * undone.  *boot_errno: errno of the sentry's refusal (ENOENT: no such
 * program), 0 when the failure was elsewhere. */
struct err *sandbox_create(struct context *c, struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *out,
	int *boot_errno) ERR_MUST_USE;
/* A sandbox that sandbox_create made was copied: its record points to ids in the struct. */
void sandbox_moved(struct sandbox *s);
/* From now on the sandbox outlives this process. */
struct err *sandbox_detach(struct sandbox *s) ERR_MUST_USE;
/* Ends all processes and removes all files; also for a sandbox read from its
 * state file, however broken. Idempotent. */
struct err *sandbox_destroy(struct sandbox *s) ERR_MUST_USE;
/* Its first half: the processes only. */
struct err *sandbox_end_processes(struct sandbox *s) ERR_MUST_USE;
void sandbox_close(struct sandbox *s);

/* State directory and record of an existing container. */
struct err *sandbox_open(struct context *c, const char *id, struct sandbox *out) ERR_MUST_USE;

#endif
