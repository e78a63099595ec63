/*
 * view.h - the container's files, shown in a mount namespace of the host.
 *
 * `podman cp`, `nsenter -m` and others reach a container's files by joining the mount namespace
 * of its process.  Here that process is the sentry or a stand-in (stand_in.h), whose own root is
 * empty.  So the container's root and its bind mounts are mounted on top of that root: a process
 * that joins the namespace starts at the topmost mount and sees them, while the sentry, which was
 * there before, stays below and still reaches nothing.
 *
 * Files that only the sentry has, /proc (read by `podman top`) and each tmpfs, are FUSE mounts
 * there that controld serves (view_served.h).  They need /dev/fuse, and by FUSE's own rules are
 * accessible only to processes with the mounter's ids.
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
