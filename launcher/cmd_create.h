/*
 * cmd_create.h - what run shares with create.
 */
#ifndef REDOUBT_LAUNCHER_CMD_CREATE_H
#define REDOUBT_LAUNCHER_CMD_CREATE_H

#include "sandbox.h"

struct create_options {
	const char *bundle, *config, *console_socket, *pid_file, *preserve_fds;
	bool no_pivot, no_new_keyring;
	bool detach, keep, no_subreaper; /* run only */
};

/* What the container is to be: its bundle's configuration, with what the options and the
 * annotations, as far as they may, make of it. */
struct err *create_plan(struct context *c, const struct create_options *o, const char *id, struct plan *out) ERR_MUST_USE;
/* Up to "created", and let go of: survives this process. */
struct err *create_detached(struct context *c, const struct create_options *o, const char *id, struct sandbox *out) ERR_MUST_USE;

#endif
