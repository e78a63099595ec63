/*
 * pipe.c - pipes: the object, reading, writing, readiness (see pipe.h).
 *
 * One struct pipe is shared by all its open files: both ends of a pipe, or every
 * opener of a named pipe.  [p->mu] RANK_FILE guards everything; program memory is
 * copied under it.  Wake-ups come after it is released.
 */
#include "fs/pipe.h"

#include "abi/fcntl.h"
#include "fs/pipe_impl.h"
#include "mm/usercopy.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

struct pipe *pipe_new(void)
{
	struct pipe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	mutex_init(&p->mu, RANK_FILE);
	waitq_init(&p->wq);
	p->size = PIPE_DEFAULT_SIZE;
	STAILQ_INIT(&p->marks);
	TAILQ_INIT(&p->blocked);
	return p;
}

void pipe_free(struct pipe *p)
{
	pipe_ring_free(&p->ring);
	pipe_marks_free(p);
	waitq_destroy(&p->wq);
	mutex_destroy(&p->mu);
	free(p);
}

uint32_t pipe_room(const struct pipe *p)
{
	uint32_t n = p->ring.len < p->size ? p->size - p->ring.len : 0;

	if (p->n_marks >= p->size / PIPE_BUF_SIZE) /* each packet has a page of Linux's */
		return 0;
	return n >= PIPE_BUF_SIZE ? n : 0;
}

/* A call's waiting: registered at the first sleep.  Called with p->mu held, which is let go meanwhile. */
static int pipe_sleep(struct pipe *p, struct waiter *w, uint32_t events)
{
	enum platform_side side = events == PIPE_READABLE ? PLATFORM_READS : PLATFORM_WRITES;
	uint32_t seen = p->ring.len;
	int r;

	if (!w->q)
		wait_begin(w, &p->wq, events);
	if (side == PLATFORM_READS && pipe_may_look(p))
		return pipe_short_look(p);
	pipe_take_back(p);
	if (p->ring.len != seen)
		return 0;
	mutex_unlock(&p->mu);
	r = wait_sleep(WAIT_FOREVER);
	mutex_lock(&p->mu);
	pipe_look(p, side);
	return r;
}

int pipe_await_data(struct pipe *p, struct waiter *w, bool nonblock)
{
	while (!p->ring.len) {
		int r;

		if (!p->writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		r = pipe_sleep(p, w, PIPE_READABLE);
		if (r && !p->ring.len)
			return r;
	}
	return 1;
}

bool pipe_has_room(const struct pipe *p, uint64_t need)
{
	return pipe_room(p) || (p->ring.len + need <= p->size && !p->n_marks);
}

int pipe_await_room(struct pipe *p, struct waiter *w, uint64_t need, struct pipe_blocked *b, bool nonblock)
{
	int r;

	for (;;) {
		if (!p->readers)
			return -EPIPE;
		if (pipe_has_room(p, need))
			return 0;
		if (nonblock)
			return -EAGAIN;
		pipe_blocked_begin(p, b);
		r = pipe_sleep(p, w, PIPE_WRITABLE);
		pipe_blocked_end(p, b);
		if (r)
			return r;
		if (b->u && b->u->resid < need) {
			need = b->u->resid;
			if (!need)
				return 0;
		}
	}
}

/* Takes what a read may: a packet, or bytes up to the next one; p->mu held. Bytes or -EFAULT. */
static ssize_t drain(struct pipe *p, struct uio *u)
{
	ssize_t done = 0, r;
	bool packet = false;

	while (u->resid && p->ring.len) {
		uint32_t limit = pipe_marks_limit(p, &packet);

		if (packet && done)
			break;
		r = pipe_ring_drain(&p->ring, u, u->resid < limit ? u->resid : limit);
		if (r < 0)
			return done ? done : r;
		done += r;
		pipe_marks_taken(p, (uint32_t)r);
		if (packet) {
			pipe_ring_consume(&p->ring, limit - (uint32_t)r);
			pipe_marks_taken(p, limit - (uint32_t)r);
			break;
		}
		if ((uint32_t)r < limit)
			break;
	}
	return done;
}

static ssize_t pipe_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = f->priv;
	struct waiter w = { 0 };
	bool was_full, now_room, more = false, woken = false;
	ssize_t r;

	if (!u->resid)
		return 0;
	mutex_lock(&p->mu);
	pipe_look(p, PLATFORM_READS);
	r = pipe_await_data(p, &w, file_nonblock(f));
	was_full = !pipe_room(p);
	if (r > 0)
		r = drain(p, u);
	if (r > 0 && !TAILQ_EMPTY(&p->blocked))
		more = pipe_blocked_take(p, &woken);
	now_room = was_full && pipe_room(p);
	if (more)
		waitq_touch(&p->wq, PIPE_READABLE);
	pipe_settle(p, PLATFORM_READS, more, &w);
	mutex_unlock(&p->mu);
	wait_end(&w);
	if (now_room || woken)
		waitq_wake(&p->wq, PIPE_WRITABLE);
	if (more)
		waitq_wake(&p->wq, PIPE_READABLE);
	return r;
}

ssize_t pipe_write_some(struct pipe *p, struct uio *u, bool packet)
{
	uint64_t n = u->resid, fits = p->size > p->ring.len ? p->size - p->ring.len : 0;
	uint32_t before = p->ring.len;
	ssize_t r;

	if (packet && fits > PIPE_BUF_SIZE)
		fits = PIPE_BUF_SIZE;
	if (n > fits)
		n = fits;
	if (!pipe_ring_reserve(&p->ring, n))
		return -ENOMEM;
	r = pipe_ring_fill(&p->ring, u, n);
	if (r > 0 && !pipe_marks_add(p, before, (uint32_t)r, packet))
		return -ENOMEM;
	return r;
}

static ssize_t pipe_write(struct file *f, struct uio *u, int64_t *pos)
{
	struct pipe *p = f->priv;
	struct pipe_blocked b = { .u = f->flags & LINUX_O_DIRECT ? NULL : u };
	struct waiter w = { 0 };
	ssize_t r = 0, done = 0;
	bool few;

	if (!u->resid)
		return 0;
	mutex_lock(&p->mu);
	pipe_look(p, PLATFORM_WRITES);
	while (u->resid) {
		/* a write of up to PIPE_BUF goes in whole: pipe_room() says so */
		r = pipe_await_room(p, &w, u->resid, &b, file_nonblock(f));
		if (r || !u->resid)
			break;
		r = pipe_write_some(p, u, f->flags & LINUX_O_DIRECT);
		if (r <= 0)
			break;
		done += r;
		if (!u->resid)
			break;
		pipe_settle(p, PLATFORM_WRITES, false, &w);
		waitq_wake(&p->wq, PIPE_READABLE);
	}
	if (done)
		waitq_touch(&p->wq, PIPE_READABLE);
	few = p->ring.len < p->size / 2;
	pipe_settle(p, PLATFORM_WRITES, false, &w);
	mutex_unlock(&p->mu);
	wait_end(&w);
	if (done && few)
		waitq_wake_lazily(&p->wq, PIPE_READABLE);
	else if (done)
		waitq_wake(&p->wq, PIPE_READABLE);
	done += b.taken;
	return done ? done : r;
}

static uint32_t pipe_poll(struct file *f)
{
	struct pipe *p = f->priv;
	uint32_t ev = 0;

	mutex_lock(&p->mu);
	pipe_take_back(p);
	if (f->mode & FILE_READ) {
		if (p->ring.len)
			ev |= PIPE_READABLE;
		/* a named pipe that never had a writer since this open has not hung up */
		if (!p->writers && p->writer_opens != (uint64_t)f->pos)
			ev |= EVENT_HUP;
	}
	if (f->mode & FILE_WRITE) {
		if (pipe_room(p) || !p->ring.len)
			ev |= PIPE_WRITABLE;
		if (!p->readers)
			ev |= EVENT_ERR;
	}
	mutex_unlock(&p->mu);
	return ev;
}

static int pipe_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct pipe *p = f->priv;
	int32_t n;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->mu);
	pipe_view(p);
	n = (int32_t)p->ring.len;
	mutex_unlock(&p->mu);
	return copy_to_user(mm, UADDR(arg), &n, sizeof(n));
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;

	mutex_lock(&p->mu);
	pipe_unlend(p);
	if (f->mode & FILE_READ)
		p->readers--;
	if (f->mode & FILE_WRITE)
		p->writers--;
	waitq_touch(&p->wq, EVENT_ALL);
	mutex_unlock(&p->mu);
	waitq_wake(&p->wq, EVENT_ALL);
	if (pipe_put_user(p, f->inode))
		pipe_free(p);
}

const struct file_ops pipe_file_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.flush = pipe_end_lending,
	.set_flags = pipe_set_flags,
	.release = pipe_release,
};

static void init_end(struct file *f, struct pipe *p)
{
	f->wq = &p->wq;
	f->pos = -1;
	f->mode |= FILE_STREAM | FILE_TOUCHES | FILE_ASYNC;
}

int pipe_create(struct vfs *v, int flags, const struct cred *c, struct file *out[2])
{
	struct pipe *p = pipe_new();
	struct inode *i;
	int r;

	if (!p)
		return -ENOMEM;
	r = file_new_anon(v, &pipe_file_ops, "pipe:", S_IFIFO | 0600, LINUX_O_RDONLY | flags, c, p, &out[0]);
	if (r) {
		pipe_free(p);
		return r;
	}
	init_end(out[0], p);
	i = out[0]->inode;
	p->anonymous = true;
	p->users = p->readers = 1;
	/* both ends have one inode; opening it again, through /proc/PID/fd, is opening a named pipe */
	r = file_new_sibling(out[0], LINUX_O_WRONLY | flags, c, p, &out[1]);
	if (r) {
		file_put(out[0]);
		return r;
	}
	init_end(out[1], p);
	p->users++;
	p->writers++;
	p->reader_opens = p->writer_opens = 1;
	mutex_lock(&i->a_mu);
	i->fifo = p;
	mutex_unlock(&i->a_mu);
	return 0;
}

struct pipe *pipe_of(struct file *f)
{
	return f->ops == &pipe_file_ops ? f->priv : NULL;
}

int64_t pipe_get_size(struct file *f)
{
	struct pipe *p = pipe_of(f);
	int64_t n;

	if (!p)
		return -EBADF;
	mutex_lock(&p->mu);
	n = p->size;
	mutex_unlock(&p->mu);
	return n;
}

int64_t pipe_set_size(struct file *f, uint64_t size, bool privileged)
{
	struct pipe *p = pipe_of(f);
	uint64_t n = PIPE_BUF_SIZE;
	int64_t r;

	if (!p)
		return -EBADF;
	if (!size || size > UINT32_C(1) << 31)
		return -EINVAL;
	while (n < size)
		n *= 2;
	if (n > PIPE_MAX_SIZE && !privileged)
		return -EPERM;
	if (n > PIPE_RING_MAX)
		return -ENOMEM;
	mutex_lock(&p->mu);
	pipe_unlend(p);
	if (p->ring.len > n) {
		r = -EBUSY;
	} else {
		p->size = n;
		r = (int64_t)n;
	}
	mutex_unlock(&p->mu);
	if (r > 0)
		waitq_wake(&p->wq, PIPE_WRITABLE);
	return r;
}
