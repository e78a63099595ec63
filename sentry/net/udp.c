/*
 * udp.c - UDP between sockets of the sandbox; route.c finds the receiver.  A sender never waits: a datagram
 * for a full receiver is dropped, and one that has no receiver makes the next call of a connected
 * sender fail with ECONNREFUSED, as ICMP would.
 */
#include "mm/usercopy.h"
#include "net/outside.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define UDP_MAX 65507u

static int set_peer(struct socket *s, const struct endpoint *to)
{
	struct sock_name *n = NULL, *old;
	struct sockaddr_buf a;

	if (to) {
		endpoint_addr(to, s->family, &a);
		n = sock_name_new(&a);
		if (!n)
			return -ENOMEM;
	}
	mutex_lock(&s->mu);
	mutex_lock(&s->net->mu);
	old = s->peer_name;
	s->peer_name = n;
	if (n)
		s->inet_flags |= INET_CONNECTED;
	else
		s->inet_flags &= ~INET_CONNECTED;
	mutex_unlock(&s->net->mu);
	mutex_unlock(&s->mu);
	sock_name_put(old);
	return 0;
}

/* The same as inet_way where it is no matter whether anybody is there. */
static int source_for(struct socket *s, const struct endpoint *to, struct endpoint *from)
{
	struct net_stack *there = NULL;
	int r = inet_way(s, to, from, &there);

	net_stack_put(there);
	return r == -EHOSTUNREACH || r == -ETIMEDOUT || r == NET_OUTSIDE ? 0 : r;
}

int inet_dgram_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock)
{
	struct endpoint to, from;
	int r;

	if (a->len >= sizeof(uint16_t) && a->family == LINUX_AF_UNSPEC)
		return set_peer(s, NULL);
	r = endpoint_of(s, a, &to);
	if (r)
		return r;
	if (endpoint_is_any(&to))
		endpoint_loopback(&to);
	r = source_for(s, &to, &from);
	if (!r)
		r = port_set_local(s, &from);
	return r ? r : set_peer(s, &to);
}

int inet_destination(struct socket *s, const struct socket_msg *m, struct endpoint *to)
{
	int r = -EDESTADDRREQ;

	if (m->name && m->name->len) {
		r = endpoint_of(s, m->name, to);
	} else {
		mutex_lock(&s->mu);
		if (s->peer_name)
			r = endpoint_of(s, &s->peer_name->addr, to);
		mutex_unlock(&s->mu);
	}
	if (!r && endpoint_is_any(to))
		endpoint_loopback(to);
	return r;
}

/* Nobody took it: a connected sender is told at its next call, and one that wants to know (IP_RECVERR). */
static ssize_t undelivered(struct socket *s, struct socket_msg *m, const struct endpoint *to, int error)
{
	ssize_t n = (ssize_t)m->uio->resid;

	if (error == ETIMEDOUT)
		return n;
	if (errqueue_add(s, m, to, error) || s->inet_flags & INET_CONNECTED) {
		s->err = error;
		waitq_wake(&s->wq, EVENT_ERR);
	}
	return n;
}

/* The sender's own choice of its address. 0 or -EINVAL. */
static int choose_source(struct socket *s, const struct packet_choice *c, struct endpoint *from)
{
	static const uint8_t none[16];

	if (!memcmp(c->source, none, 16))
		return 0;
	if (!net_is_local(s->net, c->source))
		return -EINVAL;
	memcpy(from->ip, c->source, 16);
	return 0;
}

int inet_describe(struct socket *s, struct socket_msg *m, const struct endpoint *to, struct endpoint *from, struct net_stack *there)
{
	bool v4 = ip_is_v4(to->ip);
	int level = v4 ? LINUX_IPPROTO_IP : LINUX_IPPROTO_IPV6;

	m->info = (struct packet_info){ .port = to->port, .ifindex = there == s->net ? LO_INDEX : net_index_of(there, to->ip) };
	memcpy(m->info.to, to->ip, 16);
	m->info.ttl = m->choice.ttl ? m->choice.ttl : (uint8_t)ip_option(s, level, v4 ? LINUX_IP_TTL : LINUX_IPV6_UNICAST_HOPS, 64);
	m->info.tos = m->choice.has_tos ? m->choice.tos : (uint8_t)ip_option(s, level, v4 ? LINUX_IP_TOS : LINUX_IPV6_TCLASS, 0);
	return choose_source(s, &m->choice, from);
}

static ssize_t udp_send(struct socket *s, struct socket_msg *m)
{
	struct endpoint to, from;
	struct net_stack *there = NULL;
	struct sock_name *name;
	struct sockaddr_buf a;
	struct socket *r;
	bool outside;
	ssize_t n;

	scm_received(s->net, &m->scm);
	scm_drop(&m->scm);
	n = socket_take_error(s);
	if (!n)
		n = m->flags & LINUX_MSG_OOB ? -EOPNOTSUPP : m->uio->resid > UDP_MAX ? -EMSGSIZE : inet_destination(s, m, &to);
	if (!n && !to.port)
		n = -EINVAL;
	if (!n)
		n = s->shut & SHUT_SEND ? -EPIPE : inet_way(s, &to, &from, &there);
	outside = n == NET_OUTSIDE;
	if (!n || outside)
		n = inet_describe(s, m, &to, &from, outside ? s->net : there);
	if (!n && outside)
		return outside_udp_send(s, m, &from, &to);
	if (n == -EHOSTUNREACH || n == -ETIMEDOUT)
		return undelivered(s, m, &to, (int)-n);
	if (n) {
		net_stack_put(there);
		return n;
	}
	r = port_find(there, LINUX_SOCK_DGRAM, &to, &from);
	if (!r)
		n = name_server_takes(there, &to) ? name_server_ask(there, m, &from) : undelivered(s, m, &to, ECONNREFUSED);
	net_stack_put(there);
	if (!r)
		return n;
	endpoint_addr(&from, r->family, &a);
	name = sock_name_new(&a);
	n = name ? dgram_send_to(s, r, m, name) : -ENOMEM;
	sock_name_put(name);
	socket_put(r);
	return n;
}

int inet_dgram_shutdown(struct socket *s, int how)
{
	static const unsigned own[] = { SHUT_RECV, SHUT_SEND, SHUT_BOTH };

	if (!(s->inet_flags & INET_CONNECTED))
		return -ENOTCONN;
	mutex_lock(&s->mu);
	s->shut |= own[how];
	mutex_unlock(&s->mu);
	waitq_wake(&s->wq, EVENT_ALL);
	return 0;
}

void inet_dgram_close(struct socket *s)
{
	port_release(s);
	dgram_close_queue(s);
}

const struct socket_ops udp_ops = {
	.bind = inet_bind,
	.connect = inet_dgram_connect,
	.send = udp_send,
	.recv = dgram_recv,
	.poll = dgram_poll_bits,
	.shutdown = inet_dgram_shutdown,
	.name = inet_name,
	.setopt = inet_setopt,
	.getopt = inet_getopt,
	.close = inet_dgram_close,
};
