/*
 * net.h - the kernel's network stack.
 */
#ifndef SENTRY_NET_NET_H
#define SENTRY_NET_NET_H

struct kernel;

int net_init(struct kernel *k); /* makes k->net (kernel/net_init.c: the layer that knows struct kernel). 0 or -ENOMEM */

#endif
