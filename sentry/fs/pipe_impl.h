/*
 * pipe_impl.h - inside of pipes: shared by pipe.c and fifo.c only.
 */
#ifndef SENTRY_FS_PIPE_IMPL_H
#define SENTRY_FS_PIPE_IMPL_H

#include "fs/pipe_ring.h"
#include "lib/lock.h"
#include "lib/wait.h"
#include "vfs/file.h"

#include <sys/queue.h>

struct pipe_mark;
struct pipe {
	struct mutex mu; /* RANK_FILE */
	struct waitq wq; /* readers wait for IN, writers for OUT, fifo openers for either */
	struct pipe_ring ring; /* [mu] */
	uint32_t size; /* [mu] bytes it may hold */
	STAILQ_HEAD(, pipe_mark) marks; /* [mu] pipe_marks.c: where packets are in the ring; empty: a stream */
	uint32_t n_marks; /* [mu] */
	unsigned readers, writers; /* [mu] open files of each kind */
	uint64_t reader_opens, writer_opens; /* [mu] ever: an opener waits for a change */
	unsigned users; /* [inode->a_mu] files and openers */
	bool anonymous; /* [I] made by pipe(2): opening it again (/proc/PID/fd) never waits */
};

extern const struct file_ops pipe_file_ops;
struct pipe *pipe_new(void);
void pipe_free(struct pipe *p);
/* One user less of the inode's pipe. True: that was the last, the caller frees p. */
bool pipe_put_user(struct pipe *p, struct inode *i);

/* --- pipe_marks.c: packets; [p->mu] --- */
/* len bytes were appended behind `before` others. False: no memory. */
bool pipe_marks_add(struct pipe *p, uint32_t before, uint32_t len, bool packet);
uint32_t pipe_marks_limit(const struct pipe *p, bool *packet); /* bytes that one step of a read may take; *packet: they are one packet */
void pipe_marks_taken(struct pipe *p, uint32_t n); /* n bytes of it were consumed */
void pipe_marks_put_back(struct pipe *p, uint32_t n);
void pipe_marks_free(struct pipe *p);

#endif
