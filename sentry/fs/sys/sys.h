/*
 * sys.h - the sysfs file system: what programs read of it.
 */
#ifndef SENTRY_FS_SYS_SYS_H
#define SENTRY_FS_SYS_SYS_H

struct kernel;

int sys_register(struct kernel *k);

#endif
