/*
 * guard.h - a process that stays with a sandbox which its maker does not wait for, and
 * replaces the first container's gofer when that is killed.
 *
 * Attached launchers and stand-ins do that for the containers that they wait for.
 * A guard that was killed is started again by the next command (client.c).
 * The guard is the launcher's code with its caller's privileges, reads nothing that
 * any other process writes but the container's record, and ends with the sentry.
 */
#ifndef REDOUBT_LAUNCHER_GUARD_H
#define REDOUBT_LAUNCHER_GUARD_H

#include "state.h"

/* Returns once it is there and the container's state names it.  None is started where there is one. */
struct err *guard_start(const struct state_dir *d, int log_fd) ERR_MUST_USE;

#endif
