/*
 * view.h - the container's files as a mount namespace shows them.
 *
 * `podman cp`, `nsenter -m` and their like reach a container's files by joining
 * the mount namespace of the process that stands for it.  With us that is an
 * empty room.  So the container's root and what is bound in it are mounted over
 * the room's root: who joins comes to lie on top and sees them, who was in the
 * room stays below and reaches nothing.
 *
 * `podman top` reads /proc there.  It is a FUSE file system that controld serves
 * (controld/procview.h), where there is /dev/fuse; by FUSE's own rule only to who has our ids.
 */
#ifndef REDOUBT_LAUNCHER_VIEW_H
#define REDOUBT_LAUNCHER_VIEW_H

#include "plan.h"
#include "state.h"

/* Shows the plan's trees in the mount namespace of `who`, which must be an empty
 * one of its own.  Other file systems in the sandbox's memory (tmpfs ...) are
 * empty there and refuse writing.  Without the privilege it stays as it is.
 * dir: the container's, whose controld must be there. */
void view_show(const struct plan *plan, const struct state_dir *dir, const struct proc_id *who, struct pool *p);
/* The container's /proc alone, over that of a controld that has gone; where none was shown
 * before, none is now. */
void view_show_proc(const struct state_dir *dir, const struct proc_id *who, struct pool *p);

/* Puts this process into an empty mount namespace.  By path it reaches nothing after that. */
struct err *view_enter_empty(void) ERR_MUST_USE;

#endif
