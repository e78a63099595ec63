/*
 * policy.h - what this program may do once it is connected to the bus.
 */
#ifndef REDOUBT_SCOPE_POLICY_H
#define REDOUBT_SCOPE_POLICY_H

#include "libipc/confine.h"

extern const struct policy scope_policy;

#endif
