/*
 * netlink.c - netlink sockets.  NETLINK_ROUTE: a request is answered at once, into the socket's own queue,
 * and members of multicast groups are notified of what it changed in their network namespace.
 * NETLINK_SOCK_DIAG: requests are answered (diag.c).  NETLINK_KOBJECT_UEVENT: may be listened to, but
 * no device ever appears or disappears.
 */
#include "abi/capability.h"
#include "mm/usercopy.h"
#include "net/diag.h"
#include "net/info.h"
#include "net/rtnetlink.h"
#include "net/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX (32u << 10)
#define RECORD_MAX (8u << 10)
#define ADDRESS_LEN ((uint32_t)sizeof(struct linux_sockaddr_nl))

static struct sock_name *make_name(uint32_t pid, uint32_t groups)
{
	const struct linux_sockaddr_nl nl = { .family = LINUX_AF_NETLINK, .pid = pid, .groups = groups };
	struct sockaddr_buf a = { .len = sizeof(nl) };

	memcpy(a.bytes, &nl, sizeof(nl));
	return sock_name_new(&a);
}

static int parse_name(const struct sockaddr_buf *a, struct linux_sockaddr_nl *out)
{
	if (a->len < sizeof(*out))
		return -EINVAL;
	memcpy(out, a->bytes, sizeof(*out));
	return out->family == LINUX_AF_NETLINK ? 0 : -EINVAL;
}

static uint32_t pid_of(struct socket *s)
{
	struct linux_sockaddr_nl nl = { 0 };

	mutex_lock(&s->mu);
	if (s->name)
		memcpy(&nl, s->name->addr.bytes, sizeof(nl));
	mutex_unlock(&s->mu);
	return nl.pid;
}

/* pid 0: the process's number, once. */
static int set_name(struct socket *s, uint32_t pid, uint32_t groups)
{
	struct sock_name *n = make_name(pid ? pid : (uint32_t)s->cred.pid, groups), *old;
	int r = 0;

	if (!n)
		return -ENOMEM;
	mutex_lock(&s->mu);
	old = s->name;
	if (old && pid && memcmp(old->addr.bytes + 4, n->addr.bytes + 4, 4)) {
		r = -EINVAL; /* it has another already */
		old = n;
	} else {
		s->name = n;
	}
	mutex_unlock(&s->mu);
	sock_name_put(old);
	return r;
}

/* Its namespace counts who listens. */
static void set_groups(struct socket *s, uint64_t groups)
{
	uint64_t old = atomic_exchange(&s->groups, groups);

	if (!old && groups)
		atomic_fetch_add(&s->net->n_members, 1);
	else if (old && !groups)
		atomic_fetch_sub(&s->net->n_members, 1);
}

static int nl_bind(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a)
{
	struct linux_sockaddr_nl nl;
	int r = parse_name(a, &nl);

	if (!r)
		r = set_name(s, nl.pid, nl.groups);
	if (!r)
		set_groups(s, (s->groups & ~(uint64_t)UINT32_MAX) | nl.groups);
	return r;
}

static int nl_connect(struct socket *s, const struct sock_caller *c, const struct sockaddr_buf *a, bool nonblock)
{
	struct linux_sockaddr_nl nl;
	int r = parse_name(a, &nl);

	if (r)
		return r;
	if (nl.pid || nl.groups)
		return cred_capable_in(c->cred, s->net->owner, LINUX_CAP_NET_ADMIN) ? -ECONNREFUSED : -EPERM;
	return pid_of(s) ? 0 : set_name(s, 0, 0);
}

/* --- answering ----------------------------------------------------------------------------- */

/* Error, with the request it is about; or acknowledgement, with its header alone. */
static void tell_result(struct nlbuf *b, const struct linux_nlmsghdr *h, int r)
{
	size_t n = r ? h->len : sizeof(*h);
	uint8_t *e = malloc(sizeof(int32_t) + n);

	if (!e) {
		b->failed = true;
		return;
	}
	memcpy(e, &(const int32_t){ r }, sizeof(int32_t));
	memcpy(e + sizeof(int32_t), h, n);
	b->flags = r ? 0 : LINUX_NLM_F_CAPPED;
	nl_begin(b, LINUX_NLMSG_ERROR, e, sizeof(int32_t) + n);
	nl_end(b);
	free(e);
}

/* Puts one record into s's own queue. */
static int deliver_record(struct socket *s, const uint8_t *p, size_t n, uint32_t group)
{
	struct sock_name *kernel = make_name(0, group);
	struct seg *g = kernel ? seg_new((uint32_t)n) : NULL;

	if (!g) {
		sock_name_put(kernel);
		return -ENOMEM;
	}
	memcpy(g->data, p, n);
	g->len = (uint32_t)n;
	g->from = kernel;
	mutex_lock(&s->mu);
	STAILQ_INSERT_TAIL(&s->rq, g, link);
	s->rq_bytes += g->len;
	mutex_unlock(&s->mu);
	return 0;
}

/* The messages of b as records that any program's buffer holds; all of them or none: what waits already says so. */
static int deliver(struct socket *s, const struct nlbuf *b, uint32_t group)
{
	bool full = s->rq_bytes > s->rcvbuf || s->state == SOCK_CLOSED;
	size_t at = 0, end, next;
	uint32_t len;
	int r = 0;

	if (!b->len)
		return 0;
	if (full)
		s->err = ENOBUFS;
	while (!r && !full && at < b->len) {
		for (end = at; end < b->len; end = next) {
			memcpy(&len, b->p + end, sizeof(len));
			next = end + LINUX_NLMSG_ALIGN(len);
			if (next - at > RECORD_MAX && end > at)
				break;
		}
		r = deliver_record(s, b->p + at, end - at, group);
		at = end;
	}
	waitq_wake(&s->wq, EVENT_READABLE | (full ? EVENT_ERR : 0));
	return r;
}

void netlink_multicast(struct net_stack *n, unsigned group, const struct nlbuf *b)
{
	struct socket **all;
	size_t count;

	if (!n->n_members || net_sockets(n, &all, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (all[i]->ops == &netlink_ops && all[i]->protocol == LINUX_NETLINK_ROUTE && all[i]->groups >> (group - 1) & 1)
			(void)deliver(all[i], b, 1u << (group - 1));
		socket_put(all[i]);
	}
	free(all);
}

int netlink_tell(struct socket *s, const void *data, size_t n)
{
	int r;

	if (s->rq_bytes > s->rcvbuf)
		return 0;
	r = deliver_record(s, data, n, 0);
	waitq_wake(&s->wq, EVENT_READABLE);
	return r;
}

static int answer(struct socket *s, const struct linux_nlmsghdr *h, const struct cred *c)
{
	struct nlbuf b = { .seq = h->seq, .pid = pid_of(s) };
	struct rt_news news = { 0 };
	struct rt_request q = { .h = h, .net = s->net, .cred = c, .answer = &b, .news = &news };
	int r = 0, failed;
	bool ack;

	if (s->protocol == LINUX_NETLINK_KOBJECT_UEVENT)
		return 0; /* the kernel listens to nobody there */

	if (h->flags & LINUX_NLM_F_REQUEST && h->type >= LINUX_NLMSG_MIN_TYPE)
		r = s->protocol == LINUX_NETLINK_SOCK_DIAG ? diag_request(&q) : rtnetlink_request(&q);
	news_send(&news);
	failed = !r && !b.failed ? deliver(s, &b, 0) : 0;
	ack = r || (h->flags & LINUX_NLM_F_ACK && !(b.flags & LINUX_NLM_F_MULTI));
	b.len = 0;
	if (ack)
		tell_result(&b, h, r); /* a record of its own */
	if (b.failed)
		failed = -ENOMEM;
	if (ack && !failed)
		failed = deliver(s, &b, 0);
	free(b.p);
	return failed;
}

/* buf: aligned, private. What does not hold a whole message is passed over, as on Linux. */
static int answer_all(struct socket *s, const uint8_t *buf, size_t len, const struct cred *c)
{
	struct linux_nlmsghdr *h;
	int r = 0;

	while (!r && len >= sizeof(*h)) {
		size_t step;

		h = malloc(len);
		if (!h)
			return -ENOMEM;
		memcpy(h, buf, len);
		if (h->len < sizeof(*h) || h->len > len) {
			free(h);
			return 0;
		}
		r = answer(s, h, c);
		step = LINUX_NLMSG_ALIGN(h->len);
		free(h);
		if (step > len)
			step = len;
		buf += step;
		len -= step;
	}
	return r;
}

static int check_destination(struct socket *s, const struct socket_msg *m)
{
	struct linux_sockaddr_nl nl;
	int r;

	if (!m->name || !m->name->len)
		return 0;
	r = parse_name(m->name, &nl);
	if (!r && (nl.pid || nl.groups))
		r = cred_capable_in(m->caller->cred, s->net->owner, LINUX_CAP_NET_ADMIN) ? -ECONNREFUSED : -EPERM;
	return r;
}

static ssize_t nl_send(struct socket *s, struct socket_msg *m)
{
	size_t len = m->uio->resid;
	uint8_t *buf;
	int r = m->flags & LINUX_MSG_OOB ? -EOPNOTSUPP : check_destination(s, m);

	if (!r && !pid_of(s))
		r = set_name(s, 0, 0);
	if (!r && len > REQUEST_MAX)
		r = -EMSGSIZE;
	if (r || !len)
		return r;
	buf = malloc(len);
	if (!buf)
		return -ENOBUFS;
	r = uio_copy_in(m->uio, buf, len) == (ssize_t)len ? 0 : -EFAULT;
	if (!r)
		r = answer_all(s, buf, len, m->caller->cred);
	free(buf);
	return r ? r : (ssize_t)len;
}

/* --- the rest ----------------------------------------------------------------------------------- */

static int nl_name(struct socket *s, bool peer, struct sockaddr_buf *out)
{
	struct linux_sockaddr_nl nl = { .family = LINUX_AF_NETLINK };

	mutex_lock(&s->mu);
	if (s->name && !peer)
		memcpy(&nl, s->name->addr.bytes, sizeof(nl));
	mutex_unlock(&s->mu);
	*out = (struct sockaddr_buf){ .len = ADDRESS_LEN };
	memcpy(out->bytes, &nl, sizeof(nl));
	return 0;
}

static int nl_setopt(struct socket *s, int level, int opt, const void *v, unsigned len)
{
	uint64_t bit;
	uint32_t value;

	if (level != LINUX_SOL_NETLINK || opt < LINUX_NETLINK_ADD_MEMBERSHIP || opt > LINUX_NETLINK_GET_STRICT_CHK)
		return -ENOPROTOOPT;
	if (len < sizeof(int))
		return -EINVAL;
	memcpy(&value, v, sizeof(value));
	if (opt > LINUX_NETLINK_DROP_MEMBERSHIP)
		return 0;
	if (value < 1 || value > 64)
		return -EINVAL;
	bit = UINT64_C(1) << (value - 1);
	set_groups(s, opt == LINUX_NETLINK_ADD_MEMBERSHIP ? s->groups | bit : s->groups & ~bit);
	return 0;
}

static int nl_shutdown(struct socket *s, int how)
{
	return -EOPNOTSUPP;
}

static void nl_close(struct socket *s)
{
	set_groups(s, 0);
	dgram_close_queue(s);
}

const struct socket_ops netlink_ops = {
	.bind = nl_bind,
	.connect = nl_connect,
	.send = nl_send,
	.recv = dgram_recv,
	.poll = dgram_poll_bits,
	.shutdown = nl_shutdown,
	.name = nl_name,
	.setopt = nl_setopt,
	.close = nl_close,
};
