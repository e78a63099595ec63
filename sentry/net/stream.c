/*
 * stream.c - byte streams between two sockets of the sandbox (see stream.h): sending,
 * readiness, shutdown and closing.  Runs on the threads of the calling tasks.
 */
#include "net/stream.h"

#include "mm/usercopy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEG_MIN 480u
#define SEG_MAX 32768u

/* --- sending ---------------------------------------------------------------------- */

/* The segment that the next bytes go to, maybe new (*fresh); to->mu held. NULL: no memory. */
static struct seg *tail_for(struct socket *to, const struct socket_msg *m, uint64_t want, bool *fresh)
{
	struct seg *g = STAILQ_LAST(&to->rq, seg, link);
	uint32_t cap = want < SEG_MIN ? SEG_MIN : want > SEG_MAX ? SEG_MAX : (uint32_t)want;

	*fresh = false;
	if (g && g->off + g->len < g->cap && !g->scm.n_files && !m->scm.n_files && same_sender(&g->cred, &m->caller->id))
		return g;
	*fresh = true;
	g = to->spare;
	to->spare = NULL;
	if (g && g->cap >= cap)
		return g;
	free(g);
	return seg_new(cap);
}

/* to->mu held. Bytes appended or -errno. */
static ssize_t append(struct socket *to, struct socket_msg *m, uint64_t n)
{
	bool fresh;
	struct seg *g = tail_for(to, m, n, &fresh);
	uint32_t room;
	ssize_t r;

	if (!g)
		return -ENOMEM;
	if (fresh)
		*g = (struct seg){ .cap = g->cap, .cred = m->caller->id };
	room = g->cap - g->off - g->len;
	r = uio_copy_in(m->uio, g->data + g->off + g->len, n < room ? n : room);
	if (r <= 0) {
		if (fresh)
			to->spare = g;
		return r;
	}
	g->len += r;
	to->rq_bytes += r;
	if (fresh) {
		g->scm = m->scm;
		m->scm = (struct scm){ 0 };
		STAILQ_INSERT_TAIL(&to->rq, g, link);
	}
	return r;
}

/* The peer's file is closed: a TCP peer answers with a reset what the send buffer takes, which the next call meets. */
static ssize_t send_to_closed(struct socket *s, struct socket_msg *m)
{
	ssize_t n = (ssize_t)(m->uio->resid < s->sndbuf ? m->uio->resid : s->sndbuf);

	if (socket_is_unix(s))
		return -EPIPE;
	uio_advance(m->uio, n);
	s->err = EPIPE;
	s->shut |= SHUT_BOTH;
	s->reset = true;
	waitq_wake(&s->wq, EVENT_ALL);
	return n;
}

/* Waits for room at the peer (its lock held). 0 or -errno. */
static int wait_room(struct socket *s, struct socket *peer, struct socket_msg *m, struct waiter *w, int64_t *deadline)
{
	for (;;) {
		int r;

		if (s->shut & SHUT_SEND)
			return -EPIPE;
		if (peer->state == SOCK_CLOSED)
			return 0;
		if (peer->shut & SHUT_RECV && socket_is_unix(s))
			return -EPIPE;
		if (peer->rq_bytes < stream_room(s))
			return 0;
		if (m->flags & LINUX_MSG_DONTWAIT)
			return -EAGAIN;
		r = socket_sleep(peer, w, &s->wq, EVENT_WRITABLE, s->sndtimeo, deadline);
		if (r)
			return r;
	}
}

static ssize_t send_some(struct socket *s, struct socket *peer, struct socket_msg *m, struct waiter *w, int64_t *deadline)
{
	bool discard = false, urgent = false;
	ssize_t r;

	mutex_lock(&peer->mu);
	r = wait_room(s, peer, m, w, deadline);
	if (!r && peer->state == SOCK_CLOSED) {
		discard = true;
	} else if (!r) {
		uint64_t room = stream_room(s) - peer->rq_bytes;

		r = append(peer, m, m->uio->resid < room ? m->uio->resid : room);
		urgent = r > 0 && m->flags & LINUX_MSG_OOB && !m->uio->resid && !socket_is_far(peer);
		if (urgent)
			urgent_mark(peer);
	}
	mutex_unlock(&peer->mu);
	if (discard)
		return send_to_closed(s, m);
	if (r > 0 && socket_is_far(peer))
		far_changed(peer);
	else if (r > 0)
		waitq_wake(&peer->wq, EVENT_READABLE | (urgent ? EVENT_PRI | EVENT_URG : 0));
	return r;
}

ssize_t stream_send(struct socket *s, struct socket_msg *m)
{
	struct socket *peer = s->peer;
	struct waiter w = { 0 };
	int64_t deadline = 0;
	ssize_t r, done = 0;

	if (m->flags & LINUX_MSG_OOB && socket_is_unix(s) && !m->uio->resid)
		return -EOPNOTSUPP;
	if (m->name && m->name->len && socket_is_unix(s))
		return peer ? -EISCONN : -EOPNOTSUPP;
	/* unix sockets tell of the end first, TCP of the error */
	r = socket_is_unix(s) && s->shut & SHUT_SEND ? -EPIPE : socket_take_error(s);
	if (r)
		return r;
	if (!peer)
		return s->state == SOCK_CONNECTING ? -EAGAIN : socket_is_unix(s) ? -ENOTCONN : -EPIPE;
	if (s->shut & SHUT_SEND)
		return -EPIPE;
	while (m->uio->resid) {
		r = send_some(s, peer, m, &w, &deadline);
		if (r <= 0)
			break;
		done += r;
	}
	wait_end(&w);
	return done ? done : r;
}

/* --- readiness and ends -------------------------------------------------------------------- */

uint32_t stream_poll(struct socket *s)
{
	struct socket *peer = s->peer;
	unsigned shut = s->shut;
	uint32_t ev = 0;

	if (s->err)
		ev |= EVENT_ERR;
	if (s->state == SOCK_LISTENING) {
		mutex_lock(&s->mu);
		ev |= s->n_accept ? EVENT_READABLE : 0;
		mutex_unlock(&s->mu);
		return ev;
	}
	if (s->state == SOCK_CONNECTING)
		return ev;
	if (shut == SHUT_BOTH || !peer)
		ev |= EVENT_HUP;
	if (shut & SHUT_RECV)
		ev |= EVENT_RDHUP | EVENT_READABLE;
	if (urgent_readable(s))
		ev |= EVENT_READABLE;
	if (s->urgent == URGENT_UNREAD)
		ev |= EVENT_PRI;
	if (!peer || peer->rq_bytes <= stream_low_water(s) || peer->state == SOCK_CLOSED || shut & SHUT_SEND)
		ev |= EVENT_WRITABLE | (socket_is_unix(s) ? EVENT_WRBAND : 0);
	return ev;
}

static void add_shut(struct socket *s, unsigned bits)
{
	mutex_lock(&s->mu);
	s->shut |= bits;
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_ALL);
}

int stream_shutdown(struct socket *s, int how)
{
	static const unsigned own[] = { SHUT_RECV, SHUT_SEND, SHUT_BOTH }, other[] = { SHUT_SEND, SHUT_RECV, SHUT_BOTH };
	struct socket *peer = s->peer;

	if (!peer && !socket_is_unix(s) && s->state != SOCK_LISTENING)
		return -ENOTCONN;
	add_shut(s, own[how]);
	if (s->state == SOCK_LISTENING && !socket_is_unix(s)) {
		mutex_lock(&s->mu);
		s->state = SOCK_UNCONNECTED;
		mutex_unlock(&s->mu);
		socket_close_listener(s);
	}
	if (!peer)
		return 0;
	/* TCP tells the peer only that no more will come */
	if (socket_is_unix(s))
		add_shut(peer, other[how]);
	else if (how != LINUX_SHUT_RD)
		add_shut(peer, SHUT_RECV);
	if (socket_is_far(peer))
		far_changed(peer);
	return 0;
}

void stream_close(struct socket *s)
{
	struct seg_list rest = STAILQ_HEAD_INITIALIZER(rest);
	struct socket *peer;
	bool unread, embryo = s->listener;

	mutex_lock(&s->mu);
	unread = STAILQ_FIRST(&s->rq);
	STAILQ_CONCAT(&rest, &s->rq);
	s->state = SOCK_CLOSED;
	s->rq_bytes = 0;
	peer = s->peer;
	s->peer = NULL;
	mutex_unlock(&s->mu);
	if (peer) {
		mutex_lock(&peer->mu);
		/* linger 0 is TCP's way to ask for a reset */
		if (unread || (embryo && socket_is_unix(s)) || (!socket_is_unix(s) && s->linger.onoff && !s->linger.linger)) {
			peer->err = ECONNRESET;
			peer->reset = !socket_is_unix(s);
			peer->shut |= SHUT_BOTH;
		}
		peer->shut |= socket_is_unix(s) || peer->shut & SHUT_SEND ? SHUT_BOTH : SHUT_RECV;
		mutex_unlock(&peer->mu);
		waitq_wake(&peer->wq, EVENT_ALL);
		if (socket_is_far(peer))
			far_changed(peer);
		socket_put(peer);
	}
	for (struct seg *g = STAILQ_FIRST(&rest); g; g = STAILQ_NEXT(g, link))
		if (g->scm.n_files)
			scm_received(s->net, &g->scm);
	seg_list_free(&rest);
}
