/*
 * cmd_create.c - create: everything but the program's start.
 */
#include "cmd_create.h"

#include "flags.h"
#include "guard.h"
#include "lifecycle.h"
#include "overlay2.h"
#include "pod.h"
#include "view.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct option_def create_options[] = {
	{ "bundle", 'b', OPTION_TEXT, offsetof(struct create_options, bundle), "DIR", "the bundle (the current directory)" },
	{ "config", 0, OPTION_TEXT, offsetof(struct create_options, config), "FILE", "the configuration, in the bundle (config.json)" },
	{ "console-socket", 0, OPTION_TEXT, offsetof(struct create_options, console_socket), "PATH", "where the terminal's master is sent" },
	{ "pid-file", 0, OPTION_TEXT, offsetof(struct create_options, pid_file), "FILE", "where the sentry's host pid is written" },
	{ "no-pivot", 0, OPTION_FLAG, offsetof(struct create_options, no_pivot), NULL, "accepted; the guest's root is never the host's" },
	{ "no-new-keyring", 0, OPTION_FLAG, offsetof(struct create_options, no_new_keyring), NULL, "accepted; the guest has no host keyring" },
	{ "preserve-fds", 0, OPTION_TEXT, offsetof(struct create_options, preserve_fds), "N", "the program gets descriptors 3 to 3+N-1 too" },
	{ 0 },
};

static struct err *understand_cgroups(const struct globals *g, bool *systemd, bool *none)
{
	const char *m = g->cgroup_manager ? g->cgroup_manager : "cgroupfs";

	*systemd = g->systemd_cgroup || !strcmp(m, "systemd");
	*none = g->ignore_cgroups || !strcmp(m, "disabled");
	if (strcmp(m, "cgroupfs") && strcmp(m, "systemd") && strcmp(m, "disabled"))
		return err_new(0, "--cgroup-manager: '%.64s' is not cgroupfs, systemd or disabled", m);
	return NULL;
}

struct err *create_plan(struct context *c, const struct create_options *o, const char *id, struct plan *out)
{
	bool systemd, none;
	struct err *e;

	if ((e = understand_cgroups(c->g, &systemd, &none)) || (e = state_check_id(id)) ||
		(e = plan_from_bundle(o->bundle ? o->bundle : ".", o->config, id, systemd && !none, c->pool, out)) ||
		(e = flags_apply(c, &out->annotations)) || (e = pod_resolve(c, out)))
		return e;
	if (none) {
		out->cgroup = (struct cgroup){ 0 };
		out->resources = NULL;
	}
	return overlay2_apply(c->g->overlay2, out);
}

struct err *create_detached(struct context *c, const struct create_options *o, const char *id, struct sandbox *out)
{
	struct stdio io = STDIO_NONE;
	struct sandbox s = SANDBOX_NONE;
	struct plan plan = { 0 };
	struct err *e, *undo;
	int boot_errno;

	if (globals_network_user(c->g))
		return err_new(0, "--network=user lasts as long as its launcher: 'do' and 'run' without --detach have it");
	if ((e = create_plan(c, o, id, &plan)))
		return e;
	/* an engine puts files into it while it runs: podman cp */
	plan.mounts.v[0].ages = true;
	plan.start_later = !o->detach;
	plan_finish(&plan, c->g->strace);
	if ((e = stdio_make(plan.spec.process.terminal, o->console_socket, false, &plan.spec.process, &io)))
		return e;
	if (!(e = stdio_preserve(o->preserve_fds, &io)))
		e = sandbox_create(c, &plan, io.fds, io.n, &s, &boot_errno);
	stdio_close(&io);
	if (e)
		return e;
	if ((o->pid_file && (e = write_pid_file(o->pid_file, s.sentry_id.pid))) || (e = sandbox_detach(&s))) {
		if ((undo = sandbox_destroy(&s)))
			err_free(undo);
		sandbox_close(&s);
		return e;
	}
	if (!plan.sandbox && (e = guard_start(&s.dir, c->g->log_fd))) {
		log_warning("its gofer will not be replaced at once, should it be killed: %s", err_text(e));
		err_free(e);
	}
	view_show(&plan, &s.dir, &s.sentry_id, c->pool);
	*out = s;
	sandbox_moved(out);
	return NULL;
}

static struct err *run(struct context *c, int *status)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = create_detached(c, c->options, c->argv[0], &s);

	if (!e)
		sandbox_close(&s);
	return e;
}

const struct command command_create = {
	.name = "create",
	.arguments = "ID",
	.summary = "create a container from a bundle; its program waits for 'start'",
	.options = create_options,
	.options_size = sizeof(struct create_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
