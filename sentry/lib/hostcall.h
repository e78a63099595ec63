/*
 * hostcall.h - host calls in the form that the sentry's policy permits.  The C
 * library makes fstat(2) a newfstatat, which could name files.
 */
#ifndef SENTRY_LIB_HOSTCALL_H
#define SENTRY_LIB_HOSTCALL_H

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int host_fstat(int fd, struct stat *st) { return (int)syscall(SYS_fstat, fd, st); }

#endif
