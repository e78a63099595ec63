/*
 * socket.h - Linux's socket types and numbers on x86_64 (linux/socket.h,
 * asm-generic/socket.h, linux/un.h, linux/in.h, linux/in6.h, linux/tcp.h).
 */
#ifndef SENTRY_ABI_SOCKET_H
#define SENTRY_ABI_SOCKET_H

#include <stdint.h>

#define LINUX_AF_UNSPEC 0
#define LINUX_AF_UNIX 1
#define LINUX_AF_INET 2
#define LINUX_AF_INET6 10
#define LINUX_AF_NETLINK 16
#define LINUX_AF_PACKET 17
#define LINUX_AF_MAX 46

#define LINUX_SOCK_STREAM 1
#define LINUX_SOCK_DGRAM 2
#define LINUX_SOCK_RAW 3
#define LINUX_SOCK_SEQPACKET 5
#define LINUX_SOCK_TYPE_MASK 0xf
#define LINUX_SOCK_NONBLOCK 04000
#define LINUX_SOCK_CLOEXEC 02000000

#define LINUX_MSG_OOB 0x1
#define LINUX_MSG_PEEK 0x2
#define LINUX_MSG_DONTROUTE 0x4
#define LINUX_MSG_CTRUNC 0x8
#define LINUX_MSG_TRUNC 0x20
#define LINUX_MSG_DONTWAIT 0x40
#define LINUX_MSG_EOR 0x80
#define LINUX_MSG_WAITALL 0x100
#define LINUX_MSG_CONFIRM 0x800
#define LINUX_MSG_ERRQUEUE 0x2000
#define LINUX_MSG_NOSIGNAL 0x4000
#define LINUX_MSG_MORE 0x8000
#define LINUX_MSG_WAITFORONE 0x10000
#define LINUX_MSG_FASTOPEN 0x20000000
#define LINUX_MSG_CMSG_CLOEXEC 0x40000000

#define LINUX_SHUT_RD 0
#define LINUX_SHUT_WR 1
#define LINUX_SHUT_RDWR 2

#define LINUX_SOL_SOCKET 1
#define LINUX_SO_DEBUG 1
#define LINUX_SO_REUSEADDR 2
#define LINUX_SO_TYPE 3
#define LINUX_SO_ERROR 4
#define LINUX_SO_DONTROUTE 5
#define LINUX_SO_BROADCAST 6
#define LINUX_SO_SNDBUF 7
#define LINUX_SO_RCVBUF 8
#define LINUX_SO_KEEPALIVE 9
#define LINUX_SO_OOBINLINE 10
#define LINUX_SO_PRIORITY 12
#define LINUX_SO_LINGER 13
#define LINUX_SO_NO_CHECK 11
#define LINUX_SO_BSDCOMPAT 14
#define LINUX_SO_REUSEPORT 15
#define LINUX_SO_PASSCRED 16
#define LINUX_SO_PEERCRED 17
#define LINUX_SO_RCVLOWAT 18
#define LINUX_SO_SNDLOWAT 19
#define LINUX_SO_RCVTIMEO 20
#define LINUX_SO_SNDTIMEO 21
#define LINUX_SO_BINDTODEVICE 25
#define LINUX_SO_ATTACH_FILTER 26
#define LINUX_SO_DETACH_FILTER 27
#define LINUX_SO_PEERNAME 28
#define LINUX_SO_TIMESTAMP 29
#define LINUX_SO_ACCEPTCONN 30
#define LINUX_SO_PEERSEC 31
#define LINUX_SO_SNDBUFFORCE 32
#define LINUX_SO_RCVBUFFORCE 33
#define LINUX_SO_PASSSEC 34
#define LINUX_SO_TIMESTAMPNS 35
#define LINUX_SO_MARK 36
#define LINUX_SO_TIMESTAMPING 37
#define LINUX_SOF_TIMESTAMPING_RX_SOFTWARE 8u
#define LINUX_SOF_TIMESTAMPING_SOFTWARE 16u
/* With those, all of hardware's (TX_, RX_, SYS_, RAW_HARDWARE) and OPT_CMSG. */
#define LINUX_SOF_TIMESTAMPING_KNOWN (8u | 16u | 1u | 4u | 32u | 64u | 1024u)
#define LINUX_SO_PROTOCOL 38
#define LINUX_SO_DOMAIN 39
#define LINUX_SO_RXQ_OVFL 40
#define LINUX_SO_WIFI_STATUS 41
#define LINUX_SO_PEEK_OFF 42
#define LINUX_SO_NOFCS 43
#define LINUX_SO_LOCK_FILTER 44
#define LINUX_SO_SELECT_ERR_QUEUE 45
#define LINUX_SO_BUSY_POLL 46
#define LINUX_SO_MAX_PACING_RATE 47
#define LINUX_SO_BPF_EXTENSIONS 48
#define LINUX_SO_INCOMING_CPU 49
#define LINUX_SO_CNX_ADVICE 53
#define LINUX_SO_MEMINFO 55
#define LINUX_SO_INCOMING_NAPI_ID 56
#define LINUX_SO_COOKIE 57
#define LINUX_SO_PEERGROUPS 59
#define LINUX_SO_BINDTOIFINDEX 62
#define LINUX_SO_RCVTIMEO_NEW 66 /* the same as the old ones where words have 64 bits */
#define LINUX_SO_SNDTIMEO_NEW 67
#define LINUX_SO_NETNS_COOKIE 71

#define LINUX_SCM_RIGHTS 1
#define LINUX_SCM_CREDENTIALS 2
#define LINUX_SCM_MAX_FD 253

#define LINUX_IPPROTO_IP 0
#define LINUX_IPPROTO_ICMP 1
#define LINUX_IPPROTO_TCP 6
#define LINUX_IPPROTO_UDP 17
#define LINUX_IPPROTO_IPV6 41
#define LINUX_IPPROTO_ICMPV6 58
#define LINUX_IPPROTO_RAW 255

#define LINUX_TCP_NODELAY 1
#define LINUX_TCP_MAXSEG 2
#define LINUX_TCP_CORK 3
#define LINUX_TCP_KEEPIDLE 4
#define LINUX_TCP_KEEPINTVL 5
#define LINUX_TCP_KEEPCNT 6
#define LINUX_TCP_SYNCNT 7
#define LINUX_TCP_LINGER2 8
#define LINUX_TCP_DEFER_ACCEPT 9
#define LINUX_TCP_WINDOW_CLAMP 10
#define LINUX_TCP_INFO 11
#define LINUX_TCP_QUICKACK 12
#define LINUX_TCP_CONGESTION 13
#define LINUX_TCP_THIN_LINEAR_TIMEOUTS 16
#define LINUX_TCP_THIN_DUPACK 17
#define LINUX_TCP_USER_TIMEOUT 18
#define LINUX_TCP_FASTOPEN 23
#define LINUX_TCP_NOTSENT_LOWAT 25
#define LINUX_TCP_SAVE_SYN 27
#define LINUX_TCP_FASTOPEN_CONNECT 30

#define LINUX_IP_TOS 1
#define LINUX_IP_TTL 2
#define LINUX_IP_PKTINFO 8
#define LINUX_IP_RECVERR 11 /* and of its control message */
#define LINUX_IP_RECVTTL 12
#define LINUX_IP_RECVTOS 13
#define LINUX_IP_RECVORIGDSTADDR 20 /* and of its control message */

#define LINUX_IPV6_UNICAST_HOPS 16
#define LINUX_IPV6_RECVERR 25
#define LINUX_IPV6_V6ONLY 26
#define LINUX_IPV6_RECVPKTINFO 49
#define LINUX_IPV6_PKTINFO 50
#define LINUX_IPV6_RECVHOPLIMIT 51
#define LINUX_IPV6_HOPLIMIT 52
#define LINUX_IPV6_RECVTCLASS 66
#define LINUX_IPV6_TCLASS 67
#define LINUX_IPV6_RECVORIGDSTADDR 74 /* and of its control message */

#define LINUX_SIOCATMARK 0x8905
#define LINUX_SIOCOUTQ 0x5411
#define LINUX_SIOCINQ 0x541b /* FIONREAD */

#define LINUX_SOMAXCONN 4096

struct linux_sockaddr_un {
	uint16_t family;
	char path[108];
};

struct linux_sockaddr_in {
	uint16_t family, port; /* port, addr: network order */
	uint32_t addr;
	uint8_t zero[8];
};

struct linux_sockaddr_in6 {
	uint16_t family, port;
	uint32_t flowinfo;
	uint8_t addr[16];
	uint32_t scope_id;
};

struct linux_msghdr {
	uint64_t name;
	int32_t namelen, pad0;
	uint64_t iov, iovlen;
	uint64_t control, controllen;
	int32_t flags, pad1;
};
_Static_assert(sizeof(struct linux_msghdr) == 56, "msghdr");

struct linux_mmsghdr {
	struct linux_msghdr hdr;
	uint32_t len, pad;
};
_Static_assert(sizeof(struct linux_mmsghdr) == 64, "mmsghdr");

struct linux_cmsghdr {
	uint64_t len;
	int32_t level, type;
};
#define LINUX_CMSG_ALIGN(n) (((n) + 7) & ~UINT64_C(7))

struct linux_in_pktinfo {
	int32_t ifindex;
	uint32_t spec_dst, addr; /* network order */
};

struct linux_in6_pktinfo {
	uint8_t addr[16];
	int32_t ifindex;
};

struct linux_sock_extended_err { /* then the address of who says so */
	uint32_t error;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};
#define LINUX_SO_EE_ORIGIN_ICMP 2
#define LINUX_SO_EE_ORIGIN_ICMP6 3

struct linux_ucred {
	int32_t pid;
	uint32_t uid, gid;
};

struct linux_linger {
	int32_t onoff, linger;
};

#endif
