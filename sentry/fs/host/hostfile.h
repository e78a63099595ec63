/*
 * hostfile.h - donated host descriptors (the program's stdio) as files.
 */
#ifndef SENTRY_FS_HOST_HOSTFILE_H
#define SENTRY_FS_HOST_HOSTFILE_H

#include "kernel/kernel.h"
#include "vfs/file.h"

/* Makes a file of a host descriptor: pipe, socket, regular file, terminal or
 * other character device.  Takes fd also on failure.  uid and gid: shown as the owner. 0 or -errno. */
int hostfile_new(struct kernel *k, int fd, uint32_t uid, uint32_t gid, const struct cred *c, struct file **out);

#endif
