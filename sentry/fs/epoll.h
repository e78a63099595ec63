/*
 * epoll.h - event sets (epoll(7)).  An item is (file, descriptor number); it does
 * not keep the file open and goes when the file does.
 */
#ifndef SENTRY_FS_EPOLL_H
#define SENTRY_FS_EPOLL_H

#include "abi/epoll.h"

#include <stdint.h>

struct cred;
struct file;
struct vfs;

int epoll_create_file(struct vfs *v, const struct cred *c, struct file **out);

/* epoll_ctl(2); ev unused for DEL. -EINVAL (not an epoll file, itself), -EEXIST,
 * -ENOENT, -EPERM (never pollable), -ELOOP, -ENOMEM. */
int epoll_control(struct file *epf, int op, int fd, struct file *target, const struct linux_epoll_event *ev);

/* Waits until deadline (ns, monotonic; WAIT_FOREVER; 0: do not wait) and hands
 * events to `put`, at most max; put returns non-zero when it cannot take one
 * (it is not lost). Count, 0 at the deadline, -EINTR, -EINVAL, or put's error when it took none. */
int epoll_wait_events(struct file *epf, unsigned max, int64_t deadline, int (*put)(void *arg, unsigned i, const struct linux_epoll_event *ev), void *arg);

#endif
