/*
 * sys.h - the sysfs file system: what programs read of it.
 */
#ifndef SENTRY_FS_SYS_SYS_H
#define SENTRY_FS_SYS_SYS_H

struct dentry;
struct kernel;

int sys_register(struct kernel *k);
/* Shows the interfaces that have come since the mount.  root: the mount's; nothing is done where it is another file system's.
 * Only while no program runs.  0 or -ENOMEM */
int sys_add_interfaces(struct kernel *k, struct dentry *root);

#endif
