/*
 * overlay.h - a writable layer over another file system.
 */
#ifndef SENTRY_FS_OVERLAY_OVERLAY_H
#define SENTRY_FS_OVERLAY_OVERLAY_H

#include "vfs/vfs.h"

int overlay_register(struct vfs *v); /* type "overlay" for mount(2): lowerdir= upperdir= workdir=, as far as supported */

/* An overlay with a fresh upper layer in memory (a tmpfs with these options) over lower, which it takes a reference of. */
int overlay_over_memory(struct vfs *v, struct superblock *lower, const char *options, const struct cred *c, struct superblock **out);

#endif
