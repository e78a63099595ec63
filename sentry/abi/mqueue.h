/*
 * mqueue.h - POSIX message queues (linux/mqueue.h, ipc_namespace limits).
 */
#ifndef SENTRY_ABI_MQUEUE_H
#define SENTRY_ABI_MQUEUE_H

#include <stdint.h>

struct linux_mq_attr {
	int64_t flags, maxmsg, msgsize, curmsgs, reserved[4];
};

#define LINUX_MQ_PRIO_MAX 32768u
#define LINUX_MQUEUE_MAGIC 0x19800202

#define LINUX_SIGEV_SIGNAL 0
#define LINUX_SIGEV_NONE 1
#define LINUX_SIGEV_THREAD 2 /* by a netlink socket: signo is its descriptor, value the address of a cookie */
#define LINUX_NOTIFY_COOKIE_LEN 32
#define LINUX_NOTIFY_WOKENUP 1 /* last byte of the cookie when it comes back */
#define LINUX_NOTIFY_REMOVED 2

/* /proc/sys/fs/mqueue */
#define MQ_MSG_DEFAULT 10
#define MQ_MSG_MAX 10
#define MQ_MSG_HARD_MAX 65536
#define MQ_SIZE_DEFAULT 8192
#define MQ_SIZE_MAX 8192
#define MQ_SIZE_HARD_MAX (16 << 20)
#define MQ_QUEUES_MAX 256

#endif
