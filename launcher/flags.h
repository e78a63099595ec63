/*
 * flags.h - options of ours that a container's annotations may set.
 */
#ifndef REDOUBT_LAUNCHER_FLAGS_H
#define REDOUBT_LAUNCHER_FLAGS_H

#include "command.h"
#include "json_read.h"

/* dev.gvisor.flag.NAME: VALUE among the annotations, for the NAMEs that --allow-flag
 * gives: c->g becomes a copy with them set.  Others are refused by name. */
struct err *flags_apply(struct context *c, const struct jmap *annotations) ERR_MUST_USE;

#endif
