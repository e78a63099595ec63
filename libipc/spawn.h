/*
 * spawn.h - starts a shell command with donated descriptors, for the tools:
 * "gofer --root DIR --ipc-fd {fd}", where {fd} becomes a number.
 */
#ifndef REDOUBT_LIBIPC_SPAWN_H
#define REDOUBT_LIBIPC_SPAWN_H

#include "err.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* A place {NAME} in a command; NAME is a letter and letters, digits, _ and -.
 * "${NAME}" is the shell's. */
struct spawn_place {
	const char *start; /* the '{' */
	const char *name;
	size_t len; /* of name */
};
/* The next place at or after p; false: none. */
bool spawn_next_place(const char *p, struct spawn_place *place);

/* The command with each place replaced by the number that fd_of gives; a
 * number < 0 is an error.  The caller frees *out. */
struct err *spawn_expand(const char *command, int (*fd_of)(void *arg, const char *name, size_t len), void *arg, char **out) ERR_MUST_USE;

/* Runs sh -c "exec COMMAND" with keep[n] open; null_stdin: its standard input
 * is /dev/null; own_group: in a process group of its own.  Signal mask and
 * dispositions are the default ones; it gets SIGTERM when we die. */
struct spawn_opts {
	const int *keep;
	size_t n_keep;
	bool null_stdin;
	bool own_group;
};
struct err *spawn_shell(const char *command, const struct spawn_opts *o, pid_t *pid) ERR_MUST_USE;

/* Ends pid: waits grace_ms, then SIGTERM and as long again, then SIGKILL. Returns wait(2)'s status. */
int spawn_end(pid_t pid, unsigned grace_ms);

/* A descriptor connected to the SEQPACKET socket `path`, of any length. */
struct err *spawn_connect(const char *path, int *fd) ERR_MUST_USE;

#endif
