/*
 * seccomp_util.h - prctl's options that syscalls/seccomp.c has.
 */
#ifndef SENTRY_SYSCALLS_SECCOMP_UTIL_H
#define SENTRY_SYSCALLS_SECCOMP_UTIL_H

#include <stdint.h>

struct task;
int64_t prctl_set_seccomp(struct task *t, const uint64_t a[6]);
int64_t prctl_get_seccomp(struct task *t, const uint64_t a[6]);

#endif
