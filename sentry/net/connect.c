/*
 * connect.c - connecting to a listener inside the sandbox, for unix sockets and
 * TCP over loopback.  As for both on Linux, connect is done when the new socket
 * is in the listener's queue; nobody waits for accept.
 */
#include "net/stack.h"

#include <errno.h>
#include <string.h>

int connect_begin(struct socket *s)
{
	int r = 0;

	mutex_lock(&s->mu);
	switch ((enum sock_state)s->state) {
	case SOCK_UNCONNECTED:
		s->state = SOCK_CONNECTING;
		break;
	case SOCK_CONNECTING:
		r = -EALREADY;
		break;
	case SOCK_CONNECTED:
		r = -EISCONN;
		break;
	case SOCK_LISTENING:
	case SOCK_CLOSED:
		r = s->family == LINUX_AF_UNIX ? -EINVAL : -EISCONN;
		break;
	}
	mutex_unlock(&s->mu);
	return r;
}

void connect_abort(struct socket *s)
{
	mutex_lock(&s->mu);
	if (s->state == SOCK_CONNECTING)
		s->state = SOCK_UNCONNECTED;
	mutex_unlock(&s->mu);
}

/* Waits for room in l's queue; l->mu held. 0 or -errno. */
static int wait_queue(struct socket *s, struct socket *l, bool nonblock, int full, struct waiter *w)
{
	int64_t deadline = 0;
	int r = 0;

	while (!r) {
		if (l->state != SOCK_LISTENING || l->shut & SHUT_RECV)
			return -ECONNREFUSED;
		if (l->n_accept <= l->backlog)
			return 0;
		r = nonblock ? full : socket_sleep(l, w, &l->wq, EVENT_WRBAND, s->sndtimeo, &deadline);
	}
	return r;
}

void connect_options(struct socket *child, const struct socket *l)
{
	child->flags = l->flags & ~(UINT64_C(1) << LINUX_SO_ACCEPTCONN);
	child->sndbuf = (uint32_t)l->sndbuf;
	child->rcvbuf = (uint32_t)l->rcvbuf;
	child->tcp_flags = (uint32_t)l->tcp_flags;
	child->inet_flags = (uint32_t)l->inet_flags;
	if (l->family != LINUX_AF_UNIX) {
		child->rcvtimeo = (int64_t)l->rcvtimeo;
		child->sndtimeo = (int64_t)l->sndtimeo;
		child->linger = l->linger;
		memcpy(child->tcp_values, l->tcp_values, sizeof(child->tcp_values));
		memcpy(child->ip_values, l->ip_values, sizeof(child->ip_values));
		child->ip_set = l->ip_set;
	}
}

int connect_to_listener(struct socket *s, struct socket *l, const struct sock_caller *c, bool nonblock, int full, struct sock_name *local,
	struct sock_name *remote)
{
	struct socket *child = socket_alloc(l->family == LINUX_AF_UNIX ? s->net : l->net, l->ops, l->family, l->type, l->protocol);
	struct waiter w = { 0 };
	int r;

	if (!child)
		return -ENOMEM;
	mutex_lock(&s->mu);
	child->peer_name = sock_name_get(remote ? remote : s->name);
	mutex_unlock(&s->mu);
	mutex_lock(&l->mu);
	r = wait_queue(s, l, nonblock, full, &w);
	if (!r) {
		connect_options(child, l);
		child->cred = l->cred;
		child->peer_cred = c->id;
		child->name = sock_name_get(local ? local : l->name);
		s->peer_cred = l->cred; /* ours alone to write while SOCK_CONNECTING */
		if (!s->peer_name)
			s->peer_name = sock_name_get(l->name);
		socket_link(s, child);
		socket_enqueue_accept(l, child);
	}
	mutex_unlock(&l->mu);
	wait_end(&w);
	if (r) {
		socket_put(child);
		return r;
	}
	waitq_wake(&l->wq, EVENT_READABLE);
	waitq_wake(&s->wq, EVENT_WRITABLE);
	return 0;
}
