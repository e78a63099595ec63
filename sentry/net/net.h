/*
 * net.h - the kernel's network stack.
 */
#ifndef SENTRY_NET_NET_H
#define SENTRY_NET_NET_H

struct kernel;
struct linux_ucred;
struct sock_id;

int net_init(struct kernel *k); /* makes k->net (kernel/net_init.c: the layer that knows struct kernel). 0 or -ENOMEM */

/* What the running task sees of an id: the number of a process of another pid namespace as long as that lives (0: it
 * has none here), user and group as its own user namespace has them. kernel/net_init.c */
void sock_id_show(const struct sock_id *id, struct linux_ucred *out);

#endif
