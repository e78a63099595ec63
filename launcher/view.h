/*
 * view.h - the container's files as a mount namespace shows them.
 *
 * `podman cp`, `nsenter -m` and their like reach a container's files by joining
 * the mount namespace of the process that stands for it.  With us that is an
 * empty room.  So the container's root and what is bound in it are mounted over
 * the room's root: who joins comes to lie on top and sees them, who was in the
 * room stays below and reaches nothing.
 *
 * What only the sentry has, /proc (`podman top` reads it) and each tmpfs, are FUSE file
 * systems there that controld serves (view_served.h), where there is /dev/fuse; by FUSE's own
 * rule only to who has our ids.
 */
#ifndef REDOUBT_LAUNCHER_VIEW_H
#define REDOUBT_LAUNCHER_VIEW_H

#include "plan.h"
#include "state.h"

/* Shows the plan's trees in the mount namespace of `who`, which must be an empty
 * one of its own.  Other file systems in the sandbox's memory (/dev, devpts ...) are
 * empty there and refuse writing.  Without the privilege it stays as it is.
 * dir: the container's, whose controld must be there. */
void view_show(const struct plan *plan, const struct state_dir *dir, const struct proc_id *who, struct pool *p);
/* Those that a controld served that has gone, by the one there is now.  ids: the plan's; NULL: not known. */
void view_show_again(const struct state_dir *dir, const struct proc_id *who, const struct id_maps *ids, struct pool *p);

/* Puts this process into an empty mount namespace.  By path it reaches nothing after that. */
struct err *view_enter_empty(void) ERR_MUST_USE;

#endif
