/*
 * stream.c - byte streams between two sockets of the sandbox: unix streams and
 * TCP over loopback.
 *
 * A sender appends to the peer's queue under the peer's lock; s->peer never
 * changes once set.  A sender may go on while less than its SO_SNDBUF waits at the
 * peer, and is woken when that has fallen to a quarter.
 */
#include "mm/usercopy.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEG_MIN 480u
#define SEG_MAX 32768u
#define SPARE_MAX 8192u /* what an idle socket may keep */
#define READABLE (EVENT_IN | EVENT_RDNORM)
#define WRITABLE (EVENT_OUT | EVENT_WRNORM)

static bool is_unix(const struct socket *s)
{
	return s->family == LINUX_AF_UNIX;
}

static uint32_t write_limit(const struct socket *s)
{
	return s->sndbuf / 4;
}

static bool same_cred(const struct sock_id *a, const struct sock_id *b)
{
	return a->tgid == b->tgid && a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* --- sending ---------------------------------------------------------------------- */

/* The segment that the next bytes go to, maybe new (*fresh); to->mu held. NULL: no memory. */
static struct seg *tail_for(struct socket *to, const struct socket_msg *m, uint64_t want, bool *fresh)
{
	struct seg *g = STAILQ_LAST(&to->rq, seg, link);
	uint32_t cap = want < SEG_MIN ? SEG_MIN : want > SEG_MAX ? SEG_MAX : (uint32_t)want;

	*fresh = false;
	if (g && g->off + g->len < g->cap && !g->scm.n_files && !m->scm.n_files && same_cred(&g->cred, &m->caller->id))
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

/* The peer's file is closed: a TCP peer answers the data with a reset, which the next call meets. */
static ssize_t send_to_closed(struct socket *s, struct socket_msg *m)
{
	ssize_t n = (ssize_t)m->uio->resid;

	if (is_unix(s))
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
		if (peer->shut & SHUT_RECV && is_unix(s))
			return -EPIPE;
		if (peer->rq_bytes < s->sndbuf)
			return 0;
		if (m->flags & LINUX_MSG_DONTWAIT)
			return -EAGAIN;
		r = socket_sleep(peer, w, &s->wq, WRITABLE, s->sndtimeo, deadline);
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
		uint64_t room = s->sndbuf - peer->rq_bytes;

		r = append(peer, m, m->uio->resid < room ? m->uio->resid : room);
		urgent = r > 0 && m->flags & LINUX_MSG_OOB && !m->uio->resid;
		if (urgent)
			urgent_mark(peer);
	}
	mutex_unlock(&peer->mu);
	if (discard)
		return send_to_closed(s, m);
	if (r > 0)
		waitq_wake(&peer->wq, READABLE | (urgent ? EVENT_PRI | EVENT_URG : 0));
	return r;
}

ssize_t stream_send(struct socket *s, struct socket_msg *m)
{
	struct socket *peer = s->peer;
	struct waiter w = { 0 };
	int64_t deadline = 0;
	ssize_t r, done = 0;

	if (m->flags & LINUX_MSG_OOB && is_unix(s))
		return -EOPNOTSUPP; /* as a kernel without CONFIG_AF_UNIX_OOB */
	if (m->name && m->name->len && is_unix(s))
		return peer ? -EISCONN : -EOPNOTSUPP;
	/* unix sockets tell of the end first, TCP of the error */
	r = is_unix(s) && s->shut & SHUT_SEND ? -EPIPE : socket_take_error(s);
	if (r)
		return r;
	if (!peer)
		return s->state == SOCK_CONNECTING ? -EAGAIN : is_unix(s) ? -ENOTCONN : -EPIPE;
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

/* --- receiving -------------------------------------------------------------------------- */

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
	if (r->have_cred && sock_flag(r->s, LINUX_SO_PASSCRED) && !same_cred(&r->m->scm.cred, &g->cred))
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
	if (!is_unix(r->s) && r->m->flags & LINUX_MSG_TRUNC) {
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
		if (r->copied) /* MSG_WAITALL: the writer may wait for room */
			waitq_wake(&r->peer->wq, WRITABLE);
		e = socket_sleep(s, w, &s->wq, READABLE, s->rcvtimeo, &deadline);
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

	if (m->flags & LINUX_MSG_OOB && is_unix(s))
		return -EOPNOTSUPP;
	if (!peer)
		return socket_take_error(s) ? : (is_unix(s) ? -EINVAL : -ENOTCONN);
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
	if (m->name && r.copied && is_unix(s)) { /* the sender, if it has a name */
		mutex_lock(&peer->mu);
		if (peer->name)
			*m->name = peer->name->addr;
		mutex_unlock(&peer->mu);
	}
	if (before > after || w.fn) {
		uint32_t limit = write_limit(peer);

		/* after a sleep `before` says nothing */
		if (after <= limit && (before > limit || w.fn))
			waitq_wake(&peer->wq, WRITABLE);
	}
	if (STAILQ_FIRST(&r.done))
		seg_list_free(&r.done);
	return r.copied ? (ssize_t)r.copied : e;
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
		ev |= s->n_accept ? READABLE : 0;
		mutex_unlock(&s->mu);
		return ev;
	}
	if (s->state == SOCK_CONNECTING)
		return ev;
	if (shut == SHUT_BOTH || !peer)
		ev |= EVENT_HUP;
	if (shut & SHUT_RECV)
		ev |= EVENT_RDHUP | READABLE;
	if (urgent_readable(s))
		ev |= READABLE;
	if (s->urgent == URGENT_UNREAD)
		ev |= EVENT_PRI;
	if (!peer || peer->rq_bytes <= write_limit(s) || peer->state == SOCK_CLOSED || shut & SHUT_SEND)
		ev |= WRITABLE | (is_unix(s) ? EVENT_WRBAND : 0);
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

	if (!peer && !is_unix(s) && s->state != SOCK_LISTENING)
		return -ENOTCONN;
	add_shut(s, own[how]);
	if (s->state == SOCK_LISTENING && !is_unix(s)) {
		mutex_lock(&s->mu);
		s->state = SOCK_UNCONNECTED;
		mutex_unlock(&s->mu);
		socket_close_listener(s);
	}
	if (!peer)
		return 0;
	/* TCP tells the peer only that no more will come */
	if (is_unix(s))
		add_shut(peer, other[how]);
	else if (how != LINUX_SHUT_RD)
		add_shut(peer, SHUT_RECV);
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
		if (unread || (embryo && is_unix(s)) || (!is_unix(s) && s->linger.onoff && !s->linger.linger)) {
			peer->err = ECONNRESET;
			peer->reset = !is_unix(s);
			peer->shut |= SHUT_BOTH;
		}
		peer->shut |= is_unix(s) || peer->shut & SHUT_SEND ? SHUT_BOTH : SHUT_RECV;
		mutex_unlock(&peer->mu);
		waitq_wake(&peer->wq, EVENT_ALL);
		socket_put(peer);
	}
	for (struct seg *g = STAILQ_FIRST(&rest); g; g = STAILQ_NEXT(g, link))
		if (g->scm.n_files)
			scm_received(s->net, &g->scm);
	seg_list_free(&rest);
}
