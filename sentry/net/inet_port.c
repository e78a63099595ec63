/*
 * inet_port.c - addresses and ports of a network namespace, and what name a socket
 * has towards another.
 *
 * [net->mu] guards the table of ports and, for sockets in it, their names.
 */
#include "abi/capability.h"
#include "net/outside.h"
#include "net/stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define V4_LEN sizeof(struct linux_sockaddr_in)
#define V6_LEN offsetof(struct linux_sockaddr_in6, scope_id)

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t any6[16], loop6[16] = { [15] = 1 };

static bool is_v4(const struct endpoint *e)
{
	return !memcmp(e->ip, v4_prefix, 12);
}

int endpoint_of(const struct socket *s, const struct sockaddr_buf *a, struct endpoint *out)
{
	*out = (struct endpoint){ 0 };
	if (a->len < sizeof(uint16_t))
		return -EINVAL;
	if (s->family == LINUX_AF_INET6) {
		if (a->family != LINUX_AF_INET6)
			return -EAFNOSUPPORT;
		if (a->len < V6_LEN)
			return -EINVAL;
		memcpy(out->ip, a->in6.addr, 16);
		out->port = ntohs(a->in6.port);
		return 0;
	}
	if (a->len < V4_LEN)
		return -EINVAL;
	if (a->family != LINUX_AF_INET && !(a->family == LINUX_AF_UNSPEC && !a->in.addr))
		return -EAFNOSUPPORT;
	memcpy(out->ip, v4_prefix, 12);
	memcpy(out->ip + 12, &a->in.addr, 4);
	out->port = ntohs(a->in.port);
	return 0;
}

void endpoint_addr(const struct endpoint *e, int family, struct sockaddr_buf *out)
{
	*out = (struct sockaddr_buf){ 0 };
	if (family == LINUX_AF_INET6) {
		out->in6.family = LINUX_AF_INET6;
		out->in6.port = htons(e->port);
		memcpy(out->in6.addr, e->ip, 16);
		out->len = sizeof(out->in6);
	} else {
		out->in.family = LINUX_AF_INET;
		out->in.port = htons(e->port);
		memcpy(&out->in.addr, e->ip + 12, 4);
		out->len = sizeof(out->in);
	}
}

bool endpoint_is_any(const struct endpoint *e)
{
	return !memcmp(e->ip, any6, 16) || (is_v4(e) && !memcmp(e->ip + 12, any6, 4));
}

static bool endpoint_is_loopback(const struct endpoint *e)
{
	return !memcmp(e->ip, loop6, 16) || (is_v4(e) && e->ip[12] == 127);
}

void endpoint_loopback(struct endpoint *e)
{
	static const uint8_t loop4[4] = { 127, 0, 0, 1 };

	if (is_v4(e))
		memcpy(e->ip + 12, loop4, 4);
	else
		memcpy(e->ip, loop6, 16);
}

/* Does a socket bound to `bound` receive what is for `to`? */
static bool covers(const struct socket *s, const struct endpoint *bound, const struct endpoint *to)
{
	if (!memcmp(bound->ip, to->ip, 16))
		return true;
	if (!endpoint_is_any(bound))
		return false;
	if (is_v4(bound))
		return is_v4(to);
	return !is_v4(to) || !(s->inet_flags & INET_V6ONLY);
}

static void own_endpoint(const struct socket *s, struct endpoint *out)
{
	if (endpoint_of(s, &s->name->addr, out))
		*out = (struct endpoint){ 0 };
}

static struct socket_list *bucket(struct net_stack *n, uint16_t port)
{
	return &n->ports[port % NAME_BUCKETS];
}

/* net->mu held */
static bool conflicts(struct socket *s, const struct endpoint *e)
{
	struct socket *o;

	LIST_FOREACH(o, bucket(s->net, e->port), name_link)
	{
		struct endpoint other;
		bool reuse = sock_flag(s, LINUX_SO_REUSEADDR) && sock_flag(o, LINUX_SO_REUSEADDR) &&
			     (s->type == LINUX_SOCK_DGRAM || o->state != SOCK_LISTENING);
		bool share = sock_flag(s, LINUX_SO_REUSEPORT) && sock_flag(o, LINUX_SO_REUSEPORT);

		own_endpoint(o, &other);
		if (o == s || o->type != s->type || other.port != e->port || reuse || share)
			continue;
		if (covers(o, &other, e) || covers(s, e, &other))
			return true;
	}
	return false;
}

/* net->mu held. Finds a free port for e. */
static int choose_port(struct socket *s, struct endpoint *e)
{
	uint32_t range = atomic_load(&s->net->port_range), first = range & 0xffff, span = (range >> 16) - first + 1;

	for (uint32_t i = 0; i < span; i++) {
		e->port = (uint16_t)(first + s->net->next_port++ % span);
		if (!conflicts(s, e))
			return 0;
	}
	return -EADDRINUSE;
}

/* Gives s the name and its port (0: a free one). -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL (has one) */
static int port_bind(struct socket *s, const struct endpoint *want, bool privileged)
{
	struct endpoint e = *want;
	struct sockaddr_buf a;
	struct sock_name *n;
	int r = 0;

	if (!endpoint_is_any(&e) && !net_is_local(s->net, e.ip))
		return -EADDRNOTAVAIL;
	if (e.port && e.port < atomic_load(&s->net->port_unprivileged) && !privileged)
		return -EACCES;
	endpoint_addr(&e, s->family, &a);
	n = sock_name_new(&a);
	if (!n)
		return -ENOMEM;
	mutex_lock(&s->mu);
	mutex_lock(&s->net->mu);
	if (s->name)
		r = -EINVAL;
	else if (!e.port)
		r = choose_port(s, &e);
	else if (conflicts(s, &e))
		r = -EADDRINUSE;
	if (!r) {
		endpoint_addr(&e, s->family, &n->addr);
		s->name = n;
		s->named = true;
		LIST_INSERT_HEAD(bucket(s->net, e.port), s, name_link);
	}
	mutex_unlock(&s->net->mu);
	mutex_unlock(&s->mu);
	if (r)
		sock_name_put(n);
	return r;
}

int port_autobind(struct socket *s)
{
	struct endpoint e = { 0 };
	int r;

	if (s->name)
		return 0;
	if (s->family == LINUX_AF_INET)
		memcpy(e.ip, v4_prefix, 12);
	r = port_bind(s, &e, true);
	return r == -EINVAL ? 0 : r == -EADDRINUSE ? -EADDRNOTAVAIL : r;
}

int port_listen(struct socket *s)
{
	struct endpoint e;
	int r = 0;

	mutex_lock(&s->net->mu);
	own_endpoint(s, &e);
	if (s->state != SOCK_LISTENING && conflicts(s, &e))
		r = -EADDRINUSE;
	else
		s->state = SOCK_LISTENING;
	mutex_unlock(&s->net->mu);
	return r;
}

int port_set_local(struct socket *s, const struct endpoint *e)
{
	struct sockaddr_buf a;
	struct sock_name *n, *old;

	endpoint_addr(e, s->family, &a);
	n = sock_name_new(&a);
	if (!n)
		return -ENOMEM;
	mutex_lock(&s->mu);
	mutex_lock(&s->net->mu);
	old = s->name;
	s->name = n;
	mutex_unlock(&s->net->mu);
	mutex_unlock(&s->mu);
	sock_name_put(old);
	return 0;
}

int port_local(struct socket *s, struct endpoint *out)
{
	int r = -EINVAL;

	mutex_lock(&s->mu);
	if (s->name)
		r = endpoint_of(s, &s->name->addr, out);
	mutex_unlock(&s->mu);
	return r;
}

/* The way itself, from s's address if it has one. */
static int find_way(struct socket *s, const struct endpoint *to, struct endpoint *from, struct net_stack **there)
{
	if (!endpoint_is_loopback(to)) {
		if (endpoint_is_any(from))
			memset(from->ip, 0, sizeof(from->ip));
		return net_reach(s->net, to->ip, from->ip, there);
	}
	if (!s->net->lo_up)
		return -ENETUNREACH;
	if (endpoint_is_any(from)) {
		memcpy(from->ip, to->ip, 16);
		endpoint_loopback(from);
	}
	net_stack_get(*there = s->net);
	return 0;
}

int inet_way(struct socket *s, const struct endpoint *to, struct endpoint *from, struct net_stack **there)
{
	struct endpoint own = { 0 };
	int r, bound = !port_local(s, &own);

	*from = own;
	*there = NULL;
	r = find_way(s, to, from, there);
	if (bound || (r && r != -EHOSTUNREACH && r != -ETIMEDOUT && r != NET_OUTSIDE))
		return r;
	/* not before there is a way: without one it stays unbound */
	if (port_autobind(s) || port_local(s, &own)) {
		net_stack_put(*there);
		return -EADDRNOTAVAIL;
	}
	from->port = own.port;
	return r;
}

/* How well s fits: 0 not at all. net->mu held. */
static int fitness(struct socket *s, int type, const struct endpoint *to, const struct endpoint *from)
{
	struct endpoint own, peer;
	int fit;

	own_endpoint(s, &own);
	if (s->type != type || own.port != to->port || !covers(s, &own, to))
		return 0;
	if (type == LINUX_SOCK_STREAM)
		return s->state != SOCK_LISTENING ? 0 : endpoint_is_any(&own) ? 1 : 2;
	fit = endpoint_is_any(&own) ? 1 : 2;
	if (!(s->inet_flags & INET_CONNECTED) || !s->peer_name)
		return fit;
	if (endpoint_of(s, &s->peer_name->addr, &peer) || memcmp(peer.ip, from->ip, 16) || peer.port != from->port)
		return 0;
	return fit + 2;
}

struct socket *port_find(struct net_stack *n, int type, const struct endpoint *to, const struct endpoint *from)
{
	struct socket *s, *best = NULL;
	int best_fit = 0;

	mutex_lock(&n->mu);
	LIST_FOREACH(s, bucket(n, to->port), name_link)
	{
		int fit = fitness(s, type, to, from);

		if (fit > best_fit) {
			best_fit = fit;
			best = s;
		}
	}
	if (best && !ref_get_unless_zero(&best->ref))
		best = NULL;
	mutex_unlock(&n->mu);
	return best;
}

void port_forget(struct socket *s)
{
	struct sock_name *n;

	port_release(s);
	mutex_lock(&s->mu);
	n = s->name;
	s->name = NULL;
	mutex_unlock(&s->mu);
	sock_name_put(n);
}

void port_release(struct socket *s)
{
	mutex_lock(&s->net->mu);
	if (s->named)
		LIST_REMOVE(s, name_link);
	s->named = false;
	mutex_unlock(&s->net->mu);
}

int inet_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a)
{
	struct endpoint e;
	int r = endpoint_of(s, a, &e);

	return r ? r : port_bind(s, &e, cred_capable_in(c->cred, s->net->owner, LINUX_CAP_NET_BIND_SERVICE));
}

int inet_name(struct socket *s, bool peer, struct sockaddr_buf *out)
{
	static const struct endpoint none6;
	struct endpoint none = none6;
	struct sock_name *n;

	if (s->family == LINUX_AF_INET)
		memcpy(none.ip, v4_prefix, 12);
	endpoint_addr(&none, s->family, out);
	mutex_lock(&s->mu);
	n = peer ? s->peer_name : s->name;
	if (n)
		*out = n->addr;
	mutex_unlock(&s->mu);
	return peer && (!n || s->reset) ? -ENOTCONN : 0;
}
