/*
 * dnotify.h - directories of whose changes a process is told by signals (fcntl(2), F_NOTIFY),
 * on the hooks of vfs/notify.h and by kernel/sigio.h.
 */
#ifndef SENTRY_FS_DNOTIFY_H
#define SENTRY_FS_DNOTIFY_H

#include <stdint.h>

struct fdtable;
struct file;
struct kernel;
struct task;

int dnotify_register(struct kernel *k); /* once at boot */
/* f, an open directory that t's table has as fd: what arg (LINUX_DN_*) says is told to f's
 * owner from now on, besides what was asked before.  Once, if not LINUX_DN_MULTISHOT. -ENOMEM */
int dnotify_add(struct task *t, struct file *f, int fd, uint32_t arg);
void dnotify_remove(struct file *f, const struct fdtable *owner); /* what that table's tasks asked; NULL: all */

#endif
