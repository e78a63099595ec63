/*
 * tcp_input.c - TCP segments that come from outside (RFC 9293 3.10.7).  See tcb.h.
 */
#include "net/outside/tcb.h"

#include "net/stream.h"

#include <errno.h>
#include <string.h>

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define OPTION_SCALE 3
#define OPTION_SACK_OK 4
#define SCALE_MAX 14
#define MSS_LEAST 64
#define MSS_DEFAULT 536
#define HALF_OPEN_MAX 1024
#define DELAY (40 * MS)
#define OWED_MOST (256u << 10) /* bytes that one acknowledgement is for, if they come at once */

/* --- parsing --------------------------------------------------------------------------- */

static void take_options(const uint8_t *p, size_t n, struct segment *g)
{
	while (n) {
		if (*p == OPTION_END)
			return;
		if (*p == OPTION_NOP) {
			p++;
			n--;
			continue;
		}
		if (n < 2 || p[1] < 2 || p[1] > n)
			return;
		if (p[0] == OPTION_MSS && p[1] == 4)
			g->mss = get16(p + 2);
		else if (p[0] == OPTION_SCALE && p[1] == 3)
			g->scale = p[2] > SCALE_MAX ? SCALE_MAX : p[2];
		else if (p[0] == OPTION_SACK_OK && p[1] == 2)
			g->sack_ok = true;
		n -= p[1];
		p += p[1];
	}
}

static bool parse(const struct arrival *a, struct segment *g)
{
	size_t head = (size_t)(a->p[12] >> 4) * 4;

	if (head < TCP_HEAD || head > a->n)
		return false;
	*g = (struct segment){ .a = a, .seq = get32(a->p + 4), .ack = get32(a->p + 8), .flags = a->p[13] & 63, .wnd = get16(a->p + 14),
		.scale = 255, .data = a->p + head, .n = (uint32_t)(a->n - head) };
	take_options(a->p + TCP_HEAD, head - TCP_HEAD, g);
	return true;
}

/* --- connections that begin ---------------------------------------------------------------- */

/* What the other side's SYN says. */
static void take_syn(struct tcb *t, const struct segment *g)
{
	uint16_t mss = g->mss ? g->mss : MSS_DEFAULT;
	uint32_t promised = t->adv - t->rcv;

	if (mss < MSS_LEAST)
		mss = MSS_LEAST;
	if (mss < t->mss)
		t->mss = mss;
	t->cwnd = 10u * t->mss;
	t->rcv = g->seq + 1;
	t->adv = t->rcv + promised;
	t->sack_ok = g->sack_ok;
	t->scaled = g->scale != 255;
	t->snd_scale = t->scaled ? g->scale : 0;
	t->rcv_scale = t->scaled ? OUR_SCALE : 0;
	t->wnd = g->wnd; /* never scaled in a SYN */
	t->wl1 = g->seq;
	t->wl2 = g->ack;
}

static void syn_sent(struct tcb *t, const struct segment *g)
{
	bool ack = g->flags & TCP_ACK;

	if (ack && g->ack != t->iss + 1) {
		tcp_refuse(t->o, g);
		return;
	}
	if (g->flags & TCP_RST) {
		if (ack)
			tcb_end(t, ECONNREFUSED);
		return;
	}
	if (!(g->flags & TCP_SYN) || !ack)
		return; /* both at once: the other side resends, and finds nobody */
	take_syn(t, g);
	t->una = t->nxt = t->max = g->ack;
	if (t->timing && !t->retries)
		tcp_rtt(t, now_monotonic() - t->timed_at);
	t->timing = false;
	tcp_arm(t, DUE_RESEND, NEVER);
	if (tcb_establish(t)) {
		tcp_send_reset(t);
		tcb_end(t, 0);
		return;
	}
	tcp_send_ack(t);
	tcp_output(t);
}

static bool has_room(struct socket *l)
{
	bool room;

	mutex_lock(&l->mu);
	room = l->state == SOCK_LISTENING && !(l->shut & SHUT_RECV) && l->n_accept <= l->backlog;
	mutex_unlock(&l->mu);
	return room;
}

/* A segment for no connection: somebody may listen. */
static void to_listener(struct outside *o, const struct segment *g, const struct endpoint *here, const struct endpoint *there)
{
	struct socket *l = NULL;
	struct tcb *t;

	if (g->flags & TCP_RST)
		return;
	if ((g->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && g->a->direct)
		l = port_find(o->net, LINUX_SOCK_STREAM, here, there);
	if (!l) {
		tcp_refuse(o, g);
		return;
	}
	/* as on Linux, a SYN that finds a full queue is dropped: it will come again */
	t = has_room(l) ? tcb_new(o, here, there, l->family) : NULL;
	if (t) {
		if (o->n_half_open >= HALF_OPEN_MAX)
			tcb_end(TAILQ_FIRST(&o->half_open), 0);
		t->state = T_SYN_RECEIVED;
		TAILQ_INSERT_TAIL(&o->half_open, t, half_open);
		o->n_half_open++;
		take_syn(t, g);
		tcp_send_syn(t);
	}
	socket_put(l);
}

/* --- connections that exist ------------------------------------------------------------------- */

static void challenge(struct tcb *t)
{
	int64_t now = now_monotonic();

	if (now - t->complained < SECOND / 10)
		return;
	t->complained = now;
	tcp_send_ack(t);
}

static bool in_window(const struct tcb *t, const struct segment *g)
{
	uint32_t len = g->n + !!(g->flags & TCP_FIN) + !!(g->flags & TCP_SYN), right = seq_lt(t->rcv, t->adv) ? t->adv : t->rcv;

	if (!len)
		return seq_le(t->rcv, g->seq) && seq_le(g->seq, right);
	return seq_lt(g->seq, right) && seq_lt(t->rcv, g->seq + len);
}

/* Leaves of g what lies within the window. */
static void trim(const struct tcb *t, struct segment *g)
{
	uint32_t over = g->seq + g->n - t->adv;

	if (!seq_lt(t->adv, g->seq + g->n))
		return;
	g->n = over < g->n ? g->n - over : 0;
	g->flags &= ~TCP_FIN;
}

static void reset(struct tcb *t, const struct segment *g)
{
	if (g->seq == t->rcv)
		tcb_end(t, t->state == T_SYN_RECEIVED ? 0 : t->state == T_CLOSE_WAIT ? EPIPE : ECONNRESET);
	else if (in_window(t, g))
		challenge(t);
}

/* The first ACK of a connection that came from outside. false: the segment is worth nothing more; t may be gone. */
static bool complete(struct tcb *t, const struct segment *g)
{
	int r;

	if (g->ack != t->iss + 1) {
		tcp_refuse(t->o, g);
		return false;
	}
	t->una = t->nxt = t->max = g->ack;
	t->wnd = (uint32_t)g->wnd << t->snd_scale;
	t->wl1 = g->seq;
	t->wl2 = g->ack;
	if (t->timing && !t->retries)
		tcp_rtt(t, now_monotonic() - t->timed_at);
	t->timing = false;
	r = tcb_establish(t);
	if (r == -EAGAIN) { /* the queue is full: it stays half open, and SYN-ACK is sent again */
		t->una = t->iss;
		return false;
	}
	tcp_arm(t, DUE_RESEND, NEVER);
	if (!r)
		return true;
	tcp_send_reset(t);
	tcb_end(t, 0);
	return false;
}

static void time_wait(struct tcb *t, const struct segment *g)
{
	if (g->flags & TCP_RST)
		return; /* RFC 1337 */
	tcp_send_ack(t);
	if (g->flags & TCP_FIN)
		tcp_arm(t, DUE_WAIT, 60 * SECOND);
}

/* Data for a program that has closed its socket cannot be delivered. */
static bool undeliverable(const struct tcb *t, const struct segment *g)
{
	return g->n && tcb_is_orphan(t) && seq_lt(t->rcv, g->seq + g->n);
}

/* The frames of a burst are acknowledged together: each acknowledgement has the other side send at once. */
static void owe(struct tcb *t)
{
	if (!t->owes)
		LIST_INSERT_HEAD(&t->o->owing, t, owing);
	t->owes = true;
}

void tcp_owes_not(struct tcb *t)
{
	if (t->owes)
		LIST_REMOVE(t, owing);
	t->owes = false;
}

void tcp_pay(struct outside *o)
{
	struct tcb *t;

	while ((t = LIST_FIRST(&o->owing))) {
		tcp_owes_not(t);
		if (t->unacked)
			t->ack_now = true;
		tcp_output(t);
	}
}

/* After all of g has been taken. */
static void settle(struct tcb *t)
{
	bool done = t->una == t->max && t->fin_sent;

	if (done && t->state == T_LAST_ACK) {
		tcb_end(t, 0);
		return;
	}
	if (done && t->fin_got) {
		tcp_send_ack(t);
		tcb_time_wait(t);
		return;
	}
	if (t->unacked >= 2u * t->mss) {
		if (!t->ack_now && t->unacked < OWED_MOST) {
			owe(t);
			return;
		}
		t->ack_now = true;
	} else if (t->unacked && t->due[DUE_ACK] == NEVER)
		tcp_arm(t, DUE_ACK, DELAY);
	tcp_output(t);
}

static void segment(struct tcb *t, struct segment *g)
{
	if (t->state == T_TIME_WAIT) {
		time_wait(t, g);
		return;
	}
	if (g->flags & TCP_RST) {
		reset(t, g);
		return;
	}
	if (t->state == T_SYN_RECEIVED && g->flags & TCP_SYN && !(g->flags & TCP_ACK) && g->seq + 1 == t->rcv) {
		tcp_send_syn(t); /* it did not get our answer */
		return;
	}
	if (g->flags & TCP_SYN || !in_window(t, g)) {
		if (g->n && !(g->flags & TCP_SYN))
			tcp_send_ack(t); /* it did not get the last one */
		else
			challenge(t);
		/* an acknowledgement in it counts all the same if it only is too late */
		if (g->flags & TCP_SYN || !(g->flags & TCP_ACK) || seq_lt(t->adv, g->seq))
			return;
		g->n = 0;
		g->flags &= ~TCP_FIN;
	}
	if (!(g->flags & TCP_ACK) || (t->state == T_SYN_RECEIVED && !complete(t, g)))
		return;
	t->heard = now_monotonic();
	trim(t, g);
	if (!tcp_acked(t, g)) {
		tcp_output(t);
		return;
	}
	if (undeliverable(t, g)) {
		tcp_send_reset(t);
		tcb_end(t, 0);
		return;
	}
	if (g->n || g->flags & TCP_FIN)
		tcp_take(t, g);
	settle(t);
}

void tcp_input(struct outside *o, struct arrival *a)
{
	struct endpoint here = { .port = get16(a->p + 2) }, there = { .port = get16(a->p) };
	struct segment g;
	struct tcb *t;

	if (!parse(a, &g) || !a->direct)
		return;
	memcpy(here.ip, a->to, 16);
	memcpy(there.ip, a->from, 16);
	t = tcb_find(o, &here, &there);
	if (t && t->state == T_TIME_WAIT && (g.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_lt(t->rcv, g.seq)) {
		tcb_end(t, 0); /* a new one between the same ports */
		t = NULL;
	}
	if (!t)
		to_listener(o, &g, &here, &there);
	else if (t->state == T_SYN_SENT)
		syn_sent(t, &g);
	else
		segment(t, &g);
}

void tcp_failed(struct outside *o, const struct endpoint *here, const struct endpoint *there, uint32_t seq, int error, uint32_t mtu)
{
	struct tcb *t = tcb_find(o, here, there);
	uint32_t head = IP_HEAD(ip_is_v4(there->ip)) + TCP_HEAD;

	/* it must quote what is under way (RFC 5927) */
	if (!t || t->state == T_TIME_WAIT || seq_lt(seq, t->una) || !seq_lt(seq, t->max))
		return;
	if (error == EMSGSIZE) {
		mtu = mtu < 576 ? 576 : mtu;
		if (mtu - head >= t->mss)
			return;
		t->mss = (uint16_t)(mtu - head);
		if (t->state >= T_ESTABLISHED) {
			t->nxt = t->una;
			tcp_output(t);
		}
		return;
	}
	if (t->state == T_SYN_SENT)
		tcb_end(t, error);
	else
		t->soft_error = error;
}
