/*
 * hostcall.h - host calls in the form that the confined components' policies permit.  The C
 * library makes fstat(2) a newfstatat, which could name files.
 */
#ifndef REDOUBT_LIBIPC_HOSTCALL_H
#define REDOUBT_LIBIPC_HOSTCALL_H

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int host_fstat(int fd, struct stat *st) { return (int)syscall(SYS_fstat, fd, st); }

#endif
