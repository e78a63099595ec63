/*
 * sock_diag.h - NETLINK_SOCK_DIAG, the questions of ss(8) about sockets
 * (linux/sock_diag.h, inet_diag.h, unix_diag.h).
 */
#ifndef SENTRY_ABI_SOCK_DIAG_H
#define SENTRY_ABI_SOCK_DIAG_H

#include <stdint.h>

#define LINUX_NETLINK_SOCK_DIAG 4
#define LINUX_SOCK_DIAG_BY_FAMILY 20

struct linux_inet_diag_sockid {
	uint16_t sport, dport; /* network order, as the addresses */
	uint32_t src[4], dst[4];
	uint32_t interface;
	uint32_t cookie[2];
};
#define LINUX_INET_DIAG_NOCOOKIE UINT32_MAX

struct linux_inet_diag_req {
	uint8_t family, protocol, ext, pad;
	uint32_t states; /* bit n: those in state n */
	struct linux_inet_diag_sockid id;
};
#define LINUX_INET_DIAG_REQ_BYTECODE 1
#define LINUX_INET_DIAG_REQ_PROTOCOL 3

struct linux_inet_diag_msg {
	uint8_t family, state, timer, retrans;
	struct linux_inet_diag_sockid id;
	uint32_t expires, rqueue, wqueue, uid, inode;
};
_Static_assert(sizeof(struct linux_inet_diag_msg) == 72, "inet_diag_msg");
#define LINUX_INET_DIAG_MEMINFO 1 /* ext: bit n - 1 */
#define LINUX_INET_DIAG_CONG 4
#define LINUX_INET_DIAG_TOS 5
#define LINUX_INET_DIAG_TCLASS 6
#define LINUX_INET_DIAG_SKMEMINFO 7
#define LINUX_INET_DIAG_SHUTDOWN 8
#define LINUX_INET_DIAG_SKV6ONLY 11

struct linux_inet_diag_op { /* code: if it holds on by `yes` bytes, else by `no` */
	uint8_t code, yes;
	uint16_t no;
};
#define LINUX_INET_DIAG_BC_NOP 0
#define LINUX_INET_DIAG_BC_JMP 1
#define LINUX_INET_DIAG_BC_S_GE 2 /* the port is the next op's `no` */
#define LINUX_INET_DIAG_BC_S_LE 3
#define LINUX_INET_DIAG_BC_D_GE 4
#define LINUX_INET_DIAG_BC_D_LE 5
#define LINUX_INET_DIAG_BC_AUTO 6
#define LINUX_INET_DIAG_BC_S_COND 7 /* a host condition follows */
#define LINUX_INET_DIAG_BC_D_COND 8
#define LINUX_INET_DIAG_BC_DEV_COND 9 /* an interface's index follows */
#define LINUX_INET_DIAG_BC_S_EQ 11
#define LINUX_INET_DIAG_BC_D_EQ 12

struct linux_inet_diag_hostcond { /* then as many bytes of address as the prefix needs */
	uint8_t family, prefix_len;
	uint16_t pad;
	int32_t port; /* -1: any */
};

struct linux_unix_diag_req {
	uint8_t family, protocol;
	uint16_t pad;
	uint32_t states, ino, show;
	uint32_t cookie[2];
};
#define LINUX_UDIAG_SHOW_NAME 1u
#define LINUX_UDIAG_SHOW_VFS 2u
#define LINUX_UDIAG_SHOW_PEER 4u
#define LINUX_UDIAG_SHOW_RQLEN 16u
#define LINUX_UDIAG_SHOW_MEMINFO 32u
#define LINUX_UDIAG_SHOW_UID 64u

struct linux_unix_diag_msg {
	uint8_t family, type, state, pad;
	uint32_t ino;
	uint32_t cookie[2];
};
#define LINUX_UNIX_DIAG_NAME 0
#define LINUX_UNIX_DIAG_VFS 1
#define LINUX_UNIX_DIAG_PEER 2
#define LINUX_UNIX_DIAG_RQLEN 4
#define LINUX_UNIX_DIAG_MEMINFO 5
#define LINUX_UNIX_DIAG_SHUTDOWN 6
#define LINUX_UNIX_DIAG_UID 7

/* states, of all families */
#define LINUX_TCP_ESTABLISHED 1
#define LINUX_TCP_SYN_SENT 2
#define LINUX_TCP_FIN_WAIT2 5
#define LINUX_TCP_CLOSE 7
#define LINUX_TCP_CLOSE_WAIT 8
#define LINUX_TCP_LISTEN 10

/* SK_MEMINFO_*, and of SO_MEMINFO */
enum { LINUX_SK_RMEM, LINUX_SK_RCVBUF, LINUX_SK_WMEM, LINUX_SK_SNDBUF, LINUX_SK_FWD, LINUX_SK_WQUEUED, LINUX_SK_OPTMEM, LINUX_SK_BACKLOG, LINUX_SK_DROPS,
	LINUX_SK_WORDS };

#endif
