/* NETLINK_SOCK_DIAG: what ss(8) asks of sockets; and what /proc/net tells of them besides. */
#include "../test.h"

#include <linux/filter.h>
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define TCP_LISTEN 10
#define TCP_ESTABLISHED 1

struct inet_request {
	struct nlmsghdr h;
	struct inet_diag_req_v2 q;
	struct nlattr a;
	uint8_t program[64];
};

static int diag_socket(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	CHECK(s >= 0);
	return s;
}

static struct inet_request inet_request(int family, int protocol, uint32_t states)
{
	return (struct inet_request){
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct inet_diag_req_v2)), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.q = { .sdiag_family = (uint8_t)family, .sdiag_protocol = (uint8_t)protocol, .idiag_states = states },
	};
}

/* Sends a request; calls fn with each message of the answer. 0, or the error that it is. */
static int ask(void *request, void (*fn)(struct nlmsghdr *h, void *arg), void *arg)
{
	static _Alignas(8) char buf[65536];
	struct nlmsghdr *q = request;
	int s = diag_socket(), err = 1;
	bool multi = (q->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	q->nlmsg_seq = 5;
	CHECK(send(s, q, q->nlmsg_len, 0) == (ssize_t)q->nlmsg_len);
	while (err > 0) {
		ssize_t n = recv(s, buf, sizeof(buf), 0);

		CHECK(n > 0);
		for (struct nlmsghdr *h = (void *)buf; err > 0 && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			CHECK(h->nlmsg_seq == 5);
			if (h->nlmsg_type == NLMSG_DONE) {
				err = 0;
			} else if (h->nlmsg_type == NLMSG_ERROR) {
				err = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			} else {
				CHECK(h->nlmsg_type == SOCK_DIAG_BY_FAMILY);
				fn(h, arg);
				if (!multi)
					err = 0;
			}
		}
	}
	close(s);
	return err;
}

static void *attribute(struct nlmsghdr *h, size_t fixed, int type, size_t *len)
{
	uint8_t *p = (uint8_t *)NLMSG_DATA(h) + fixed, *end = (uint8_t *)h + h->nlmsg_len;

	while (p + NLA_HDRLEN <= end) {
		struct nlattr *a = (void *)p;

		if (a->nla_type == type) {
			*len = a->nla_len - NLA_HDRLEN;
			return p + NLA_HDRLEN;
		}
		p += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

struct seen { /* of one port */
	uint16_t port;
	int listening, established, others, all;
	struct inet_diag_msg last;
};

static void see(struct nlmsghdr *h, void *arg)
{
	struct inet_diag_msg *m = NLMSG_DATA(h);
	struct seen *s = arg;
	uint8_t *shut;
	size_t n;

	s->all++;
	if (m->id.idiag_sport != s->port)
		return;
	CHECK((shut = attribute(h, sizeof(*m), INET_DIAG_SHUTDOWN, &n)) && n == 1 && !*shut);
	s->last = *m;
	if (m->idiag_state == TCP_LISTEN)
		s->listening++;
	else if (m->idiag_state == TCP_ESTABLISHED)
		s->established++;
	else
		s->others++;
}

static int listener(struct sockaddr_in *at)
{
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CHECK(bind(l, (void *)at, n) == 0 && listen(l, 7) == 0 && getsockname(l, (void *)at, &n) == 0);
	return l;
}

static ino_t inode(int fd)
{
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	return st.st_ino;
}

CASE(tcp_listed)
{
	struct sockaddr_in at;
	int l = listener(&at), c = socket(AF_INET, SOCK_STREAM, 0), a, bound = socket(AF_INET, SOCK_STREAM, 0);
	struct inet_request q = inet_request(AF_INET, IPPROTO_TCP, ~0u);
	struct seen s = { .port = at.sin_port };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pollfd waits = { .fd = l, .events = POLLIN };
	socklen_t n = sizeof(own);
	uint64_t cookie = 0;
	char data[3];

	CHECK(bind(bound, (void *)&own, sizeof(own)) == 0); /* not more than bound: no packet finds it */
	CHECK(ask(&q, see, &s) == 0);
	CHECK(s.listening == 1 && !s.established && !s.others);
	CHECK(s.last.idiag_family == AF_INET && s.last.id.idiag_src[0] == at.sin_addr.s_addr && !s.last.id.idiag_dport);
	CHECK(s.last.idiag_wqueue == 7 && !s.last.idiag_rqueue && s.last.idiag_inode == inode(l) && s.last.idiag_uid == getuid());
	n = sizeof(cookie);
	CHECK(getsockopt(l, SOL_SOCKET, SO_COOKIE, &cookie, &n) == 0 && n == 8 && cookie);
	CHECK(s.last.id.idiag_cookie[0] == (uint32_t)cookie && s.last.id.idiag_cookie[1] == (uint32_t)(cookie >> 32));

	CHECK(connect(c, (void *)&at, sizeof(at)) == 0);
	CHECK(write(c, "abc", 3) == 3);
	CHECK(poll(&waits, 1, 20000) == 1); /* the last packet of the connection has come */
	s = (struct seen){ .port = at.sin_port };
	CHECK(ask(&q, see, &s) == 0 && s.listening == 1 && s.established == 1);
	q = inet_request(AF_INET, IPPROTO_TCP, 1u << TCP_LISTEN);
	s = (struct seen){ .port = at.sin_port };
	CHECK(ask(&q, see, &s) == 0 && s.listening == 1 && !s.established && s.last.idiag_rqueue == 1); /* one waits to be accepted */
	CHECK((a = accept(l, NULL, NULL)) >= 0);
	CHECK(recv(a, data, 3, MSG_PEEK | MSG_WAITALL) == 3);
	q = inet_request(AF_INET, IPPROTO_TCP, 1u << TCP_ESTABLISHED);
	s = (struct seen){ .port = at.sin_port };
	CHECK(ask(&q, see, &s) == 0 && !s.listening && s.established == 1);
	CHECK(s.last.idiag_rqueue == 3 && s.last.idiag_inode == inode(a));
	n = sizeof(own);
	CHECK(getsockname(c, (void *)&own, &n) == 0 && s.last.id.idiag_dport == own.sin_port);
}

/* sport = PORT, as ss makes it; and steps that lead nowhere */
CASE(chosen_by_program)
{
	struct sockaddr_in at, other;
	int l = listener(&at), o = listener(&other);
	struct inet_request q = inet_request(AF_INET, IPPROTO_TCP, 1u << TCP_LISTEN);
	struct inet_diag_bc_op ops[4] = {
		{ .code = INET_DIAG_BC_S_GE, .yes = 8, .no = 20 },
		{ .no = ntohs(at.sin_port) },
		{ .code = INET_DIAG_BC_S_LE, .yes = 8, .no = 12 },
		{ .no = ntohs(at.sin_port) },
	};
	struct seen s = { .port = at.sin_port };

	q.a = (struct nlattr){ .nla_len = NLA_HDRLEN + sizeof(ops), .nla_type = INET_DIAG_REQ_BYTECODE };
	q.h.nlmsg_len += q.a.nla_len;
	memcpy(q.program, ops, sizeof(ops));
	CHECK(ask(&q, see, &s) == 0 && s.listening == 1 && s.all == 1);
	ops[0].no = 40; /* beyond the end and one more */
	memcpy(q.program, ops, sizeof(ops));
	CHECK(ask(&q, see, &s) == -EINVAL);
	ops[0].no = 12; /* into the middle of one */
	memcpy(q.program, ops, sizeof(ops));
	CHECK(ask(&q, see, &s) == -EINVAL);
	ops[0].no = 20;
	ops[0].yes = 0; /* for ever */
	memcpy(q.program, ops, sizeof(ops));
	CHECK(ask(&q, see, &s) == -EINVAL);
	close(l);
	close(o);
}

CASE(one_socket)
{
	struct sockaddr_in at;
	int l = listener(&at);
	struct inet_request q = inet_request(AF_INET, IPPROTO_TCP, ~0u);
	struct seen s = { .port = at.sin_port };

	q.h.nlmsg_flags = NLM_F_REQUEST;
	q.q.id.idiag_sport = at.sin_port;
	q.q.id.idiag_src[0] = at.sin_addr.s_addr;
	q.q.id.idiag_dst[0] = at.sin_addr.s_addr;
	q.q.id.idiag_dport = htons(9);
	q.q.id.idiag_cookie[0] = q.q.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	CHECK(ask(&q, see, &s) == 0 && s.listening == 1);
	q.q.id.idiag_cookie[0] = 0;
	CHECK(ask(&q, see, &s) != 0); /* another has that number */
	close(l);
}

struct unix_seen {
	uint32_t ino, peer;
	int n;
	char name[110];
	struct unix_diag_msg m;
};

static void see_unix(struct nlmsghdr *h, void *arg)
{
	struct unix_diag_msg *m = NLMSG_DATA(h);
	struct unix_seen *s = arg;
	uint32_t *peer;
	char *name;
	size_t n;

	if (m->udiag_ino != s->ino)
		return;
	s->n++;
	s->m = *m;
	peer = attribute(h, sizeof(*m), UNIX_DIAG_PEER, &n);
	s->peer = peer ? *peer : 0;
	name = attribute(h, sizeof(*m), UNIX_DIAG_NAME, &n);
	if (name)
		memcpy(s->name, name, n);
}

CASE(unix_listed)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req q;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.q = { .sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN } };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0sock-diag-test" };
	int pair[2], l = socket(AF_UNIX, SOCK_STREAM, 0);
	struct unix_seen s;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	s = (struct unix_seen){ .ino = (uint32_t)inode(pair[0]) };
	CHECK(ask(&q, see_unix, &s) == 0);
	CHECK(s.n == 1 && s.peer == inode(pair[1]) && s.m.udiag_type == SOCK_STREAM && s.m.udiag_state == TCP_ESTABLISHED);
	CHECK(bind(l, (void *)&un, sizeof(sa_family_t) + 15) == 0 && listen(l, 1) == 0);
	s = (struct unix_seen){ .ino = (uint32_t)inode(l) };
	CHECK(ask(&q, see_unix, &s) == 0);
	CHECK(s.n == 1 && s.m.udiag_state == TCP_LISTEN && !memcmp(s.name, un.sun_path, 15));
	q.h.nlmsg_flags = NLM_F_REQUEST;
	q.q.udiag_ino = (uint32_t)inode(l);
	q.q.udiag_cookie[0] = q.q.udiag_cookie[1] = ~0u;
	s.n = 0;
	CHECK(ask(&q, see_unix, &s) == 0 && s.n == 1);
}

CASE(refused)
{
	struct inet_request q = inet_request(AF_INET, IPPROTO_TCP, ~0u);
	struct seen s = { 0 };

	q.q.sdiag_family = 200;
	CHECK(ask(&q, see, &s) == -EINVAL);
	q.h.nlmsg_type = 77;
	q.q.sdiag_family = AF_INET;
	CHECK(ask(&q, see, &s) == -EINVAL);
}

/* Nobody says anything there, but one may listen. */
CASE(uevents)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
	char c;

	CHECK(s >= 0 && bind(s, (void *)&a, sizeof(a)) == 0);
	CHECK_ERR(recv(s, &c, 1, MSG_DONTWAIT), EAGAIN);
}

/* udev's library wants only what its daemon sends. */
CASE(uevents_filtered)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xfeedcafe, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0xffffffff), BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = { 4, code };
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);

	CHECK(s >= 0);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &s, sizeof(s)), ENOENT);
	CHECK(!setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
	CHECK(!setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)));
	CHECK(!setsockopt(s, SOL_SOCKET, SO_DETACH_FILTER, &s, sizeof(s)));
	p.len = 2; /* no return at the end */
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EINVAL);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p) - 1), EINVAL);
	p = (struct sock_fprog){ 4, (void *)8 };
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EFAULT);
}

static void until_line(const char *file, const char *format, int *value)
{
	char line[512];
	FILE *f = fopen(file, "r");
	bool found = false;

	CHECK(f);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, format, value) == 1;
	fclose(f);
	CHECK(found);
}

CASE(counted)
{
	int before, after, s[8];

	until_line("/proc/net/sockstat", "sockets: used %d", &before);
	for (int i = 0; i < 8; i++)
		CHECK((s[i] = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
	until_line("/proc/net/sockstat", "sockets: used %d", &after);
	CHECK(before >= 0 && after >= 8);
	until_line("/proc/net/snmp", "Tcp: 1 200 120000 %d", &after);
	until_line("/proc/net/sockstat6", "TCP6: inuse %d", &after);
}

int main(void)
{
	return run_cases();
}
