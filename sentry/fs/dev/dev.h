/*
 * dev.h - the devices of a container and the tree under /dev.
 */
#ifndef SENTRY_FS_DEV_DEV_H
#define SENTRY_FS_DEV_DEV_H

#include "vfs/vfs.h"

/* Registers the memory devices (mem.c). */
int dev_register(struct vfs *v);

/* Fills the tmpfs mounted at /dev in fs's namespace: device nodes, pts, shm and mqueue directories,
 * links to /proc/self/fd.  Existing names are left.  (devtree.c) */
int dev_populate(struct fs_context *fs, const struct cred *root);

#endif
