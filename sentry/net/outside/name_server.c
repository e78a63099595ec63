/*
 * name_server.c - a name server at a loopback address, where no packets lead: Docker answers for the names of a
 * user-defined network at 127.0.0.11, which is a socket of its daemon's in the container's network namespace;
 * systemd-resolved at 127.0.0.53 of the host (user-mode network).
 *
 * The launcher donates a UDP socket that is connected to it.  A query that a program sends to port 53 of that
 * address, where nothing inside has the port, goes out by this socket under a number of ours, and the answer
 * back to who asked, under theirs.  Answers come from that server only, but are checked like any other input.
 */
#include "net/outside/engine.h"

#include "mm/usercopy.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define DNS_HEAD 12
#define QUERY_MAX 4096
#define QUERIES 256 /* that wait for an answer: the oldest is forgotten */
#define ANSWERS_A_TURN 32

struct query {
	struct endpoint from; /* port 0: none */
	uint16_t theirs, ours;
};

struct name_server {
	struct outside *o; /* [I] */
	struct endpoint own; /* [I] where programs find it */
	struct event *in; /* [I] */
	int fd; /* [I] */
	struct mutex mu; /* RANK_LEAF: what follows */
	uint16_t n_asked; /* ours: its low byte is the query's place */
	struct query queries[QUERIES];
};

/* --- queries -------------------------------------------------------------------------- */

bool name_server_takes(const struct net_stack *there, const struct endpoint *to)
{
	const struct outside *o = there->world->outside;

	return to->port == 53 && o && there == o->net && o->names && !memcmp(o->names->own.ip, to->ip, sizeof(to->ip));
}

static uint16_t note_query(struct name_server *s, const struct endpoint *from, uint16_t theirs)
{
	uint16_t ours;

	mutex_lock(&s->mu);
	ours = s->n_asked++;
	s->queries[ours % QUERIES] = (struct query){ *from, theirs, ours };
	mutex_unlock(&s->mu);
	return ours;
}

ssize_t name_server_ask(struct net_stack *there, struct socket_msg *m, const struct endpoint *from)
{
	struct name_server *s = there->world->outside->names;
	const size_t n = m->uio->resid;
	uint8_t q[QUERY_MAX];
	struct iovec v = { q, n };
	const struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

	if (n < DNS_HEAD || n > sizeof(q))
		return (ssize_t)n; /* lost: no server would answer it */
	if (uio_copy_in(m->uio, q, n) != (ssize_t)n)
		return -EFAULT;
	put16(q, note_query(s, from, get16(q)));
	(void)!sendmsg(s->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL); /* lost, as datagrams may be */
	return (ssize_t)n;
}

/* --- answers ------------------------------------------------------------------------------ */

static bool take_query(struct name_server *s, uint16_t ours, struct query *out)
{
	struct query *q = &s->queries[ours % QUERIES];
	bool found;

	mutex_lock(&s->mu);
	found = q->from.port && q->ours == ours;
	if (found) {
		*out = *q;
		q->from.port = 0;
	}
	mutex_unlock(&s->mu);
	return found;
}

static void answer(struct name_server *s, uint8_t *p, size_t n)
{
	struct query q;
	struct socket *to;

	if (n < DNS_HEAD || !take_query(s, get16(p), &q))
		return;
	put16(p, q.theirs);
	to = port_find(s->o->net, LINUX_SOCK_DGRAM, &q.from, &s->own);
	if (!to)
		return;
	udp_give(to, &(struct packet_info){ .port = q.from.port, .ttl = 64, .ifindex = LO_INDEX }, &s->own, &q.from, p, n);
	socket_put(to);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct name_server *s = arg;

	for (int i = 0; i < ANSWERS_A_TURN; i++) {
		ssize_t n = read(fd, s->o->frame, PACKET_MAX);

		if (n < 0 && errno == ECONNREFUSED)
			continue; /* nobody is there now */
		if (n < 0)
			return;
		answer(s, s->o->frame, (size_t)n);
	}
}

int outside_add_name_server(struct net_stack *n, struct event_base *loop, const uint8_t ip[4], int fd)
{
	struct outside *o = n->world->outside;
	struct name_server *s;

	if (!o)
		return -EINVAL;
	if (o->names)
		return -EEXIST;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->o = o;
	s->fd = fd;
	ip4_put(s->own.ip, ip);
	s->own.port = 53;
	mutex_init(&s->mu, RANK_LEAF);
	if (getrandom(&s->n_asked, sizeof(s->n_asked), 0) < 0)
		s->n_asked = 0;
	s->in = event_new(loop, fd, EV_READ | EV_PERSIST, on_answer, s);
	if (!s->in) {
		free(s);
		return -ENOMEM;
	}
	event_add(s->in, NULL);
	o->names = s;
	return 0;
}
