/*
 * options.h - controld's command line: descriptors donated by name.
 */
#ifndef REDOUBT_CONTROLD_OPTIONS_H
#define REDOUBT_CONTROLD_OPTIONS_H

#include "libipc/err.h"
#include "libipc/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct options {
	const char *id;
	int listen, sentry, lifeline, sentry_pidfd, gofer_pidfd, terminal; /* -1: not given */
	uint32_t sentry_pid;
	int log_fd, panic_fd;
	enum log_format log_format;
	bool debug, help, version, print_policy, namespaces_made, adopted;
};

struct err *options_parse(int argc, char **argv, struct options *o) ERR_MUST_USE;
void options_usage(FILE *f);

#endif
