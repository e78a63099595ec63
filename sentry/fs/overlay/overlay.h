/*
 * overlay.h - a writable layer in memory over a whole file system; what programs mount is fs/union's.
 */
#ifndef SENTRY_FS_OVERLAY_OVERLAY_H
#define SENTRY_FS_OVERLAY_OVERLAY_H

#include "vfs/vfs.h"

/* An overlay with a fresh upper layer in memory (a tmpfs with these options) over lower, which it takes a reference of. */
int overlay_over_memory(struct vfs *v, struct superblock *lower, const char *options, const struct cred *c, struct superblock **out);

/* The first `end` bytes of a file that nobody else has open as `from` and `to`, but for its holes. */
int overlay_copy_data(struct file *from, struct file *to, int64_t end);

#endif
