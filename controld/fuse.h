/*
 * fuse.h - the part of the FUSE protocol that a simple file system needs, with the kernel's caching
 * turned off: every lookup, read and change arrives here.
 *
 * The host's kernel speaks it on a descriptor of /dev/fuse (fuse(4), linux/fuse.h).  fuse.c knows the
 * frames; its user (view.c) knows the files.  One thread, on its libevent loop; host calls: read,
 * write, close.
 */
#ifndef REDOUBT_CONTROLD_FUSE_H
#define REDOUBT_CONTROLD_FUSE_H

#include "libipc/err.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define FUSE_NAME_ROOM 256
#define FUSE_READ_MAX 32768 /* bytes of an answer; the kernel asks again for more */
#define FUSE_WRITE_MAX 32768 /* and of what it brings */

/* A request that the owner answers, at once or later, with fuse_reply or fuse_fail. */
struct fuse_call {
	TAILQ_ENTRY(fuse_call) link;
	struct fuse_conn *conn; /* NULL: it has been closed */
	uint64_t unique;
	uint32_t opcode; /* FUSE_LOOKUP, GETATTR ...: those of fuse.c's table that are passed on */
	uint64_t node;
	uint64_t offset; /* READ, READDIR, WRITE */
	uint32_t size; /* READ, READDIR: bytes at most, not over FUSE_READ_MAX; WRITE: bytes that are there, not over FUSE_WRITE_MAX */
	/* Of the request, until fuse_ops.call returns. */
	const void *body; /* the structure that its kind begins with */
	const char *names[2]; /* what follows that, or NULL: a name, and RENAME's other one or SYMLINK's target */
	/* The owner's. */
	uint64_t ask;
	char *path, *to; /* freed with the call */
};

struct fuse_ops {
	void (*call)(void *arg, struct fuse_call *c);
	/* Nobody waits for the answer any more; it is to be given all the same. */
	void (*interrupt)(void *arg, struct fuse_call *c);
	/* The kernel has forgotten a node that it was told of so many times. */
	void (*forget)(void *arg, uint64_t node, uint64_t times);
	/* The mount has gone (why NULL), or what came was no FUSE.  Nothing more comes; the owner closes. */
	void (*gone)(void *arg, const char *why);
};

/* Takes fd, which must not block, when it succeeds. */
struct err *fuse_open(struct event_base *base, int fd, const struct fuse_ops *ops, void *arg, struct fuse_conn **out) ERR_MUST_USE;
/* Who waits in the kernel gets an error.  Calls that are not answered yet stay their owner's to end. */
void fuse_close(struct fuse_conn *conn);
void *fuse_call_arg(const struct fuse_call *c); /* NULL: the connection has been closed */

/* Both end the call. */
void fuse_reply(struct fuse_call *c, const void *data, size_t len);
void fuse_fail(struct fuse_call *c, int errnum);

#endif
