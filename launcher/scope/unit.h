/*
 * unit.h - the four things that are done with a scope.  Each returns once systemd
 * has done it.
 */
#ifndef REDOUBT_SCOPE_UNIT_H
#define REDOUBT_SCOPE_UNIT_H

#include "bus.h"

/* A new scope with this process in it, which prints the cgroup's path and stays
 * until its standard input ends: a scope without a process ends at once. */
struct err *unit_start(sd_bus *bus, const char *unit, char **args) ERR_MUST_USE;
/* Other values of properties, until the scope ends. */
struct err *unit_set(sd_bus *bus, const char *unit, char **args) ERR_MUST_USE;
/* Processes into it, by number. */
struct err *unit_attach(sd_bus *bus, const char *unit, char **args) ERR_MUST_USE;
/* Ends it with all processes in it; one that is not there is no error. */
struct err *unit_stop(sd_bus *bus, const char *unit, char **args) ERR_MUST_USE;

#endif
