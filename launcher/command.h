/*
 * command.h - the table of commands and what every command gets.
 *
 * main.c parses the global options, finds the command in the table, parses its
 * options by its own table, counts its arguments and calls run(), which
 * returns the exit status and hands what went wrong to the caller.
 */
#ifndef REDOUBT_LAUNCHER_COMMAND_H
#define REDOUBT_LAUNCHER_COMMAND_H

#include "option.h"

#include "libipc/log.h"

#include <string.h>

struct globals {
	const char *root; /* state directory */
	const char *log, *log_format, *debug_log, *panic_log, *user_log, *platform;
	const char *overlay2; /* overlay2.h */
	const char *cgroup_manager;
	const char *pod_init_config; /* trace.h */
	bool debug, strace, no_patch, help, version, print_policy, systemd_cgroup, ignore_cgroups;
	const char *criu, *rootless; /* accepted, of no effect */
	const char *network; /* none, sandbox, user, or NULL: network.h */
	bool always; /* flags that ask for what is so anyway */
	struct texts allow_flags; /* flags.h */
	int log_fd; /* -1: none */
	int panic_fd, user_fd; /* --panic-log's, --user-log's; -1: none */
	int error_fd; /* --log's: what engines read; -1: none */
	enum log_format format;
};

/* Whether sandboxes get the interfaces of their network namespace; whether it was asked for, and a container without is none. */
static inline bool globals_network(const struct globals *g) { return !g->network || !strcmp(g->network, "sandbox"); }
static inline bool globals_network_user(const struct globals *g) { return g->network && !strcmp(g->network, "user"); }
static inline bool globals_network_asked(const struct globals *g) { return g->network != NULL && globals_network(g); }

struct context {
	const struct globals *g;
	struct pool *pool;
	int argc; /* what is left behind the options */
	char **argv;
	const void *options; /* the command's own struct */
	int failure_status; /* exit status should the command fail: its own, unless run() sets another */
};

struct command {
	const char *name, *arguments, *summary;
	const struct option_def *options;
	size_t options_size;
	int min_args, max_args; /* max_args -1: any number */
	int failure_status; /* 0: 1 */
	bool unread; /* options and arguments are not looked at */
	struct err *(*run)(struct context *c, int *status);
};

/* In the order in which --help lists them: the life of a container; changing one that runs; looking at one;
 * the machine.  checkpoint and restore are refused by name. */
#define COMMANDS(X) \
	X(do) X(spec) X(run) X(create) X(start) X(exec) X(state) X(list) X(ps) X(kill) X(pause) X(resume) X(wait) X(delete) \
	X(update) X(mount) X(network) X(port_forward) X(read_control) X(write_control) \
	X(events) X(usage) X(export_metrics) X(metric_server) X(trace) X(debug) X(audit) \
	X(doctor) X(features) X(install) X(uninstall) X(checkpoint) X(restore)
#define DECLARE_COMMAND(NAME) extern const struct command command_##NAME;
COMMANDS(DECLARE_COMMAND)
#undef DECLARE_COMMAND

#endif
