/*
 * metrics.h - a sandbox's metrics, in Prometheus's text form.
 */
#ifndef REDOUBT_LAUNCHER_METRICS_H
#define REDOUBT_LAUNCHER_METRICS_H

#include "sandbox.h"

#include <stdio.h>

/* Those of each sandbox there is, a metric's help only once: to f.  only: the id of one sandbox, which must be there; NULL: all. */
struct err *metrics_print(struct context *c, const char *only, FILE *f) ERR_MUST_USE;

#endif
