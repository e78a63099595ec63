/*
 * socket.c - the life of sockets, which kinds there are, accepting, and what all families share (see
 * socket.h).  Runs on the threads of the calling tasks.
 */
#include "net/socket.h"

#include "abi/sock_diag.h"
#include "net/stack.h"

#include <errno.h>
#include <stdlib.h>

struct sock_name *sock_name_new(const struct sockaddr_buf *a)
{
	struct sock_name *n = malloc(sizeof(*n));

	if (!n)
		return NULL;
	ref_init(&n->ref);
	n->addr = *a;
	return n;
}

struct sock_name *sock_name_get(struct sock_name *n)
{
	if (n)
		ref_get(&n->ref);
	return n;
}

void sock_name_put(struct sock_name *n)
{
	if (n && ref_put(&n->ref))
		free(n);
}

int listen_backlog(const struct socket *s, int backlog)
{
	uint32_t most = atomic_load(&s->net->backlog_max);

	return (uint32_t)backlog > most ? (int)most : backlog;
}

struct socket *socket_alloc(struct net_stack *n, const struct socket_ops *ops, int family, int type, int protocol)
{
	struct socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	ref_init(&s->ref);
	mutex_init(&s->mu, RANK_FILE);
	waitq_init(&s->wq);
	s->ops = ops;
	net_stack_get(s->net = n);
	s->cookie = atomic_fetch_add(&n->world->cookies, 1) + 1;
	s->family = family;
	s->type = type;
	s->protocol = protocol;
	STAILQ_INIT(&s->rq);
	STAILQ_INIT(&s->errors);
	TAILQ_INIT(&s->accept_q);
	TAILQ_INIT(&s->connect_q);
	s->sndbuf = s->rcvbuf = SOCKET_BUFFER;
	s->rcvtimeo = s->sndtimeo = WAIT_FOREVER;
	socket_options_init(s);
	s->peer_cred = (struct sock_id){ .uid = UINT32_MAX, .gid = UINT32_MAX };
	mutex_lock(&n->mu);
	LIST_INSERT_HEAD(&n->all, s, all_link);
	n->n_all++;
	mutex_unlock(&n->mu);
	return s;
}

void socket_put(struct socket *s)
{
	struct net_stack *n = s->net;
	struct socket *peer;

	if (!ref_put(&s->ref))
		return;
	mutex_lock(&n->mu);
	LIST_REMOVE(s, all_link);
	n->n_all--;
	mutex_unlock(&n->mu);
	peer = s->peer;
	seg_list_free(&s->rq);
	seg_list_free(&s->errors);
	free(s->spare);
	sock_name_put(s->name);
	sock_name_put(s->peer_name);
	waitq_destroy(&s->wq);
	mutex_destroy(&s->mu);
	free(s);
	net_stack_put(n);
	if (peer)
		socket_put(peer);
}

/* --- kinds -------------------------------------------------------------------------- */

struct kind {
	int family, type, protocol; /* protocol: the one 0 means */
	const struct socket_ops *ops;
};

static const struct kind kinds[] = {
	{ LINUX_AF_UNIX, LINUX_SOCK_STREAM, 0, &unix_stream_ops },
	{ LINUX_AF_UNIX, LINUX_SOCK_DGRAM, 0, &unix_dgram_ops },
	{ LINUX_AF_UNIX, LINUX_SOCK_SEQPACKET, 0, &unix_seqpacket_ops },
	{ LINUX_AF_INET, LINUX_SOCK_STREAM, LINUX_IPPROTO_TCP, &tcp_ops },
	{ LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_IPPROTO_UDP, &udp_ops },
	{ LINUX_AF_INET6, LINUX_SOCK_STREAM, LINUX_IPPROTO_TCP, &tcp_ops },
	{ LINUX_AF_INET6, LINUX_SOCK_DGRAM, LINUX_IPPROTO_UDP, &udp_ops },
	{ LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_IPPROTO_ICMP, &icmp_ops },
	{ LINUX_AF_INET6, LINUX_SOCK_DGRAM, LINUX_IPPROTO_ICMPV6, &icmp_ops },
	{ LINUX_AF_INET, LINUX_SOCK_RAW, LINUX_IPPROTO_ICMP, &icmp_ops },
	{ LINUX_AF_INET6, LINUX_SOCK_RAW, LINUX_IPPROTO_ICMPV6, &icmp_ops },
	{ LINUX_AF_NETLINK, LINUX_SOCK_RAW, LINUX_NETLINK_ROUTE, &netlink_ops },
	{ LINUX_AF_NETLINK, LINUX_SOCK_DGRAM, LINUX_NETLINK_ROUTE, &netlink_ops },
	{ LINUX_AF_NETLINK, LINUX_SOCK_RAW, LINUX_NETLINK_SOCK_DIAG, &netlink_ops },
	{ LINUX_AF_NETLINK, LINUX_SOCK_DGRAM, LINUX_NETLINK_SOCK_DIAG, &netlink_ops },
	{ LINUX_AF_NETLINK, LINUX_SOCK_RAW, LINUX_NETLINK_KOBJECT_UEVENT, &netlink_ops },
	{ LINUX_AF_NETLINK, LINUX_SOCK_DGRAM, LINUX_NETLINK_KOBJECT_UEVENT, &netlink_ops },
};

/* The row of (family, type, protocol), or why there is none. */
static int find_kind(int family, int type, int protocol, const struct kind **out)
{
	bool family_known = false, type_known = false;

	if (family < 0 || family >= LINUX_AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type > 10)
		return -EINVAL;
	if (family == LINUX_AF_UNIX && type == LINUX_SOCK_RAW)
		type = LINUX_SOCK_DGRAM; /* as Linux: "believe it or not, BSD has AF_UNIX, SOCK_RAW" */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

		if (k->family != family)
			continue;
		family_known = true;
		if (k->type != type)
			continue;
		type_known = true;
		if (protocol ? protocol != k->protocol && !(family == LINUX_AF_UNIX && protocol == LINUX_AF_UNIX) : k->ops == &icmp_ops)
			continue;
		*out = k;
		return 0;
	}
	if (!family_known)
		return -EAFNOSUPPORT;
	if (type == LINUX_SOCK_RAW && protocol && (family == LINUX_AF_INET || family == LINUX_AF_INET6))
		return -EPERM; /* there are no packets for it: as if it lacked CAP_NET_RAW */
	return type_known ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
}

int socket_create(struct net_stack *n, int family, int type, int protocol, const struct sock_caller *c, struct socket **out)
{
	const struct kind *k;
	int r = find_kind(family, type, protocol, &k);

	if (!r && k->ops == &icmp_ops)
		r = icmp_may(n, type, c->cred);
	if (r)
		return r;
	*out = socket_alloc(n, k->ops, family, k->type, k->protocol);
	if (!*out)
		return -ENOMEM;
	(*out)->cred = c->id;
	return 0;
}

int socket_create_pair(struct net_stack *n, int family, int type, int protocol, const struct sock_caller *c, struct socket *out[2])
{
	int r = socket_create(n, family, type, protocol, c, &out[0]);

	if (r)
		return r;
	r = family == LINUX_AF_UNIX ? socket_create(n, family, type, protocol, c, &out[1]) : -EOPNOTSUPP;
	if (r) {
		socket_put(out[0]);
		return r;
	}
	out[0]->peer_cred = out[1]->peer_cred = c->id;
	socket_link(out[0], out[1]);
	return 0;
}

void socket_link(struct socket *a, struct socket *b)
{
	socket_get(a);
	socket_get(b);
	a->peer = b;
	b->peer = a;
	a->state = b->state = SOCK_CONNECTED;
}

/* --- waiting, errors --------------------------------------------------------------------- */

int socket_sleep(struct socket *s, struct waiter *w, struct waitq *q, uint32_t events, int64_t timeo, int64_t *deadline)
{
	int r;

	if (!w->q) {
		wait_begin(w, q, events);
		*deadline = timeo;
		if (timeo != WAIT_FOREVER && __builtin_add_overflow(now_monotonic(), timeo, deadline))
			*deadline = WAIT_FOREVER;
	}
	mutex_unlock(&s->mu);
	r = wait_sleep(*deadline);
	mutex_lock(&s->mu);
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	return r && timeo != WAIT_FOREVER ? -EINTR : r;
}

void peek_moved(struct socket *s, bool peek, size_t n)
{
	int64_t at = s->peek_off;

	if (at < 0)
		return;
	at += peek ? (int64_t)n : -(int64_t)n;
	s->peek_off = at < 0 ? 0 : at > INT32_MAX ? INT32_MAX : (int32_t)at;
}

int socket_take_error(struct socket *s)
{
	return s->err ? -atomic_exchange(&s->err, 0) : 0;
}

/* --- listening ------------------------------------------------------------------------------ */

void socket_enqueue_accept(struct socket *l, struct socket *child)
{
	child->listener = l;
	TAILQ_INSERT_TAIL(&l->accept_q, child, accept_link);
	l->n_accept++;
}

int socket_accept(struct socket *s, bool nonblock, struct socket **out)
{
	struct waiter w = { 0 };
	struct socket *child = NULL;
	bool others = false;
	int64_t deadline = 0;
	int r = 0;

	if (s->type == LINUX_SOCK_DGRAM || s->type == LINUX_SOCK_RAW)
		return -EOPNOTSUPP;
	mutex_lock(&s->mu);
	while (!r && !(child = TAILQ_FIRST(&s->accept_q))) {
		if (s->state != SOCK_LISTENING || s->shut & SHUT_RECV)
			r = -EINVAL;
		else if (nonblock)
			r = -EAGAIN;
		else
			r = socket_sleep(s, &w, &s->wq, EVENT_IN, s->rcvtimeo, &deadline);
	}
	if (child) {
		r = 0;
		TAILQ_REMOVE(&s->accept_q, child, accept_link);
		s->n_accept--;
		others = TAILQ_FIRST(&s->connect_q);
	}
	mutex_unlock(&s->mu);
	wait_end(&w);
	if (others)
		connect_proceed(s);
	if (child) {
		waitq_wake(&s->wq, EVENT_WRBAND); /* connectors wait for room */
		*out = child;
	}
	return r;
}

void socket_close_listener(struct socket *s)
{
	struct socket_queue q = TAILQ_HEAD_INITIALIZER(q);
	struct socket *child;

	mutex_lock(&s->mu);
	TAILQ_CONCAT(&q, &s->accept_q, accept_link);
	s->n_accept = 0;
	mutex_unlock(&s->mu);
	while ((child = TAILQ_FIRST(&q))) {
		TAILQ_REMOVE(&q, child, accept_link);
		child->ops->close(child);
		socket_put(child);
	}
	connect_refuse_all(s);
	waitq_wake(&s->wq, EVENT_ALL);
}

/* --- operations -------------------------------------------------------------------------------- */

ssize_t socket_send(struct socket *s, struct socket_msg *m)
{
	return s->ops->send(s, m);
}

ssize_t socket_recv(struct socket *s, struct socket_msg *m)
{
	if (m->flags & LINUX_MSG_ERRQUEUE)
		return errqueue_recv(s, m);
	return s->ops->recv(s, m);
}

int socket_shutdown(struct socket *s, int how)
{
	if (how < LINUX_SHUT_RD || how > LINUX_SHUT_RDWR)
		return -EINVAL;
	return s->ops->shutdown(s, how);
}
