/*
 * tmpfs.h - the file system in memory: mounts, /dev/shm, overlay's upper layer, memfds.
 */
#ifndef SENTRY_FS_TMPFS_H
#define SENTRY_FS_TMPFS_H

#include "vfs/file.h"
#include "vfs/vfs.h"

extern const struct fs_type tmpfs_type; /* also fit as "devtmpfs", "ramfs" base */

/* Registers "tmpfs" and makes the hidden instance for memfds.  At boot, after vfs_mm_env_set. */
int tmpfs_register(struct vfs *v);

/* A new instance without mounting it.  options: size=64m,nr_inodes=1k,mode=1777,uid=0,gid=0 or NULL. */
int tmpfs_new(struct vfs *v, const char *options, struct superblock **out);

/* What all files in memory hold. */
uint64_t tmpfs_bytes(void);

/* memfd_create: flags LINUX_MFD_*. */
int tmpfs_memfd(struct vfs *v, const char *name, unsigned flags, const struct cred *c, struct file **out);
/* F_ADD_SEALS, F_GET_SEALS: -EINVAL for other files. */
int tmpfs_add_seals(struct file *f, unsigned seals);
int tmpfs_get_seals(struct file *f);

#endif
