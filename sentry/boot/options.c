/*
 * options.c - reads the sentry's command line into struct options.
 */
#include "boot/options.h"

#include "libipc/fd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPT_BOOT = 256, OPT_CONTROL, OPT_GOFER, OPT_LOG, OPT_LOG_FORMAT, OPT_DEBUG, OPT_STRACE, OPT_PLATFORM, OPT_PRINT_POLICY,
	OPT_SYSCALLS, OPT_OVERLAY, OPT_CWD, OPT_HOSTNAME, OPT_UID, OPT_GID, OPT_ENV, OPT_UNCONFINED, OPT_NAMESPACES, OPT_ADOPT, OPT_ADOPT_PEER,
	OPT_PANIC, OPT_USER_LOG, OPT_NO_PATCH, OPT_TRACE_POINTS,
};

static const struct option longs[] = {
	{ "boot-fd", required_argument, NULL, OPT_BOOT },
	{ "control-fd", required_argument, NULL, OPT_CONTROL },
	{ "adopt-fd", required_argument, NULL, OPT_ADOPT },
	{ "adopt-peer-fd", required_argument, NULL, OPT_ADOPT_PEER },
	{ "gofer-fd", required_argument, NULL, OPT_GOFER },
	{ "panic-fd", required_argument, NULL, OPT_PANIC },
	{ "user-log-fd", required_argument, NULL, OPT_USER_LOG },
	{ "log-fd", required_argument, NULL, OPT_LOG },
	{ "log-format", required_argument, NULL, OPT_LOG_FORMAT },
	{ "debug", no_argument, NULL, OPT_DEBUG },
	{ "strace", no_argument, NULL, OPT_STRACE },
	{ "platform", required_argument, NULL, OPT_PLATFORM },
	{ "no-patch", no_argument, NULL, OPT_NO_PATCH },
	{ "print-policy", no_argument, NULL, OPT_PRINT_POLICY },
	{ "trace-points", no_argument, NULL, OPT_TRACE_POINTS },
	{ "syscalls", optional_argument, NULL, OPT_SYSCALLS },
	{ "overlay", no_argument, NULL, OPT_OVERLAY },
	{ "cwd", required_argument, NULL, OPT_CWD },
	{ "hostname", required_argument, NULL, OPT_HOSTNAME },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "gid", required_argument, NULL, OPT_GID },
	{ "env", required_argument, NULL, OPT_ENV },
	{ "namespaces-made", no_argument, NULL, OPT_NAMESPACES },
	{ "test-only-unconfined", no_argument, NULL, OPT_UNCONFINED },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void options_usage(void)
{
	printf("usage: sentry --boot-fd N --control-fd N [OPTIONS]\n"
	       "       sentry --gofer-fd N [OPTIONS] -- PROGRAM [ARGUMENT...]\n"
	       "\n"
	       "The user-space kernel of one sandbox.  Descriptors are donated by number.\n"
	       "\n"
	       "  --boot-fd N        connection that tells what to run (protocol `boot`)\n"
	       "  --control-fd N     connection to controld (protocol `control`)\n"
	       "  --adopt-fd N       connection over which another controld may come (protocol `boot`)\n"
	       "  --adopt-peer-fd N  its far end, only kept open\n"
	       "  --gofer-fd N       connection to the gofer, when a program is given here\n"
	       "  --overlay          changes of the root stay in memory (with --gofer-fd)\n"
	       "  --cwd DIR --hostname NAME --uid N --gid N --env NAME=VALUE\n"
	       "                     the program's (with --gofer-fd)\n"
	       "  --platform NAME    how program code runs: systrap (the default), ptrace\n"
	       "  --no-patch         the text of programs stays as it is: calls cost more\n"
	       "  --log-fd N --log-format text|json --debug --strace\n"
	       "  --panic-fd N       for last words: why this process fails, and where each thread is\n"
	       "  --user-log-fd N    for what concerns the program: calls that are not supported\n"
	       "  --namespaces-made  the network, IPC and host name namespaces are the sandbox's own already\n"
	       "  --syscalls[=FORMAT]  print the table of supported system calls: table, json, csv\n"
	       "  --trace-points     print what trace sessions may ask for\n"
	       "  --print-policy     print what the process may do on the host\n"
	       "  --test-only-unconfined  NO namespaces and NO seccomp: for tests only\n"
	       "  --help --version\n");
}

static struct err *number(const char *what, const char *value, unsigned long *out)
{
	char *end;

	*out = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || *out > UINT32_MAX)
		return err_new(0, "%s: not a number: %s", what, value);
	return NULL;
}

static struct err *add_env(struct options *o, char *value)
{
	char **grown = reallocarray(o->env, o->n_env + 2, sizeof(*grown));

	if (!grown)
		return err_new(ENOMEM, "--env");
	o->env = grown;
	o->env[o->n_env++] = value;
	o->env[o->n_env] = NULL;
	return NULL;
}

static struct err *take(struct options *o, int c, const char *word)
{
	switch (c) {
	case OPT_BOOT:
		return fd_from_option("--boot-fd", optarg, &o->boot_fd);
	case OPT_CONTROL:
		return fd_from_option("--control-fd", optarg, &o->control_fd);
	case OPT_ADOPT:
		return fd_from_option("--adopt-fd", optarg, &o->adopt_fd);
	case OPT_ADOPT_PEER:
		return fd_from_option("--adopt-peer-fd", optarg, &o->adopt_peer_fd);
	case OPT_GOFER:
		return fd_from_option("--gofer-fd", optarg, &o->gofer_fd);
	case OPT_LOG:
		return fd_from_option("--log-fd", optarg, &o->log_fd);
	case OPT_PANIC:
		return fd_from_option("--panic-fd", optarg, &o->panic_fd);
	case OPT_USER_LOG:
		return fd_from_option("--user-log-fd", optarg, &o->user_log_fd);
	case OPT_LOG_FORMAT:
		if (strcmp(optarg, "json") && strcmp(optarg, "text"))
			return err_new(0, "--log-format: neither text nor json: %s", optarg);
		o->log_format = strcmp(optarg, "json") ? LOG_TEXT : LOG_JSON;
		return NULL;
	case OPT_DEBUG: o->debug = true; return NULL;
	case OPT_STRACE: o->strace = true; return NULL;
	case OPT_NO_PATCH: o->no_patch = true; return NULL;
	case OPT_PLATFORM: o->platform = optarg; return NULL;
	case OPT_TRACE_POINTS: o->trace_points = true; return NULL;
	case OPT_PRINT_POLICY: o->print_policy = true; return NULL;
	case OPT_SYSCALLS: o->syscalls = optarg ? optarg : "table"; return NULL;
	case OPT_OVERLAY: o->overlay = true; return NULL;
	case OPT_CWD: o->cwd = optarg; return NULL;
	case OPT_HOSTNAME: o->hostname = optarg; return NULL;
	case OPT_UID:
		return number("--uid", optarg, &o->uid);
	case OPT_GID:
		return number("--gid", optarg, &o->gid);
	case OPT_ENV:
		return add_env(o, optarg);
	case OPT_NAMESPACES: o->namespaces_made = true; return NULL;
	case OPT_UNCONFINED: o->unconfined = true; return NULL;
	case 'h': o->help = true; return NULL;
	case 'V': o->version = true; return NULL;
	case ':':
		return err_new(0, "%s: its value is missing", word);
	default:
		return err_new(0, "unknown option %s (see --help)", word);
	}
}

struct err *options_parse(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){ .boot_fd = -1, .control_fd = -1, .adopt_fd = -1, .adopt_peer_fd = -1, .gofer_fd = -1, .log_fd = -1, .panic_fd = -1, .user_log_fd = -1,
		.platform = "systrap" };
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:hV", longs, NULL)) != -1) {
		struct err *e = take(o, c, argv[optind - 1]);

		if (e)
			return e;
	}
	if (o->help || o->version || o->print_policy || o->trace_points || o->syscalls)
		return NULL;
	if (optind < argc)
		o->args = argv + optind;
	if (o->args && (o->gofer_fd < 0 || o->boot_fd >= 0))
		return err_new(0, "a program on the command line needs --gofer-fd and no --boot-fd");
	if (!o->args && o->boot_fd < 0)
		return err_new(0, "nothing to run: neither --boot-fd nor a program (see --help)");
	return NULL;
}
