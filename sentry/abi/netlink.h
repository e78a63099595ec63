/*
 * netlink.h - netlink and rtnetlink (linux/netlink.h, rtnetlink.h, if_link.h,
 * if_addr.h), and the interface requests of ioctl(2) (linux/if.h, sockios.h).
 */
#ifndef SENTRY_ABI_NETLINK_H
#define SENTRY_ABI_NETLINK_H

#include <stdint.h>

#define LINUX_IFNAMSIZ 16

#define LINUX_NETLINK_ROUTE 0
#define LINUX_NETLINK_KOBJECT_UEVENT 15
#define LINUX_SOL_NETLINK 270
#define LINUX_NETLINK_ADD_MEMBERSHIP 1
#define LINUX_NETLINK_DROP_MEMBERSHIP 2
#define LINUX_NETLINK_PKTINFO 3
#define LINUX_NETLINK_EXT_ACK 11
#define LINUX_NETLINK_GET_STRICT_CHK 12

struct linux_sockaddr_nl {
	uint16_t family, pad;
	uint32_t pid, groups;
};

struct linux_nlmsghdr {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};
#define LINUX_NLM_F_REQUEST 1
#define LINUX_NLM_F_MULTI 2
#define LINUX_NLM_F_ACK 4
#define LINUX_NLM_F_CAPPED 0x100
#define LINUX_NLM_F_DUMP 0x300
#define LINUX_NLM_F_REPLACE 0x100 /* of requests that make something */
#define LINUX_NLM_F_EXCL 0x200
#define LINUX_NLM_F_CREATE 0x400
#define LINUX_NLMSG_ERROR 2
#define LINUX_NLMSG_DONE 3
#define LINUX_NLMSG_MIN_TYPE 16
#define LINUX_NLMSG_ALIGN(n) (((n) + 3) & ~3u)

#define LINUX_RTM_BASE 16
#define LINUX_RTM_NEWLINK 16
#define LINUX_RTM_DELLINK 17
#define LINUX_RTM_GETLINK 18
#define LINUX_RTM_SETLINK 19
#define LINUX_RTM_NEWADDR 20
#define LINUX_RTM_DELADDR 21
#define LINUX_RTM_GETADDR 22
#define LINUX_RTM_NEWROUTE 24
#define LINUX_RTM_DELROUTE 25
#define LINUX_RTM_GETROUTE 26
#define LINUX_RTM_GETNEIGH 30
#define LINUX_RTM_NEWRULE 32
#define LINUX_RTM_GETRULE 34
struct linux_fib_rule_hdr {
	uint8_t family, dst_len, src_len, tos, table, res1, res2, action;
	uint32_t flags;
};
#define LINUX_FRA_PRIORITY 6
#define LINUX_FRA_SUPPRESS_PREFIXLEN 14
#define LINUX_FRA_TABLE 15
#define LINUX_FRA_PROTOCOL 21
#define LINUX_FR_ACT_TO_TBL 1
#define LINUX_RTM_NEWNSID 88
#define LINUX_RTM_GETNSID 90
#define LINUX_NETNSA_NSID 1
#define LINUX_RTM_MAX 123

/* multicast groups */
#define LINUX_RTNLGRP_LINK 1
#define LINUX_RTNLGRP_IPV4_IFADDR 5
#define LINUX_RTNLGRP_IPV4_ROUTE 7
#define LINUX_RTNLGRP_IPV6_IFADDR 9
#define LINUX_RTNLGRP_IPV6_ROUTE 11

struct linux_rtattr {
	uint16_t len, type;
};

struct linux_ifinfomsg {
	uint8_t family, pad;
	uint16_t type;
	int32_t index;
	uint32_t flags, change;
};
#define LINUX_IFLA_ADDRESS 1
#define LINUX_IFLA_BROADCAST 2
#define LINUX_IFLA_IFNAME 3
#define LINUX_IFLA_MTU 4
#define LINUX_IFLA_LINK 5
#define LINUX_IFLA_QDISC 6
#define LINUX_IFLA_STATS 7
#define LINUX_IFLA_MASTER 10
#define LINUX_IFLA_TXQLEN 13
#define LINUX_IFLA_OPERSTATE 16
#define LINUX_IFLA_LINKMODE 17
#define LINUX_IFLA_LINKINFO 18
#define LINUX_IFLA_NET_NS_PID 19
#define LINUX_IFLA_STATS64 23
#define LINUX_IFLA_GROUP 27
#define LINUX_IFLA_NET_NS_FD 28
#define LINUX_IFLA_PROMISCUITY 30
#define LINUX_IFLA_NUM_TX_QUEUES 31
#define LINUX_IFLA_NUM_RX_QUEUES 32
#define LINUX_IFLA_CARRIER 33
#define LINUX_IFLA_LINK_NETNSID 37
#define LINUX_IFLA_NEW_IFINDEX 49
#define LINUX_IFLA_INFO_KIND 1 /* within LINKINFO */
#define LINUX_IFLA_INFO_DATA 2
#define LINUX_VETH_INFO_PEER 1 /* within a veth's INFO_DATA */

struct linux_ifaddrmsg {
	uint8_t family, prefixlen, flags, scope;
	uint32_t index;
};
#define LINUX_IFA_ADDRESS 1
#define LINUX_IFA_LOCAL 2
#define LINUX_IFA_LABEL 3
#define LINUX_IFA_BROADCAST 4
#define LINUX_IFA_CACHEINFO 6
#define LINUX_IFA_FLAGS 8
#define LINUX_IFA_F_PERMANENT 0x80
#define LINUX_IFA_F_SECONDARY 1
#define LINUX_RT_SCOPE_UNIVERSE 0
#define LINUX_RT_SCOPE_LINK 253
#define LINUX_RT_SCOPE_HOST 254
#define LINUX_RT_SCOPE_NOWHERE 255

struct linux_rtmsg {
	uint8_t family, dst_len, src_len, tos, table, protocol, scope, type;
	uint32_t flags;
};
#define LINUX_RTA_DST 1
#define LINUX_RTA_OIF 4
#define LINUX_RTA_GATEWAY 5
#define LINUX_RTA_PRIORITY 6
#define LINUX_RTA_PREFSRC 7
#define LINUX_RTA_MULTIPATH 9
#define LINUX_RTA_CACHEINFO 12
#define LINUX_RTA_TABLE 15
#define LINUX_RTA_UID 25
#define LINUX_RT_TABLE_DEFAULT 253
#define LINUX_RT_TABLE_MAIN 254
#define LINUX_RT_TABLE_LOCAL 255
#define LINUX_RTNH_F_LINKDOWN 16
#define LINUX_RTM_F_CLONED 0x200u
#define LINUX_RTCF_LOCAL 0x80000000u
#define LINUX_RTPROT_KERNEL 2
#define LINUX_RTN_UNICAST 1
#define LINUX_RTN_LOCAL 2
#define LINUX_RTN_BLACKHOLE 6
#define LINUX_RTN_UNREACHABLE 7
#define LINUX_RTN_PROHIBIT 8

#define LINUX_ARPHRD_ETHER 1
#define LINUX_ARPHRD_LOOPBACK 772
#define LINUX_IFF_UP 0x1u
#define LINUX_IFF_BROADCAST 0x2u
#define LINUX_IFF_LOOPBACK 0x8u
#define LINUX_IFF_RUNNING 0x40u
#define LINUX_IFF_NOARP 0x80u
#define LINUX_IFF_PROMISC 0x100u
#define LINUX_IFF_ALLMULTI 0x200u
#define LINUX_IFF_MULTICAST 0x1000u
#define LINUX_IFF_LOWER_UP 0x10000u
#define LINUX_IF_OPER_UNKNOWN 0
#define LINUX_IF_OPER_DOWN 2
#define LINUX_IF_OPER_LOWERLAYERDOWN 3
#define LINUX_IF_OPER_UP 6

#define LINUX_SIOCGIFNAME 0x8910
#define LINUX_SIOCGIFCONF 0x8912
#define LINUX_SIOCGIFFLAGS 0x8913
#define LINUX_SIOCSIFFLAGS 0x8914
#define LINUX_SIOCGIFADDR 0x8915
#define LINUX_SIOCSIFADDR 0x8916
#define LINUX_SIOCGIFDSTADDR 0x8917
#define LINUX_SIOCGIFBRDADDR 0x8919
#define LINUX_SIOCSIFBRDADDR 0x891a
#define LINUX_SIOCGIFNETMASK 0x891b
#define LINUX_SIOCSIFNETMASK 0x891c
#define LINUX_SIOCGIFMETRIC 0x891d
#define LINUX_SIOCGIFMTU 0x8921
#define LINUX_SIOCSIFMTU 0x8922
#define LINUX_SIOCSIFNAME 0x8923
#define LINUX_SIOCGIFHWADDR 0x8927
#define LINUX_SIOCGIFINDEX 0x8933
#define LINUX_SIOCGIFTXQLEN 0x8942
#define LINUX_SIOCSIFTXQLEN 0x8943
#define LINUX_SIOCETHTOOL 0x8946
#define LINUX_SIOCGIFMAP 0x8970

struct linux_ifreq {
	char name[16];
	union {
		struct {
			uint16_t family, port;
			uint32_t addr;
			uint8_t zero[8];
		} in;
		int16_t flags;
		int32_t value;
		uint8_t bytes[24];
	};
};
_Static_assert(sizeof(struct linux_ifreq) == 40, "ifreq");

struct linux_ifconf {
	int32_t len, pad;
	uint64_t buf;
};

#endif
