/*
 * logs.h - the files that the launcher opens for itself and the sandbox's
 * components to write to: they open none.
 */
#ifndef REDOUBT_LAUNCHER_LOGS_H
#define REDOUBT_LAUNCHER_LOGS_H

#include "command.h"

/* --log, --log-format; the launcher's own log from here on. */
struct err *logs_open(struct globals *g) ERR_MUST_USE;
/* --debug-log, --panic-log, --user-log, whose names may tell of the command and its container. */
struct err *logs_open_named(struct globals *g, const char *command, const char *id, struct pool *p) ERR_MUST_USE;
void logs_close(struct globals *g);

#endif
