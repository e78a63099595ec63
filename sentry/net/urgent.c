/*
 * urgent.c - urgent data of TCP and of UNIX streams (MSG_OOB: tcp(7), unix(7)): one byte of the queue is
 * marked, the last one that was sent so.  Reads stop before it, and then skip it unless SO_OOBINLINE is
 * set; recv with MSG_OOB gets it without reading the queue.  On the threads of senders and receivers;
 * the state is the receiving socket's, under its lock.
 */
#include "mm/usercopy.h"
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool inline_wanted(const struct socket *s)
{
	return sock_flag(s, LINUX_SO_OOBINLINE);
}

/* The byte of an older mark that nobody read is lost when it would be the next: as TCP does. */
static void drop_first(struct socket *s)
{
	struct seg *g = STAILQ_FIRST(&s->rq);

	g->off++;
	g->len--;
	s->rq_bytes--;
	if (!g->len) {
		STAILQ_REMOVE_HEAD(&s->rq, link);
		free(g); /* there are no files with it */
	}
}

/* UNIX: a byte that was read as urgent is gone, and only stands for the mark: a new mark takes that from it. */
static void drop_read(struct socket *s)
{
	uint32_t at = s->urgent_at;
	struct seg *g;

	STAILQ_FOREACH(g, &s->rq, link) {
		if (at < g->len)
			break;
		at -= g->len;
	}
	if (!g || (g->len == 1 && g->scm.n_files)) /* files come with a byte */
		return;
	memmove(g->data + g->off + at, g->data + g->off + at + 1, g->len - at - 1);
	g->len--;
	s->rq_bytes--;
	if (!g->len) {
		STAILQ_REMOVE(&s->rq, g, seg, link);
		free(g);
	}
}

void urgent_mark(struct socket *to)
{
	const struct seg *g;

	if (socket_is_unix(to)) {
		if (to->urgent == URGENT_READ)
			drop_read(to);
	} else if (urgent_at_mark(to) && !inline_wanted(to) && to->rq_bytes > 1)
		drop_first(to);
	g = STAILQ_LAST(&to->rq, seg, link);
	to->urgent_byte = g->data[g->off + g->len - 1];
	to->urgent_at = to->rq_bytes - 1;
	to->urgent = URGENT_UNREAD;
}

bool urgent_at_mark(const struct socket *s)
{
	return s->urgent != URGENT_NONE && !s->urgent_at;
}

uint64_t urgent_before(const struct socket *s, uint32_t at, uint64_t n)
{
	if (s->urgent == URGENT_NONE || s->urgent_at < at || s->urgent_at - at >= n)
		return n;
	if (s->urgent_at == at && inline_wanted(s))
		return n;
	return s->urgent_at - at;
}

void urgent_passed(struct socket *s, uint32_t n)
{
	if (s->urgent == URGENT_NONE)
		return;
	if (s->urgent_at < n)
		s->urgent = URGENT_NONE;
	else
		s->urgent_at -= n;
}

uint32_t urgent_readable(const struct socket *s)
{
	uint32_t n = s->rq_bytes;

	if (socket_is_unix(s)) /* an urgent byte counts until it is read */
		return n && s->urgent == URGENT_READ ? n - 1 : n;
	return n && urgent_at_mark(s) && !inline_wanted(s) ? n - 1 : n;
}

ssize_t urgent_recv(struct socket *s, struct socket_msg *m)
{
	uint8_t byte = 0;
	int r = 0;

	mutex_lock(&s->mu);
	if (inline_wanted(s) || s->urgent != URGENT_UNREAD) {
		r = -EINVAL;
	} else {
		byte = s->urgent_byte;
		if (!(m->flags & LINUX_MSG_PEEK))
			s->urgent = URGENT_READ;
	}
	mutex_unlock(&s->mu);
	if (r)
		return r;
	m->out_flags |= LINUX_MSG_OOB;
	if (!m->uio->resid) {
		m->out_flags |= LINUX_MSG_TRUNC;
		return 0;
	}
	return uio_copy_out(m->uio, &byte, 1) == 1 ? 1 : -EFAULT;
}
