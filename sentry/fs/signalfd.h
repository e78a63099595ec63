/*
 * signalfd.h - descriptors that signals are read from.
 */
#ifndef SENTRY_FS_SIGNALFD_H
#define SENTRY_FS_SIGNALFD_H

#include "kernel/task.h"

int signalfd_file_new(struct kernel *k, const struct cred *c, uint64_t mask, int flags, struct file **out);
int signalfd_set_mask(struct file *f, uint64_t mask); /* -EINVAL: not a signalfd */

#endif
