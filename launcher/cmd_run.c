/*
 * cmd_run.c - run: create and start; attached, also wait and destroy.
 */
#include "cmd_create.h"
#include "lifecycle.h"

static const struct option_def options[] = {
	{ "bundle", 'b', OPTION_TEXT, offsetof(struct create_options, bundle), "DIR", "the bundle (the current directory)" },
	{ "config", 0, OPTION_TEXT, offsetof(struct create_options, config), "FILE", "the configuration, in the bundle (config.json)" },
	{ "console-socket", 0, OPTION_TEXT, offsetof(struct create_options, console_socket), "PATH", "where the terminal's master is sent" },
	{ "detach", 'd', OPTION_FLAG, offsetof(struct create_options, detach), NULL, "return once the program has started" },
	{ "keep", 0, OPTION_FLAG, offsetof(struct create_options, keep), NULL, "leave the stopped container there, for delete to remove" },
	{ "no-subreaper", 0, OPTION_FLAG, offsetof(struct create_options, no_subreaper), NULL, "accepted; the guest's orphans are never the caller's" },
	{ "pid-file", 0, OPTION_TEXT, offsetof(struct create_options, pid_file), "FILE", "where the sentry's host pid is written" },
	{ "no-pivot", 0, OPTION_FLAG, offsetof(struct create_options, no_pivot), NULL, "accepted; the guest's root is never the host's" },
	{ "no-new-keyring", 0, OPTION_FLAG, offsetof(struct create_options, no_new_keyring), NULL, "accepted; the guest has no host keyring" },
	{ "preserve-fds", 0, OPTION_TEXT, offsetof(struct create_options, preserve_fds), "N", "the program gets descriptors 3 to 3+N-1 too" },
	{ 0 },
};

static struct err *run_detached(struct context *c, const struct create_options *o)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = create_detached(c, o, c->argv[0], &s), *undo;

	if (e)
		return e;
	if ((e = start_container(&s)) && (undo = sandbox_destroy(&s)))
		err_free(undo);
	sandbox_close(&s);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	const struct create_options *o = c->options;
	struct stdio io = STDIO_NONE;
	struct plan plan = { 0 };
	struct err *e;
	int boot_errno;

	if (o->detach)
		return run_detached(c, o);
	if ((e = create_plan(c, o, c->argv[0], &plan)))
		return e;
	plan_finish(&plan, c->g->strace);
	log_timing("configuration read");
	if ((e = stdio_make(plan.spec.process.terminal, o->console_socket, true, &plan.spec.process, &io)))
		return e;
	if (!(e = stdio_preserve(o->preserve_fds, &io)))
		e = run_attached(c, &plan, &io, &(struct run_options){ o->pid_file, o->keep }, status, &boot_errno);
	stdio_close(&io);
	return e;
}

const struct command command_run = {
	.name = "run",
	.arguments = "ID",
	.summary = "create and start a container; unless detached, wait until it ends and remove it",
	.options = options,
	.options_size = sizeof(struct create_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
