/*
 * bus.h - the connection to systemd's manager, the machine's or a user's.
 */
#ifndef REDOUBT_SCOPE_BUS_H
#define REDOUBT_SCOPE_BUS_H

#include "libipc/err.h"

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* Connects; without a bus daemon to systemd's own socket. */
struct err *bus_open(bool user, sd_bus **out) ERR_MUST_USE;

/* A call of org.freedesktop.systemd1.Manager, not sent yet. */
struct err *bus_manager_call(sd_bus *bus, const char *method, sd_bus_message **out) ERR_MUST_USE;
/* Sends m and takes its answer; *unknown (or NULL): there is no such unit. */
struct err *bus_send(sd_bus *bus, sd_bus_message *m, bool *unknown, sd_bus_message **answer) ERR_MUST_USE;
/* The same for a call that makes a job: waits until it is done. */
struct err *bus_send_job(sd_bus *bus, sd_bus_message *m, bool *unknown) ERR_MUST_USE;
/* The path below the hierarchy's root of a unit's cgroup; the caller frees it. */
struct err *bus_unit_cgroup(sd_bus *bus, const char *unit, char **out) ERR_MUST_USE;

static inline void bus_unref(sd_bus **b) { sd_bus_flush_close_unref(*b); }
static inline void bus_message_unref(sd_bus_message **m) { sd_bus_message_unref(*m); }
#define _cleanup_bus_ __attribute__((cleanup(bus_unref)))
#define _cleanup_message_ __attribute__((cleanup(bus_message_unref)))

#endif
