/*
 * policy.h - what the gofer may do, by its options.
 */
#ifndef REDOUBT_GOFER_POLICY_H
#define REDOUBT_GOFER_POLICY_H

#include "options.h"

#include "libipc/confine.h"

/* The policy for these options; static. */
const struct policy *gofer_policy(const struct options *o);
/* The keeper's (keeper.h): the same, and what making a process that serves takes. */
const struct policy *gofer_keeper_policy(const struct options *o);

#endif
