/*
 * pipe.h - pipes and named pipes (pipe(7), fifo(7)).
 *
 * A pipe's bytes lie in a ring that grows on use up to the pipe's size, so an
 * idle pipe holds no buffer.  All functions run on a task's thread.
 */
#ifndef SENTRY_FS_PIPE_H
#define SENTRY_FS_PIPE_H

#include "platform/platform.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cred;
struct file;
struct inode;
struct pipe;
struct uio;
struct vfs;

#define PIPE_BUF_SIZE 4096u /* writes up to this are not mixed with others' */
#define PIPE_DEFAULT_SIZE 65536u
#define PIPE_MAX_SIZE 1048576u /* unprivileged F_SETPIPE_SZ: fs.pipe-max-size */

/* pipe2(2): flags LINUX_O_NONBLOCK|O_DIRECT. out[0] reads. 0 or -errno. */
int pipe_create(struct vfs *v, int flags, const struct cred *c, struct file *out[2]);

/* Completes the open of a named pipe (inode type S_IFIFO): what a file system's
 * inode_ops.open, or vfs_open for any S_IFIFO inode, calls.  Blocks for the other
 * end as fifo(7) says; -ENXIO, -ERESTARTSYS.  f->mode tells the direction.
 * Must be called without i->mu held.  When it fails f->ops is unchanged (its
 * release is not to be called). */
int fifo_open(struct inode *i, struct file *f);
void fifo_release(struct inode *i); /* the inode ends: frees what it still has */

/* The pipe behind a file, or NULL. Borrowed from f. */
struct pipe *pipe_of(struct file *f);
int64_t pipe_get_size(struct file *f); /* F_GETPIPE_SZ; -EBADF: no pipe */
/* F_SETPIPE_SZ: the new size, -EBUSY (holds more), -EPERM (over the maximum and not privileged), -EINVAL, -EBADF */
int64_t pipe_set_size(struct file *f, uint64_t size, bool privileged);

/* --- lending: pipe_lent.c -------------------------------------------------------- */
/* c's program, the caller's own, uses that side of f's pipe by itself from now on, as descriptor fd.  False: it cannot. */
bool pipe_lend(struct file *f, int fd, enum platform_side side, struct platform_ctx *c);
void pipe_end_lending(struct file *f); /* nobody does any more */

/* --- for splice(2): kernel memory in and out ------------------------------------ */
/* Waits for at least one byte of room (unless nonblock: -EAGAIN); bytes of room, -EPIPE, -ERESTARTSYS. */
ssize_t pipe_wait_room(struct pipe *p, bool nonblock);
/* Appends all, exceeding the size for a moment if a writer came between. n, -EPIPE, -ENOMEM. */
ssize_t pipe_push(struct pipe *p, const void *buf, size_t n);
/* Takes (or, with peek, copies) at most n bytes; 0 at the end; waits unless nonblock. */
ssize_t pipe_pull(struct pipe *p, void *buf, size_t n, bool nonblock, bool peek);
/* Puts bytes that pipe_pull took back in front. */
void pipe_unpull(struct pipe *p, const void *buf, size_t n);

#endif
