/*
 * below.h - what a file system that lies over directories of others does in those.
 *
 * A place is a directory's dentry and a name, and no mount; rights are those of credentials that
 * the caller names, and every one that Linux asks for is asked for.  Locks of the directories
 * are taken here, below whatever inodes' mu of the file system above are held.  Watchers of the
 * directories are told, as of anybody's change.
 *
 * Two directories are locked as rename(2) does it (vfs/rename.c), but without rename_mu, for
 * which it is too late.
 */
#ifndef SENTRY_VFS_BELOW_H
#define SENTRY_VFS_BELOW_H

#include "vfs/vfs.h"

struct below_new {
	uint32_t mode; /* with the type; no umask */
	uint64_t rdev; /* of a device */
	const char *target; /* of a symbolic link */
	const struct cred *by, *owner; /* whose rights; whose it will be */
};
/* What is called name, never negative; new reference.  -ENOENT, -EACCES: c may not search dir, or the lookup's error. */
int below_find(struct dentry *dir, const struct qstr *name, const struct cred *c, struct dentry **out);
/* *out: new reference, or NULL if it is not wanted. -EEXIST */
int below_make(struct dentry *dir, const struct qstr *name, const struct below_new *n, struct dentry **out);
int below_link(struct dentry *dir, const struct qstr *name, struct inode *target, const struct cred *c);
/* -ESTALE: it is another file by now. */
int below_remove(struct dentry *dir, const struct qstr *name, const struct inode *what, const struct cred *c);
/* flags: LINUX_RENAME_EXCHANGE or 0, what is there is replaced; both on one superblock. -ESTALE: as above, of the old name. */
int below_rename(struct dentry *from, const struct qstr *old, const struct inode *what, struct dentry *to, const struct qstr *name, unsigned flags,
	const struct cred *c);
int below_open(struct dentry *d, int flags, const struct cred *c, struct file **out);

#endif
