/*
 * pod.h - decides whether a container gets a sandbox of its own or joins another container's.
 */
#ifndef REDOUBT_LAUNCHER_POD_H
#define REDOUBT_LAUNCHER_POD_H

#include "command.h"
#include "plan.h"

/* Fills in plan->sandbox and which namespaces are joined, and applies the pod's
 * mount hints.  Looks at the other containers' records. */
struct err *pod_resolve(struct context *c, struct plan *plan) ERR_MUST_USE;

#endif
