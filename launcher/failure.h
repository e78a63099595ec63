/*
 * failure.h - finds out why a component ended while a container was being made, for the error message.
 */
#ifndef REDOUBT_LAUNCHER_FAILURE_H
#define REDOUBT_LAUNCHER_FAILURE_H

#include "pool.h"
#include "state.h"

#define WORDS_MAX 65536 /* bytes of the components' own stderr that are kept */

/* A file of fixed size for the components' stderr: they can fill it, but not the memory of the host. */
struct err *failure_words_file(int *out) ERR_MUST_USE;

/* The beginning of what another program (a hook, slirp4netns) has written to a file of its own, on one line; "": nothing. */
#define FAILURE_TOLD_MAX 400 /* bytes */
void failure_said(int words, char text[FAILURE_TOLD_MAX + 1]);

struct failure {
	struct pool *pool;
	int words; /* that file */
	/* our children: 0: not one of ours, or reaped */
	pid_t controld, sentry;
	const struct proc_id *gofer;
	bool gofer_is_ours; /* else controld's */
};

/* cause is what was seen of it, a connection that ended; if a component has ended, what is
 * answered instead tells which, how, and what it said last.  One that is our child
 * is reaped, and its number set to 0. */
struct err *failure_explain(struct failure *f, struct err *cause) ERR_MUST_USE;

#endif
