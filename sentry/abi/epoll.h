/*
 * epoll.h - Linux's epoll types (linux/eventpoll.h).
 */
#ifndef SENTRY_ABI_EPOLL_H
#define SENTRY_ABI_EPOLL_H

#include <stdint.h>

struct linux_epoll_event { /* packed on x86_64 */
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

#define LINUX_EPOLL_CTL_ADD 1
#define LINUX_EPOLL_CTL_DEL 2
#define LINUX_EPOLL_CTL_MOD 3

#define LINUX_EPOLLEXCLUSIVE (1u << 28)
#define LINUX_EPOLLWAKEUP (1u << 29)
#define LINUX_EPOLLONESHOT (1u << 30)
#define LINUX_EPOLLET (1u << 31)

#endif
