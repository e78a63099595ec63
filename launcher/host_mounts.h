/*
 * host_mounts.h - trees that the launcher mounts on the host for a gofer to serve: overlays, binds with
 * mapped ids, and, in a container with user ids of its own, all binds, since its root may not be able
 * to reach them by their paths.
 *
 * They are detached mounts: visible at no path, in no mount namespace, and gone with their last
 * descriptor, which is the gofer's.  So nothing has to be undone.
 */
#ifndef REDOUBT_LAUNCHER_HOST_MOUNTS_H
#define REDOUBT_LAUNCHER_HOST_MOUNTS_H

#include "plan.h"

/* Makes those that the plan asks for: plan_tree.fd, held until this process ends.
 * An error names the mount, and what the kernel says of it. */
struct err *host_mounts_make(struct plan *plan, struct pool *p) ERR_MUST_USE;

#endif
