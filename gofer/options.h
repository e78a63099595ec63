/*
 * options.h - the command line.
 */
#ifndef REDOUBT_GOFER_OPTIONS_H
#define REDOUBT_GOFER_OPTIONS_H

#include "tree.h"

#include "libipc/log.h"

#include <stdio.h>

#define TREES_MAX 1024
#define KEEPER_STARTS 64 /* processes of one keeper that serve, one after the other */
#define STARTS_MAX 4096 /* what a handle has room for */

enum host_uds { HOST_UDS_NONE, HOST_UDS_CONNECT, HOST_UDS_CREATE };

struct options {
	struct tree *trees; /* paths only; tree 0 is --root */
	size_t n_trees;
	int ipc_fd; /* -1: not given */
	const char *listen; /* NULL: not given */
	bool read_only; /* all trees */
	bool allow_mknod;
	bool namespaces_made; /* see confine_opts */
	bool keeper; /* see keeper.h */
	int go_fd; /* a word from here before anything is done; -1: at once */
	unsigned start; /* with keeper: the number of the first process that serves */
	bool no_confine; /* tests: leave namespaces and root as they are */
	enum host_uds host_uds;
	int log_fd, panic_fd; /* panic_fd -1: none */
	enum log_format log_format;
	bool debug;
	bool print_policy, help, version;
};

/* Everything is checked but whether the trees exist. */
struct err *options_parse(int argc, char **argv, struct options *o) ERR_MUST_USE;
void options_usage(FILE *f);

#endif
