/*
 * main.c - redoubt's command line: global options, then one of the commands in
 * the table.  See command.h.
 */
#include "background.h"
#include "command.h"
#include "logs.h"
#include "oci.h"
#include "state.h"
#include "tables.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static const struct option_def global_options[] = {
	{ "root", 0, OPTION_TEXT, offsetof(struct globals, root), "DIR", "where state is kept (/run/redoubt, $XDG_RUNTIME_DIR/redoubt)" },
	{ "log", 0, OPTION_TEXT, offsetof(struct globals, log), "FILE", "where the launcher and the sandbox's components log" },
	{ "log-format", 0, OPTION_TEXT, offsetof(struct globals, log_format), "FORMAT", "text or json" },
	{ "debug-log", 0, OPTION_TEXT, offsetof(struct globals, debug_log), "FILE", "where all components log at debug level; may contain %ID%, %COMMAND%, %TIMESTAMP%" },
	{ "panic-log", 0, OPTION_TEXT, offsetof(struct globals, panic_log), "FILE", "where a component that crashes writes why; names as for --debug-log" },
	{ "user-log", 0, OPTION_TEXT, offsetof(struct globals, user_log), "FILE", "where calls of programs that are not supported are logged; names as for --debug-log" },
	{ "debug", 0, OPTION_FLAG, offsetof(struct globals, debug), NULL, "log more (to standard error if there is no --log)" },
	{ "strace", 0, OPTION_FLAG, offsetof(struct globals, strace), NULL, "log every call of the programs inside" },
	{ "platform", 0, OPTION_TEXT, offsetof(struct globals, platform), "NAME", "how program code is run: systrap (the default) or ptrace" },
	{ "no-patch", 0, OPTION_FLAG, offsetof(struct globals, no_patch), NULL, "do not patch system calls in program text (a program may read its own code); calls are slower" },
	{ "allow-flag", 0, OPTION_TEXTS, offsetof(struct globals, allow_flags), "NAME", "annotations dev.gvisor.flag.NAME may set debug, overlay2, strace, no-patch or platform" },
	{ "systemd-cgroup", 0, OPTION_FLAG, offsetof(struct globals, systemd_cgroup), NULL, "a container's cgroup is a systemd scope; cgroupsPath is SLICE:PREFIX:NAME" },
	{ "cgroup-manager", 0, OPTION_TEXT, offsetof(struct globals, cgroup_manager), "NAME", "as crun's: cgroupfs, systemd (as --systemd-cgroup) or disabled" },
	{ "ignore-cgroups", 0, OPTION_FLAG, offsetof(struct globals, ignore_cgroups), NULL, "as runsc's: containers get no cgroup, so no limits on the host" },
	{ "overlay2", 0, OPTION_TEXT, offsetof(struct globals, overlay2), "WHAT", "keep changes in memory only: none, root:memory or all:memory (binds too); ,size=N" },
	{ "pod-init-config", 0, OPTION_TEXT, offsetof(struct globals, pod_init_config), "FILE", "as runsc's: a trace session that begins before a new sandbox's first program" },
	{ "network", 0, OPTION_TEXT, offsetof(struct globals, network), "NAME", "sandbox: the interfaces of the container's network namespace are its own (by default: where nobody else uses them); none: a loopback only; user: slirp4netns (do, run)" },
	{ "cpu-num-from-quota", 0, OPTION_FLAG, offsetof(struct globals, always), NULL, "accepted, as runsc's; always on" },
	{ "oci-seccomp", 0, OPTION_FLAG, offsetof(struct globals, always), NULL, "accepted, as runsc's; always on" },
	{ "rootless", 0, OPTION_TEXT, offsetof(struct globals, rootless), "BOOL", "accepted, as runc's; detected instead" },
	{ "criu", 0, OPTION_TEXT, offsetof(struct globals, criu), "PATH", "accepted, as runc's; of no use here" },
	{ "print-policy", 0, OPTION_FLAG, offsetof(struct globals, print_policy), NULL, "print the privileges this program keeps" },
	{ "version", 'v', OPTION_FLAG, offsetof(struct globals, version), NULL, "print the version" },
	{ "help", 'h', OPTION_FLAG, offsetof(struct globals, help), NULL, "print this, or a command's options" },
	{ 0 },
};

#define COMMAND_ROW(NAME) &command_##NAME,
static const struct command *const commands[] = { COMMANDS(COMMAND_ROW) };
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(void)
{
	printf("usage: redoubt [OPTIONS] COMMAND [ARGUMENTS]\n\nRuns Linux containers on a kernel of their own, in user space.\n\nCommands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-14s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-14s %s\n\nOptions:\n", "help", "print this, or a command's options; 'help syscalls': the system calls supported inside");
	option_help(global_options, stdout);
}

static void command_help(const struct command *c)
{
	printf("usage: redoubt %s [OPTIONS] %s\n\n%s\n\nOptions:\n", c->name, c->arguments, c->summary);
	if (c->options)
		option_help(c->options, stdout);
	printf("  %-32s %s\n", "-h, --help", "print this");
}

static struct err *help_syscalls(int argc, char **argv, struct pool *p)
{
	static const struct option_def options[] = { { "format", 'o', OPTION_TEXT, 0, "FORMAT", "table, json or csv" }, { 0 } };
	const char *format = NULL;
	int used = 0;
	struct err *e = option_parse(options, argc, argv, p, &format, &used);

	if (!e && used < argc)
		e = err_new(0, "too many arguments; usage: redoubt help syscalls [--format FORMAT]");
	return e ? e : tables_syscalls(format ? format : "table", p);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

/* One line to standard error, and to the log if that is another place. */
static void report(const struct globals *g, const char *command, const struct err *e)
{
	fprintf(stderr, "redoubt: %s%s%s\n", command ? command : "", command ? ": " : "", err_text(e));
	if (g->log_fd >= 0 && (g->log || g->debug_log))
		log_error("%s", err_text(e));
	if (g->error_fd < 0 || g->error_fd == g->log_fd)
		return;
	log_init("launcher", g->error_fd, g->format, LOG_ERROR);
	log_error("%s", err_text(e));
}

/* A caller without standard input, output or error must not make us give
 * those numbers to something else. */
static struct err *have_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return err_new(errno, "/dev/null");
	}
	return NULL;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

static struct err *run_command(const struct command *cmd, struct globals *g, struct context *c, int argc, char **argv, int *status)
{
	void *options = pool_alloc(c->pool, cmd->options_size + 1);
	static const struct option_def none[] = { { 0 } };
	struct err *e;
	int used = 0;

	if (cmd->unread)
		return cmd->run(c, status);
	if ((e = option_parse(cmd->options ? cmd->options : none, argc, argv, c->pool, options, &used)))
		return e;
	c->argc = argc - used;
	c->argv = argv + used;
	c->options = options;
	if (c->argc < cmd->min_args || (cmd->max_args >= 0 && c->argc > cmd->max_args))
		return err_new(0, "%s arguments; usage: redoubt %s [OPTIONS] %s", c->argc < cmd->min_args ? "too few" : "too many", cmd->name,
			cmd->arguments);
	if ((e = logs_open_named(g, cmd->name, !strncmp(cmd->arguments, "ID", 2) && c->argc ? c->argv[0] : "none", c->pool)))
		return e;
	return cmd->run(c, status);
}

static int dispatch(struct globals *g, struct pool *p, int argc, char **argv)
{
	const struct command *cmd = find_command(argv[0]);
	struct context c = { .g = g, .pool = p, .failure_status = cmd && cmd->failure_status ? cmd->failure_status : 1 };
	struct err *e;
	int status = 0;

	if (!strcmp(argv[0], "help") && argc > 1 && strcmp(argv[1], "syscalls") && !(cmd = find_command(argv[1])))
		e = err_new(0, "unknown command '%.64s'; 'redoubt help' lists them", argv[1]);
	else if (!strcmp(argv[0], "help") && argc > 1 && !strcmp(argv[1], "syscalls"))
		e = help_syscalls(argc - 2, argv + 2, p);
	else if (!strcmp(argv[0], "help"))
		return cmd ? command_help(cmd) : help(), 0;
	else if (!cmd)
		e = err_new(0, "unknown command '%.64s'; 'redoubt help' lists them", argv[0]);
	else if (asks_help(argc - 1, argv + 1))
		return command_help(cmd), 0;
	else
		e = run_command(cmd, g, &c, argc - 1, argv + 1, &status);
	if (!e)
		return status;
	report(g, cmd ? cmd->name : NULL, e);
	err_free(e);
	return c.failure_status;
}

static struct err *check_network(const struct globals *g)
{
	if (!g->network || !strcmp(g->network, "none") || !strcmp(g->network, "sandbox") || !strcmp(g->network, "user"))
		return NULL;
	return err_new(0, "--network: '%.64s' is not supported: 'none' (a loopback only), 'sandbox' or 'user'", g->network);
}

static int start(struct globals *g, struct pool *p, int argc, char **argv)
{
	struct err *e;
	int used = 0;

	g->log_fd = g->error_fd = g->panic_fd = g->user_fd = -1;
	if ((e = have_stdio()) || (e = option_parse(global_options, argc - 1, argv + 1, p, g, &used)) || (e = check_network(g)) || (e = logs_open(g))) {
		report(g, NULL, e);
		err_free(e);
		return 1;
	}
	if (!g->root)
		g->root = state_default_root(p);
	if (g->version)
		printf("redoubt version %s\nspec: %s\n", REDOUBT_VERSION, OCI_VERSION);
	else if (g->print_policy)
		printf("component launcher\nunconfined: runs with its caller's ids, capabilities and namespaces, and ends early\n");
	else if (g->help || used == argc - 1)
		help();
	else
		return dispatch(g, p, argc - 1 - used, argv + 1 + used);
	return g->help || g->version || g->print_policy ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct pool pool = { 0 };
	struct globals g = { 0 };
	int status;

	background_argv(argc, argv);
	status = start(&g, &pool, argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "redoubt: standard output: %s\n", strerror(errno));
		status = status ? status : 1;
	}
	logs_close(&g);
	pool_free(&pool);
	return status;
}
