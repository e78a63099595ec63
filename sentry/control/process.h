/*
 * process.h - internals of control/: the processes it starts.
 */
#ifndef SENTRY_CONTROL_PROCESS_H
#define SENTRY_CONTROL_PROCESS_H

#include "control/container.h"

/* Loads the program; stopped until process_start. Takes the descriptors. */
struct err *process_create(struct container *c, const struct boot_process *bp, int *stdio, unsigned n_stdio, struct process **out) ERR_MUST_USE;
void process_start(struct process *p);
/* Forgets all processes of a container whose first, the last of it, has ended. */
void processes_free(struct container *c);

#endif
