/*
 * options.h - the sentry's command line.
 */
#ifndef SENTRY_BOOT_OPTIONS_H
#define SENTRY_BOOT_OPTIONS_H

#include "libipc/err.h"
#include "libipc/log.h"

#include <stdbool.h>

struct options {
	int boot_fd, control_fd, adopt_fd, adopt_peer_fd, gofer_fd, log_fd, panic_fd, user_log_fd; /* -1: not given */
	enum log_format log_format;
	const char *syscalls; /* the format to print the table in; NULL: do not */
	bool debug, strace, no_patch, help, version, print_policy, trace_points, overlay, unconfined, namespaces_made;
	const char *platform;
	const char *cwd, *hostname;
	unsigned long uid, gid;
	char **env; /* NULL-terminated, given by --env */
	unsigned n_env;
	char **args; /* after --: the program; NULL: told over boot_fd */
};

struct err *options_parse(int argc, char **argv, struct options *o) ERR_MUST_USE;
void options_usage(void);

#endif
