/*
 * host_mounts.h - trees that are mounts of our own making on the host: overlays,
 * binds with mapped ids, and where the container has ids of its own all binds, which
 * its root may be unable to reach by their paths.
 *
 * They are detached: at no path of the host's, in nobody's mount namespace, and gone
 * with the last descriptor, the gofer's.  So nothing has to be undone.
 */
#ifndef REDOUBT_LAUNCHER_HOST_MOUNTS_H
#define REDOUBT_LAUNCHER_HOST_MOUNTS_H

#include "plan.h"

/* Makes those that the plan asks for: plan_tree.fd, held until this process ends.
 * An error names the mount, and what the kernel says of it. */
struct err *host_mounts_make(struct plan *plan, struct pool *p) ERR_MUST_USE;

#endif
