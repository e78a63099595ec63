/*
 * policy.h - the sentry's privilege, see policy.c.
 */
#ifndef SENTRY_BOOT_POLICY_H
#define SENTRY_BOOT_POLICY_H

#include "libipc/confine.h"

extern const struct policy sentry_policy;

#endif
