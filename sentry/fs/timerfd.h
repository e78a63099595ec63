/*
 * timerfd.h - timers as files (timerfd_create(2)).  Above the kernel layer: uses
 * its timer queue.
 */
#ifndef SENTRY_FS_TIMERFD_H
#define SENTRY_FS_TIMERFD_H

#include "abi/time.h"

#include <stdint.h>

struct cred;
struct file;
struct kernel;

#define LINUX_TFD_TIMER_ABSTIME 1
#define LINUX_TFD_TIMER_CANCEL_ON_SET 2

/* clock: LINUX_CLOCK_REALTIME, MONOTONIC, BOOTTIME or their _ALARM forms. flags: O_NONBLOCK. */
int timerfd_create_file(struct kernel *k, int clock, int flags, const struct cred *c, struct file **out);
/* Times in ns. -EINVAL: not a timerfd. */
int timerfd_set(struct file *f, int flags, int64_t value, int64_t interval, int64_t *old_value, int64_t *old_interval);
int timerfd_get(struct file *f, int64_t *value, int64_t *interval);

#endif
