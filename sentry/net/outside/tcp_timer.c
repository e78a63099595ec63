/*
 * tcp_timer.c - the timers of connections to the outside.  See tcb.h.  Event thread, but for arming.
 */
#include "net/outside/tcb.h"

#include "abi/socket.h"

#include <errno.h>

#define RTO_MIN (200 * MS)
#define RTO_MAX (60 * SECOND)
#define SYN_RETRIES 6
#define SYN_ACK_RETRIES 5
#define RETRIES 15
#define ORPHAN_RETRIES 8

/* --- arming ---------------------------------------------------------------------------- */

void tcp_untime(struct tcb *t)
{
	if (t->is_timed)
		LIST_REMOVE(t, timed);
	t->is_timed = false;
}

void tcp_arm(struct tcb *t, enum tcp_timer k, int64_t after)
{
	t->due[k] = after == NEVER ? NEVER : now_monotonic() + after;
	if (after == NEVER)
		return;
	if (!t->is_timed) {
		LIST_INSERT_HEAD(&t->o->timed, t, timed);
		t->is_timed = true;
	}
	engine_due(t->o, t->due[k]);
}

void tcp_rtt(struct tcb *t, int64_t took)
{
	int64_t off = took > t->srtt ? took - t->srtt : t->srtt - took;

	if (!t->srtt) {
		t->srtt = took ? took : 1;
		t->rttvar = took / 2;
	} else {
		t->rttvar += (off - t->rttvar) / 4;
		t->srtt += (took - t->srtt) / 8;
	}
	t->rto = t->srtt + 4 * t->rttvar;
	t->rto = t->rto < RTO_MIN ? RTO_MIN : t->rto > RTO_MAX ? RTO_MAX : t->rto;
}

/* --- resending -------------------------------------------------------------------------------- */

static void back_off(struct tcb *t)
{
	t->rto = t->rto * 2 > RTO_MAX ? RTO_MAX : t->rto * 2;
}

static int last_error(const struct tcb *t)
{
	return t->soft_error ? t->soft_error : ETIMEDOUT;
}

static uint32_t option(const struct socket *s, int opt, uint32_t otherwise)
{
	return s && s->tcp_flags >> opt & 1 ? s->tcp_values[opt] : otherwise;
}

/* All that is under way is taken for lost: begins again with one segment. false: it has ended. */
static bool lost(struct tcb *t)
{
	uint32_t flight = t->max - t->una;

	if (t->retries++ >= (tcb_is_orphan(t) ? ORPHAN_RETRIES : RETRIES)) {
		tcb_end(t, last_error(t));
		return false;
	}
	if (t->retries == 1)
		t->ssthresh = flight / 2 > 2u * t->mss ? flight / 2 : 2u * t->mss;
	t->recover = t->max;
	t->recovering = false;
	t->dups = 0;
	t->cwnd = t->mss;
	t->timing = false;
	back_off(t);
	t->nxt = t->una;
	tcp_output(t);
	return true;
}

static bool resend_syn(struct tcb *t)
{
	unsigned most = t->state == T_SYN_SENT ? option(t->opener, LINUX_TCP_SYNCNT, SYN_RETRIES) : SYN_ACK_RETRIES;

	if (t->retries++ >= most) {
		tcb_end(t, last_error(t));
		return false;
	}
	back_off(t);
	t->timing = false;
	tcp_send_syn(t);
	return true;
}

/* false: it has ended. */
static bool resend_due(struct tcb *t)
{
	bool end;

	if (t->state <= T_SYN_RECEIVED)
		return resend_syn(t);
	if (t->una != t->max)
		return lost(t);
	if (!tcp_queued(t, &end) && (!end || t->fin_sent))
		return true;
	if (t->wnd) { /* what TCP_CORK held back, or the host did not take */
		t->cwnd = t->cwnd < t->mss ? t->mss : t->cwnd;
		tcp_resend_first(t);
		tcp_output(t);
		return true;
	}
	if (t->probes++ >= RETRIES && tcb_is_orphan(t)) {
		tcb_end(t, last_error(t));
		return false;
	}
	tcp_send_probe(t);
	back_off(t);
	tcp_arm(t, DUE_RESEND, t->rto);
	return true;
}

/* --- the others --------------------------------------------------------------------------------- */

void tcp_keep(struct tcb *t)
{
	const struct socket *s = tcb_socket(t);
	bool wanted = s && t->state >= T_ESTABLISHED && t->state != T_TIME_WAIT && sock_flag(s, LINUX_SO_KEEPALIVE);

	if (!wanted)
		t->due[DUE_KEEP] = NEVER;
	else if (t->due[DUE_KEEP] == NEVER)
		tcp_arm(t, DUE_KEEP, option(s, LINUX_TCP_KEEPIDLE, 7200) * SECOND);
}

static bool keep_due(struct tcb *t)
{
	const struct socket *s = tcb_socket(t);
	int64_t idle = now_monotonic() - t->heard, after = option(s, LINUX_TCP_KEEPIDLE, 7200) * SECOND;

	if (!s || !sock_flag(s, LINUX_SO_KEEPALIVE))
		return true;
	if (idle < after) {
		t->probes = 0;
		tcp_arm(t, DUE_KEEP, after - idle);
		return true;
	}
	if (t->probes >= option(s, LINUX_TCP_KEEPCNT, 9)) {
		tcp_send_reset(t);
		tcb_end(t, last_error(t));
		return false;
	}
	t->probes++;
	tcp_send_probe(t);
	tcp_arm(t, DUE_KEEP, option(s, LINUX_TCP_KEEPINTVL, 75) * SECOND);
	return true;
}

static bool ack_due(struct tcb *t)
{
	if (t->unacked)
		tcp_send_ack(t);
	return true;
}

/* TIME_WAIT is over, or nobody is left to hear more. */
static bool wait_due(struct tcb *t)
{
	tcb_end(t, 0);
	return false;
}

static bool (*const due[DUE_KINDS])(struct tcb *t) = {
	[DUE_RESEND] = resend_due,
	[DUE_ACK] = ack_due,
	[DUE_KEEP] = keep_due,
	[DUE_WAIT] = wait_due,
};

/* When it is due next; NEVER: it has no timer any more, or is gone. */
static int64_t run(struct tcb *t, int64_t now)
{
	int64_t next = NEVER;

	for (int k = 0; k < DUE_KINDS; k++) {
		if (t->due[k] > now)
			continue;
		t->due[k] = NEVER;
		if (!due[k](t))
			return NEVER;
	}
	for (int k = 0; k < DUE_KINDS; k++)
		next = t->due[k] < next ? t->due[k] : next;
	if (next == NEVER)
		tcp_untime(t);
	return next;
}

int64_t tcp_tick(struct outside *o, int64_t now)
{
	int64_t first = NEVER;
	struct tcb *t, *next;

	for (t = LIST_FIRST(&o->timed); t; t = next) {
		int64_t at;

		next = LIST_NEXT(t, timed); /* running one ends no other */
		at = run(t, now);
		first = at < first ? at : first;
	}
	return first;
}
