/*
 * tcp.c - the life of TCP connections to the outside, and what their sockets call.  See tcb.h.
 */
#include "net/outside/tcb.h"

#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TCBS_MAX 65536
#define HALF_OPEN_MAX 1024
#define TIME_WAIT (60 * SECOND)
#define TIME_WAITS_MAX 16384 /* then the oldest is forgotten (as by net.ipv4.tcp_max_tw_buckets, a new one) */
#define RTO_FIRST SECOND
#define INITIAL_SEGMENTS 10

/* --- finding ------------------------------------------------------------------------ */

static struct tcb_list *bucket(struct outside *o, const struct endpoint *here, const struct endpoint *there)
{
	uint32_t h = here->port * 31u + there->port;

	for (int i = 8; i < 16; i++)
		h = h * 31 + there->ip[i];
	return &o->hash[(h ^ h >> 13) % TCP_BUCKETS];
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && !memcmp(a->ip, b->ip, 16);
}

struct tcb *tcb_find(struct outside *o, const struct endpoint *here, const struct endpoint *there)
{
	struct tcb *t;

	LIST_FOREACH(t, bucket(o, here, there), link)
		if (same(&t->there, there) && same(&t->here, here))
			return t;
	return NULL;
}

struct socket *tcb_socket(const struct tcb *t)
{
	return t->opener ? t->opener : t->far ? t->far->peer : NULL;
}

bool tcb_is_orphan(const struct tcb *t)
{
	const struct socket *s = tcb_socket(t);

	return t->state != T_SYN_RECEIVED && (!s || s->state == SOCK_CLOSED);
}

/* --- beginning and ending --------------------------------------------------------------- */

struct tcb *tcb_new(struct outside *o, const struct endpoint *here, const struct endpoint *there, int family)
{
	bool v4 = ip_is_v4(there->ip);
	uint32_t mtu = ip_mtu(o, there->ip);
	struct tcb *t = o->n_tcbs < TCBS_MAX ? calloc(1, sizeof(*t)) : NULL;

	if (!t || !(t->far = socket_alloc(o->net, &far_ops, family, LINUX_SOCK_STREAM, LINUX_IPPROTO_TCP))) {
		free(t);
		return NULL;
	}
	t->o = o;
	t->here = *here;
	t->there = *there;
	mtu = mtu < 576 ? 576 : mtu > PACKET_MAX ? PACKET_MAX : mtu;
	t->mss = (uint16_t)(mtu - IP_HEAD(v4) - TCP_HEAD);
	(void)!getrandom(&t->iss, sizeof(t->iss), 0);
	t->una = t->nxt = t->max = t->recover = t->iss;
	t->cwnd = INITIAL_SEGMENTS * t->mss;
	t->ssthresh = UINT32_MAX;
	t->rto = RTO_FIRST;
	t->heard = now_monotonic();
	STAILQ_INIT(&t->early);
	for (int k = 0; k < DUE_KINDS; k++)
		t->due[k] = NEVER;
	t->far->tcb = t;
	t->far->state = SOCK_CONNECTING;
	LIST_INSERT_HEAD(bucket(o, here, there), t, link);
	o->n_tcbs++;
	return t;
}

/* The program's socket stops waiting for its connection. */
static void tell_opener(struct tcb *t, int error)
{
	struct socket *s = t->opener, *far = NULL;

	if (!s)
		return;
	t->opener = NULL;
	mutex_lock(&s->mu);
	if (s->connecting == t->far) {
		far = s->connecting;
		s->connecting = NULL;
	}
	if (far && s->state == SOCK_CONNECTING) {
		s->state = SOCK_UNCONNECTED;
		s->err = error;
		s->shut = SHUT_BOTH;
	}
	mutex_unlock(&s->mu);
	if (far) {
		if (t->autobound)
			port_forget(s);
		socket_put(far);
	}
	waitq_wake(&s->wq, EVENT_ALL);
	socket_put(s);
}

static void tell_socket(struct socket *s, int error)
{
	mutex_lock(&s->mu);
	if (s->state != SOCK_CLOSED) {
		s->err = error;
		s->reset = true;
		s->shut |= SHUT_BOTH;
	}
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_ALL);
}

/* The far end goes; the program's socket keeps it until it is closed itself. */
static void far_end(struct tcb *t, int error)
{
	struct seg_list rest = STAILQ_HEAD_INITIALIZER(rest);
	struct socket *far = t->far, *s;

	if (!far)
		return;
	t->far = NULL;
	mutex_lock(&far->mu);
	far->state = SOCK_CLOSED;
	far->tcb = NULL;
	STAILQ_CONCAT(&rest, &far->rq);
	far->rq_bytes = 0;
	s = far->peer;
	far->peer = NULL;
	mutex_unlock(&far->mu);
	seg_list_free(&rest);
	if (s) {
		if (error)
			tell_socket(s, error);
		socket_put(s);
	}
	socket_put(far);
}

void tcb_end(struct tcb *t, int error)
{
	struct outside *o = t->o;

	tell_opener(t, error);
	far_end(t, error);
	tcp_drop_early(t);
	tcp_untime(t);
	tcp_owes_not(t);
	if (t->state == T_SYN_RECEIVED) {
		TAILQ_REMOVE(&o->half_open, t, half_open);
		o->n_half_open--;
	} else if (t->state == T_TIME_WAIT) {
		TAILQ_REMOVE(&o->time_waits, t, half_open);
		o->n_time_waits--;
	}
	LIST_REMOVE(t, link);
	o->n_tcbs--;
	free(t);
}

void tcb_time_wait(struct tcb *t)
{
	struct outside *o = t->o;

	far_end(t, 0);
	tcp_drop_early(t);
	if (o->n_time_waits >= TIME_WAITS_MAX)
		tcb_end(TAILQ_FIRST(&o->time_waits), 0);
	t->state = T_TIME_WAIT;
	TAILQ_INSERT_TAIL(&o->time_waits, t, half_open);
	o->n_time_waits++;
	for (int k = 0; k < DUE_KINDS; k++)
		tcp_arm(t, (enum tcp_timer)k, NEVER);
	tcp_arm(t, DUE_WAIT, TIME_WAIT);
}

/* --- connecting -------------------------------------------------------------------------------- */

int far_connect(struct socket *s, const struct endpoint *from, const struct endpoint *to, bool autobound)
{
	struct outside *o = s->net->world->outside;
	struct tcb *t;
	int r;

	mutex_lock(&o->mu);
	t = tcb_find(o, from, to);
	if (t && t->state == T_TIME_WAIT) {
		tcb_end(t, 0);
		t = NULL;
	}
	r = t ? -EADDRNOTAVAIL : (t = tcb_new(o, from, to, s->family)) ? 0 : -ENOBUFS;
	if (!r) {
		t->state = T_SYN_SENT;
		t->autobound = autobound;
		r = tcp_send_syn(t);
		if (r && r != -EAGAIN && r != -ENOBUFS)
			tcb_end(t, 0);
		else
			r = 0;
	}
	if (!r) {
		socket_get(t->opener = s);
		socket_get(t->far);
		mutex_lock(&s->mu);
		s->connecting = t->far;
		mutex_unlock(&s->mu);
	}
	mutex_unlock(&o->mu);
	return r;
}

static int establish_opener(struct tcb *t)
{
	struct socket *s = t->opener, *far = NULL;

	t->opener = NULL;
	mutex_lock(&s->mu);
	if (s->connecting == t->far && s->state == SOCK_CONNECTING) {
		far = s->connecting;
		s->connecting = NULL;
		socket_link(s, far);
	}
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_WRITABLE);
	socket_put(s);
	if (far)
		socket_put(far);
	return far ? 0 : -ECONNREFUSED;
}

static struct sock_name *name_of(const struct endpoint *e, int family)
{
	struct sockaddr_buf a;

	endpoint_addr(e, family, &a);
	return sock_name_new(&a);
}

/* Puts a connected socket into the queue of whoever listens. */
static int establish_accepted(struct tcb *t)
{
	static const struct sock_caller nobody;
	struct socket *l = port_find(t->o->net, LINUX_SOCK_STREAM, &t->here, &t->there);
	struct sock_name *local, *remote;
	int r = -ECONNREFUSED;

	if (!l)
		return r;
	local = name_of(&t->here, l->family);
	remote = name_of(&t->there, l->family);
	if (local && remote)
		r = connect_to_listener(t->far, l, &nobody, true, -EAGAIN, local, remote);
	else
		r = -EAGAIN;
	sock_name_put(local);
	sock_name_put(remote);
	socket_put(l);
	if (r)
		return r;
	TAILQ_REMOVE(&t->o->half_open, t, half_open);
	t->o->n_half_open--;
	return 0;
}

int tcb_establish(struct tcb *t)
{
	int r = t->opener ? establish_opener(t) : t->state == T_SYN_RECEIVED ? establish_accepted(t) : -ECONNREFUSED;

	if (!r) {
		t->state = T_ESTABLISHED;
		t->retries = 0;
		tcp_keep(t);
	}
	return r;
}

void far_abandon(struct socket *far)
{
	struct outside *o = far->net->world->outside;

	mutex_lock(&o->mu);
	if (far->tcb)
		tcb_end(far->tcb, 0);
	mutex_unlock(&o->mu);
	socket_put(far);
}

void far_changed(struct socket *far)
{
	struct outside *o = far->net->world->outside;
	struct tcb *t;

	mutex_lock(&o->mu);
	t = far->tcb;
	if (t && far->reset) {
		tcp_send_reset(t);
		tcb_end(t, 0);
	} else if (t) {
		tcp_keep(t);
		tcp_output(t);
	}
	mutex_unlock(&o->mu);
}

/* A far end is reached by its connection only: nothing calls these but poll, for others' sockets that look at it. */
static uint32_t far_poll(struct socket *s)
{
	return 0;
}

static void far_close(struct socket *s)
{
}

const struct socket_ops far_ops = { .poll = far_poll, .close = far_close };
