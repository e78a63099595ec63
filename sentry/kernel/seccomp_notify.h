/*
 * seccomp_notify.h - listeners: a filter's SECCOMP_RET_USER_NOTIF asks another process, which has a descriptor for that
 * (seccomp_unotify(2)), what is to become of the call.
 */
#ifndef SENTRY_KERNEL_SECCOMP_NOTIFY_H
#define SENTRY_KERNEL_SECCOMP_NOTIFY_H

#include "abi/seccomp.h"

#include <stdbool.h>
#include <stdint.h>

struct file;
struct listener;
struct task;

/* Referenced by its filter and its file.  killable: once a notification was received, its task waits for the answer unless
 * it is to end. NULL: no memory. */
struct listener *listener_new(struct task *t, bool killable, struct file **out);
void listener_put(struct listener *l); /* NULL is fine */
void listener_orphan(struct listener *l); /* its filter has gone: nobody will ask again */

/* Own thread, no locks held: asks, and waits for the answer.  True: the call is to be made; else *ret is its result. */
bool listener_ask(struct listener *l, struct task *t, const struct linux_seccomp_data *d, int64_t *ret);

#endif
