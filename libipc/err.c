/*
 * err.c - the error chain of err.h.
 *
 * An error is one allocation: its errno and the whole text, outermost action
 * first.  Wrapping makes a new, longer one; errors are rare and short, so the
 * copies do not matter and there is no list to walk or to leak.  No globals
 * but one constant, no locks: an error belongs to one thread at a time.
 */
#include "libipc/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err {
	int errnum; /* 0: none given */
	const char *text;
	char store[];
};

/* Given when there is no memory for an error; never freed. */
static struct err out_of_memory = { ENOMEM, "Cannot allocate memory" };

/* An error of the text fmt, followed by ": tail" if there is a tail. */
static struct err *make(int errnum, const char *tail, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
static struct err *make(int errnum, const char *tail, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return &out_of_memory;
	size_t head = (size_t)n, extra = tail ? strlen(tail) + 2 : 0;
	struct err *e = malloc(sizeof *e + head + extra + 1);
	if (!e)
		return &out_of_memory;
	vsnprintf(e->store, head + 1, fmt, ap);
	if (tail) {
		memcpy(e->store + head, ": ", 2);
		memcpy(e->store + head + 2, tail, extra - 1);
	}
	e->errnum = errnum;
	e->text = e->store;
	return e;
}

struct err *err_new(int errnum, const char *fmt, ...)
{
	char buf[64];
	va_list ap;
	va_start(ap, fmt);
	struct err *e = make(errnum, errnum ? strerror_r(errnum, buf, sizeof buf) : NULL, fmt, ap);
	va_end(ap);
	return e;
}

struct err *err_with_text(int errnum, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct err *e = make(errnum, NULL, fmt, ap);
	va_end(ap);
	return e;
}

struct err *err_wrap(struct err *cause, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct err *e = make(cause->errnum, cause->text, fmt, ap);
	va_end(ap);
	err_free(cause);
	return e;
}

const char *err_text(const struct err *e)
{
	return e->text;
}

int err_errno(const struct err *e)
{
	return e->errnum ? e->errnum : EIO;
}

void err_free(struct err *e)
{
	if (e != &out_of_memory)
		free(e);
}
