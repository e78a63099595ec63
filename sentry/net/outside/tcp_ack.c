/*
 * tcp_ack.c - what an acknowledgement from outside means: bytes that need not be kept, how
 * long the way takes, how much may be under way, what was lost.  See tcb.h.
 */
#include "net/outside/tcb.h"

#include <string.h>

#define DUPS_LOST 3

/* RFC 5681 3.1, with appropriate byte counting (RFC 3465). */
static void grow(struct tcb *t, uint32_t acked)
{
	uint64_t add;

	if (t->cwnd < t->ssthresh)
		add = acked < 2u * t->mss ? acked : 2u * t->mss;
	else
		add = (uint64_t)t->mss * acked / t->cwnd;
	if (t->cwnd < t->ssthresh && acked > 2u * t->mss)
		add = acked; /* one acknowledgement for a whole burst */
	t->cwnd += (uint32_t)(add ? add : 1);
	if (t->cwnd > 4u * WINDOW_LIMIT)
		t->cwnd = 4u * WINDOW_LIMIT;
}

static void halve(struct tcb *t)
{
	uint32_t flight = (t->max - t->una) / 2;

	t->ssthresh = flight > 2u * t->mss ? flight : 2u * t->mss;
}

/* The same acknowledgement again: something behind it has arrived. */
static void duplicate(struct tcb *t)
{
	t->dups++;
	if (t->recovering) {
		t->cwnd += t->mss;
		return;
	}
	if (t->dups != DUPS_LOST || seq_lt(t->una, t->recover))
		return;
	halve(t);
	t->recover = t->max;
	t->recovering = true;
	tcp_resend_first(t);
	t->cwnd = t->ssthresh + DUPS_LOST * t->mss;
	tcp_arm(t, DUE_RESEND, t->rto);
}

/* New data is acknowledged: acked bytes. */
static void advance(struct tcb *t, uint32_t acked)
{
	t->dups = 0;
	if (!t->recovering) {
		grow(t, acked);
		return;
	}
	if (seq_le(t->recover, t->una)) {
		uint32_t flight = t->max - t->una + t->mss;

		t->recovering = false;
		t->cwnd = flight < t->ssthresh ? flight : t->ssthresh;
		if (t->cwnd < 2u * t->mss)
			t->cwnd = 2u * t->mss;
		return;
	}
	/* a part of it: the next one was lost too (RFC 6582 3.2) */
	tcp_resend_first(t);
	t->cwnd = t->cwnd > acked ? t->cwnd - acked : 0;
	t->cwnd += t->mss;
}

static void take_window(struct tcb *t, const struct segment *g)
{
	uint32_t w = (uint32_t)g->wnd << t->snd_scale;

	if (!seq_lt(t->wl1, g->seq) && !(t->wl1 == g->seq && seq_le(t->wl2, g->ack)))
		return;
	if (w)
		t->probes = 0;
	t->wnd = w;
	t->wl1 = g->seq;
	t->wl2 = g->ack;
}

static void fin_acked(struct tcb *t)
{
	if (t->state == T_FIN_WAIT_1)
		t->state = T_FIN_WAIT_2;
}

bool tcp_acked(struct tcb *t, const struct segment *g)
{
	uint32_t acked = g->ack - t->una, data;
	bool fin = t->fin_sent && g->ack == t->max;

	if (seq_lt(t->max, g->ack)) { /* what was never sent */
		t->ack_now = true;
		return false;
	}
	if (seq_le(g->ack, t->una)) {
		uint32_t w = (uint32_t)g->wnd << t->snd_scale;

		if (g->ack == t->una && !g->n && !(g->flags & TCP_FIN) && w == t->wnd && t->una != t->max)
			duplicate(t);
		if (g->ack == t->una)
			take_window(t, g);
		return true;
	}
	if (t->timing && seq_lt(t->timed_seq, g->ack)) {
		t->timing = false;
		tcp_rtt(t, now_monotonic() - t->timed_at);
	}
	data = acked - fin;
	t->una = g->ack;
	if (seq_lt(t->nxt, t->una))
		t->nxt = t->una;
	t->retries = 0;
	if (data)
		tcp_consume(t, data);
	take_window(t, g);
	advance(t, acked);
	tcp_arm(t, DUE_RESEND, t->una == t->max ? NEVER : t->rto);
	if (fin)
		fin_acked(t);
	return true;
}
