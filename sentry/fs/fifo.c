/*
 * fifo.c - named pipes: finding an inode's pipe, and the blocking open (fifo(7)).
 *
 * inode->fifo is guarded by inode->a_mu; the pipe lives while it has users.
 */
#include "fs/pipe.h"
#include "fs/pipe_impl.h"

#include <errno.h>

bool pipe_put_user(struct pipe *p, struct inode *i)
{
	bool last;

	mutex_lock(&i->a_mu);
	last = --p->users == 0;
	if (last)
		i->fifo = NULL;
	mutex_unlock(&i->a_mu);
	return last;
}

/* The inode's pipe with one user more; NULL: no memory. */
static struct pipe *get_pipe(struct inode *i)
{
	struct pipe *p, *made = NULL;

	for (;;) {
		mutex_lock(&i->a_mu);
		p = i->fifo;
		if (!p && made) {
			p = i->fifo = made;
			made = NULL;
		}
		if (p)
			p->users++;
		mutex_unlock(&i->a_mu);
		if (p)
			break;
		made = pipe_new();
		if (!made)
			return NULL;
	}
	if (made)
		pipe_free(made);
	return p;
}

void fifo_release(struct inode *i)
{
	/* opens hold the inode, so nobody uses the pipe any more, and the last user freed it */
	if (i->fifo && !i->fifo->users)
		pipe_free(i->fifo);
	i->fifo = NULL;
}

/* p->mu held; waits until *count differs from `seen`. */
static int wait_partner(struct pipe *p, const uint64_t *count, uint64_t seen)
{
	struct waiter w;
	int r = 0;

	wait_begin(&w, &p->wq, EVENT_ALL);
	while (!r && *count == seen) {
		mutex_unlock(&p->mu);
		r = wait_sleep(WAIT_FOREVER);
		mutex_lock(&p->mu);
	}
	wait_end(&w);
	return *count == seen ? r : 0;
}

/* p->mu held. Counts the opener in and waits for its partner; undone on failure. */
static int enter(struct pipe *p, struct file *f)
{
	bool rd = f->mode & FILE_READ, wr = f->mode & FILE_WRITE;
	int r = 0;

	if (wr && !rd && file_nonblock(f) && !p->readers && !p->anonymous)
		return -ENXIO;
	p->readers += rd;
	p->reader_opens += rd;
	p->writers += wr;
	p->writer_opens += wr;
	waitq_wake(&p->wq, EVENT_IN | EVENT_OUT);
	if (p->anonymous)
		return 0;
	if (rd && !wr && !p->writers) {
		f->pos = (int64_t)p->writer_opens; /* no hang-up before a writer has come */
		if (!file_nonblock(f)) {
			r = wait_partner(p, &p->writer_opens, p->writer_opens);
			f->pos = -1;
		}
	} else if (wr && !rd && !p->readers) {
		r = wait_partner(p, &p->reader_opens, p->reader_opens);
	}
	if (r) {
		p->readers -= rd;
		p->writers -= wr;
		waitq_wake(&p->wq, EVENT_ALL);
	}
	return r;
}

int fifo_open(struct inode *i, struct file *f)
{
	struct pipe *p = get_pipe(i);
	int r;

	if (!p)
		return -ENOMEM;
	f->pos = -1;
	mutex_lock(&p->mu);
	r = enter(p, f);
	mutex_unlock(&p->mu);
	if (r) {
		if (pipe_put_user(p, i))
			pipe_free(p);
		return r;
	}
	f->priv = p;
	f->wq = &p->wq;
	f->mode |= FILE_STREAM | FILE_ASYNC;
	f->ops = &pipe_file_ops;
	return 0;
}
