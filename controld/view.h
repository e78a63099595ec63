/*
 * view.h - serves a container's /proc and tmpfs mounts, which only its sentry has, to processes of the
 * host that have joined the mount namespace of the container's process on the host (`podman top`,
 * `nsenter -m`, `podman cp` into a tmpfs).
 *
 * The launcher mounts a FUSE file system for each (launcher/view.h) and hands over its connection.
 * Every FUSE request becomes a control request to the sentry; nothing is cached.
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
