/*
 * poll_util.h - what calls that wait for readiness share.
 */
#ifndef SENTRY_SYSCALLS_POLL_UTIL_H
#define SENTRY_SYSCALLS_POLL_UTIL_H

#include "kernel/task.h"

/* ns from now as a deadline: 0 stays 0 (do not wait), negative or too far is WAIT_FOREVER. */
int64_t deadline_after(int64_t ns);
/* The signal mask argument of ppoll, pselect6, epoll_pwait: NULL changes nothing. 0 or -errno. */
int temp_mask_begin(struct task *t, uaddr mask, uint64_t size);
void temp_mask_end(struct task *t, uaddr mask, int64_t result);

/* After a call that did not wait, and found nothing: whether it is to be noted that
 * there is nothing.  If so, of each descriptor: what has come meanwhile. */
bool idle_begin(struct task *t);
uint32_t idle_look(struct task *t, int fd, struct file *f, uint32_t want);

#endif
