/*
 * stat.h - a file's attributes as programs are told them.
 */
#ifndef SENTRY_SYSCALLS_STAT_H
#define SENTRY_SYSCALLS_STAT_H

#include "abi/fs.h"
#include "vfs/vfs.h"

void stat_fill(struct linux_stat *s, const struct kstat *k, const struct user_ns *ns);

#endif
