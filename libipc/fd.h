/*
 * fd.h - descriptor and memory ownership by cleanup attribute.
 */
#ifndef REDOUBT_LIBIPC_FD_H
#define REDOUBT_LIBIPC_FD_H

#include "err.h"

#include <stdlib.h>
#include <unistd.h>

/* Closes *fd if it is open (>= 0) and sets it to -1; errno is kept. */
void fd_close(int *fd);
#define _cleanup_close_ __attribute__((cleanup(fd_close)))

/* Moves a descriptor or pointer out of a variable. */
#define TAKE_FD(fd) __extension__({ int *_p = &(fd), _v = *_p; *_p = -1; _v; })
#define TAKE_PTR(p) __extension__({ __typeof__(p) *_p = &(p), _v = *_p; *_p = NULL; _v; })

static inline void freep(void *p) { free(*(void **)p); }
#define _cleanup_free_ __attribute__((cleanup(freep)))

/* Marks every descriptor >= 3 close-on-exec but those in keep[n] (which are
 * made inheritable).  For a child between fork and exec. */
struct err *fd_donate_only(const int *keep, size_t n) ERR_MUST_USE;

/* Closes every descriptor >= 3 but those in keep[n] (values < 0 are skipped).
 * For a component's start, once its options are read: what a shell or a
 * careless parent left open is not for it. */
struct err *fd_keep_only(const int *keep, size_t n) ERR_MUST_USE;

/* Parses a donated descriptor's number ("7") from an option's value, checks
 * that it is open, sets close-on-exec.  what: the option's name, for errors. */
struct err *fd_from_option(const char *what, const char *value, int *fd) ERR_MUST_USE;

#endif
