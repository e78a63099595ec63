/*
 * pipe_splice.c - a pipe's bytes to and from the kernel's own memory, for splice(2) and its
 * like.  Locks as pipe.c.  A pipe that was lent is used by others here: that ends.
 */
#include "fs/pipe.h"
#include "fs/pipe_impl.h"

#include <errno.h>

ssize_t pipe_wait_room(struct pipe *p, bool nonblock)
{
	struct pipe_blocked b = { .u = NULL };
	struct waiter w = { 0 };
	ssize_t r;

	mutex_lock(&p->mu);
	pipe_unlend(p);
	r = pipe_await_room(p, &w, 1, &b, nonblock);
	if (!r)
		r = pipe_room(p) ? (ssize_t)pipe_room(p) : (ssize_t)(p->size - p->ring.len);
	mutex_unlock(&p->mu);
	wait_end(&w);
	return r;
}

ssize_t pipe_push(struct pipe *p, const void *buf, size_t n)
{
	ssize_t r = (ssize_t)n;
	uint32_t mark = 0;

	mutex_lock(&p->mu);
	pipe_unlend(p);
	if (!p->readers)
		r = -EPIPE;
	else if (!pipe_ring_reserve(&p->ring, n))
		r = -ENOMEM;
	else
		mark = p->ring.len;
	if (r > 0) {
		pipe_ring_append(&p->ring, buf, n);
		if (!pipe_marks_add(p, mark, (uint32_t)n, false))
			r = -ENOMEM;
		waitq_touch(&p->wq, PIPE_READABLE);
	}
	mutex_unlock(&p->mu);
	if (r > 0)
		waitq_wake(&p->wq, PIPE_READABLE);
	return r;
}

ssize_t pipe_pull(struct pipe *p, void *buf, size_t n, bool nonblock, bool peek)
{
	struct waiter w = { 0 };
	bool was_full, now_room, packet;
	ssize_t r;

	mutex_lock(&p->mu);
	pipe_unlend(p);
	r = pipe_await_data(p, &w, nonblock);
	was_full = !pipe_room(p);
	if (r > 0) {
		uint32_t limit = pipe_marks_limit(p, &packet);

		r = pipe_ring_copy(&p->ring, buf, n < limit ? (uint32_t)n : limit);
		if (!peek) {
			pipe_ring_consume(&p->ring, r);
			pipe_marks_taken(p, (uint32_t)r);
		}
	}
	now_room = was_full && pipe_room(p);
	mutex_unlock(&p->mu);
	wait_end(&w);
	if (now_room)
		waitq_wake(&p->wq, PIPE_WRITABLE);
	return r;
}

void pipe_unpull(struct pipe *p, const void *buf, size_t n)
{
	bool done = false;

	mutex_lock(&p->mu);
	pipe_unlend(p);
	if (n && pipe_ring_reserve(&p->ring, n)) {
		pipe_ring_prepend(&p->ring, buf, n);
		pipe_marks_put_back(p, (uint32_t)n);
		waitq_touch(&p->wq, PIPE_READABLE);
		done = true;
	}
	mutex_unlock(&p->mu);
	if (done)
		waitq_wake(&p->wq, PIPE_READABLE);
}
