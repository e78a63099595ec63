/*
 * tables.h - tables that the sentry prints: this process executes the sentry with an option that prints
 * one and exits.  Both functions return only with an error.
 */
#ifndef REDOUBT_LAUNCHER_TABLES_H
#define REDOUBT_LAUNCHER_TABLES_H

#include "libipc/err.h"
#include "pool.h"

struct err *tables_syscalls(const char *format, struct pool *p) ERR_MUST_USE;
struct err *tables_trace_points(struct pool *p) ERR_MUST_USE;

#endif
