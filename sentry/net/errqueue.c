/*
 * errqueue.c - the error queue of datagram sockets (IP_RECVERR, MSG_ERRQUEUE: ip(7)): for a datagram that
 * no socket received, the error that ICMP would have reported, with the datagram's beginning.  Filled
 * by the sending thread, emptied by recvmsg; under the socket's lock.
 */
#include "mm/usercopy.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

#define QUOTED 520u /* what of a record comes back in an ICMP message of 576 bytes */
#define UNREACHABLE4 3 /* types and codes of ICMP, and of ICMPv6 */
#define UNREACHABLE6 1
#define PORT4 3
#define PORT6 4
#define HOST4 1
#define HOST6 3

static struct seg *error_record(struct socket *s, struct socket_msg *m, const struct endpoint *to, int error)
{
	size_t n = m->uio->resid < QUOTED ? m->uio->resid : QUOTED;
	struct seg *g = seg_new((uint32_t)n);
	bool v4 = ip_is_v4(to->ip), port = error == ECONNREFUSED;
	struct endpoint own = { .port = 0 };
	struct sockaddr_buf a;

	if (!g)
		return NULL;
	if (n && uio_copy_in(m->uio, g->data, n) != (ssize_t)n) {
		seg_free(g);
		return NULL;
	}
	(void)port_local(s, &own);
	g->len = (uint32_t)n;
	g->info = (struct packet_info){ .when = now_realtime(), .port = own.port, .ttl = 64, .ifindex = LO_INDEX, .error = (uint16_t)error,
		.error_type = v4 ? UNREACHABLE4 : UNREACHABLE6, .error_code = v4 ? (port ? PORT4 : HOST4) : (port ? PORT6 : HOST6) };
	memcpy(g->info.to, v4 ? to->ip : own.ip, sizeof(g->info.to));
	endpoint_addr(to, s->family, &a);
	g->from = sock_name_new(&a);
	return g;
}

bool errqueue_add(struct socket *s, struct socket_msg *m, const struct endpoint *to, int error)
{
	bool v4 = ip_is_v4(to->ip), full;
	struct seg *g;

	if (ip_option(s, v4 ? LINUX_IPPROTO_IP : LINUX_IPPROTO_IPV6, v4 ? LINUX_IP_RECVERR : LINUX_IPV6_RECVERR, 0) <= 0)
		return false;
	g = error_record(s, m, to, error);
	if (!g)
		return true;
	mutex_lock(&s->mu);
	full = s->error_bytes > s->rcvbuf;
	if (!full) {
		STAILQ_INSERT_TAIL(&s->errors, g, link);
		s->error_bytes += g->len + (uint32_t)sizeof(*g);
	}
	mutex_unlock(&s->mu);
	if (full)
		seg_free(g);
	return true;
}

/* The next one, out of the queue; SO_ERROR is that of the one after it from then on. */
static struct seg *take(struct socket *s)
{
	struct seg *g, *next;

	mutex_lock(&s->mu);
	g = STAILQ_FIRST(&s->errors);
	if (g) {
		STAILQ_REMOVE_HEAD(&s->errors, link);
		s->error_bytes -= g->len + (uint32_t)sizeof(*g);
		next = STAILQ_FIRST(&s->errors);
		s->err = next ? next->info.error : 0;
	}
	mutex_unlock(&s->mu);
	return g;
}

ssize_t errqueue_recv(struct socket *s, struct socket_msg *m)
{
	struct seg *g = take(s);
	uint64_t n;
	ssize_t r = 0;

	if (!g)
		return -EAGAIN;
	n = m->uio->resid < g->len ? m->uio->resid : g->len;
	if (n)
		r = uio_copy_out(m->uio, g->data, n);
	if (r == (ssize_t)n) {
		m->out_flags |= LINUX_MSG_ERRQUEUE | (n < g->len ? LINUX_MSG_TRUNC : 0);
		m->info = g->info;
		if (m->name && g->from)
			*m->name = g->from->addr;
	} else {
		r = -EFAULT;
	}
	seg_free(g);
	return r;
}

void errqueue_drop(struct socket *s)
{
	struct seg_list all = STAILQ_HEAD_INITIALIZER(all);

	mutex_lock(&s->mu);
	STAILQ_CONCAT(&all, &s->errors);
	s->error_bytes = 0;
	mutex_unlock(&s->mu);
	seg_list_free(&all);
}
