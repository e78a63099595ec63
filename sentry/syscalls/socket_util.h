/*
 * socket_util.h - what the socket calls share.
 */
#ifndef SENTRY_SYSCALLS_SOCKET_UTIL_H
#define SENTRY_SYSCALLS_SOCKET_UTIL_H

#include "kernel/task.h"
#include "net/socket.h"

/* The socket behind fd; *f gets a reference to put. -EBADF, -ENOTSOCK. */
int get_socket(struct task *t, int fd, struct file **f, struct socket **s);
struct sock_caller caller_of(struct task *t);
/* An address from the program: -EINVAL (length), -EFAULT. */
int copy_addr_from_user(struct task *t, uaddr at, int len, struct sockaddr_buf *out);
/* Stores an address, cut to *len at len_at, and its whole length there. */
int copy_addr_to_user(struct task *t, const struct sockaddr_buf *a, uaddr at, uaddr len_at);

/* SO_ATTACH_FILTER, SO_DETACH_FILTER: 0 or -errno; elsewhere than on sockets that only hear of devices -ENOPROTOOPT. socket_filter.c */
int socket_filter(struct task *t, struct socket *s, int opt, const void *value, unsigned len);

#endif
