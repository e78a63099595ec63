/*
 * main.c - scope: one thing done with a transient scope unit of systemd's, for
 * `redoubt --systemd-cgroup`.  See scope.1.
 *
 * One thread.  It connects, gives up every privilege (policy.c), does what it was
 * asked and ends.  A program of its own because the bus library is large and
 * of use to those only who want systemd's cgroups.
 */
#include "policy.h"
#include "unit.h"

#include "libipc/sanitize.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name, *arguments, *help;
	bool any; /* without arguments too */
	struct err *(*run)(sd_bus *bus, const char *unit, char **args);
} commands[] = {
	{ "start", "UNIT [NAME=TYPE:VALUE]...", "make it, print its cgroup, hold it until standard input ends", true, unit_start },
	{ "set", "UNIT NAME=TYPE:VALUE...", "change properties", false, unit_set },
	{ "attach", "UNIT PID...", "put processes into it", false, unit_attach },
	{ "stop", "UNIT", "end it and what runs in it", true, unit_stop },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(void)
{
	printf("usage: scope [OPTIONS] COMMAND UNIT [ARGUMENTS]\n\nCommands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-6s %-28s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	printf("\nOptions:\n"
	       "  --user           by the user's manager, not the machine's\n"
	       "  --print-policy   print this program's privileges\n"
	       "  --version        print the version\n"
	       "  --help           print this\n");
	return 0;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static struct err *run(bool user, char **args)
{
	const struct command *c = args[0] ? find(args[0]) : NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	struct err *e;

	if (!c)
		return err_new(0, "%s%.32s; --help lists the commands", args[0] ? "unknown command " : "no command", args[0] ? args[0] : "");
	if (!args[1] || (!c->any && !args[2]))
		return err_new(0, "too few arguments; usage: scope %s %s", c->name, c->arguments);
	if ((e = bus_open(user, &bus)) || (e = confine_enter(&scope_policy, NULL)) || (e = confine_seal(&scope_policy)))
		return e;
	return c->run(bus, args[1], args + 2);
}

int main(int argc, char **argv)
{
	bool user = false;
	struct err *e;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--user")) {
			user = true;
		} else if (!strcmp(argv[i], "--print-policy")) {
			policy_print(&scope_policy, stdout);
			return 0;
		} else if (!strcmp(argv[i], "--version")) {
			printf("scope (Redoubt) %s\n", REDOUBT_VERSION);
			return 0;
		} else if (!strcmp(argv[i], "--help")) {
			return usage();
		} else {
			fprintf(stderr, "scope: unknown option '%.64s'\n", argv[i]);
			return 1;
		}
	}
	if (!(e = run(user, argv + i)))
		return 0;
	fprintf(stderr, "%s\n", err_text(e));
	err_free(e);
	return 1;
}
