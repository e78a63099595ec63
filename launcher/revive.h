/*
 * revive.h - replaces processes of a sandbox that were killed: its controld, a container's gofer.
 */
#ifndef REDOUBT_LAUNCHER_REVIVE_H
#define REDOUBT_LAUNCHER_REVIVE_H

#include "pool.h"
#include "state.h"

/* ECONNREFUSED: there is nothing to revive (the sentry has gone too, or was never set up). */
struct err *revive(const struct state_dir *d) ERR_MUST_USE;

/* revive_gofer.c.  NULL: the container's gofer lives, or another does now. */
struct err *revive_gofer(const struct state_dir *d) ERR_MUST_USE;

/* Held while processes are replaced and their numbers recorded, and while those that
 * the record names are ended.  It is another lock than state_lock(): that one's holder may be who
 * asks for a replacement. */
struct err *revive_lock(const struct state_dir *d, int *lock) ERR_MUST_USE;
/* The directory of the sandbox that the container is in, its own as a rule; descriptors are d's. */
struct err *revive_sandbox(const struct state_dir *d, struct pool *p, struct state_dir *out) ERR_MUST_USE;

#endif
