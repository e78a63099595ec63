/*
 * err.h - errors that are reported to people: a text that says what failed while doing what.
 *
 * A function that can fail in ways a person must understand returns
 * `struct err *`: NULL for success, else an error that the caller owns and
 * must wrap, report or free.  Libraries never log and never exit.
 * Kernel-internal code (sentry below control/) uses negative errno instead.
 */
#ifndef REDOUBT_LIBIPC_ERR_H
#define REDOUBT_LIBIPC_ERR_H

#include <stddef.h>

struct err;

#define ERR_MUST_USE __attribute__((warn_unused_result))
#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* A new error.  errnum: a positive errno, or 0 when none applies.  When it is
 * not 0 its strerror text is appended (": No such file or directory"). Never
 * returns NULL: out of memory gives a static error. */
struct err *err_new(int errnum, const char *fmt, ...) ERR_PRINTF(2, 3) ERR_MUST_USE;

/* The same, but the text is complete: no strerror text is appended (an error
 * that a peer told us). */
struct err *err_with_text(int errnum, const char *fmt, ...) ERR_PRINTF(2, 3) ERR_MUST_USE;

/* Puts "what was being done" in front of cause; takes ownership of cause and
 * keeps its errno.  cause must not be NULL. */
struct err *err_wrap(struct err *cause, const char *fmt, ...) ERR_PRINTF(2, 3) ERR_MUST_USE;

/* "doing a: doing b: thing: Permission denied"; owned by the error. */
const char *err_text(const struct err *e);

/* The errno at the chain's end; EIO when none was given. */
int err_errno(const struct err *e);

void err_free(struct err *e);
static inline void err_freep(struct err **e) { err_free(*e); }
#define _cleanup_err_ __attribute__((cleanup(err_freep)))

#endif
