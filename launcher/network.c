/*
 * network.c - see network.h.
 *
 * A thread enters the namespace for as long as it takes to look at it: the packet sockets that are
 * opened there stay in it.  Addresses and routes are passed on in the messages in which the kernel tells
 * them.  The order is: wait until links that have just come up have all that is to come by itself, open
 * the sockets, read all, and only then remove the addresses; the routes go with them.
 */
#include "network.h"

#include "hooks.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 65536
#define NO_BYTES { (const uint8_t *)"", 0 }
#define BUFFER (4 << 20) /* of each packet socket, in each direction */
#define SETTLES_MS 2000 /* that a link may take: the kernel's work queue has it in less than one */
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* What a namespace holds, while it is read. */
struct reading {
	const char *path;
	int nl;
	struct pool *pool;
	struct network *out;
	uint8_t *requests;
	size_t len, addresses; /* of requests; how much of them is addresses */
	bool settling; /* a link has just come up */
	bool asked; /* it is to be taken, whoever else uses it */
	const struct state_dir *record; /* where what is taken is recorded; NULL: nowhere */
};

/* --- netlink -------------------------------------------------------------------------- */

static const void *payload(const struct nlmsghdr *h) { return (const char *)h + NLMSG_HDRLEN; }
static const void *value(const struct rtattr *a) { return (const char *)a + RTA_LENGTH(0); }

static const struct rtattr *attribute(const struct nlmsghdr *h, size_t head, unsigned short type)
{
	size_t at = NLMSG_LENGTH(NLMSG_ALIGN(head));

	while (at + sizeof(struct rtattr) <= h->nlmsg_len) {
		const struct rtattr *a = (const void *)((const char *)h + at);

		if (a->rta_len < sizeof(*a) || a->rta_len > h->nlmsg_len - at)
			return NULL;
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
		at += RTA_ALIGN(a->rta_len);
	}
	return NULL;
}

/* Calls take for each message of a dump. */
static struct err *dump(struct reading *r, unsigned short type, struct err *(*take)(struct reading *r, const struct nlmsghdr *h))
{
	struct {
		struct nlmsghdr h;
		struct rtmsg any;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	_cleanup_free_ char *answer = malloc(ANSWER_MAX);
	struct err *e;

	if (!answer)
		return err_new(ENOMEM, "netlink");
	if (send(r->nl, &q, sizeof(q), 0) < 0)
		return err_new(errno, "netlink");
	for (;;) {
		ssize_t n = recv(r->nl, answer, ANSWER_MAX, 0);
		const struct nlmsghdr *h;

		if (n < 0)
			return err_new(errno, "netlink");
		for (size_t at = 0; at + sizeof(*h) <= (size_t)n; at += NLMSG_ALIGN(h->nlmsg_len)) {
			h = (const void *)(answer + at);
			if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > (size_t)n - at)
				return err_new(EPROTO, "netlink");
			if (h->nlmsg_type == NLMSG_DONE)
				return NULL;
			if (h->nlmsg_type == NLMSG_ERROR)
				return err_new(EIO, "netlink: a dump was refused");
			if ((e = take(r, h)))
				return e;
		}
	}
}

struct err *network_ask(int nl, const struct nlmsghdr *h, int but)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char quote[4096];
	} a;
	ssize_t n;

	if (send(nl, h, h->nlmsg_len, 0) < 0 || (n = recv(nl, &a, sizeof(a), 0)) < 0)
		return err_new(errno, "netlink");
	if ((size_t)n >= sizeof(a.h) + sizeof(a.e) && a.h.nlmsg_type == NLMSG_ERROR && a.e.error && a.e.error != -but)
		return err_new(-a.e.error, "netlink request %u", h->nlmsg_type);
	return NULL;
}

/* --- interfaces ---------------------------------------------------------------------------- */

/* IPv4, ARP, IPv6: others the sentry would only throw away. */
static struct err *filter(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? err_new(errno, "packet filter") : NULL;
}

void network_enlarge(int fd)
{
	static const int force[] = { SO_RCVBUFFORCE, SO_SNDBUFFORCE }, plain[] = { SO_RCVBUF, SO_SNDBUF };
	const int n = BUFFER;

	for (int i = 0; i < 2; i++)
		if (setsockopt(fd, SOL_SOCKET, force[i], &n, sizeof(n)) < 0)
			(void)!setsockopt(fd, SOL_SOCKET, plain[i], &n, sizeof(n));
}

/* Bound last, so that nothing is queued that has not gone through the filter. */
static struct err *open_packets(int index, int *out)
{
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index };
	const struct packet_mreq groups = { .mr_ifindex = index, .mr_type = PACKET_MR_ALLMULTI };
	const int on = 1;
	struct err *e;

	if (fd < 0)
		return err_new(errno, "packet socket");
	if ((e = filter(fd)))
		return e;
	network_enlarge(fd);
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return err_new(errno, "PACKET_VNET_HDR");
	(void)!setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)); /* from Linux 4.20 on */
	(void)!setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &groups, sizeof(groups));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_new(errno, "packet socket");
	*out = TAKE_FD(fd);
	return NULL;
}

static struct err *take_link(struct reading *r, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = payload(h);
	const struct rtattr *name, *mac, *mtu;
	struct network *n = r->out;
	struct err *e;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ifi_flags & IFF_LOOPBACK)
		return NULL;
	name = attribute(h, sizeof(*m), IFLA_IFNAME);
	mac = attribute(h, sizeof(*m), IFLA_ADDRESS);
	mtu = attribute(h, sizeof(*m), IFLA_MTU);
	if (!name || !mtu)
		return NULL;
	if (m->ifi_type != ARPHRD_ETHER || !mac || RTA_PAYLOAD(mac) != ETH_ALEN) {
		if (m->ifi_flags & IFF_UP)
			log_warning("network: the interface %s is not Ethernet's and is left out", (const char *)value(name));
		return NULL;
	}
	if (n->n == NETWORK_LINKS_MAX)
		return err_new(0, "network: more than %d interfaces", NETWORK_LINKS_MAX);
	n->links[n->n] = (struct boot_link){
		.name = msg_str(pool_strdup(r->pool, value(name))), .index = (uint64_t)m->ifi_index, .mtu = *(const uint32_t *)value(mtu),
		.mac = { memcpy(pool_alloc(r->pool, ETH_ALEN), value(mac), ETH_ALEN), ETH_ALEN }, .up = m->ifi_flags & IFF_UP,
	};
	if (n->links[n->n].mtu > 65535)
		n->links[n->n].mtu = 65535;
	if ((e = open_packets(m->ifi_index, &n->fds[n->n_fds])))
		return err_wrap(e, "network: %s", n->links[n->n].name.p);
	n->n++;
	n->n_fds++;
	return NULL;
}

static struct err *note_settling(struct reading *r, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = payload(h);
	const unsigned up = IFF_UP | IFF_LOWER_UP;

	if (h->nlmsg_type == RTM_NEWLINK && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*m)) && (m->ifi_flags & up) == up &&
		!(m->ifi_flags & (IFF_RUNNING | IFF_DORMANT)))
		r->settling = true;
	return NULL;
}

/* That a link carries is noted by a work queue of the kernel's, which then gives it its IPv6 address (Linux: net/core/link_watch.c).
 * One that came after the others have been taken would be the host's to answer for, and the sandbox would not have it. */
static struct err *until_settled(struct reading *r)
{
	struct err *e;

	for (int ms = 0;; ms++) {
		r->settling = false;
		if ((e = dump(r, RTM_GETLINK, note_settling)) || !r->settling)
			return e;
		if (ms == SETTLES_MS)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	log_warning("network: an interface that is up does not run after %d ms", SETTLES_MS);
	return NULL;
}

static bool is_taken(const struct reading *r, int index)
{
	for (unsigned i = 0; i < r->out->n; i++)
		if (r->out->links[i].index == (uint64_t)index)
			return true;
	return false;
}

/* --- addresses and routes --------------------------------------------------------------------- */

static struct err *keep(struct reading *r, const struct nlmsghdr *h)
{
	size_t n = NLMSG_ALIGN(h->nlmsg_len);
	struct nlmsghdr *copy = (void *)(r->requests + r->len);

	if (n > NETWORK_REQUESTS_MAX - r->len)
		return err_new(0, "network: too many addresses and routes");
	memcpy(copy, h, h->nlmsg_len);
	memset((uint8_t *)copy + h->nlmsg_len, 0, n - h->nlmsg_len);
	copy->nlmsg_len = (uint32_t)n;
	copy->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	r->len += n;
	return NULL;
}

static struct err *take_address(struct reading *r, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = payload(h);

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || !is_taken(r, (int)m->ifa_index))
		return NULL;
	return keep(r, h);
}

/* Those that come with an address by themselves are left out; IPv6's cloned ones too. */
static struct err *take_route(struct reading *r, const struct nlmsghdr *h)
{
	const struct rtmsg *m = payload(h);
	const struct rtattr *oif;

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->rtm_table != RT_TABLE_MAIN ||
		m->rtm_protocol == RTPROT_KERNEL || m->rtm_flags & RTM_F_CLONED)
		return NULL;
	oif = attribute(h, sizeof(*m), RTA_OIF);
	if (oif && !is_taken(r, *(const int *)value(oif)))
		return NULL;
	return keep(r, h);
}

static struct err *remove_addresses(struct reading *r)
{
	for (size_t at = 0; at < r->addresses;) {
		struct nlmsghdr *h = (void *)(r->requests + at);
		_cleanup_free_ struct nlmsghdr *q = malloc(h->nlmsg_len);
		struct err *e;

		if (!q)
			return err_new(ENOMEM, "network");
		memcpy(q, h, h->nlmsg_len);
		q->nlmsg_type = RTM_DELADDR;
		q->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		/* a secondary one may have gone with its first */
		if ((e = network_ask(r->nl, q, EADDRNOTAVAIL)))
			return err_wrap(e, "network: removing an address");
		at += h->nlmsg_len;
	}
	return NULL;
}

/* Docker's daemon listens in the namespaces of its user-defined networks, on a port of 127.0.0.11 to which it has those rewritten that
 * programs send to port 53.  Over UDP: what is longer than a datagram comes cut. */
static unsigned name_server_port(void)
{
	FILE *f = fopen("/proc/thread-self/net/udp", "re");
	unsigned port = 0;
	char line[256];

	while (f && !port && fgets(line, sizeof(line), f))
		(void)!sscanf(line, " %*u: 0B00007F:%4x 00000000:0000", &port);
	if (f)
		fclose(f);
	return port;
}

struct err *network_add_name_server(struct network *n, const struct in_addr *ip, unsigned port, struct pool *p)
{
	const struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = *ip };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_new(errno, "network: the name server at %s", inet_ntoa(*ip));
	n->fds[n->n_fds++] = TAKE_FD(fd);
	n->name_server = (struct msg_bytes){ memcpy(pool_alloc(p, sizeof(*ip)), ip, sizeof(*ip)), sizeof(*ip) };
	return NULL;
}

static struct err *take_name_server(struct reading *r)
{
	const unsigned port = name_server_port();

	return port ? network_add_name_server(r->out, &(struct in_addr){ htonl(0x7f00000b) }, port, r->pool) : NULL;
}

static struct err *read_namespace(int there, int nl, void *arg)
{
	struct reading *r = arg;
	const char *why = r->asked ? NULL : network_is_listened_to();
	struct err *e;

	if (why)
		return err_new(0, "network namespace %.255s: %s", r->path, why);
	r->nl = nl;
	if ((e = until_settled(r)) || (e = dump(r, RTM_GETLINK, take_link)))
		return e;
	if (!r->out->n)
		return NULL;
	if ((e = take_name_server(r)) || (e = dump(r, RTM_GETADDR, take_address)))
		return e;
	r->addresses = r->len;
	if ((e = dump(r, RTM_GETROUTE, take_route)))
		return e;
	r->out->requests = (struct msg_bytes){ r->requests, (uint32_t)r->len };
	if (r->record && (e = network_record(r->record, there, r->path, &r->out->requests)))
		return e;
	return remove_addresses(r);
}

/* ------------------------------------------------------------------------------------------------- */

/* NULL: the configuration wants the caller's. */
static const struct oci_namespace *wanted(const struct plan *plan)
{
	for (size_t i = 0; plan->linux_ && i < plan->linux_->namespaces.n; i++) {
		if (!strcmp(plan->linux_->namespaces.v[i].type, "network"))
			return &plan->linux_->namespaces.v[i];
	}
	return NULL;
}

struct err *network_find(const struct globals *g, const struct plan *plan, struct pool *p, enum network_source *out)
{
	const struct oci_namespace *ns = wanted(plan);
	bool filled = false;
	struct err *e;

	*out = globals_network_user(g) ? NETWORK_BY_USER : NETWORK_NOWHERE;
	if (!globals_network(g) || !ns)
		return NULL;
	if (ns->path && *ns->path) {
		const char *why = globals_network_asked(g) ? NULL : network_unfit(ns->path, p);

		if (why)
			log_warning("config.json: linux.namespaces: the network namespace %s %s: " NETWORK_LOOPBACK, ns->path, why);
		else
			*out = NETWORK_BY_PATH;
		return NULL;
	}
	if (!globals_network_asked(g) && !network_may_enter())
		return NULL;
	if ((e = hooks_come_early(plan->hooks, p, &filled)))
		return e;
	if (filled)
		*out = NETWORK_BY_HOOKS;
	else if (plan->start_later)
		*out = NETWORK_UNTIL_START;
	return NULL;
}

static bool is_same(int a, int b)
{
	struct stat sa, sb;

	return !fstat(a, &sa) && !fstat(b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

struct visit {
	const char *path;
	int there;
	struct err *(*f)(int there, int nl, void *arg);
	void *arg;
	struct err *e;
};

/* A thread's network namespace is its own: ours we may not be allowed to return to (rootless podman's user namespace). */
static void *visit(void *arg)
{
	struct visit *v = arg;
	_cleanup_close_ int nl = -1;

	if (setns(v->there, CLONE_NEWNET) < 0)
		v->e = err_new(errno, "network namespace %.255s", v->path);
	else if ((nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) < 0)
		v->e = err_new(errno, "netlink");
	else
		v->e = v->f(v->there, nl, v->arg);
	return NULL;
}

struct err *network_inside(const char *path, struct err *(*f)(int there, int nl, void *arg), void *arg)
{
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(path, O_RDONLY | O_CLOEXEC);
	struct visit v = { path, there, f, arg, NULL };
	pthread_t thread;
	int n;

	if (own < 0 || there < 0)
		return err_new(errno, "network namespace %.255s", path);
	if (is_same(own, there))
		return err_new(0, "network namespace %.255s: is the caller's own, whose addresses a sandbox would take", path);
	if ((n = pthread_create(&thread, NULL, visit, &v)))
		return err_new(n, "a thread");
	pthread_join(thread, NULL);
	return v.e;
}

static struct err *take(const char *path, bool asked, const struct state_dir *record, struct pool *p, struct network *out)
{
	struct reading r = { .path = path, .nl = -1, .pool = p, .out = out, .requests = pool_alloc(p, NETWORK_REQUESTS_MAX), .asked = asked, .record = record };
	struct err *e;

	*out = (struct network){ .requests = NO_BYTES, .name_server = NO_BYTES };
	if (!(e = network_inside(path, read_namespace, &r)))
		return NULL;
	network_close(out);
	if (record)
		network_give_back(record);
	if (asked)
		return e;
	log_warning("%s: " NETWORK_LOOPBACK, err_text(e));
	err_free(e);
	return NULL;
}

struct err *network_take_of(uint64_t pid, bool asked, struct pool *p, struct network *out)
{
	return take(pool_printf(p, "/proc/%llu/ns/net", (unsigned long long)pid), asked, NULL, p, out);
}

struct err *network_take(const struct globals *g, const struct plan *plan, enum network_source source, uint64_t sentry, const struct state_dir *d,
	struct pool *p, struct network *out)
{
	*out = (struct network){ .requests = NO_BYTES, .name_server = NO_BYTES };
	switch (source) {
	case NETWORK_BY_PATH:
		return take(wanted(plan)->path, globals_network_asked(g), d, p, out);
	case NETWORK_BY_HOOKS:
		return network_take_of(sentry, globals_network_asked(g), p, out);
	case NETWORK_BY_USER:
		return network_user_begin(d, p, out);
	case NETWORK_NOWHERE:
	case NETWORK_UNTIL_START:
		break;
	}
	return NULL;
}

void network_close(struct network *n)
{
	for (unsigned i = 0; i < n->n_fds; i++)
		fd_close(&n->fds[i]);
	n->n = n->n_fds = 0;
	n->name_server = (struct msg_bytes)NO_BYTES;
}
