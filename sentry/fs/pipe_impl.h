/*
 * pipe_impl.h - inside of pipes: shared by pipe.c and fifo.c only.
 */
#ifndef SENTRY_FS_PIPE_IMPL_H
#define SENTRY_FS_PIPE_IMPL_H

#include "fs/pipe_ring.h"
#include "lib/lock.h"
#include "lib/wait.h"
#include "vfs/file.h"

struct pipe {
	struct mutex mu; /* RANK_FILE */
	struct waitq wq; /* readers wait for IN, writers for OUT, fifo openers for either */
	struct pipe_ring ring; /* [mu] */
	uint32_t size; /* [mu] bytes it may hold */
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

#endif
