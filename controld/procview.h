/*
 * procview.h - a container's /proc for processes of the host: what `podman top`
 * and `nsenter -m` read, who take the sentry's mount namespace for the container's.
 *
 * The launcher mounts a FUSE file system there and gives us its connection.  What
 * is asked of it the sentry is asked, at once and every time.
 */
#ifndef REDOUBT_CONTROLD_PROCVIEW_H
#define REDOUBT_CONTROLD_PROCVIEW_H

#include "libipc/err.h"

struct container;
struct procview;

/* Takes *fuse (sets it to -1) when it succeeds; another view of the container ends. */
struct err *procview_serve(struct container *c, int *fuse) ERR_MUST_USE;
void procview_close(struct container *c);

#endif
