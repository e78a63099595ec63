/*
 * lo.h - the one network interface there is, and who tells of it: rtnetlink.c
 * (requests on NETLINK_ROUTE sockets), ifreq.c (ioctl).
 */
#ifndef SENTRY_NET_LO_H
#define SENTRY_NET_LO_H

#include "abi/netlink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LO_NAME "lo"
#define LO_INDEX 1
#define LO_MTU 65536u
#define LO_TXQLEN 1000u
#define LO_FLAGS (LINUX_IFF_UP | LINUX_IFF_LOOPBACK | LINUX_IFF_RUNNING)

struct mm;

/* SIOCGIF* of any socket. -ENOTTY: not one of them; -ENODEV: no such interface; -EFAULT. */
int lo_ioctl(struct mm *mm, unsigned cmd, uint64_t arg);

/* Messages being made, one after the other. */
struct nlbuf {
	uint8_t *p;
	size_t len, cap;
	bool failed; /* no memory */
	uint32_t seq, pid; /* of the request and of the socket that made it */
	uint16_t flags; /* of each message */
	size_t start; /* of the message under way */
};
void nl_begin(struct nlbuf *b, uint16_t type, const void *fixed, size_t n);
void nl_end(struct nlbuf *b);

/* Answers one request: h->len bytes at h, checked against the buffer. What is to be sent goes to *b; 0 or the
 * error to tell. privileged: may configure the network. */
int rtnetlink_request(const struct linux_nlmsghdr *h, bool privileged, struct nlbuf *b);

#endif
