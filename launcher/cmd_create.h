/*
 * cmd_create.h - what run shares with create.
 */
#ifndef REDOUBT_LAUNCHER_CMD_CREATE_H
#define REDOUBT_LAUNCHER_CMD_CREATE_H

#include "sandbox.h"

struct create_options {
	const char *bundle, *console_socket, *pid_file, *preserve_fds;
	bool no_pivot, no_new_keyring;
	bool detach, keep, no_subreaper; /* run only */
};

/* Up to "created", and let go of: survives this process. */
struct err *create_detached(struct context *c, const struct create_options *o, const char *id, struct sandbox *out) ERR_MUST_USE;

#endif
