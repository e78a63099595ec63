/*
 * policy.h - controld's privilege, see policy.c.
 */
#ifndef REDOUBT_CONTROLD_POLICY_H
#define REDOUBT_CONTROLD_POLICY_H

#include "libipc/confine.h"

extern const struct policy controld_policy;

#endif
