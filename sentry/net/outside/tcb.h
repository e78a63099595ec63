/*
 * tcb.h - one TCP connection to the outside (RFC 9293): for tcp*.c.
 *
 *	tcp.c         life: connecting, being connected to, ending; what sockets call
 *	tcp_input.c   segments that come; tcp_ack.c: what an acknowledgement means
 *	tcp_output.c  segments that go
 *	tcp_queue.c   the bytes: into the program's socket, in order; out of the far end's queue
 *	tcp_timer.c   resending (RFC 6298), delayed acknowledgements, keep-alive, waiting at the end
 *
 * Congestion: slow start, congestion avoidance, fast retransmit and NewReno's recovery (RFC 5681,
 * 6582), an initial window of 10 segments (RFC 6928).  Window scaling is used (RFC 7323); what
 * came out of order is told by selective acknowledgements (RFC 2018).  Blind attacks are met as
 * in RFC 5961; the first sequence number is random.
 *
 * All of it: o->mu held.
 */
#ifndef SENTRY_NET_OUTSIDE_TCB_H
#define SENTRY_NET_OUTSIDE_TCB_H

#include "net/outside/engine.h"

#include "lib/wait.h"

enum tcp_state { T_SYN_SENT, T_SYN_RECEIVED, T_ESTABLISHED, T_FIN_WAIT_1, T_FIN_WAIT_2, T_CLOSE_WAIT, T_CLOSING, T_LAST_ACK, T_TIME_WAIT };
enum tcp_timer { DUE_RESEND, DUE_ACK, DUE_KEEP, DUE_WAIT, DUE_KINDS };

#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_PSH 8u
#define TCP_ACK 16u
#define TCP_HEAD 20
#define TCP_OPTIONS_MAX 40

#define WINDOW_LIMIT (2u << 20)
#define OUR_SCALE 5 /* WINDOW_LIMIT fits */
#define NEVER INT64_MAX

/* Came before its turn. */
struct early {
	STAILQ_ENTRY(early) link;
	uint32_t seq, n;
	bool fin;
	uint8_t data[];
};
STAILQ_HEAD(early_list, early);

struct tcb {
	LIST_ENTRY(tcb) link; /* in its hash bucket */
	LIST_ENTRY(tcb) timed; /* while is_timed */
	LIST_ENTRY(tcb) owing; /* while owes */
	TAILQ_ENTRY(tcb) half_open; /* in T_SYN_RECEIVED; in T_TIME_WAIT among those */
	bool is_timed, owes; /* owes: an acknowledgement, when no more frames lie there */
	struct outside *o; /* [I] */
	struct socket *far; /* referenced; NULL in T_TIME_WAIT */
	struct socket *opener; /* T_SYN_SENT: the program's socket, referenced */
	bool autobound; /* its port goes if it does not get through */
	struct endpoint here, there; /* [I] */
	enum tcp_state state;
	int soft_error; /* what ICMP said, if nothing better is known in the end */
	/* sending: una <= nxt <= max */
	uint32_t iss, una, nxt, max; /* acknowledged up to; to be sent next; sent up to, at any time */
	uint32_t wnd, wl1, wl2; /* what the other side takes; by which segment it was told */
	uint32_t cwnd, ssthresh, recover;
	unsigned dups;
	bool recovering, fin_sent;
	uint16_t mss;
	uint8_t snd_scale, rcv_scale;
	bool scaled, sack_ok;
	/* receiving */
	uint32_t rcv, adv; /* comes next; the right edge of the window as told */
	uint32_t unacked; /* bytes not acknowledged yet */
	bool ack_now, fin_got;
	struct early_list early;
	uint32_t early_bytes, n_early;
	/* timing, ns */
	int64_t srtt, rttvar, rto, timed_at;
	uint32_t timed_seq;
	bool timing;
	unsigned retries, probes;
	int64_t due[DUE_KINDS];
	int64_t heard, complained; /* when the last segment came; when a challenge was sent */
};

struct segment {
	const struct arrival *a;
	uint32_t seq, ack, n;
	uint16_t wnd, mss; /* mss 0: not told */
	uint8_t flags, scale; /* scale: 255: not told */
	bool sack_ok;
	const uint8_t *data;
};

static inline bool seq_lt(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return (int32_t)(a - b) <= 0; }

/* --- tcp.c --- */
struct tcb *tcb_find(struct outside *o, const struct endpoint *here, const struct endpoint *there);
/* For a SYN from outside; NULL: there are too many, or no memory. */
struct tcb *tcb_new(struct outside *o, const struct endpoint *here, const struct endpoint *there, int family);
/* It is over; error: what the program's socket is told, 0: nothing. t is freed. */
void tcb_end(struct tcb *t, int error);
/* All is said; only what comes late is still answered. */
void tcb_time_wait(struct tcb *t);
int tcb_establish(struct tcb *t); /* 0; -EAGAIN: later; -ECONNREFUSED */
struct socket *tcb_socket(const struct tcb *t); /* the program's, borrowed; NULL: none (yet) */
bool tcb_is_orphan(const struct tcb *t); /* the program has closed it */

/* --- tcp_output.c --- */
int tcp_send_syn(struct tcb *t); /* or SYN and ACK. As ip_send. */
void tcp_output(struct tcb *t); /* whatever may be sent now */
void tcp_resend_first(struct tcb *t); /* the first segment that is not acknowledged */
void tcp_send_ack(struct tcb *t);
void tcp_send_probe(struct tcb *t); /* to be answered by an acknowledgement */
void tcp_send_reset(struct tcb *t);
void tcp_refuse(struct outside *o, const struct segment *g); /* RST to a segment that belongs to no connection */
uint32_t tcp_window(const struct tcb *t);
void tcp_told(struct tcb *t); /* what the other side may send has changed: for far_window_opens */

/* --- tcp_input.c --- */
void tcp_owes_not(struct tcb *t);

/* --- tcp_ack.c --- */
/* false: the segment is worth nothing more. */
bool tcp_acked(struct tcb *t, const struct segment *g);

/* --- tcp_queue.c --- */
void tcp_take(struct tcb *t, const struct segment *g); /* its data and FIN; it is within the window */
void tcp_drop_early(struct tcb *t);
unsigned tcp_early_ranges(const struct tcb *t, uint32_t out[][2], unsigned max);
uint32_t tcp_queued(struct tcb *t, bool *end); /* bytes from una on; end: the program has said its last */
unsigned tcp_gather(struct tcb *t, uint32_t skip, uint32_t *n, struct iovec *v, unsigned max); /* *n: bytes wanted -> found */
void tcp_consume(struct tcb *t, uint32_t n);

/* --- tcp_timer.c --- */
void tcp_arm(struct tcb *t, enum tcp_timer k, int64_t after); /* ns from now; NEVER: not any more */
void tcp_rtt(struct tcb *t, int64_t took);
void tcp_keep(struct tcb *t); /* as SO_KEEPALIVE says now */
void tcp_untime(struct tcb *t);

#endif
