/*
 * webs.c - things connected to each other in circles and by very many ways: what looks for one end from
 * the other must not go each of them.
 */
#include "../put.h"
#include "attack.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/utsname.h>

/* --- event sets -------------------------------------------------------------------------- */

#define LEVELS 5 /* as many as there may be */
#define WIDTH 40

static int add(int set, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

CASE(each_set_in_each)
{
	int sets[LEVELS][WIDTH];

	for (int l = 0; l < LEVELS; l++)
		for (int i = 0; i < WIDTH; i++)
			CHECK((sets[l][i] = epoll_create1(0)) >= 0);
	for (int l = 1; l < LEVELS; l++)
		for (int i = 0; i < WIDTH; i++)
			for (int k = 0; k < WIDTH; k++)
				CHECK(add(sets[l][i], sets[l - 1][k], EPOLLIN | EPOLLET) == 0);
	CHECK_ERR(add(sets[0][0], sets[LEVELS - 1][0], EPOLLIN), ELOOP);
	CHECK_ERR(add(epoll_create1(0), sets[LEVELS - 1][0], EPOLLIN), ELOOP);
}

/* Of an event's ways through two sets there may be 500. */
CASE(ways_of_an_event)
{
	int e = eventfd(0, EFD_NONBLOCK), low[25], up[20], last;
	uint64_t n = 1;

	for (int i = 0; i < 25; i++)
		CHECK((low[i] = epoll_create1(0)) >= 0 && add(low[i], e, EPOLLIN | EPOLLET) == 0);
	for (int i = 0; i < 20; i++) {
		CHECK((up[i] = epoll_create1(0)) >= 0);
		for (int k = 0; k < 25; k++)
			CHECK(add(up[i], low[k], EPOLLIN | EPOLLET) == 0);
	}
	CHECK((last = epoll_create1(0)) >= 0);
	CHECK_ERR(add(last, low[0], EPOLLIN | EPOLLET), EINVAL);
	CHECK_ERR(add(last, low[0], EPOLLIN | EPOLLET), EINVAL); /* it was not left there */
	CHECK(epoll_ctl(up[0], EPOLL_CTL_DEL, low[0], NULL) == 0);
	CHECK(add(last, low[0], EPOLLIN | EPOLLET) == 0);
	CHECK(write(e, &n, sizeof(n)) == sizeof(n));
	CHECK(epoll_wait(last, &(struct epoll_event){ 0 }, 1, 0) == 1 && epoll_wait(up[19], &(struct epoll_event){ 0 }, 1, 0) == 1);
}

CASE(ways_of_a_file_that_comes_last)
{
	int e = eventfd(0, EFD_NONBLOCK), low = epoll_create1(0);

	for (int i = 0; i < 501; i++)
		CHECK(add(epoll_create1(0), low, EPOLLIN) == 0);
	CHECK_ERR(add(low, e, EPOLLIN), EINVAL);
	CHECK_ERR(epoll_ctl(low, EPOLL_CTL_DEL, e, NULL), ENOENT);
}

/* --- bridges --------------------------------------------------------------------------------- */

#define LINKS 30 /* between the two */

struct request {
	struct nlmsghdr h;
	char data[512];
};

static struct rtattr *put(struct request *q, int type, const void *v, size_t n)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), v, n);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static void end(struct request *q, struct rtattr *nest) { nest->rta_len = (unsigned short)((char *)q + q->h.nlmsg_len - (char *)nest); }

static void begin(struct request *q, int type, int flags, const void *fixed, size_t n)
{
	memset(q, 0, sizeof(*q));
	q->h = (struct nlmsghdr){ .nlmsg_type = (unsigned short)type, .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags) };
	memcpy(q->data, fixed, n);
	q->h.nlmsg_len = (unsigned)NLMSG_LENGTH(n);
}

static void ask(struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[600];
	} a;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	CHECK(s >= 0 && send(s, q, q->h.nlmsg_len, 0) == (ssize_t)q->h.nlmsg_len);
	CHECK(recv(s, &a, sizeof(a), 0) >= (ssize_t)(sizeof(a.h) + sizeof(a.e)) && a.h.nlmsg_type == NLMSG_ERROR);
	CHECK(a.e.error == 0);
	close(s);
}

static struct ifinfomsg up(int index) { return (struct ifinfomsg){ .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP }; }

static int add_bridge(const char *name)
{
	struct ifinfomsg i = up(0);
	struct rtattr *info;
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put(&q, IFLA_INFO_KIND, "bridge", 7);
	end(&q, info);
	ask(&q);
	return (int)if_nametoindex(name);
}

static void enslave(const char *name, int bridge)
{
	struct ifinfomsg i = up((int)if_nametoindex(name));
	struct request q;

	CHECK(i.ifi_index > 0);
	begin(&q, RTM_NEWLINK, 0, &i, sizeof(i));
	put(&q, IFLA_MASTER, &bridge, sizeof(bridge));
	ask(&q);
}

static void add_pair(const char *name, const char *other)
{
	struct ifinfomsg i = { 0 };
	struct rtattr *info, *data, *peer;
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
	put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put(&q, IFLA_INFO_KIND, "veth", 5);
	data = put(&q, IFLA_INFO_DATA, NULL, 0);
	peer = put(&q, VETH_INFO_PEER, &i, sizeof(i));
	put(&q, IFLA_IFNAME, other, strlen(other) + 1);
	end(&q, peer);
	end(&q, data);
	end(&q, info);
	ask(&q);
}

static void add_address(int index, const char *ip)
{
	struct ifaddrmsg m = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = (unsigned)index };
	struct in_addr a;
	struct request q;

	CHECK(inet_pton(AF_INET, ip, &a) == 1);
	begin(&q, RTM_NEWADDR, NLM_F_CREATE, &m, sizeof(m));
	put(&q, IFA_LOCAL, &a, sizeof(a));
	put(&q, IFA_ADDRESS, &a, sizeof(a));
	ask(&q);
}

/* Linux's own version has the time of day when it was built. */
static int in_a_sandbox(void)
{
	struct utsname u;

	CHECK(uname(&u) == 0);
	return !strchr(u.version, ':');
}

/* Nobody has the address, and that is found out.  (Packets on Linux would go round for ever: no spanning tree
 * is asked for.  So natively one link has to do.) */
CASE(bridges_in_circles)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a090909) };
	const int links = in_a_sandbox() ? LINKS : 1;
	int a, b, s;

	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	a = add_bridge("A");
	b = add_bridge("B");
	for (int i = 0; i < links; i++) {
		char name[16], other[16];

		snprintf(name, sizeof(name), "x%d", i);
		snprintf(other, sizeof(other), "y%d", i);
		add_pair(name, other);
		enslave(name, a);
		enslave(other, b);
	}
	add_address(a, "10.9.9.1");
	CHECK((s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) >= 0);
	sendto(s, "x", 1, 0, (void *)&to, sizeof(to));
	CHECK(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)) == 1 || errno == EHOSTUNREACH);
}

int main(void)
{
	return run_cases();
}
