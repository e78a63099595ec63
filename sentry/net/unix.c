/*
 * unix.c - unix sockets: the operations of the three types (unix(7)).
 */
#include "mm/usercopy.h"
#include "net/stack.h"
#include "net/stream.h"

#include <errno.h>

static int unix_listen(struct socket *s, const struct sock_caller *c, int backlog)
{
	int r = 0;

	backlog = listen_backlog(s, backlog);
	mutex_lock(&s->mu);
	if (!s->name || (s->state != SOCK_UNCONNECTED && s->state != SOCK_LISTENING)) {
		r = -EINVAL;
	} else {
		s->state = SOCK_LISTENING;
		s->backlog = backlog;
		s->cred = c->id;
	}
	mutex_unlock(&s->mu);
	if (!r)
		waitq_wake(&s->wq, EVENT_WRBAND);
	return r;
}

static int stream_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock)
{
	struct socket *l;
	int r = 0;

	if (sock_flag(s, LINUX_SO_PASSCRED))
		r = unix_autobind(s);
	if (!r)
		r = unix_find(s, c, a, &l);
	if (r)
		return r;
	r = connect_begin(s);
	if (!r) {
		r = connect_to_listener(s, l, c, nonblock, -EAGAIN, NULL, NULL);
		if (r)
			connect_abort(s);
	}
	socket_put(l);
	return r;
}

static void unix_stream_close(struct socket *s)
{
	unix_unbind(s);
	stream_close(s);
	socket_close_listener(s);
}

const struct socket_ops unix_stream_ops = {
	.bind = unix_bind,
	.connect = stream_connect,
	.listen = unix_listen,
	.send = stream_send,
	.recv = stream_recv,
	.poll = stream_poll,
	.shutdown = stream_shutdown,
	.name = unix_name,
	.close = unix_stream_close,
};

/* --- seqpackets ------------------------------------------------------------------- */

static ssize_t seqpacket_send(struct socket *s, struct socket_msg *m)
{
	struct socket *peer = s->peer;
	int r = socket_take_error(s);

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (r)
		return r;
	if (!peer)
		return -ENOTCONN;
	if (s->shut & SHUT_SEND)
		return -EPIPE;
	return dgram_send_to(s, peer, m, NULL);
}

static ssize_t seqpacket_recv(struct socket *s, struct socket_msg *m)
{
	return s->peer ? dgram_recv(s, m) : -ENOTCONN;
}

static uint32_t seqpacket_poll(struct socket *s)
{
	if (s->state == SOCK_LISTENING)
		return stream_poll(s);
	return dgram_poll_bits(s) | (s->peer ? 0 : EVENT_HUP);
}

const struct socket_ops unix_seqpacket_ops = {
	.bind = unix_bind,
	.connect = stream_connect,
	.listen = unix_listen,
	.send = seqpacket_send,
	.recv = seqpacket_recv,
	.poll = seqpacket_poll,
	.shutdown = stream_shutdown,
	.name = unix_name,
	.close = unix_stream_close,
};

/* --- datagrams ---------------------------------------------------------------------- */

/* The socket that s is connected to, a new reference, or NULL. */
static struct socket *get_peer(struct socket *s)
{
	struct socket *p;

	mutex_lock(&s->mu);
	p = s->peer;
	if (p)
		socket_get(p);
	mutex_unlock(&s->mu);
	return p;
}

/* p: referenced, used up; NULL: disconnects. */
static void set_peer(struct socket *s, struct socket *p)
{
	struct sock_name *n = NULL, *old_name;
	struct socket *old;

	if (p) {
		mutex_lock(&p->mu);
		n = sock_name_get(p->name);
		mutex_unlock(&p->mu);
	}
	mutex_lock(&s->mu);
	old = s->peer;
	old_name = s->peer_name;
	s->peer = p;
	s->peer_name = n;
	mutex_unlock(&s->mu);
	sock_name_put(old_name);
	if (old)
		socket_put(old);
}

/* Somebody connected to another one receives from that one only. */
static bool may_send(struct socket *s, struct socket *to)
{
	struct socket *p = get_peer(to);
	bool ok = !p || p == s;

	if (p)
		socket_put(p);
	return ok;
}

static int dgram_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock)
{
	struct socket *to;
	int r = 0;

	if (a->len >= sizeof(uint16_t) && a->family == LINUX_AF_UNSPEC) {
		set_peer(s, NULL);
		return 0;
	}
	if (sock_flag(s, LINUX_SO_PASSCRED))
		r = unix_autobind(s);
	if (!r)
		r = unix_find(s, c, a, &to);
	if (r)
		return r;
	if (!may_send(s, to)) {
		socket_put(to);
		return -EPERM;
	}
	set_peer(s, to);
	return 0;
}

static ssize_t dgram_send(struct socket *s, struct socket_msg *m)
{
	bool connected = !m->name || !m->name->len;
	struct socket *to = NULL;
	ssize_t r = 0;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (sock_flag(s, LINUX_SO_PASSCRED))
		r = unix_autobind(s);
	if (!r && connected)
		to = get_peer(s);
	else if (!r)
		r = unix_find(s, m->caller, m->name, &to);
	if (r || !to)
		return r ? r : -ENOTCONN;
	if (s->shut & SHUT_SEND)
		r = -EPIPE;
	else if (!may_send(s, to))
		r = -EPERM;
	else
		r = dgram_send_to(s, to, m, NULL);
	if (r == -ECONNREFUSED && connected)
		set_peer(s, NULL);
	socket_put(to);
	return r;
}

static void dgram_close(struct socket *s)
{
	struct seg_list rest = STAILQ_HEAD_INITIALIZER(rest);
	struct socket *peer = get_peer(s);
	bool unread;

	unix_unbind(s);
	dgram_take_queue(s, &rest);
	unread = STAILQ_FIRST(&rest);
	if (peer) {
		struct socket *back = get_peer(peer);

		if (back == s && unread) { /* as unix_release_sock: the other of a pair learns of it */
			peer->err = ECONNRESET;
			waitq_wake(&peer->wq, EVENT_ALL);
		}
		if (back)
			socket_put(back);
		socket_put(peer);
	}
	set_peer(s, NULL);
	for (struct seg *g = STAILQ_FIRST(&rest); g; g = STAILQ_NEXT(g, link))
		if (g->scm.n_files)
			scm_received(s->net, &g->scm);
	seg_list_free(&rest);
}

static int dgram_shutdown(struct socket *s, int how)
{
	static const unsigned own[] = { SHUT_RECV, SHUT_SEND, SHUT_BOTH };

	mutex_lock(&s->mu);
	s->shut |= own[how];
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_ALL);
	return 0;
}

const struct socket_ops unix_dgram_ops = {
	.bind = unix_bind,
	.connect = dgram_connect,
	.send = dgram_send,
	.recv = dgram_recv,
	.poll = dgram_poll_bits,
	.shutdown = dgram_shutdown,
	.name = unix_name,
	.close = dgram_close,
};
