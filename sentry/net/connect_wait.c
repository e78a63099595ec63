/*
 * connect_wait.c - TCP sockets that connect inside the sandbox without waiting in connect(2), to
 * a listener whose queue is full.  On Linux their SYNs are dropped and sent again; here they stand
 * in a line at the listener, and whoever makes room lets the first of them through.
 *
 * Two sockets' locks are never held together: the line is under the listener's, what a socket
 * waits for under its own.  Who takes a socket out of the line has the line's reference to it.
 * Any task's thread.
 */
#include "net/stack.h"

#include <errno.h>

/* s does not wait any longer: what it did wait with, and for; both NULL if somebody was faster. s->mu held. */
static struct socket *end_wait_locked(struct socket *s, struct socket **at)
{
	struct socket *child = s->waits_with;

	*at = s->waits_at;
	s->waits_at = s->waits_with = NULL;
	return child;
}

static bool may_enter(const struct socket *l)
{
	return l->state == SOCK_LISTENING && !(l->shut & SHUT_RECV) && l->n_accept <= l->backlog;
}

/* The first of the line, with its reference. */
static struct socket *take_first(struct socket *l, bool entering)
{
	struct socket *s;

	mutex_lock(&l->mu);
	s = !entering || may_enter(l) ? TAILQ_FIRST(&l->connect_q) : NULL;
	if (s) {
		TAILQ_REMOVE(&l->connect_q, s, connect_link);
		s->in_connect_q = false;
	}
	mutex_unlock(&l->mu);
	return s;
}

/* Puts the child of a connection that is made into l's queue. */
static void enter(struct socket *l, struct socket *child)
{
	bool listens;

	mutex_lock(&l->mu);
	listens = l->state == SOCK_LISTENING && !(l->shut & SHUT_RECV);
	if (listens)
		socket_enqueue_accept(l, child);
	mutex_unlock(&l->mu);
	if (listens) {
		waitq_wake(&l->wq, EVENT_READABLE);
		return;
	}
	child->ops->close(child);
	socket_put(child);
}

static void let_through(struct socket *s)
{
	struct socket *l, *child;

	mutex_lock(&s->mu);
	child = end_wait_locked(s, &l);
	if (child) {
		s->peer_cred = child->cred;
		socket_link(s, child);
	}
	mutex_unlock(&s->mu);
	if (!child)
		return;
	enter(l, child);
	socket_put(l);
	waitq_wake(&s->wq, EVENT_WRITABLE);
}

void connect_proceed(struct socket *l)
{
	struct socket *s;

	while ((s = take_first(l, true))) {
		let_through(s);
		socket_put(s);
	}
}

static void refuse(struct socket *s)
{
	struct sock_name *peer = NULL;
	struct socket *l, *child;
	bool autobound;

	mutex_lock(&s->mu);
	child = end_wait_locked(s, &l);
	autobound = s->waits_autobound;
	if (child) {
		peer = s->peer_name;
		s->peer_name = NULL;
		s->state = SOCK_UNCONNECTED;
		s->err = ECONNREFUSED;
		s->shut = SHUT_BOTH;
	}
	mutex_unlock(&s->mu);
	if (!child)
		return;
	sock_name_put(peer);
	if (autobound)
		port_forget(s);
	waitq_wake(&s->wq, EVENT_ALL);
	socket_put(child);
	socket_put(l);
}

void connect_refuse_all(struct socket *l)
{
	struct socket *s;

	while ((s = take_first(l, false))) {
		refuse(s);
		socket_put(s);
	}
}

void connect_cancel(struct socket *s)
{
	struct socket *l, *child;
	bool queued;

	mutex_lock(&s->mu);
	child = end_wait_locked(s, &l);
	mutex_unlock(&s->mu);
	if (!child)
		return;
	mutex_lock(&l->mu);
	queued = s->in_connect_q;
	if (queued)
		TAILQ_REMOVE(&l->connect_q, s, connect_link);
	s->in_connect_q = false;
	mutex_unlock(&l->mu);
	if (queued)
		socket_put(s);
	socket_put(child);
	socket_put(l);
}

int connect_later(struct socket *s, struct socket *l, const struct sock_caller *c, bool autobound, struct sock_name *local, struct sock_name *remote)
{
	struct socket *child = socket_alloc(l->net, l->ops, l->family, l->type, l->protocol);
	bool listens;

	if (!child)
		return -ENOMEM;
	child->name = sock_name_get(local);
	child->peer_name = sock_name_get(remote);
	child->peer_cred = c->id;
	mutex_lock(&l->mu);
	connect_options(child, l);
	child->cred = l->cred;
	mutex_unlock(&l->mu);
	mutex_lock(&s->mu);
	socket_get(s->waits_at = l);
	s->waits_with = child;
	s->waits_autobound = autobound;
	mutex_unlock(&s->mu);
	mutex_lock(&l->mu);
	listens = l->state == SOCK_LISTENING && !(l->shut & SHUT_RECV);
	if (listens) {
		socket_get(s);
		TAILQ_INSERT_TAIL(&l->connect_q, s, connect_link);
		s->in_connect_q = true;
	}
	mutex_unlock(&l->mu);
	if (!listens) {
		connect_cancel(s);
		return -ECONNREFUSED;
	}
	connect_proceed(l); /* there may be room by now */
	return 0;
}
