/*
 * tcp_queue.c - the bytes of a connection to the outside: what came is put into the program's
 * socket in its order, what is to go lies in the far end's queue until it is acknowledged.
 * See tcb.h.
 */
#include "net/outside/tcb.h"

#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

#define EARLY_MAX 1024 /* pieces */
#define SEG_LEAST 2048u

/* --- received -------------------------------------------------------------------------- */

/* Appends to the queue of s. false: no memory: as if it had not come. */
static bool append(struct socket *s, const uint8_t *p, uint32_t n)
{
	struct seg *g = STAILQ_LAST(&s->rq, seg, link);
	uint32_t room = g && !g->scm.n_files ? g->cap - g->off - g->len : 0, first = n < room ? n : room;
	struct seg *more = NULL;

	if (first < n) {
		more = seg_new(n - first < SEG_LEAST ? SEG_LEAST : n - first);
		if (!more)
			return false;
		memcpy(more->data, p + first, n - first);
		more->len = n - first;
		STAILQ_INSERT_TAIL(&s->rq, more, link);
	}
	if (first) {
		memcpy(g->data + g->off + g->len, p, first);
		g->len += first;
	}
	s->rq_bytes += n;
	return true;
}

/* The next n bytes of the stream. false: they are lost. */
static bool deliver(struct tcb *t, const uint8_t *p, uint32_t n)
{
	struct socket *s = tcb_socket(t);
	bool ok = true;

	if (!s)
		return false;
	mutex_lock(&s->mu);
	if (!(s->shut & SHUT_RECV) && s->state != SOCK_CLOSED)
		ok = append(s, p, n);
	mutex_unlock(&s->mu);
	if (!ok)
		return false;
	t->rcv += n;
	t->unacked += n;
	tcp_told(t);
	waitq_wake(&s->wq, EVENT_READABLE);
	return true;
}

/* The other side's last word. */
static void finish(struct tcb *t)
{
	struct socket *s = tcb_socket(t);

	t->rcv++;
	t->fin_got = true;
	t->ack_now = true;
	if (t->state == T_ESTABLISHED)
		t->state = T_CLOSE_WAIT;
	else if (t->state == T_FIN_WAIT_1)
		t->state = T_CLOSING;
	if (!s)
		return;
	mutex_lock(&s->mu);
	s->shut |= SHUT_RECV;
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_ALL);
}

static void take_early(struct tcb *t)
{
	struct early *e;

	while ((e = STAILQ_FIRST(&t->early)) && seq_le(e->seq, t->rcv)) {
		uint32_t skip = t->rcv - e->seq;

		if (skip < e->n && !deliver(t, e->data + skip, e->n - skip))
			return;
		if (e->fin && !t->fin_got && t->rcv == e->seq + e->n)
			finish(t);
		STAILQ_REMOVE_HEAD(&t->early, link);
		t->early_bytes -= e->n;
		t->n_early--;
		free(e);
	}
}

void tcp_drop_early(struct tcb *t)
{
	struct early *e;

	while ((e = STAILQ_FIRST(&t->early))) {
		STAILQ_REMOVE_HEAD(&t->early, link);
		free(e);
	}
	t->early_bytes = t->n_early = 0;
}

/* Sorted by sequence number; what is there twice costs only memory. */
static void keep_early(struct tcb *t, uint32_t seq, const uint8_t *p, uint32_t n, bool fin)
{
	struct early *e, *at, *before = NULL;

	STAILQ_FOREACH(at, &t->early, link) {
		if (seq_le(at->seq, seq) && seq_le(seq + n, at->seq + at->n) && (!fin || at->fin))
			return;
		if (seq_lt(seq, at->seq))
			break;
		before = at;
	}
	if (t->n_early >= EARLY_MAX || t->early_bytes + n > STREAM_FAR_BUFFER || !(e = malloc(sizeof(*e) + n)))
		return;
	*e = (struct early){ .seq = seq, .n = n, .fin = fin };
	if (n)
		memcpy(e->data, p, n);
	if (before)
		STAILQ_INSERT_AFTER(&t->early, before, e, link);
	else
		STAILQ_INSERT_HEAD(&t->early, e, link);
	t->early_bytes += n;
	t->n_early++;
}

unsigned tcp_early_ranges(const struct tcb *t, uint32_t out[][2], unsigned max)
{
	const struct early *e;
	unsigned n = 0;

	STAILQ_FOREACH(e, &t->early, link) {
		if (n && seq_le(e->seq, out[n - 1][1])) {
			if (seq_lt(out[n - 1][1], e->seq + e->n))
				out[n - 1][1] = e->seq + e->n;
			continue;
		}
		if (n == max)
			break;
		out[n][0] = e->seq;
		out[n++][1] = e->seq + e->n;
	}
	return n;
}

void tcp_take(struct tcb *t, const struct segment *g)
{
	const uint8_t *p = g->data;
	uint32_t seq = g->seq, n = g->n;
	bool fin = g->flags & TCP_FIN;

	if (t->fin_got) {
		t->ack_now = true;
		return;
	}
	if (seq_lt(seq, t->rcv)) { /* what is old of it */
		uint32_t skip = t->rcv - seq;

		t->ack_now = true;
		if (skip > n || (skip == n && !fin))
			return;
		p += skip;
		n -= skip;
		seq = t->rcv;
	}
	if (seq != t->rcv) {
		keep_early(t, seq, p, n, fin);
		t->ack_now = true;
		return;
	}
	if (n && !deliver(t, p, n))
		return;
	if (fin)
		finish(t);
	if (STAILQ_FIRST(&t->early)) {
		take_early(t);
		t->ack_now = true; /* a gap is closed */
	}
}

/* --- to be sent --------------------------------------------------------------------------- */

uint32_t tcp_queued(struct tcb *t, bool *end)
{
	uint32_t n;

	mutex_lock(&t->far->mu);
	n = t->far->rq_bytes;
	*end = t->far->shut & SHUT_RECV;
	mutex_unlock(&t->far->mu);
	return n;
}

/* The bytes stay where they are: only tcp_consume takes them away. */
unsigned tcp_gather(struct tcb *t, uint32_t skip, uint32_t *n, struct iovec *v, unsigned max)
{
	uint32_t want = *n, found = 0;
	unsigned n_v = 0;
	struct seg *g;

	mutex_lock(&t->far->mu);
	STAILQ_FOREACH(g, &t->far->rq, link) {
		uint32_t k;

		if (skip >= g->len) {
			skip -= g->len;
			continue;
		}
		if (n_v == max || found == want)
			break;
		k = g->len - skip < want - found ? g->len - skip : want - found;
		v[n_v++] = (struct iovec){ g->data + g->off + skip, k };
		found += k;
		skip = 0;
	}
	mutex_unlock(&t->far->mu);
	*n = found;
	return n_v;
}

void tcp_consume(struct tcb *t, uint32_t n)
{
	struct seg_list done = STAILQ_HEAD_INITIALIZER(done);
	struct socket *far = t->far, *s = far->peer;
	uint32_t before, after;

	mutex_lock(&far->mu);
	before = far->rq_bytes;
	while (n) {
		struct seg *g = STAILQ_FIRST(&far->rq);
		uint32_t k;

		if (!g)
			break;
		k = g->len < n ? g->len : n;
		g->off += k;
		g->len -= k;
		far->rq_bytes -= k;
		n -= k;
		if (g->len)
			break;
		STAILQ_REMOVE_HEAD(&far->rq, link);
		STAILQ_INSERT_TAIL(&done, g, link);
	}
	after = far->rq_bytes;
	mutex_unlock(&far->mu);
	seg_list_free(&done);
	if (s && before > after && after <= stream_low_water(s))
		waitq_wake(&s->wq, EVENT_WRITABLE);
}
