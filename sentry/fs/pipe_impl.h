/*
 * pipe_impl.h - inside of pipes: shared by pipe.c and fifo.c only.
 */
#ifndef SENTRY_FS_PIPE_IMPL_H
#define SENTRY_FS_PIPE_IMPL_H

#include "fs/pipe_ring.h"
#include "lib/lock.h"
#include "lib/wait.h"
#include "platform/platform.h"
#include "vfs/file.h"

#include <sys/queue.h>

struct pipe_mark;

/* A writer that waits for room: whoever makes it takes what is to be written, so that the
 * writer need not wake for each part. */
struct pipe_blocked {
	TAILQ_ENTRY(pipe_blocked) link; /* [p->mu] */
	struct uio *u; /* [p->mu] while it waits: what is left to write; NULL: it writes that itself */
	ssize_t taken; /* [p->mu] bytes that others have taken from there */
	bool waits; /* [p->mu] in p->blocked */
};

struct pipe {
	struct mutex mu; /* RANK_FILE */
	struct waitq wq; /* readers wait for IN, writers for OUT, fifo openers for either */
	struct pipe_ring ring; /* [mu] */
	uint32_t size; /* [mu] bytes it may hold */
	STAILQ_HEAD(, pipe_mark) marks; /* [mu] pipe_marks.c: where packets are in the ring; empty: a stream */
	uint32_t n_marks; /* [mu] */
	TAILQ_HEAD(, pipe_blocked) blocked; /* [mu] in the order in which they came */
	unsigned readers, writers; /* [mu] open files of each kind */
	uint64_t reader_opens, writer_opens; /* [mu] ever: an opener waits for a change */
	unsigned users; /* [inode->a_mu] files and openers */
	/* pipe_lent.c: */
	struct platform_ring *lent; /* [mu] where ring's bytes lie; NULL: in its own memory */
	struct pipe_ring kept; /* [mu] meanwhile its own memory */
	bool lent_to[2], given[2]; /* [mu] by side: somebody may use it; its word is valid */
	bool never_lent; /* [mu] */
	unsigned looks; /* [mu] how many of wq's waiters look again by themselves */
	unsigned refused; /* [mu] how often it was not, as others wait */
	unsigned hold, patience; /* [mu] writes until it is given again, and so many the last time */
	bool anonymous; /* [I] made by pipe(2): opening it again (/proc/PID/fd) never waits */
};

extern const struct file_ops pipe_file_ops;
struct pipe *pipe_new(void);
void pipe_free(struct pipe *p);
/* One user less of the inode's pipe. True: that was the last, the caller frees p. */
bool pipe_put_user(struct pipe *p, struct inode *i);

#define PIPE_READABLE (EVENT_IN | EVENT_RDNORM)
#define PIPE_WRITABLE (EVENT_OUT | EVENT_WRNORM)

/* --- p->mu held --- */
/* Room for a writer to go on: bytes, 0 when it must wait.  As in Linux a full
 * page must be free, so that a small write is never split. */
uint32_t pipe_room(const struct pipe *p);
/* Whether a writer of need bytes may go on. */
bool pipe_has_room(const struct pipe *p, uint64_t need);
/* Waits until there is something to read. 1, 0 at the end, -errno.  w: the call's, all zero at first; for wait_end(). */
int pipe_await_data(struct pipe *p, struct waiter *w, bool nonblock);
/* Waits until `need` bytes fit, or b's were taken. 0 or -errno. */
int pipe_await_room(struct pipe *p, struct waiter *w, uint64_t need, struct pipe_blocked *b, bool nonblock);
/* Copies one part of a write in. Bytes or -errno. */
ssize_t pipe_write_some(struct pipe *p, struct uio *u, bool packet);

/* --- pipe_lent.c: programs that use the ring by themselves; [p->mu] but for those of files --- */
void pipe_look_slowly(struct pipe *p, enum platform_side side);
void pipe_settle_slowly(struct pipe *p, enum platform_side side, bool both, const struct waiter *own);
void pipe_take_back_slowly(struct pipe *p);
/* The caller uses that side: p->ring is as it is now. */
static inline void pipe_look(struct pipe *p, enum platform_side side)
{
	if (p->lent)
		pipe_look_slowly(p, side);
}
/* And has used it, (both) even the other one, whose user sleeps.  own: the call's waiter. */
static inline void pipe_settle(struct pipe *p, enum platform_side side, bool both, const struct waiter *own)
{
	if (p->lent)
		pipe_settle_slowly(p, side, both, own);
}
/* From here on each call is asked. */
static inline void pipe_take_back(struct pipe *p)
{
	if (p->lent)
		pipe_take_back_slowly(p);
}
void pipe_view(struct pipe *p); /* p->ring is as it is now, and only looked at */
void pipe_unlend(struct pipe *p); /* nobody uses it by himself any more */
/* Instead of a reader's sleep: a moment, in which the writer need not ask.  0 or -errno. */
bool pipe_may_look(const struct pipe *p);
int pipe_short_look(struct pipe *p);
int pipe_set_flags(struct file *f, int flags);

/* --- pipe_blocked.c; [p->mu] --- */
void pipe_blocked_begin(struct pipe *p, struct pipe_blocked *b);
void pipe_blocked_end(struct pipe *p, struct pipe_blocked *b);
/* Takes from them what fits.  *woken: one of them is to go on by itself.  Whether there were bytes. */
bool pipe_blocked_take(struct pipe *p, bool *woken);

/* --- pipe_marks.c: packets; [p->mu] --- */
/* len bytes were appended behind `before` others. False: no memory. */
bool pipe_marks_add(struct pipe *p, uint32_t before, uint32_t len, bool packet);
uint32_t pipe_marks_limit(const struct pipe *p, bool *packet); /* bytes that one step of a read may take; *packet: they are one packet */
void pipe_marks_taken(struct pipe *p, uint32_t n); /* n bytes of it were consumed */
void pipe_marks_put_back(struct pipe *p, uint32_t n);
void pipe_marks_free(struct pipe *p);

#endif
