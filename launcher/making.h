/*
 * making.h - steps of making a container, shared by those with a sandbox of
 * their own (sandbox.c) and those that join one (subcontainer.c).
 */
#ifndef REDOUBT_LAUNCHER_MAKING_H
#define REDOUBT_LAUNCHER_MAKING_H

#include "sandbox.h"

struct err *making_pair(int *a, int *b) ERR_MUST_USE;
/* The state directory and its first record, phase "creating". */
/* The container's cgroup with its limits; none, with a warning, where we may not have one. */
struct err *making_cgroup(struct context *c, const struct plan *plan, struct sandbox *s) ERR_MUST_USE;

/* subcontainer.c: what sandbox_create does behind the state for a plan that names a sandbox. */
struct err *subcontainer_make(struct context *c, const struct plan *plan, int *stdio, unsigned n_stdio, struct sandbox *s,
	int *boot_errno) ERR_MUST_USE;

#endif
