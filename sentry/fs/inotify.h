/*
 * inotify.h - watching files (inotify(7)), on the hooks of vfs/notify.h.
 */
#ifndef SENTRY_FS_INOTIFY_H
#define SENTRY_FS_INOTIFY_H

#include <stdint.h>

struct cred;
struct file;
struct inode;
struct vfs;

#define LINUX_IN_ALL_EVENTS 0xfffu
#define LINUX_IN_UNMOUNT 0x2000u
#define LINUX_IN_Q_OVERFLOW 0x4000u
#define LINUX_IN_IGNORED 0x8000u
#define LINUX_IN_ONLYDIR 0x01000000u
#define LINUX_IN_DONT_FOLLOW 0x02000000u
#define LINUX_IN_EXCL_UNLINK 0x04000000u
#define LINUX_IN_MASK_CREATE 0x10000000u
#define LINUX_IN_MASK_ADD 0x20000000u
#define LINUX_IN_ONESHOT 0x80000000u

struct linux_inotify_event {
	int32_t wd;
	uint32_t mask, cookie, len; /* name follows, padded with NULs to len */
};

int inotify_register(struct vfs *v); /* once at boot */
int inotify_create(struct vfs *v, int flags, const struct cred *c, struct file **out);
/* The watch's number; -EINVAL (not an inotify file), -EEXIST, -ENOSPC, -ENOMEM. i is borrowed. */
int inotify_add(struct file *f, struct inode *i, uint32_t mask);
int inotify_remove(struct file *f, int wd);
int inotify_check(struct file *f); /* is it one? 0 or -EINVAL */

#endif
