/*
 * stream_recv.c - reading from a byte stream (see stream.h): recvmsg with MSG_PEEK,
 * MSG_WAITALL, SO_PEEK_OFF and the urgent mark.  Runs on the threads of the calling tasks;
 * the queue is the reading socket's own, under its lock.
 */
#include "net/stream.h"

#include "mm/usercopy.h"

#include <errno.h>

#define SPARE_MAX 8192u /* the largest segment that an idle socket keeps for reuse */

struct reading {
	struct socket *s, *peer;
	struct socket_msg *m;
	struct seg_list done; /* emptied, to be freed without the lock */
	size_t copied, target;
	uint32_t skip; /* SO_PEEK_OFF: bytes still to be passed over */
	uint32_t passed; /* MSG_PEEK: bytes of the queue seen so far */
	bool stop; /* what was read must not be joined with more */
	bool have_cred;
};

/* Takes what g has beside its bytes. false: it cannot be joined with what was read. */
static bool take_scm(struct reading *r, struct seg *g, bool peek)
{
	if (r->have_cred && sock_flag(r->s, LINUX_SO_PASSCRED) && !same_sender(&r->m->scm.cred, &g->cred))
		return false;
	r->m->scm.cred = g->cred;
	r->have_cred = true;
	if (!g->scm.n_files)
		return true;
	r->stop = true;
	if (peek) {
		struct sock_id c = r->m->scm.cred;

		if (scm_dup(&g->scm, &r->m->scm))
			r->m->out_flags |= LINUX_MSG_CTRUNC;
		r->m->scm.cred = c;
		return true;
	}
	r->m->scm.files = g->scm.files;
	r->m->scm.n_files = g->scm.n_files;
	g->scm.files = NULL;
	g->scm.n_files = 0;
	return true;
}

static ssize_t copy_seg(struct reading *r, const uint8_t *p, size_t n)
{
	if (!socket_is_unix(r->s) && r->m->flags & LINUX_MSG_TRUNC) {
		uio_advance(r->m->uio, n);
		return (ssize_t)n;
	}
	return uio_copy_out(r->m->uio, p, n);
}

static void consume(struct reading *r, struct seg *g, uint32_t n)
{
	struct socket *s = r->s;

	g->off += n;
	g->len -= n;
	s->rq_bytes -= n;
	urgent_passed(s, n);
	if (g->len)
		return;
	STAILQ_REMOVE_HEAD(&s->rq, link);
	if (!s->spare && g->cap <= SPARE_MAX) {
		s->spare = g; /* its files were taken: nothing but memory */
		return;
	}
	STAILQ_INSERT_TAIL(&r->done, g, link);
}

/* A read that has something ends before the urgent byte; one that begins with it leaves it out. */
static bool ends_at_mark(const struct reading *r)
{
	return r->copied && r->s->urgent != URGENT_NONE && r->s->urgent_at == r->passed;
}

/* The segment that comes then. */
static struct seg *pass_urgent(struct reading *r, struct seg *g, bool peek)
{
	if (peek) {
		r->passed++;
		r->skip++;
		return g;
	}
	consume(r, g, 1);
	return STAILQ_FIRST(&r->s->rq);
}

/* Copies what is queued; s->mu held. 0 or -EFAULT. */
static int read_queue(struct reading *r)
{
	bool peek = r->m->flags & LINUX_MSG_PEEK;
	struct seg *g = STAILQ_FIRST(&r->s->rq);

	while (g && r->m->uio->resid && !r->stop && !ends_at_mark(r)) {
		struct seg *next = STAILQ_NEXT(g, link);
		uint64_t n;
		ssize_t k;

		if (r->skip && r->skip >= g->len) {
			r->skip -= g->len;
			g = next;
			continue;
		}
		n = g->len - r->skip;
		if (n > r->m->uio->resid)
			n = r->m->uio->resid;
		n = urgent_before(r->s, r->passed, n);
		if (!n) {
			g = pass_urgent(r, g, peek);
			continue;
		}
		if (r->have_cred && g->scm.n_files && r->m->scm.n_files)
			break;
		if (!take_scm(r, g, peek)) {
			r->stop = true;
			break;
		}
		k = copy_seg(r, g->data + g->off + r->skip, n);
		if (k <= 0)
			return k < 0 ? (int)k : -EFAULT;
		r->copied += k;
		r->skip = 0;
		peek_moved(r->s, peek, (size_t)k);
		if (peek)
			r->passed += (uint32_t)k;
		else
			consume(r, g, k);
		g = next;
	}
	r->stop |= ends_at_mark(r);
	return 0;
}

/* What ends a read of an empty queue: 1 go on waiting, 0 end of data, -errno. */
static int at_end(struct socket *s, const struct socket_msg *m, size_t copied)
{
	int r;

	if (copied && !(m->flags & LINUX_MSG_WAITALL))
		return 0;
	r = copied ? 0 : socket_take_error(s);
	if (r)
		return r;
	if (s->shut & SHUT_RECV || s->state == SOCK_CLOSED)
		return 0;
	return m->flags & LINUX_MSG_DONTWAIT ? -EAGAIN : 1;
}

/* MSG_WAITALL: the writer may wait for room. true: there is something to be read by now. */
static bool tell_writer(struct reading *r)
{
	if (!socket_is_far(r->peer)) {
		waitq_wake(&r->peer->wq, EVENT_WRITABLE);
		return false;
	}
	mutex_unlock(&r->s->mu);
	far_changed(r->peer);
	mutex_lock(&r->s->mu);
	return r->s->rq_bytes;
}

static int read_loop(struct reading *r, struct waiter *w)
{
	struct socket *s = r->s;
	bool peek = r->m->flags & LINUX_MSG_PEEK;
	int64_t deadline = 0;
	int e;

	for (;;) {
		r->skip = r->passed = peek_skip(s, peek);
		if (s->rq_bytes > r->skip && !(peek && r->copied)) {
			e = read_queue(r);
			if (e || r->stop || !r->m->uio->resid || peek)
				return e;
		}
		e = at_end(s, r->m, r->copied);
		if (e <= 0)
			return e;
		if (r->copied && tell_writer(r))
			continue;
		e = socket_sleep(s, w, &s->wq, EVENT_READABLE, s->rcvtimeo, &deadline);
		if (e && s->rq_bytes <= peek_skip(s, peek))
			return e;
	}
}

ssize_t stream_recv(struct socket *s, struct socket_msg *m)
{
	struct socket *peer = s->peer;
	struct reading r = { .s = s, .peer = peer, .m = m, .done = STAILQ_HEAD_INITIALIZER(r.done) };
	struct waiter w = { 0 };
	uint32_t before, after;
	int e;

	if (!peer)
		return socket_take_error(s) ? : (socket_is_unix(s) ? -EINVAL : -ENOTCONN);
	if (m->flags & LINUX_MSG_OOB)
		return urgent_recv(s, m);
	mutex_lock(&s->mu);
	before = s->rq_bytes;
	e = read_loop(&r, &w);
	after = s->rq_bytes;
	mutex_unlock(&s->mu);
	wait_end(&w);
	if (m->scm.n_files && !(m->flags & LINUX_MSG_PEEK))
		scm_received(s->net, &m->scm);
	if (m->name && r.copied && socket_is_unix(s)) { /* the sender, if it has a name */
		mutex_lock(&peer->mu);
		if (peer->name)
			*m->name = peer->name->addr;
		mutex_unlock(&peer->mu);
	}
	if (r.copied && socket_is_far(peer) && far_window_opens(s, peer))
		far_changed(peer);
	if (before > after || w.fn) {
		uint32_t limit = stream_low_water(peer);

		/* after a sleep `before` says nothing */
		if (after <= limit && (before > limit || w.fn))
			waitq_wake(&peer->wq, EVENT_WRITABLE);
	}
	if (STAILQ_FIRST(&r.done))
		seg_list_free(&r.done);
	return r.copied ? (ssize_t)r.copied : e;
}
