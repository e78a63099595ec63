/*
 * told.h - a file that a program may look at without asking: its attributes, where it
 * stands, and that nothing is left to be read.
 *
 * A task is told of one file at a time, mostly the one it has just opened, by its
 * platform context (platform_tell_file).  It is told no more when it makes any call
 * that is not known to leave the descriptor as it is, when another is told of the
 * same inode, and when an attribute of that inode changes: whoever changes one says so
 * afterwards (inode_changed), with neither a_mu nor any other leaf lock held.
 *
 *	told_begin(t, f, fd);            from here on changes are noticed
 *	... look at the attributes, write them where the program can read them ...
 *	told_end(t, word, until);        they are good, if there was none
 */
#ifndef SENTRY_VFS_TOLD_H
#define SENTRY_VFS_TOLD_H

#include "vfs/file.h"

/* A task's.  All but broken is its own thread's. */
struct told {
	struct file *file; /* not referenced: open at fd until the task's next such call; NULL: of none */
	int fd;
	uint64_t size; /* of what may be read; 0: that is not known */
	_Atomic uint64_t *word; /* 0 ends it; NULL: not begun */
	bool broken; /* [inode's a_mu] an attribute has changed */
};

void told_begin(struct told *t, struct file *f, int fd);
void told_end(struct told *t, _Atomic uint64_t *word, uint64_t until);
void told_drop_slowly(struct told *t);
/* Own thread. */
static inline void told_drop(struct told *t)
{
	if (t->file)
		told_drop_slowly(t);
}

void inode_changed_slowly(struct inode *i);
static inline void inode_changed(struct inode *i)
{
	if (__builtin_expect(atomic_load(&i->told) != NULL, 0))
		inode_changed_slowly(i);
}

#endif
