/*
 * guard.h - the guard: a background process for a detached sandbox, which starts another gofer for the
 * first container when its gofer is killed.
 *
 * Attached launchers and stand-ins do the same for the containers that they wait for.  A guard that
 * was killed is started again by the next command (client.c).  It runs the launcher's code with its
 * caller's privileges, reads nothing that another process writes except the container's record, and
 * ends with the sentry.
 */
#ifndef REDOUBT_LAUNCHER_GUARD_H
#define REDOUBT_LAUNCHER_GUARD_H

#include "state.h"

/* Returns once it is there and the container's state names it.  None is started where there is one. */
struct err *guard_start(const struct state_dir *d, int log_fd) ERR_MUST_USE;

#endif
