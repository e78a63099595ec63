/*
 * diag.c - NETLINK_SOCK_DIAG (sock_diag(7)): lists the sockets of a network namespace for ss(8) (TCP, UDP,
 * ping and UNIX), or describes a single one.  On the thread that sends the request; each socket is
 * shown as it is at one moment.
 */
#include "net/diag.h"

#include "net/info.h"
#include "net/stack.h"

#include <errno.h>
#include <string.h>

struct search {
	struct rt_request *q;
	union {
		struct linux_inet_diag_req inet;
		struct linux_unix_diag_req un;
	};
	struct diag_filter filter;
	unsigned protocol; /* inet */
	unsigned found;
};

static void put_cookie(uint32_t out[2], uint64_t cookie)
{
	out[0] = (uint32_t)cookie;
	out[1] = (uint32_t)(cookie >> 32);
}

static bool cookie_fits(const uint32_t want[2], uint64_t cookie)
{
	return (want[0] == LINUX_INET_DIAG_NOCOOKIE && want[1] == LINUX_INET_DIAG_NOCOOKIE) ||
	       (want[0] == (uint32_t)cookie && want[1] == (uint32_t)(cookie >> 32));
}

static void put_memory(struct nlbuf *b, uint16_t type, const struct socket_info *i)
{
	const uint32_t m[LINUX_SK_WORDS] = { [LINUX_SK_RMEM] = i->queued, [LINUX_SK_RCVBUF] = i->rcvbuf, [LINUX_SK_WMEM] = i->unread,
		[LINUX_SK_SNDBUF] = i->sndbuf };

	nl_attr(b, type, m, sizeof(m));
}

/* --- internet sockets ------------------------------------------------------------------------ */

static void put_endpoint(int family, const struct sockaddr_buf *a, uint32_t ip[4], uint16_t *port)
{
	if (!a->len)
		return;
	*port = family == LINUX_AF_INET ? a->in.port : a->in6.port;
	if (family == LINUX_AF_INET)
		ip[0] = a->in.addr;
	else
		memcpy(ip, a->in6.addr, sizeof(a->in6.addr));
}

static void describe_inet(const struct socket_info *i, struct linux_inet_diag_msg *m)
{
	bool listening = i->state == SOCK_LISTENING;

	*m = (struct linux_inet_diag_msg){ .family = (uint8_t)i->family, .state = (uint8_t)socket_info_state(i), .uid = i->uid, .inode = (uint32_t)i->ino };
	put_endpoint(i->family, &i->name, m->id.src, &m->id.sport);
	put_endpoint(i->family, &i->peer, m->id.dst, &m->id.dport);
	put_cookie(m->id.cookie, i->cookie);
	m->rqueue = listening ? i->waiting : i->queued;
	m->wqueue = listening ? i->backlog : i->unread;
}

static void put_inet(struct search *q, const struct socket_info *i, const struct linux_inet_diag_msg *m)
{
	struct nlbuf *b = q->q->answer;
	const uint32_t memory[4] = { i->queued, i->unread };
	unsigned ext = q->inet.ext;

	nl_begin(b, LINUX_SOCK_DIAG_BY_FAMILY, m, sizeof(*m));
	nl_attr8(b, LINUX_INET_DIAG_SHUTDOWN, (uint8_t)i->shut);
	if (ext >> (LINUX_INET_DIAG_TOS - 1) & 1)
		nl_attr8(b, LINUX_INET_DIAG_TOS, 0);
	if (i->family == LINUX_AF_INET6) {
		if (ext >> (LINUX_INET_DIAG_TCLASS - 1) & 1)
			nl_attr8(b, LINUX_INET_DIAG_TCLASS, 0);
		if (m->state == LINUX_TCP_LISTEN || m->state == LINUX_TCP_CLOSE)
			nl_attr8(b, LINUX_INET_DIAG_SKV6ONLY, i->v6only);
	}
	if (ext >> (LINUX_INET_DIAG_MEMINFO - 1) & 1)
		nl_attr(b, LINUX_INET_DIAG_MEMINFO, memory, sizeof(memory));
	if (ext >> (LINUX_INET_DIAG_SKMEMINFO - 1) & 1)
		put_memory(b, LINUX_INET_DIAG_SKMEMINFO, i);
	if (ext >> (LINUX_INET_DIAG_CONG - 1) & 1 && i->type == LINUX_SOCK_STREAM)
		nl_text(b, LINUX_INET_DIAG_CONG, "cubic");
	nl_end(b);
}

/* Of those asked for; of TCP only those that packets could find. */
static bool inet_fits(const struct search *q, const struct socket_info *i)
{
	if (i->family != q->inet.family || (unsigned)i->protocol != q->protocol || !i->name.len)
		return false;
	return i->type != LINUX_SOCK_STREAM || i->state != SOCK_UNCONNECTED;
}

static int list_inet(const struct socket_info *i, void *arg)
{
	struct search *q = arg;
	struct linux_inet_diag_msg m;

	if (!inet_fits(q, i))
		return 0;
	describe_inet(i, &m);
	if (!(q->inet.states >> m.state & 1) || (q->inet.id.sport && q->inet.id.sport != m.id.sport) ||
		(q->inet.id.dport && q->inet.id.dport != m.id.dport) || !diag_filter_wants(&q->filter, &m))
		return 0;
	put_inet(q, i, &m);
	return 0;
}

/* One that a pair of addresses names: of TCP a listener too. */
static int find_inet(const struct socket_info *i, void *arg)
{
	const uint32_t any[4] = { 0 };
	struct search *q = arg;
	struct linux_inet_diag_msg m;

	if (q->found || !inet_fits(q, i))
		return 0;
	describe_inet(i, &m);
	if (m.id.sport != q->inet.id.sport || (m.id.dport && m.id.dport != q->inet.id.dport))
		return 0;
	if (memcmp(m.id.src, any, sizeof(any)) && memcmp(m.id.src, q->inet.id.src, sizeof(any)))
		return 0;
	if (m.id.dport && memcmp(m.id.dst, q->inet.id.dst, sizeof(any)))
		return 0;
	if (!cookie_fits(q->inet.id.cookie, i->cookie))
		return 0;
	q->found++;
	put_inet(q, i, &m);
	return 0;
}

static int inet_request(struct search *q)
{
	struct nlattrs attrs;
	int r = nl_parse_request(q->q->h, &q->inet, sizeof(q->inet), &attrs);

	if (r)
		return r;
	q->protocol = q->inet.protocol;
	if (nl_has(&attrs, LINUX_INET_DIAG_REQ_PROTOCOL))
		q->protocol = nl_get32(&attrs, LINUX_INET_DIAG_REQ_PROTOCOL);
	if (q->protocol != LINUX_IPPROTO_TCP && q->protocol != LINUX_IPPROTO_UDP && q->protocol != LINUX_IPPROTO_ICMP && q->protocol != LINUX_IPPROTO_ICMPV6)
		return -ENOENT;
	if (!q->q->dump) {
		r = net_each_socket(q->q->net, find_inet, q);
		return r ? r : q->found ? 0 : -ENOENT;
	}
	q->filter = (struct diag_filter){ attrs.a[LINUX_INET_DIAG_REQ_BYTECODE].v, attrs.a[LINUX_INET_DIAG_REQ_BYTECODE].n };
	r = diag_filter_check(&q->filter);
	return r ? r : net_each_socket(q->q->net, list_inet, q);
}

/* --- unix sockets -------------------------------------------------------------------------------- */

static void put_unix(struct search *q, const struct socket_info *i, const struct linux_unix_diag_msg *m)
{
	const uint32_t queues[2] = { m->state == LINUX_TCP_LISTEN ? i->waiting : i->queued, m->state == LINUX_TCP_LISTEN ? i->backlog : i->unread };
	const uint32_t file[2] = { (uint32_t)i->bound_ino, (uint32_t)i->bound_dev };
	struct nlbuf *b = q->q->answer;
	uint32_t show = q->un.show;

	nl_begin(b, LINUX_SOCK_DIAG_BY_FAMILY, m, sizeof(*m));
	if (show & LINUX_UDIAG_SHOW_NAME && i->name.len > sizeof(uint16_t))
		nl_attr(b, LINUX_UNIX_DIAG_NAME, i->name.un.path, i->name.len - sizeof(uint16_t));
	if (show & LINUX_UDIAG_SHOW_VFS && i->bound_ino)
		nl_attr(b, LINUX_UNIX_DIAG_VFS, file, sizeof(file));
	if (show & LINUX_UDIAG_SHOW_PEER && i->peer_ino)
		nl_attr32(b, LINUX_UNIX_DIAG_PEER, (uint32_t)i->peer_ino);
	if (show & LINUX_UDIAG_SHOW_RQLEN)
		nl_attr(b, LINUX_UNIX_DIAG_RQLEN, queues, sizeof(queues));
	if (show & LINUX_UDIAG_SHOW_MEMINFO)
		put_memory(b, LINUX_UNIX_DIAG_MEMINFO, i);
	nl_attr8(b, LINUX_UNIX_DIAG_SHUTDOWN, (uint8_t)i->shut);
	if (show & LINUX_UDIAG_SHOW_UID)
		nl_attr32(b, LINUX_UNIX_DIAG_UID, i->uid);
	nl_end(b);
}

static int list_unix(const struct socket_info *i, void *arg)
{
	struct search *q = arg;
	struct linux_unix_diag_msg m = { .family = LINUX_AF_UNIX, .type = (uint8_t)i->type, .state = (uint8_t)socket_info_state(i), .ino = (uint32_t)i->ino };

	if (i->family != LINUX_AF_UNIX || q->found)
		return 0;
	if (q->q->dump ? !(q->un.states >> m.state & 1) : i->ino != q->un.ino || !cookie_fits(q->un.cookie, i->cookie))
		return 0;
	q->found += !q->q->dump;
	put_cookie(m.cookie, i->cookie);
	put_unix(q, i, &m);
	return 0;
}

static int unix_request(struct search *q)
{
	struct nlattrs attrs;
	int r = nl_parse_request(q->q->h, &q->un, sizeof(q->un), &attrs);

	if (!r && !q->q->dump && !q->un.ino)
		r = -EINVAL;
	if (!r)
		r = net_each_socket(q->q->net, list_unix, q);
	return !r && !q->q->dump && !q->found ? -ENOENT : r;
}

int diag_request(struct rt_request *q)
{
	const struct linux_nlmsghdr *h = q->h;
	struct search s = { .q = q };
	const int32_t zero = 0;
	uint8_t family;
	int r;

	if (h->type != LINUX_SOCK_DIAG_BY_FAMILY || h->len < sizeof(*h) + 2)
		return -EINVAL;
	q->dump = (h->flags & LINUX_NLM_F_DUMP) == LINUX_NLM_F_DUMP;
	q->answer->flags = q->dump ? LINUX_NLM_F_MULTI : 0;
	family = *(const uint8_t *)(h + 1);
	if (family == LINUX_AF_UNIX)
		r = unix_request(&s);
	else
		r = family == LINUX_AF_INET || family == LINUX_AF_INET6 ? inet_request(&s) : family >= LINUX_AF_MAX ? -EINVAL : -ENOENT;
	if (r || !q->dump)
		return r;
	nl_begin(q->answer, LINUX_NLMSG_DONE, &zero, sizeof(zero));
	nl_end(q->answer);
	return 0;
}
