/*
 * poll.h - Linux's poll and select types (asm-generic/poll.h, posix_types.h).
 */
#ifndef SENTRY_ABI_POLL_H
#define SENTRY_ABI_POLL_H

#include <stdint.h>

struct linux_pollfd {
	int32_t fd;
	int16_t events, revents;
};

#define LINUX_POLLIN 0x0001
#define LINUX_POLLPRI 0x0002
#define LINUX_POLLOUT 0x0004
#define LINUX_POLLERR 0x0008
#define LINUX_POLLHUP 0x0010
#define LINUX_POLLNVAL 0x0020

#define LINUX_FD_SETSIZE 1024

#endif
