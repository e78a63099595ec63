/*
 * tcp.c - TCP sockets.  Inside the sandbox listeners are found by port in the namespace that has the
 * address; connections to the outside are made by net/outside/.  Data goes by stream.c.
 */
#include "net/outside.h"
#include "net/stack.h"
#include "net/stream.h"

#include <errno.h>

#define CONNECT_BEGUN 1
#define CONNECT_WAITS 2 /* for room, and the call has waited long enough */

static int tcp_listen(struct socket *s, const struct sock_caller *c, int backlog)
{
	int r = port_autobind(s);

	if (r)
		return r;
	backlog = listen_backlog(s, backlog);
	mutex_lock(&s->mu);
	if (s->state != SOCK_UNCONNECTED && s->state != SOCK_LISTENING)
		r = -EINVAL;
	else
		r = port_listen(s);
	if (!r) {
		s->shut = 0;
		s->backlog = backlog;
		s->cred = c->id;
	}
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_WRBAND);
	if (!r)
		connect_proceed(s);
	return r;
}

static struct sock_name *name_of(const struct endpoint *e, int family)
{
	struct sockaddr_buf a;

	endpoint_addr(e, family, &a);
	return sock_name_new(&a);
}

static void set_peer_name(struct socket *s, struct sock_name *n)
{
	struct sock_name *old;

	mutex_lock(&s->mu);
	old = s->peer_name;
	s->peer_name = n;
	mutex_unlock(&s->mu);
	sock_name_put(old);
}

/* Begins to. CONNECT_BEGUN or -errno */
static int connect_outside(struct socket *s, const struct endpoint *from, const struct endpoint *to, bool autobound)
{
	int r = port_set_local(s, from);

	if (r)
		return r;
	set_peer_name(s, name_of(to, s->family));
	r = far_connect(s, from, to, autobound);
	if (r)
		set_peer_name(s, NULL);
	return r ? r : CONNECT_BEGUN;
}

/* s is SOCK_CONNECTING: finds who listens at `to` and connects. */
static int connect_at(struct socket *s, const struct sock_caller *c, const struct endpoint *to, bool nonblock, bool autobound)
{
	struct sock_name *local, *remote;
	struct net_stack *there;
	struct endpoint from;
	struct socket *l;
	int r = inet_way(s, to, &from, &there);

	if (r == NET_OUTSIDE)
		return connect_outside(s, &from, to, autobound);
	if (r)
		return r;
	l = port_find(there, LINUX_SOCK_STREAM, to, &from);
	net_stack_put(there);
	r = l ? port_set_local(s, &from) : -ECONNREFUSED;
	if (r) {
		if (l)
			socket_put(l);
		return r;
	}
	local = name_of(to, l->family);
	remote = name_of(&from, l->family);
	set_peer_name(s, name_of(to, s->family));
	if (local && remote && s->peer_name)
		r = connect_to_listener(s, l, c, nonblock, -EAGAIN, local, remote);
	else
		r = -ENOMEM;
	/* a SYN that finds a full queue is dropped, and comes again */
	if (r == -EAGAIN)
		r = connect_later(s, l, c, autobound, local, remote) ? : CONNECT_WAITS;
	if (r < 0)
		set_peer_name(s, NULL);
	sock_name_put(local);
	sock_name_put(remote);
	socket_put(l);
	return r;
}

/* A connect that was "in progress" is told of by the next: 0 or what it failed with; 1: there was none. */
static int tell_progress(struct socket *s)
{
	int r = 1;

	mutex_lock(&s->mu);
	if (s->in_progress && s->state != SOCK_CONNECTING) {
		s->in_progress = false;
		r = s->state == SOCK_CONNECTED ? 0 : socket_take_error(s) ? : -ECONNABORTED;
		if (r)
			s->shut = 0; /* it may be tried again */
	}
	mutex_unlock(&s->mu);
	return r;
}

/* Waits until a connection to the outside is made. */
static int await(struct socket *s)
{
	struct waiter w = { 0 };
	int64_t deadline = 0;
	int r = 0;

	mutex_lock(&s->mu);
	s->in_progress = true;
	while (!r && s->state == SOCK_CONNECTING)
		r = socket_sleep(s, &w, &s->wq, EVENT_WRITABLE, s->sndtimeo, &deadline);
	if (s->state != SOCK_CONNECTING)
		r = 0;
	mutex_unlock(&s->mu);
	wait_end(&w);
	return r == -EAGAIN ? -EINPROGRESS : r ? r : tell_progress(s);
}

/* The same, if the caller waits. */
static int connect_begun(struct socket *s, bool nonblock)
{
	if (!nonblock)
		return await(s);
	mutex_lock(&s->mu);
	s->in_progress = true;
	mutex_unlock(&s->mu);
	return -EINPROGRESS;
}

/* What a connect that does not wait has come to is not its answer on Linux either, over loopback. */
static int in_progress(struct socket *s, int r)
{
	mutex_lock(&s->mu);
	s->in_progress = true;
	if (r) {
		s->err = -r;
		s->shut = SHUT_BOTH;
	}
	mutex_unlock(&s->mu);
	if (r)
		waitq_wake(&s->wq, EVENT_ALL);
	return -EINPROGRESS;
}

static int tcp_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock)
{
	struct endpoint to;
	bool bound;
	int r;

	if (a->len >= sizeof(uint16_t) && a->family == LINUX_AF_UNSPEC)
		return s->peer ? -EINVAL : 0;
	r = endpoint_of(s, a, &to);
	if (r)
		return r;
	if (endpoint_is_any(&to))
		endpoint_loopback(&to);
	r = tell_progress(s);
	if (r <= 0)
		return r;
	r = connect_begin(s);
	if (r == -EALREADY && s->in_progress && !nonblock)
		return await(s);
	if (r)
		return r;
	bound = s->name;
	r = connect_at(s, c, &to, nonblock, !bound);
	if (r > 0)
		return connect_begun(s, nonblock || r == CONNECT_WAITS);
	if (r && !bound)
		port_forget(s);
	if (r)
		connect_abort(s);
	return nonblock && (!r || r == -ECONNREFUSED) ? in_progress(s, r) : r;
}

static ssize_t tcp_send(struct socket *s, struct socket_msg *m)
{
	scm_received(s->net, &m->scm); /* files do not travel over TCP */
	scm_drop(&m->scm);
	return stream_send(s, m);
}

static void tcp_close(struct socket *s)
{
	struct socket *far;

	mutex_lock(&s->mu);
	far = s->connecting;
	s->connecting = NULL;
	mutex_unlock(&s->mu);
	if (far)
		far_abandon(far);
	connect_cancel(s);
	port_release(s);
	stream_close(s);
	socket_close_listener(s);
}

const struct socket_ops tcp_ops = {
	.bind = inet_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.send = tcp_send,
	.recv = stream_recv,
	.poll = stream_poll,
	.shutdown = stream_shutdown,
	.name = inet_name,
	.setopt = inet_setopt,
	.getopt = inet_getopt,
	.close = tcp_close,
};
