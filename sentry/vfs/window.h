/*
 * window.h - the position of an open file whose program reads a part of it by itself
 * (platform_window).  Then the position is in a word that the program moves, and f->pos is
 * behind: while the program's task is in the kernel, f->pos is right again, as its own thread
 * settles first; others, who get the file by a process descriptor or look at it in /proc, call
 * window_settle_other or window_position.
 *
 * What the program says of the position is believed as far as it lies in the part: it could
 * have it there by lseek.
 */
#ifndef SENTRY_VFS_WINDOW_H
#define SENTRY_VFS_WINDOW_H

#include "lib/lock.h"

#define WINDOW_VALID (UINT64_C(1) << 63) /* the word's: as platform.h has it */

struct file;

/* A task's; all without a mark is its own thread's. */
struct window {
	struct mutex mu; /* RANK_LEAF */
	struct file *file; /* as told.file; NULL: there is none.  To set: [mu] also */
	_Atomic uint64_t *moves; /* [mu] the word; NULL: it is taken back */
	int64_t from; /* [mu] where the part begins in the file, */
	unsigned len; /* and its length */
	bool moved; /* the program has read there */
};

void window_init(struct window *w);
void window_destroy(struct window *w);

/* Own thread. */
void window_begin(struct window *w, struct file *f, _Atomic uint64_t *moves, int64_t from, unsigned len);
void window_open_slowly(struct window *w);
void window_settle_slowly(struct window *w);
void window_end(struct window *w);

/* The program goes on, */
static inline void window_open(struct window *w)
{
	if (w->file)
		window_open_slowly(w);
}
/* and has stopped. */
static inline void window_settle(struct window *w)
{
	if (w->file)
		window_settle_slowly(w);
}

/* Any thread: f's position as it is now, whatever else happens to it.  Takes no f->pos_mu, as a reader
 * of /proc/PID/fdinfo holds one, perhaps f's. */
int64_t window_position(struct window *w, const struct file *f);
/* Any thread; f->pos_mu is not held.  If w is of f, f->pos is right from now on, as its program
 * asks again whenever it reads. */
void window_settle_other(struct window *w, struct file *f);

#endif
