/*
 * locks.h - what vfs/locks.c (taking and waiting) and vfs/locks_list.c (telling of them) share.  All of it
 * is under vfs->locks_mu.
 */
#ifndef SENTRY_VFS_LOCKS_H
#define SENTRY_VFS_LOCKS_H

#include "vfs/internal.h"

struct held {
	TAILQ_ENTRY(held) link;
	struct file_lock l;
};
TAILQ_HEAD(held_list, held);

struct lock_wait {
	LIST_ENTRY(lock_wait) link;
	struct file_lock l;
	bool flock;
};

/* Of an inode, from its first lock on until it is evicted. */
struct inode_locks {
	LIST_ENTRY(inode_locks) link; /* vfs->locked */
	struct inode *inode; /* [I] whose they are */
	bool listed; /* it is in that list: there are locks */
	struct held_list ranges; /* POSIX and OFD, by owner then start */
	struct held_list flocks;
	LIST_HEAD(, lock_wait) waits;
	struct waitq wq;
};

/* Two locks of the same kind on one inode that cannot be had together. */
bool lock_conflicts(const struct file_lock *a, const struct file_lock *b);

#endif
