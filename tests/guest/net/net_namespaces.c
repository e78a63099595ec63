/*
 * net_namespaces.c - network namespaces: each with its own loopback, ports and names; veth
 * pairs between them.  In user namespaces of its own, so that no capability is needed.
 */
#include "../test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define FRESH (CLONE_NEWUSER | CLONE_NEWNET)

static int lo_flags(int set)
{
	struct ifreq r = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(s >= 0);
	CHECK(ioctl(s, SIOCGIFFLAGS, &r) == 0);
	if (set) {
		r.ifr_flags = (short)(set > 0 ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
		CHECK(ioctl(s, SIOCSIFFLAGS, &r) == 0);
		CHECK(ioctl(s, SIOCGIFFLAGS, &r) == 0);
	}
	close(s);
	return r.ifr_flags & (IFF_UP | IFF_RUNNING | IFF_LOOPBACK);
}

static struct sockaddr_in at(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	CHECK(inet_pton(AF_INET, ip, &a.sin_addr) == 1);
	return a;
}

static int bound(int type, const char *ip, int port)
{
	struct sockaddr_in a = at(ip, port);
	int s = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	CHECK(s >= 0);
	CHECK(bind(s, (void *)&a, sizeof(a)) == 0);
	if (type == SOCK_STREAM)
		CHECK(listen(s, 4) == 0);
	return s;
}

static int join(int s, const char *ip, int port)
{
	struct sockaddr_in a = at(ip, port);

	return connect(s, (void *)&a, sizeof(a));
}

/* --- the loopback ---------------------------------------------------------------- */

CASE(loopback_is_down)
{
	struct sockaddr_in a = at("127.0.0.1", 0), any = at("0.0.0.0", 0);
	int s;

	CHECK(unshare(FRESH) == 0);
	CHECK(lo_flags(0) == IFF_LOOPBACK);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), ENETUNREACH);
	CHECK(bind(s, (void *)&any, sizeof(any)) == 0);
	CHECK(lo_flags(1) == (IFF_UP | IFF_RUNNING | IFF_LOOPBACK));
	CHECK_ERR(join(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", 9), ECONNREFUSED);
	CHECK(lo_flags(-1) == IFF_LOOPBACK);
}

CASE(loopback_works)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	char buf[8];
	int l, s, c;

	CHECK(unshare(FRESH) == 0);
	lo_flags(1);
	l = bound(SOCK_STREAM, "127.0.0.1", 0);
	CHECK(getsockname(l, (void *)&a, &n) == 0);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(s, (void *)&a, sizeof(a)) == 0);
	c = accept(l, NULL, NULL);
	CHECK(c >= 0 && write(s, "hello", 5) == 5 && read(c, buf, sizeof(buf)) == 5);
}

/* What is listened to in one is not there in another. */
CASE(ports_are_apart)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	int l = bound(SOCK_STREAM, "127.0.0.1", 0);

	CHECK(getsockname(l, (void *)&a, &n) == 0);
	CHECK(unshare(FRESH) == 0);
	lo_flags(1);
	CHECK_ERR(join(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", ntohs(a.sin_port)), ECONNREFUSED);
	bound(SOCK_STREAM, "127.0.0.1", ntohs(a.sin_port));
	bound(SOCK_STREAM, "127.0.0.1", 80); /* its own user namespace's capability counts */
}

/* Abstract names are a namespace's; those in the file system are not, nor are sockets that there are already. */
CASE(unix_names)
{
	struct sockaddr_un abs = { .sun_family = AF_UNIX }, path = { .sun_family = AF_UNIX };
	socklen_t n = offsetof(struct sockaddr_un, sun_path) + 8;
	int l = socket(AF_UNIX, SOCK_STREAM, 0), p = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	char c;

	memcpy(abs.sun_path, "\0nstest", 8);
	snprintf(path.sun_path, sizeof(path.sun_path), "/tmp/nstest.%d", getpid());
	CHECK(bind(l, (void *)&abs, n) == 0 && listen(l, 4) == 0);
	CHECK(bind(p, (void *)&path, sizeof(path)) == 0 && listen(p, 4) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	CHECK_ERR(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&abs, n), ECONNREFUSED);
	CHECK(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&abs, n) == 0);
	chmod(path.sun_path, 0777);
	CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&path, sizeof(path)) == 0);
	CHECK(write(pair[0], "x", 1) == 1 && read(pair[1], &c, 1) == 1);
	CHECK(unlink(path.sun_path) == 0);
}

/* --- files -------------------------------------------------------------------------------- */

static uint64_t own_ino(const char *name)
{
	struct stat st;

	CHECK(stat(name, &st) == 0);
	return st.st_ino;
}

CASE(setns_and_back)
{
	uint64_t first = own_ino("/proc/self/ns/net"), second;
	int fd, old;

	CHECK(unshare(FRESH) == 0);
	old = open("/proc/self/ns/net", O_RDONLY);
	second = own_ino("/proc/self/ns/net");
	CHECK(first != second);
	lo_flags(1);
	bound(SOCK_STREAM, "127.0.0.1", 80);
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(own_ino("/proc/self/ns/net") != second && lo_flags(0) == IFF_LOOPBACK);
	fd = open("/proc/self/ns/net", O_RDONLY);
	CHECK(ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET);
	CHECK(ioctl(ioctl(fd, NS_GET_USERNS), NS_GET_NSTYPE) == CLONE_NEWUSER);
	CHECK_ERR(ioctl(fd, NS_GET_PARENT), EINVAL);
	CHECK_ERR(setns(old, CLONE_NEWUTS), EINVAL);
	CHECK(setns(old, CLONE_NEWNET) == 0 && own_ino("/proc/self/ns/net") == second);
	CHECK(join(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", 80) == 0);
}

/* A socket stays where it was made. */
CASE(sockets_stay)
{
	int s, t;

	CHECK(unshare(FRESH) == 0);
	lo_flags(1);
	bound(SOCK_STREAM, "127.0.0.1", 80);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(unshare(CLONE_NEWNET) == 0);
	CHECK(join(s, "127.0.0.1", 80) == 0);
	t = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(join(t, "127.0.0.1", 80), ENETUNREACH);
}

CASE(proc_net)
{
	char line[256], name[32];
	FILE *f;
	int n = 0;

	CHECK(unshare(FRESH) == 0);
	lo_flags(1);
	bound(SOCK_STREAM, "127.0.0.1", 80);
	f = fopen("/proc/self/net/tcp", "r");
	while (fgets(line, sizeof(line), f))
		n++;
	CHECK(n == 2); /* the heading, and the one socket there is */
	fclose(f);
	f = fopen("/proc/net/dev", "r");
	CHECK(fgets(line, sizeof(line), f) && fgets(line, sizeof(line), f) && fscanf(f, " %31[^:]", name) == 1 && !strcmp(name, "lo"));
	fclose(f);
}

CASE(needs_capability)
{
	CHECK(setresuid(12345, 12345, 12345) == 0);
	CHECK_ERR(unshare(CLONE_NEWNET), EPERM);
	CHECK_ERR(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0), EPERM);
}

/* --- rtnetlink ------------------------------------------------------------------------------ */

struct request {
	struct nlmsghdr h;
	char room[1024];
};

static struct rtattr *put(struct request *q, int type, const void *v, size_t n)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), v, n);
	q->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

static void end(struct request *q, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((char *)q + q->h.nlmsg_len - (char *)nest);
}

static void begin(struct request *q, int type, int flags, const void *fixed, size_t n)
{
	memset(q, 0, sizeof(*q));
	q->h = (struct nlmsghdr){ .nlmsg_len = (uint32_t)NLMSG_LENGTH(n), .nlmsg_type = (uint16_t)type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags) };
	memcpy(NLMSG_DATA(&q->h), fixed, n);
}

/* 0 or the error. */
static int ask(struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[2048];
	} a;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	CHECK(s >= 0 && send(s, q, q->h.nlmsg_len, 0) == q->h.nlmsg_len);
	CHECK(recv(s, &a, sizeof(a), 0) > 0 && a.h.nlmsg_type == NLMSG_ERROR);
	close(s);
	return -a.e.error;
}

/* A pair: `name` here, and "peer" in the namespace of fd (-1: here too). */
static int add_veth(const char *name, int fd)
{
	const struct ifinfomsg i = { 0 };
	struct rtattr *info, *data, *peer;
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put(&q, IFLA_INFO_KIND, "veth", 5);
	data = put(&q, IFLA_INFO_DATA, NULL, 0);
	peer = put(&q, VETH_INFO_PEER, &i, sizeof(i));
	put(&q, IFLA_IFNAME, "peer", 5);
	if (fd >= 0)
		put(&q, IFLA_NET_NS_FD, &fd, sizeof(fd));
	end(&q, peer);
	end(&q, data);
	end(&q, info);
	return ask(&q);
}

static int set_up(const char *name, const char *ip, int bits)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)bits, .ifa_index = if_nametoindex(name) };
	struct ifinfomsg i = { .ifi_index = (int)m.ifa_index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct request q;
	struct in_addr a;
	int r;

	begin(&q, RTM_NEWLINK, 0, &i, sizeof(i));
	r = ask(&q);
	if (r || !ip)
		return r;
	CHECK(inet_pton(AF_INET, ip, &a) == 1);
	begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put(&q, IFA_LOCAL, &a, sizeof(a));
	put(&q, IFA_ADDRESS, &a, sizeof(a));
	return ask(&q);
}

static int add_route(const char *to, int bits, const char *via)
{
	const struct rtmsg m = { .rtm_family = AF_INET, .rtm_dst_len = (uint8_t)bits, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
		.rtm_type = RTN_UNICAST };
	struct in_addr a, gw;
	struct request q;

	CHECK(inet_pton(AF_INET, to, &a) == 1 && inet_pton(AF_INET, via, &gw) == 1);
	begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	put(&q, RTA_DST, &a, sizeof(a));
	put(&q, RTA_GATEWAY, &gw, sizeof(gw));
	return ask(&q);
}

/* Two namespaces: the caller is in the second; *first is the other. */
static void two(int *first, int *second)
{
	CHECK(unshare(FRESH) == 0);
	*first = open("/proc/self/ns/net", O_RDONLY);
	CHECK(unshare(CLONE_NEWNET) == 0);
	*second = open("/proc/self/ns/net", O_RDONLY);
}

/* Joined: "one" with 10.9.0.1 in the first, "peer" with 10.9.0.2 in the second, where the caller is. */
static void joined(int *first, int *second)
{
	two(first, second);
	CHECK(setns(*first, 0) == 0);
	CHECK(add_veth("one", *second) == 0);
	CHECK(set_up("one", "10.9.0.1", 24) == 0);
	CHECK(if_nametoindex("peer") == 0);
	CHECK(setns(*second, 0) == 0);
	CHECK(set_up("peer", "10.9.0.2", 24) == 0);
}

CASE(veth_tcp)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	char buf[8], ip[16];
	int first, second, l, s, c;

	joined(&first, &second);
	l = bound(SOCK_STREAM, "10.9.0.2", 80);
	CHECK(setns(first, 0) == 0);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(join(s, "10.9.0.2", 80) == 0);
	c = accept(l, (void *)&a, &n);
	CHECK(c >= 0 && !strcmp(inet_ntop(AF_INET, &a.sin_addr, ip, sizeof(ip)), "10.9.0.1"));
	CHECK(getsockname(s, (void *)&a, &n) == 0 && !strcmp(inet_ntop(AF_INET, &a.sin_addr, ip, sizeof(ip)), "10.9.0.1"));
	CHECK(write(s, "over", 4) == 4 && read(c, buf, sizeof(buf)) == 4 && !memcmp(buf, "over", 4));
	CHECK(write(c, "back", 4) == 4 && read(s, buf, sizeof(buf)) == 4 && !memcmp(buf, "back", 4));
	CHECK_ERR(join(socket(AF_INET, SOCK_STREAM, 0), "10.9.0.2", 81), ECONNREFUSED);
	CHECK_ERR(join(socket(AF_INET, SOCK_STREAM, 0), "10.8.0.2", 80), ENETUNREACH);
	a = at("10.9.0.2", 80);
	CHECK_ERR(bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof(a)), EADDRNOTAVAIL);
}

CASE(veth_udp)
{
	struct sockaddr_in a = at("10.9.0.2", 53);
	socklen_t n = sizeof(a);
	char buf[8], ip[16];
	int first, second, r, s;

	joined(&first, &second);
	r = bound(SOCK_DGRAM, "0.0.0.0", 53);
	CHECK(setns(first, 0) == 0);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(sendto(s, "ask", 3, 0, (void *)&a, sizeof(a)) == 3);
	CHECK(recvfrom(r, buf, sizeof(buf), 0, (void *)&a, &n) == 3);
	CHECK(!strcmp(inet_ntop(AF_INET, &a.sin_addr, ip, sizeof(ip)), "10.9.0.1"));
	CHECK(sendto(r, "yes", 3, 0, (void *)&a, n) == 3 && recv(s, buf, sizeof(buf), 0) == 3);
}

/* The middle one forwards, or does not. */
CASE(forwarding)
{
	int first, second, third, l, fd;

	joined(&first, &second);
	CHECK(unshare(CLONE_NEWNET) == 0);
	third = open("/proc/self/ns/net", O_RDONLY);
	CHECK(add_veth("two", second) == EEXIST); /* "peer" is taken there */
	CHECK(setns(second, 0) == 0 && add_veth("mid", third) == 0);
	CHECK(set_up("mid", "10.8.0.1", 24) == 0);
	CHECK(setns(third, 0) == 0 && set_up("peer", "10.8.0.2", 24) == 0);
	CHECK(add_route("10.9.0.0", 24, "10.8.0.1") == 0);
	CHECK(add_route("10.9.0.0", 24, "10.8.0.1") == EEXIST);
	CHECK(add_route("10.7.0.0", 24, "10.6.0.1") == ENETUNREACH);
	l = bound(SOCK_STREAM, "10.8.0.2", 80);
	CHECK(setns(second, 0) == 0);
	fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
	CHECK(fd >= 0 && write(fd, "1", 1) == 1);
	CHECK(setns(first, 0) == 0 && add_route("10.8.0.0", 24, "10.9.0.2") == 0);
	CHECK(join(socket(AF_INET, SOCK_STREAM, 0), "10.8.0.2", 80) == 0);
	CHECK(accept(l, NULL, NULL) >= 0);
}

/* An interface goes to another namespace, and goes with the last user of it. */
CASE(move_and_end)
{
	struct ifinfomsg i = { 0 };
	struct request q;
	int first, second;

	two(&first, &second);
	CHECK(add_veth("here", -1) == 0);
	CHECK(add_veth("here", -1) == EEXIST);
	CHECK(if_nametoindex("peer") == 2 && if_nametoindex("here") == 3); /* the other end is made first */
	i.ifi_index = (int)if_nametoindex("peer");
	begin(&q, RTM_NEWLINK, 0, &i, sizeof(i));
	put(&q, IFLA_NET_NS_FD, &first, sizeof(first));
	CHECK(ask(&q) == 0 && if_nametoindex("peer") == 0);
	CHECK(setns(first, 0) == 0 && if_nametoindex("peer") != 0);
	i.ifi_index = (int)if_nametoindex("lo");
	begin(&q, RTM_NEWLINK, 0, &i, sizeof(i));
	put(&q, IFLA_NET_NS_FD, &second, sizeof(second));
	CHECK(ask(&q) == EINVAL);
	begin(&q, RTM_DELLINK, 0, &i, sizeof(i));
	CHECK(ask(&q) == EOPNOTSUPP);
	CHECK(close(second) == 0); /* the last user of the other end's namespace */
	for (int tries = 0; tries < 2000 && if_nametoindex("peer"); tries++)
		usleep(10000);
	CHECK(if_nametoindex("peer") == 0);
}

CASE(news)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	static _Alignas(8) char buf[8192];
	int s, seen = 0;

	CHECK(unshare(FRESH) == 0);
	s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	CHECK(bind(s, (void *)&nl, sizeof(nl)) == 0);
	CHECK_ERR(recv(s, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	lo_flags(1);
	while (!seen) {
		struct nlmsghdr *h = (void *)buf;
		struct ifinfomsg *i = NLMSG_DATA(h);

		CHECK(recv(s, buf, sizeof(buf), 0) > 0);
		seen = h->nlmsg_type == RTM_NEWLINK && i->ifi_index == 1 && i->ifi_flags & IFF_UP;
	}
}

static void say(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

CASE(changes_need_the_owner)
{
	char c, uid[32], gid[32];
	int first, p[2];

	CHECK(pipe(p) == 0);
	snprintf(uid, sizeof(uid), "0 %d 1", geteuid());
	snprintf(gid, sizeof(gid), "0 %d 1", getegid());
	CHECK(unshare(FRESH) == 0);
	say("/proc/self/setgroups", "deny");
	say("/proc/self/uid_map", uid);
	say("/proc/self/gid_map", gid);
	first = open("/proc/self/ns/net", O_RDONLY);
	if (!fork()) {
		CHECK(unshare(CLONE_NEWUSER) == 0); /* a network namespace of the outer one's */
		CHECK(add_veth("no", -1) == EPERM);
		CHECK_ERR(setns(first, 0), EPERM);
		CHECK(write(p[1], "x", 1) == 1);
		_exit(0);
	}
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1);
}

int main(void)
{
	return run_cases();
}
