/* NETLINK_ROUTE and the interface requests of ioctl, as far as every machine has them: the loopback. */
#include "../test.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int route_socket(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(s >= 0 && bind(s, (void *)&a, sizeof(a)) == 0);
	return s;
}

CASE(netlink_getifaddrs)
{
	struct ifaddrs *l, *i;
	int v4 = 0, link = 0;

	CHECK(getifaddrs(&l) == 0);
	for (i = l; i; i = i->ifa_next) {
		if (strcmp(i->ifa_name, "lo") || !i->ifa_addr)
			continue;
		CHECK(i->ifa_flags & IFF_LOOPBACK);
		if (i->ifa_addr->sa_family == AF_INET)
			v4 = ((struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
			     ((struct sockaddr_in *)i->ifa_netmask)->sin_addr.s_addr == htonl(0xff000000);
		link |= i->ifa_addr->sa_family == AF_PACKET;
	}
	freeifaddrs(l);
	CHECK(v4 && link);
	CHECK(if_nametoindex("lo") == 1);
	CHECK(if_nametoindex("nonesuch0") == 0 && errno == ENODEV);
}

CASE(netlink_dump_links)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 77 } };
	int s = route_socket(), done = 0, lo = 0;
	struct sockaddr_nl own, from;
	socklen_t n = sizeof(own);

	CHECK(getsockname(s, (void *)&own, &n) == 0 && n == sizeof(own) && own.nl_pid != 0);
	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	while (!done) {
		static _Alignas(8) char buf[65536];
		struct nlmsghdr *h = (void *)buf;
		socklen_t fn = sizeof(from);
		ssize_t len = recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &fn);

		CHECK(len > 0 && from.nl_pid == 0 && from.nl_family == AF_NETLINK);
		for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
			CHECK(h->nlmsg_seq == 77 && h->nlmsg_pid == own.nl_pid && h->nlmsg_flags & NLM_F_MULTI);
			if (h->nlmsg_type == NLMSG_DONE) {
				done = 1;
				break;
			}
			CHECK(h->nlmsg_type == RTM_NEWLINK);
			lo |= ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index == 1;
		}
	}
	CHECK(lo);
	CHECK_ERR(recv(s, &q, sizeof(q), MSG_DONTWAIT), EAGAIN);
}

/* The way to an address: the attributes in Linux's order, as nmap looks no further than 4 bytes from the end. */
CASE(netlink_way)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
		struct nlattr a;
		uint32_t to;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST },
		.m = { .rtm_family = AF_INET, .rtm_dst_len = 32 }, .a = { 8, RTA_DST }, .to = htonl(INADDR_LOOPBACK) };
	static const int order[] = { RTA_TABLE, RTA_DST, RTA_OIF, RTA_PREFSRC, RTA_UID, RTA_CACHEINFO };
	static _Alignas(8) char buf[4096];
	struct nlmsghdr *h = (void *)buf;
	int s = route_socket(), n;
	struct rtattr *a;
	unsigned i = 0;

	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	n = (int)recv(s, buf, sizeof(buf), 0);
	CHECK(n > 0 && h->nlmsg_type == RTM_NEWROUTE);
	n = (int)RTM_PAYLOAD(h);
	for (a = RTM_RTA(NLMSG_DATA(h)); RTA_OK(a, n); a = RTA_NEXT(a, n), i++)
		CHECK(i < sizeof(order) / sizeof(*order) && a->rta_type == order[i]);
	CHECK(i == sizeof(order) / sizeof(*order));
}

/* Which tables are asked: local, main and default, first of all the first. */
CASE(netlink_rules)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETRULE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP }, .m.rtm_family = AF_INET };
	static _Alignas(8) char buf[8192];
	int s = route_socket(), seen = 0, done = 0;

	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	while (!done) {
		struct nlmsghdr *h = (void *)buf;
		int n = (int)recv(s, buf, sizeof(buf), 0);

		CHECK(n > 0);
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct fib_rule_hdr *r = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE) {
				done = 1;
				break;
			}
			CHECK(h->nlmsg_type == RTM_NEWRULE && r->family == AF_INET && (seen || r->table == RT_TABLE_LOCAL));
			seen |= r->action != FR_ACT_TO_TBL || r->table < RT_TABLE_DEFAULT ? 0 : 1 << (r->table - RT_TABLE_DEFAULT);
		}
	}
	CHECK(seen == 7);
	q.m.rtm_family = AF_UNIX;
	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q) && recv(s, buf, sizeof(buf), 0) > 0);
	CHECK(((struct nlmsghdr *)buf)->nlmsg_type == NLMSG_ERROR || ((struct nlmsghdr *)buf)->nlmsg_type == NLMSG_DONE);
}

CASE(netlink_errors)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 5 }, .i.ifi_index = 7777 };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} a;
	int s = route_socket();

	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(s, &a, sizeof(a), 0) >= (ssize_t)(sizeof(a.h) + sizeof(a.e)));
	CHECK(a.h.nlmsg_type == NLMSG_ERROR && a.e.error == -ENODEV && a.e.msg.nlmsg_seq == 5 && a.h.nlmsg_seq == 5);
	q.i.ifi_index = 1;
	q.h.nlmsg_flags |= NLM_F_ACK;
	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(s, &a, sizeof(a), MSG_TRUNC) > 0 && a.h.nlmsg_type == RTM_NEWLINK);
	CHECK(recv(s, &a, sizeof(a), 0) > 0 && a.h.nlmsg_type == NLMSG_ERROR && a.e.error == 0);
	CHECK_ERR(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
	CHECK_ERR(send(s, &q, sizeof(q), MSG_OOB), EOPNOTSUPP);
}

CASE(netlink_change_refused)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} q = { .h = { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_DELLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK }, .i.ifi_index = 7777 };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} a;
	int s;

	if (geteuid() == 0)
		CHECK(setuid(4242) == 0);
	s = route_socket();
	CHECK(send(s, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(s, &a, sizeof(a), 0) > 0 && a.h.nlmsg_type == NLMSG_ERROR && a.e.error == -EPERM);
}

CASE(interface_requests)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = { .ifr_name = "lo" }, all[64];
	struct ifconf c = { .ifc_len = sizeof(all), .ifc_req = all };
	int found = 0;

	CHECK(ioctl(s, SIOCGIFCONF, &c) == 0);
	for (int i = 0; i < (int)(c.ifc_len / sizeof(all[0])); i++)
		found |= !strcmp(all[i].ifr_name, "lo") && ((struct sockaddr_in *)&all[i].ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	CHECK(found);
	CHECK(ioctl(s, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
	CHECK(ioctl(s, SIOCGIFADDR, &r) == 0 && ((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(ioctl(s, SIOCGIFNETMASK, &r) == 0 && ((struct sockaddr_in *)&r.ifr_netmask)->sin_addr.s_addr == htonl(0xff000000));
	CHECK(ioctl(s, SIOCGIFMTU, &r) == 0 && r.ifr_mtu == 65536);
	CHECK(ioctl(s, SIOCGIFHWADDR, &r) == 0 && r.ifr_hwaddr.sa_family == 772);
	CHECK(ioctl(s, SIOCGIFINDEX, &r) == 0 && r.ifr_ifindex == 1);
	memset(r.ifr_name, 0, sizeof(r.ifr_name));
	CHECK(ioctl(s, SIOCGIFNAME, &r) == 0 && !strcmp(r.ifr_name, "lo"));
	strcpy(r.ifr_name, "nonesuch0");
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
	CHECK_ERR(ioctl(s, 0x12345678, &r), ENOTTY);
}

int main(void) { return run_cases(); }
