/*
 * mqueue.h - POSIX message queues: a file system of queues (mq_overview(7)), one
 * for an IPC namespace, seen at every place where it is mounted and by mq_open(2).
 */
#ifndef SENTRY_FS_MQUEUE_H
#define SENTRY_FS_MQUEUE_H

#include "abi/mqueue.h"
#include "lib/uaddr.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file;
struct kernel;
struct linux_sigevent;
struct socket;
struct task;

int mqueue_register(struct kernel *k); /* "mqueue", and the kernel's hooks */

/* name: without a slash. attr NULL: defaults. A new reference in *out; -errno of mq_open(2). */
int mqueue_open(struct task *t, const char *name, int flags, uint32_t mode, const struct linux_mq_attr *attr, struct file **out);
int mqueue_unlink(struct task *t, const char *name);
bool mqueue_is(const struct file *f);
/* f is a queue, open as needed.  deadline: ns of CLOCK_MONOTONIC or WAIT_FOREVER. */
int mqueue_send(struct task *t, struct file *f, uaddr text, uint64_t len, uint32_t prio, int64_t deadline);
ssize_t mqueue_receive(struct task *t, struct file *f, uaddr text, uint64_t size, uint32_t *prio, int64_t deadline);
/* NULL: no more. For LINUX_SIGEV_THREAD the netlink socket (a reference is taken) and the cookie. -EBUSY */
int mqueue_notify(struct task *t, struct file *f, const struct linux_sigevent *e, struct socket *sock, const uint8_t *cookie);
void mqueue_getattr(struct file *f, struct linux_mq_attr *out);

#endif
