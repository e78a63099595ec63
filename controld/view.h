/*
 * view.h - a container's files that only its sentry has, for processes of the
 * host that take the mount namespace of who stands for it for the container's:
 * its /proc (`podman top`, `nsenter -m`), and what lies in memory (`podman cp` into a tmpfs).
 *
 * The launcher mounts a FUSE file system for each and gives us its connection.  What
 * is asked of it the sentry is asked, at once and every time.
 */
#ifndef REDOUBT_CONTROLD_VIEW_H
#define REDOUBT_CONTROLD_VIEW_H

#include "libipc/err.h"

struct container;
struct control_files_serve;

#define VIEWS_MAX 256 /* of a sandbox */

/* Takes the request's descriptor (sets it to -1) when it succeeds; another view of the same tree ends. */
struct err *view_serve(struct container *c, struct control_files_serve *q) ERR_MUST_USE;
void views_close(struct container *c);

#endif
