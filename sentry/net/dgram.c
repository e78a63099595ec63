/*
 * dgram.c - records between sockets of the sandbox: unix datagrams and
 * seqpackets, UDP over loopback.
 *
 * A record is charged to its sender until it is read; the sender waits on its
 * own queue while it has more than SO_SNDBUF outstanding.
 */
#include "mm/usercopy.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>

#define RECORD_OVERHEAD 512u

/* Charges the sender, waiting if need be. 0 or -errno. */
static int charge(struct socket *s, uint32_t n, int flags)
{
	struct waiter w = { 0 };
	int64_t deadline = 0;
	int r = 0;

	mutex_lock(&s->mu);
	while (!r && s->sent_bytes && s->sent_bytes + n > s->sndbuf) {
		if (flags & LINUX_MSG_DONTWAIT)
			r = -EAGAIN;
		else
			r = socket_sleep(s, &w, &s->wq, EVENT_WRITABLE, s->sndtimeo, &deadline);
	}
	if (!r)
		s->sent_bytes += n;
	mutex_unlock(&s->mu);
	wait_end(&w);
	return r;
}

/* The record, charged and filled, not yet in a queue. */
static int make_record(struct socket *s, struct socket_msg *m, struct sock_name *from, struct seg **out)
{
	bool charged = s->family == LINUX_AF_UNIX;
	uint64_t len = m->uio->resid;
	struct seg *g;
	ssize_t r;

	if (len + 32 > s->sndbuf)
		return -EMSGSIZE;
	r = charged ? charge(s, len + RECORD_OVERHEAD, m->flags) : 0;
	if (r)
		return (int)r;
	g = seg_new(len);
	if (!g) {
		s->sent_bytes -= charged ? len + RECORD_OVERHEAD : 0;
		return -ENOMEM;
	}
	if (charged) {
		socket_get(s);
		g->owner = s;
		g->charge = len + RECORD_OVERHEAD;
	}
	g->cred = m->caller->id;
	g->info = m->info;
	r = len ? uio_copy_in(m->uio, g->data, len) : 0;
	if (r != (ssize_t)len) {
		seg_free(g);
		return -EFAULT;
	}
	g->len = len;
	mutex_lock(&s->mu);
	g->from = sock_name_get(from ? from : s->name);
	mutex_unlock(&s->mu);
	*out = g;
	return 0;
}

void dgram_take_queue(struct socket *s, struct seg_list *l)
{
	mutex_lock(&s->mu);
	s->state = SOCK_CLOSED;
	STAILQ_CONCAT(l, &s->rq);
	s->rq_bytes = 0;
	mutex_unlock(&s->mu);
}

void dgram_close_queue(struct socket *s)
{
	struct seg_list rest = STAILQ_HEAD_INITIALIZER(rest);

	dgram_take_queue(s, &rest);
	seg_list_free(&rest);
}

/* g is for `to`: what the receiver may ask of its coming. */
static void note_time(struct socket *to, struct seg *g)
{
	if (sock_flag(to, LINUX_SO_TIMESTAMP) || sock_flag(to, LINUX_SO_TIMESTAMPNS) || to->timestamping & LINUX_SOF_TIMESTAMPING_RX_SOFTWARE)
		g->info.when = now_realtime();
}

void dgram_give(struct socket *to, struct seg *g)
{
	bool drop;

	note_time(to, g);
	mutex_lock(&to->mu);
	drop = to->state == SOCK_CLOSED || to->shut & SHUT_RECV || to->rq_bytes + g->len > to->rcvbuf;
	to->drops += drop;
	g->info.dropped = to->drops;
	if (!drop) {
		STAILQ_INSERT_TAIL(&to->rq, g, link);
		to->rq_bytes += g->len;
	}
	mutex_unlock(&to->mu);
	if (drop)
		seg_free(g);
	else
		waitq_wake(&to->wq, EVENT_READABLE);
}

ssize_t dgram_send_to(struct socket *s, struct socket *to, struct socket_msg *m, struct sock_name *from)
{
	struct seg *g;
	ssize_t len = (ssize_t)m->uio->resid;
	bool drop = false;
	int r = make_record(s, m, from, &g);

	if (r)
		return r;
	note_time(to, g);
	mutex_lock(&to->mu);
	if (to->state == SOCK_CLOSED)
		r = s->type == LINUX_SOCK_SEQPACKET ? -EPIPE : -ECONNREFUSED;
	else if (to->shut & SHUT_RECV)
		r = -EPIPE;
	else if (!g->owner && to->rq_bytes + len > to->rcvbuf)
		drop = true;
	to->drops += drop;
	g->info.dropped = to->drops;
	if (!r && !drop) {
		g->scm = m->scm;
		m->scm = (struct scm){ 0 };
		STAILQ_INSERT_TAIL(&to->rq, g, link);
		to->rq_bytes += g->len;
	}
	mutex_unlock(&to->mu);
	if (r || drop)
		seg_free(g);
	else
		waitq_wake(&to->wq, EVENT_READABLE);
	return r ? r : len;
}

/* The record that a read begins with, and how much of it SO_PEEK_OFF leaves out. */
static struct seg *first_record(struct socket *s, bool peek, uint32_t *skip)
{
	struct seg *g = STAILQ_FIRST(&s->rq);

	*skip = peek_skip(s, peek);
	while (g && *skip && *skip >= g->len) {
		*skip -= g->len;
		g = STAILQ_NEXT(g, link);
	}
	return g;
}

/* Waits for a record; s->mu held. NULL with 0 (end), or -errno in *err. */
static struct seg *wait_record(struct socket *s, int flags, struct waiter *w, uint32_t *skip, int *err)
{
	int64_t deadline = 0;
	struct seg *g;

	*err = 0;
	while (!(g = first_record(s, flags & LINUX_MSG_PEEK, skip))) {
		bool dontwait = flags & LINUX_MSG_DONTWAIT;

		*err = socket_take_error(s);
		if (*err || s->state == SOCK_CLOSED)
			return NULL;
		if (s->shut & SHUT_RECV && (!dontwait || s->type == LINUX_SOCK_SEQPACKET))
			return NULL;
		if (dontwait)
			*err = -EAGAIN;
		else
			*err = socket_sleep(s, w, &s->wq, EVENT_READABLE, s->rcvtimeo, &deadline);
		if (*err && !first_record(s, flags & LINUX_MSG_PEEK, skip))
			return NULL;
	}
	*err = 0;
	return g;
}

/* Copies g out; s->mu held while peeking. Bytes or -errno. */
static ssize_t hand_out(struct socket_msg *m, struct seg *g, uint32_t skip, bool peek)
{
	uint64_t left = g->len - skip, n = m->uio->resid < left ? m->uio->resid : left;
	ssize_t r = n ? uio_copy_out(m->uio, g->data + skip, n) : 0;

	if (r < 0 || (uint64_t)r < n)
		return -EFAULT;
	if (n < left)
		m->out_flags |= LINUX_MSG_TRUNC;
	if (m->name && g->from)
		*m->name = g->from->addr;
	if (peek) {
		if (g->scm.n_files && scm_dup(&g->scm, &m->scm))
			m->out_flags |= LINUX_MSG_CTRUNC;
	} else {
		m->scm = g->scm;
		g->scm = (struct scm){ 0 };
	}
	m->scm.cred = g->cred;
	m->info = g->info;
	return m->flags & LINUX_MSG_TRUNC ? (ssize_t)g->len : r;
}

ssize_t dgram_recv(struct socket *s, struct socket_msg *m)
{
	bool peek = m->flags & LINUX_MSG_PEEK;
	struct waiter w = { 0 };
	uint32_t skip;
	struct seg *g;
	ssize_t r;
	int err;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&s->mu);
	g = wait_record(s, m->flags, &w, &skip, &err);
	m->ended = !g;
	r = err;
	if (g && peek) {
		uint64_t before = m->uio->resid;

		r = hand_out(m, g, skip, true);
		peek_moved(s, true, before - m->uio->resid);
	} else if (g) {
		STAILQ_REMOVE_HEAD(&s->rq, link);
		s->rq_bytes -= g->len;
		peek_moved(s, false, g->len);
	}
	mutex_unlock(&s->mu);
	wait_end(&w);
	if (!g || peek)
		return r;
	if (g->scm.n_files)
		scm_received(s->net, &g->scm);
	r = hand_out(m, g, 0, false);
	seg_free(g);
	return r;
}

uint32_t dgram_poll_bits(struct socket *s)
{
	unsigned shut = s->shut;
	uint32_t ev = 0;
	bool any, errors;

	mutex_lock(&s->mu);
	any = STAILQ_FIRST(&s->rq);
	errors = STAILQ_FIRST(&s->errors);
	mutex_unlock(&s->mu);
	if (s->err || errors)
		ev |= EVENT_ERR;
	if (shut == SHUT_BOTH)
		ev |= EVENT_HUP;
	if (shut & SHUT_RECV)
		ev |= EVENT_RDHUP | EVENT_READABLE;
	if (errors && sock_flag(s, LINUX_SO_SELECT_ERR_QUEUE))
		ev |= EVENT_PRI;
	if (any)
		ev |= EVENT_READABLE;
	if (s->sent_bytes <= s->sndbuf / 2)
		ev |= EVENT_WRITABLE | EVENT_WRBAND;
	return ev;
}
