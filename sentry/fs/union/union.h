/*
 * union.h - type "overlay" of mount(2): directories of the sandbox's file systems over one another,
 * with Linux's overlayfs as the specification, its form of whiteouts and opaque directories included.
 */
#ifndef SENTRY_FS_UNION_UNION_H
#define SENTRY_FS_UNION_UNION_H

struct vfs;

int union_register(struct vfs *v);

#endif
