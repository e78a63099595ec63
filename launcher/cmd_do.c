/*
 * cmd_do.c - do: run a command on the host's own root, copy-on-write.
 *
 * No bundle: the plan is made from the caller's own circumstances.  The gofer
 * serves "/" read-only; what the command changes lies in the sandbox's memory
 * and goes with it.
 */
#include "client.h"
#include "lifecycle.h"
#include "names.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

struct do_options {
	const char *overlay, *cwd, *uid, *gid;
	struct texts env;
};

static const struct option_def options[] = {
	{ "root-overlay", 0, OPTION_TEXT, offsetof(struct do_options, overlay), "WHERE", "where changes go: memory" },
	{ "cwd", 0, OPTION_TEXT, offsetof(struct do_options, cwd), "DIR", "working directory (the caller's)" },
	{ "env", 'e', OPTION_TEXTS, offsetof(struct do_options, env), "NAME=VALUE", "added to the caller's environment" },
	{ "uid", 0, OPTION_TEXT, offsetof(struct do_options, uid), "UID", "user to run as (the caller's)" },
	{ "gid", 0, OPTION_TEXT, offsetof(struct do_options, gid), "GID", "group to run as (the caller's)" },
	{ 0 },
};

static struct err *parse_id(const char *option, const char *text, uint64_t *out)
{
	char *end;

	if (!text)
		return NULL;
	errno = 0;
	*out = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || *out >= UINT32_MAX)
		return err_new(0, "--%s: '%.64s' is not an id", option, text);
	return NULL;
}

/* The caller's environment with --env's in place of those of the same name. */
static struct err *environment(const struct do_options *o, struct pool *p, struct boot_process *out)
{
	struct {
		struct msg_str *v;
		size_t n, cap;
	} env = { 0 };

	for (size_t i = 0; i < o->env.n; i++) {
		const char *eq = strchr(o->env.v[i], '=');

		if (!eq || eq == o->env.v[i])
			return err_new(0, "--env: '%.64s' is not NAME=VALUE", o->env.v[i]);
		LIST_ADD(p, &env, msg_str(o->env.v[i]));
	}
	for (char **v = environ; *v; v++) {
		size_t name = strcspn(*v, "="), i = 0;

		while (i < o->env.n && strncmp(o->env.v[i], *v, name + 1))
			i++;
		if (i == o->env.n && name && (*v)[name])
			LIST_ADD(p, &env, msg_str(*v));
	}
	out->env = env.v;
	out->n_env = (uint32_t)env.n;
	return NULL;
}

static struct err *process(struct context *c, const struct do_options *o, struct boot_process *out)
{
	mode_t mask = umask(0);
	char cwd[PATH_MAX];
	gid_t groups[1024];
	struct err *e;
	int n;

	umask(mask);
	*out = (struct boot_process){ .uid = geteuid(), .gid = getegid(), .user = msg_str(""), .umask = mask };
	if ((e = parse_id("uid", o->uid, &out->uid)) || (e = parse_id("gid", o->gid, &out->gid)) || (e = environment(o, c->pool, out)))
		return e;
	if (!o->cwd && !getcwd(cwd, sizeof(cwd)))
		return err_new(errno, "the working directory");
	out->cwd = msg_str(o->cwd ? o->cwd : pool_strdup(c->pool, cwd));
	if (out->cwd.p[0] != '/')
		return err_new(0, "--cwd: '%.64s' is not an absolute path", out->cwd.p);
	if (!o->uid && !o->gid && (n = getgroups(1024, groups)) > 0) {
		out->groups = pool_array(c->pool, (size_t)n, sizeof(*out->groups));
		for (out->n_groups = 0; out->n_groups < (uint32_t)n; out->n_groups++)
			out->groups[out->n_groups] = groups[out->n_groups];
	}
	out->n_args = (uint32_t)c->argc;
	out->args = pool_array(c->pool, (size_t)c->argc, sizeof(*out->args));
	for (int i = 0; i < c->argc; i++)
		out->args[i] = msg_str(c->argv[i]);
	out->cap_bounding = CAPABILITY_ALL;
	if (out->uid == 0)
		out->cap_permitted = out->cap_effective = CAPABILITY_ALL;
	out->ordinary = true;
	out->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	return NULL;
}

static struct err *make_plan(struct context *c, const struct do_options *o, struct plan *plan)
{
	char host[65] = "redoubt";

	gethostname(host, sizeof(host) - 1);
	plan->bundle = "/";
	plan->host_root = true;
	plan->spec.id = msg_str(pool_printf(c->pool, "do-%d", getpid()));
	plan->spec.hostname = msg_str(pool_strdup(c->pool, host));
	plan->spec.domainname = msg_str("");
	LIST_ADD(c->pool, &plan->trees, { .path = "/", .readonly = true });
	LIST_ADD(c->pool, &plan->mounts,
		{ .destination = msg_str("/"), .type = msg_str("gofer"), .options = msg_str(""), .overlay = 1, .ages = true });
	plan_standard_mounts(c->pool, plan);
	return process(c, o, &plan->spec.process);
}

static struct err *run(struct context *c, int *status)
{
	const struct do_options *o = c->options;
	struct stdio io = STDIO_NONE;
	struct plan plan = { 0 };
	int boot_errno = 0;
	struct err *e;

	if (o->overlay && strcmp(o->overlay, "memory"))
		return err_new(0, "--root-overlay: '%.64s' is not supported, memory is", o->overlay);
	if ((e = make_plan(c, o, &plan)))
		return e;
	plan_finish(&plan, c->g->strace);
	if ((e = stdio_make(plan.spec.process.terminal, NULL, true, &plan.spec.process, &io)))
		return e;
	e = run_attached(c, &plan, &io, &(struct run_options){ 0 }, status, &boot_errno);
	stdio_close(&io);
	if (e && boot_errno)
		c->failure_status = boot_errno == ENOENT ? 127 : 126;
	return e;
}

const struct command command_do = {
	.name = "do",
	.arguments = "[--] COMMAND [ARGUMENT...]",
	.summary = "run a command on the host's root, copy-on-write",
	.options = options,
	.options_size = sizeof(struct do_options),
	.min_args = 1,
	.max_args = -1,
	.failure_status = 125, /* as env(1), timeout(1) and chroot(1) have it */
	.run = run,
};
