/*
 * overlay2.h - option --overlay2: which of a container's trees it changes in memory only.
 */
#ifndef REDOUBT_LAUNCHER_OVERLAY2_H
#define REDOUBT_LAUNCHER_OVERLAY2_H

#include "plan.h"

/* value as runsc has it: none; root:memory (the root) or all:memory (the directories
 * bound in it too), with ",size=N" at most N bytes for each; NULL: none.  What is
 * written lies in the sandbox's memory, and goes with it.  Other values are refused. */
struct err *overlay2_apply(const char *value, struct plan *plan) ERR_MUST_USE;

#endif
