/*
 * revive.h - another controld for a sandbox whose own was killed.
 */
#ifndef REDOUBT_LAUNCHER_REVIVE_H
#define REDOUBT_LAUNCHER_REVIVE_H

#include "state.h"

/* ECONNREFUSED: there is nothing to revive (the sentry has gone too, or was never set up). */
struct err *revive(const struct state_dir *d) ERR_MUST_USE;

#endif
