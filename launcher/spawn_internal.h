/*
 * spawn_internal.h - what spawn.c and spawn_args.c share.
 */
#ifndef REDOUBT_LAUNCHER_SPAWN_INTERNAL_H
#define REDOUBT_LAUNCHER_SPAWN_INTERNAL_H

#include "program.h"
#include "spawn.h"

/* The programs to start.  Memory is the pool's; descriptors are borrowed from s, but for the
 * pair that spawn_sentry_program makes for the adoption connection.  The environment is left
 * out, and controld's arguments are not ended yet: the pids follow. */
struct err *spawn_gofer_program(struct program *g, const struct spawn *s, struct pool *p) ERR_MUST_USE;
struct err *spawn_sentry_program(struct program *g, const struct spawn *s, struct pool *p) ERR_MUST_USE;
struct err *spawn_controld_program(struct program *g, const struct spawn *s, struct pool *p) ERR_MUST_USE;

#endif
