/*
 * told.h - publishes a file or directory to a task's stub ("the task is told of it"): its
 * attributes and flags, the position, whether anything is left to be read or listed, and
 * some of its bytes (window.h).  The stub then answers fstat, lseek, read and the like on that
 * descriptor by itself (platform_tell_file).
 *
 * A task is told of one file at a time, usually the one it has just opened.  That ends when
 * the task makes any call that is not known to leave the descriptor unchanged, when another
 * task is told of the same inode, and when an attribute of the inode changes: whoever changes
 * one calls inode_changed() afterwards, with neither a_mu nor any other leaf lock held.
 * Reads that find the end this way are not counted in /proc/PID/io.
 *
 * The stub may also close the descriptor, where only a look at the descriptor table could show
 * the difference: the sentry closes it at the task's next call, or within a second or two.
 *
 *	told_begin(t, f, fd);            from here on changes are noticed
 *	... look at the attributes, write them where the program can read them ...
 *	told_end(t, word, until);        they are good, if there was none
 */
#ifndef SENTRY_VFS_TOLD_H
#define SENTRY_VFS_TOLD_H

#include "vfs/file.h"
#include "vfs/window.h"

/* A task's.  All but broken is its own thread's. */
struct told {
	struct file *file; /* not referenced: open at fd until the task's next such call; NULL: of none */
	int fd;
	uint64_t size; /* of what may be read; 0: that is not known */
	_Atomic uint64_t *word; /* 0 ends it; NULL: not begun */
	bool closes; /* it may close it */
	struct window window; /* the part of file that it reads by itself */
	bool broken; /* [inode's a_mu] an attribute has changed */
	/* What was asked of last, and so often in a row that it may be asked of again: */
	const struct file *asked; /* only to compare with */
	int64_t asked_at;
	unsigned asked_n, patience; /* so often lately, and so often before it is told */
};

void told_begin(struct told *t, struct file *f, int fd);
void told_end(struct told *t, _Atomic uint64_t *word, uint64_t until);
void told_drop_slowly(struct told *t);
bool told_holds(const struct told *t); /* own thread: nothing has ended it, nor time */
/* Own thread.  f was asked of, the part of it that is called `at` in particular: is it to be told
 * of, as it is likely to be asked of again?  Less and less readily, if it is asked of nevertheless. */
bool told_is_wanted(struct told *t, const struct file *f, int64_t at);
/* Own thread. */
static inline void told_drop(struct told *t)
{
	if (t->file)
		told_drop_slowly(t);
}

void inode_changed_slowly(struct inode *i);
static inline void inode_changed(struct inode *i)
{
	if (__builtin_expect(atomic_load(&i->told) != NULL || atomic_load(&i->named), 0))
		inode_changed_slowly(i);
}

#endif
