/*
 * sweep.h - removing what a `do` that was killed has left.
 *
 * Nobody deletes the sandbox of a `do`: its launcher does, which holds the record's lock for
 * as long as it lives.  When that is killed controld ends the processes, but may touch no file;
 * so the next command that makes a container, or lists them, removes the record and the cgroup.
 */
#ifndef REDOUBT_LAUNCHER_SWEEP_H
#define REDOUBT_LAUNCHER_SWEEP_H

#include "command.h"

/* Leaves alone what still ends, for the next.  Trouble is only logged: it is not the caller's. */
void sweep(struct context *c);

#endif
