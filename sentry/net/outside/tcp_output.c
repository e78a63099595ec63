/*
 * tcp_output.c - TCP segments that go to the outside.  See tcb.h.
 */
#include "net/outside/tcb.h"

#include "net/stream.h"

#include <errno.h>
#include <string.h>

#define BURST_MAX 61440u /* bytes in one packet, which the host cuts into segments */
#define RETRY (5 * MS) /* when the host took no more */
#define PIECES 30
#define CHECKSUM_AT 16
#define OPTION_MSS 2
#define OPTION_SCALE 3
#define OPTION_SACK_OK 4
#define OPTION_SACK 5
#define RANGES_MAX 4

/* --- one segment --------------------------------------------------------------------- */

struct out {
	uint32_t seq, n;
	uint8_t flags;
	struct iovec v[PIECES + 1]; /* the first is the header's */
	unsigned n_v;
	uint8_t head[TCP_HEAD + TCP_OPTIONS_MAX];
	size_t n_options;
};

/* How many bytes may lie in the queue of s. */
static uint32_t window_limit(const struct socket *s)
{
	uint32_t limit = s ? s->rcvbuf : SOCKET_BUFFER;

	return limit == SOCKET_BUFFER ? STREAM_FAR_BUFFER : limit > WINDOW_LIMIT - 1 ? WINDOW_LIMIT - 1 : limit;
}

uint32_t tcp_window(const struct tcb *t)
{
	const struct socket *s = tcb_socket(t);
	uint32_t limit = window_limit(s), used = s && !t->opener ? s->rq_bytes : 0, told = t->adv - t->rcv;
	uint32_t w;

	used += t->early_bytes;
	w = used < limit ? limit - used : 0;
	if (w < t->mss && w < limit / 4)
		w = 0; /* not worth a segment (RFC 1122 4.2.3.3) */
	if (seq_lt(t->rcv, t->adv) && w < told)
		w = told; /* what was promised stays so */
	return w;
}

static void put_syn_options(struct tcb *t, struct out *s)
{
	uint8_t *p = s->head + TCP_HEAD;
	uint32_t mtu = ip_mtu(t->o, t->there.ip), head = IP_HEAD(ip_is_v4(t->there.ip)) + TCP_HEAD;
	bool answer = t->state == T_SYN_RECEIVED;

	p[0] = OPTION_MSS;
	p[1] = 4;
	put16(p + 2, mtu > head + 536 ? mtu - head : 536);
	s->n_options = 4;
	if (!answer || t->sack_ok) {
		memcpy(p + s->n_options, (const uint8_t[]){ 1, 1, OPTION_SACK_OK, 2 }, 4);
		s->n_options += 4;
	}
	if (!answer || t->scaled) {
		memcpy(p + s->n_options, (const uint8_t[]){ 1, OPTION_SCALE, 3, OUR_SCALE }, 4);
		s->n_options += 4;
	}
}

static void put_sack(struct tcb *t, struct out *s)
{
	uint32_t ranges[RANGES_MAX][2];
	unsigned n = t->sack_ok ? tcp_early_ranges(t, ranges, RANGES_MAX) : 0;
	uint8_t *p = s->head + TCP_HEAD;

	if (!n)
		return;
	memcpy(p, (const uint8_t[]){ 1, 1, OPTION_SACK, (uint8_t)(2 + 8 * n) }, 4);
	for (unsigned i = 0; i < n; i++) {
		put32(p + 4 + 8 * i, ranges[i][0]);
		put32(p + 8 + 8 * i, ranges[i][1]);
	}
	s->n_options = 4 + 8 * n;
}

static uint32_t window_field(struct tcb *t, const struct out *s)
{
	uint32_t w = tcp_window(t), field;

	if (s->flags & TCP_SYN) {
		field = w > UINT16_MAX ? UINT16_MAX : w;
		t->adv = t->rcv + field;
		return field;
	}
	field = w >> t->rcv_scale;
	field = field > UINT16_MAX ? UINT16_MAX : field;
	if (seq_lt(t->adv, t->rcv + (field << t->rcv_scale)))
		t->adv = t->rcv + (field << t->rcv_scale);
	tcp_told(t);
	return field;
}

/* s has its sequence number, flags and data. */
static int transmit(struct tcb *t, struct out *s)
{
	struct socket *sock = tcb_socket(t);
	bool v4 = ip_is_v4(t->there.ip);
	int level = v4 ? LINUX_IPPROTO_IP : LINUX_IPPROTO_IPV6;
	struct departure d = { .proto = LINUX_IPPROTO_TCP, .ttl = 64, .v = s->v, .sum_at = CHECKSUM_AT, .whole = true };
	uint16_t sum;
	int r;

	if (s->flags & TCP_SYN)
		put_syn_options(t, s);
	else if (!s->n)
		put_sack(t, s);
	if (sock) {
		d.ttl = (uint8_t)ip_option(sock, level, v4 ? LINUX_IP_TTL : LINUX_IPV6_UNICAST_HOPS, 64);
		d.tos = (uint8_t)ip_option(sock, level, v4 ? LINUX_IP_TOS : LINUX_IPV6_TCLASS, 0);
	}
	d.head = (uint16_t)(TCP_HEAD + s->n_options);
	put16(s->head, t->here.port);
	put16(s->head + 2, t->there.port);
	put32(s->head + 4, s->seq);
	put32(s->head + 8, s->flags & TCP_ACK ? t->rcv : 0);
	s->head[12] = (uint8_t)(d.head / 4 << 4);
	s->head[13] = s->flags;
	put16(s->head + 14, window_field(t, s));
	memset(s->head + 16, 0, 4);
	s->v[0] = (struct iovec){ s->head, d.head };
	d.n_v = s->n_v + 1;
	d.n = d.head + s->n;
	d.gso_size = s->n > t->mss ? t->mss : 0;
	memcpy(d.from, t->here.ip, 16);
	memcpy(d.to, t->there.ip, 16);
	sum = sum_fold(sum_pseudo(d.from, d.to, d.proto, d.n));
	memcpy(s->head + CHECKSUM_AT, &sum, 2);
	r = ip_send(t->o, &d);
	if (!r && s->flags & TCP_ACK) {
		t->unacked = 0;
		t->ack_now = false;
		tcp_arm(t, DUE_ACK, NEVER);
	}
	return r;
}

static void transmit_bare(struct tcb *t, uint32_t seq, uint8_t flags)
{
	struct out s = { .seq = seq, .flags = flags };

	transmit(t, &s);
}

int tcp_send_syn(struct tcb *t)
{
	struct out s = { .seq = t->iss, .flags = t->state == T_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK };
	int r = transmit(t, &s);

	t->nxt = t->max = t->iss + 1;
	if (!t->retries) {
		t->timing = true;
		t->timed_seq = t->iss;
		t->timed_at = now_monotonic();
	}
	tcp_arm(t, DUE_RESEND, t->rto);
	return r;
}

void tcp_send_ack(struct tcb *t)
{
	transmit_bare(t, t->max, TCP_ACK);
}

void tcp_send_probe(struct tcb *t)
{
	transmit_bare(t, t->una - 1, TCP_ACK);
}

void tcp_send_reset(struct tcb *t)
{
	if (t->state != T_SYN_SENT)
		transmit_bare(t, t->max, TCP_RST | TCP_ACK);
}

/* --- what may be sent ------------------------------------------------------------------------ */

static bool tcp_flag(const struct socket *s, int opt)
{
	return s && s->tcp_flags >> opt & 1 && s->tcp_values[opt];
}

/* How many of `left` bytes, of which `room` may be sent, go now; off: bytes that are under way. */
static uint32_t choose(const struct tcb *t, uint32_t left, uint32_t room, uint32_t off, bool end)
{
	const struct socket *s = tcb_socket(t);
	const uint32_t burst = t->o->whole ? t->mss : BURST_MAX;
	uint32_t n = left < room ? left : room;

	n = n > burst ? burst : n;
	if (n >= t->mss)
		return n == left && (end || !off || tcp_flag(s, LINUX_TCP_NODELAY)) && !tcp_flag(s, LINUX_TCP_CORK) ? n : n - n % t->mss;
	if (n < left) /* a part of a segment, because no more is wanted: only if nothing else is under way */
		return off ? 0 : n;
	if (end || tcp_flag(s, LINUX_TCP_NODELAY))
		return n;
	return off || tcp_flag(s, LINUX_TCP_CORK) ? 0 : n; /* Nagle */
}

/* The data from nxt on, n bytes, and the FIN if it is its turn. */
static int send_data(struct tcb *t, uint32_t off, uint32_t n, bool fin)
{
	struct out s = { .seq = t->nxt, .n = n, .flags = TCP_ACK };
	uint32_t end;
	int r;

	if (n)
		s.n_v = tcp_gather(t, off, &s.n, s.v + 1, PIECES);
	if (s.n < n)
		fin = false; /* many small pieces: the rest goes with the next */
	if (s.n)
		s.flags |= TCP_PSH;
	if (fin)
		s.flags |= TCP_FIN;
	if (!t->timing && t->nxt == t->max && s.n) {
		t->timing = true;
		t->timed_seq = t->nxt;
		t->timed_at = now_monotonic();
	}
	r = transmit(t, &s);
	if (r == -EMSGSIZE) {
		uint32_t mtu = ip_mtu(t->o, t->there.ip), head = IP_HEAD(ip_is_v4(t->there.ip)) + TCP_HEAD;

		if (mtu > head && mtu - head < t->mss)
			t->mss = (uint16_t)(mtu - head);
	}
	if (r == -EAGAIN || r == -ENOBUFS)
		return r;
	/* any other failure is a packet that got lost */
	end = t->nxt + s.n + fin;
	t->nxt = end;
	if (seq_lt(t->max, end))
		t->max = end;
	if (fin)
		t->fin_sent = true;
	return 0;
}

/* The states in which our last word is said. */
static void fin_is_sent(struct tcb *t)
{
	if (t->state == T_ESTABLISHED)
		t->state = T_FIN_WAIT_1;
	else if (t->state == T_CLOSE_WAIT)
		t->state = T_LAST_ACK;
}

static bool may_send(const struct tcb *t)
{
	return t->state >= T_ESTABLISHED && t->state != T_FIN_WAIT_2 && t->state != T_TIME_WAIT;
}

/* One packet. false: there is nothing (more) to be sent now. */
static bool send_next(struct tcb *t, int64_t *retry)
{
	bool end;
	uint32_t queued = tcp_queued(t, &end), off = t->nxt - t->una, window = t->wnd < t->cwnd ? t->wnd : t->cwnd;
	uint32_t left, n, room;
	bool fin;

	if (t->fin_sent && t->nxt == t->max && off > queued)
		return false; /* the FIN is under way */
	left = queued > off ? queued - off : 0;
	room = window > off ? window - off : 0;
	n = choose(t, left, room, off, end);
	fin = end && n == left;
	if (!n && !fin)
		return false;
	if (send_data(t, off, n, fin)) {
		*retry = RETRY;
		return false;
	}
	if (fin && t->fin_sent)
		fin_is_sent(t);
	return true;
}

static uint32_t still_told(const struct tcb *t)
{
	return seq_lt(t->rcv, t->adv) ? t->adv - t->rcv : 0;
}

/* The window has grown enough for the other side to be told. */
static bool worth_telling(uint32_t now, uint32_t told, uint32_t step)
{
	return now > told && (now - told >= step || !told) && (now - told >= STREAM_FAR_BUFFER / 4 || told < STREAM_FAR_BUFFER / 4);
}

static bool window_opened(const struct tcb *t)
{
	return worth_telling(tcp_window(t), still_told(t), 2u * t->mss);
}

void tcp_told(struct tcb *t)
{
	if (!t->far)
		return;
	t->far->told_step = 2u * t->mss;
	t->far->told = still_told(t);
}

/* Who takes bytes out of the queue looks at what was told afterwards, the engine changes that before it looks at the
 * queue (tcp_output): one of the two sees both.  What came early is not known here: the engine looks once too often. */
bool far_window_opens(const struct socket *s, const struct socket *far)
{
	uint32_t limit = window_limit(s), used = s->rq_bytes;

	return worth_telling(used < limit ? limit - used : 0, far->told, far->told_step);
}

void tcp_output(struct tcb *t)
{
	int64_t retry = 0;
	bool end;

	if (t->state < T_ESTABLISHED || t->state == T_TIME_WAIT)
		return;
	while (may_send(t) && send_next(t, &retry))
		;
	if (t->ack_now || (!t->fin_got && window_opened(t)))
		tcp_send_ack(t);
	if (retry)
		tcp_arm(t, DUE_RESEND, retry);
	else if (t->due[DUE_RESEND] == NEVER && (t->una != t->max || tcp_queued(t, &end)))
		tcp_arm(t, DUE_RESEND, t->rto); /* also for a window that is shut: a probe */
	if (t->state == T_FIN_WAIT_2 && tcb_is_orphan(t) && t->due[DUE_WAIT] == NEVER)
		tcp_arm(t, DUE_WAIT, 60 * SECOND);
}

void tcp_resend_first(struct tcb *t)
{
	uint32_t was = t->nxt, n, queued;
	bool end;

	queued = tcp_queued(t, &end);
	n = queued < t->mss ? queued : t->mss;
	t->timing = false;
	t->nxt = t->una;
	if (n || t->fin_sent)
		send_data(t, 0, n, t->fin_sent && n == queued);
	t->nxt = seq_lt(t->nxt, was) ? was : t->nxt;
}

/* --- to nobody ----------------------------------------------------------------------------------- */

void tcp_refuse(struct outside *o, const struct segment *g)
{
	const struct arrival *a = g->a;
	uint8_t head[TCP_HEAD] = { 0 };
	const struct iovec v = { head, sizeof(head) };
	struct departure d = { .proto = LINUX_IPPROTO_TCP, .ttl = 64, .v = &v, .n_v = 1, .n = sizeof(head), .head = TCP_HEAD, .sum_at = CHECKSUM_AT, .whole = true };
	uint16_t sum;

	if (g->flags & TCP_RST || !a->direct || !engine_may_complain(o))
		return;
	memcpy(head, a->p + 2, 2);
	memcpy(head + 2, a->p, 2);
	head[12] = TCP_HEAD / 4 << 4;
	head[13] = TCP_RST;
	if (g->flags & TCP_ACK) {
		put32(head + 4, g->ack);
	} else {
		head[13] |= TCP_ACK;
		put32(head + 8, g->seq + g->n + !!(g->flags & TCP_SYN) + !!(g->flags & TCP_FIN));
	}
	memcpy(d.from, a->to, 16);
	memcpy(d.to, a->from, 16);
	sum = sum_fold(sum_pseudo(d.from, d.to, d.proto, d.n));
	memcpy(head + CHECKSUM_AT, &sum, 2);
	ip_send(o, &d);
}
