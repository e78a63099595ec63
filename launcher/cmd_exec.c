/*
 * cmd_exec.c - exec: one more process in a running container.
 */
#include "attach.h"
#include "client.h"
#include "lifecycle.h"
#include "names.h"
#include "stand_in.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE_MAX 1024

struct exec_options {
	const char *process, *cwd, *user, *pid_file, *internal_pid_file, *console_socket, *preserve_fds, *apparmor, *label, *cgroup;
	struct texts env, caps, groups;
	bool terminal, detach, no_new_privs, ignore_paused;
};

static const struct option_def options[] = {
	{ "process", 'p', OPTION_TEXT, offsetof(struct exec_options, process), "FILE", "an OCI process object (JSON) instead of arguments" },
	{ "tty", 't', OPTION_FLAG, offsetof(struct exec_options, terminal), NULL, "give it a terminal" },
	{ "env", 'e', OPTION_TEXTS, offsetof(struct exec_options, env), "NAME=VALUE", "added to the container's environment" },
	{ "cwd", 0, OPTION_TEXT, offsetof(struct exec_options, cwd), "DIR", "working directory (the container's first)" },
	{ "user", 'u', OPTION_TEXT, offsetof(struct exec_options, user), "UID[:GID]", "ids, or names in the container's /etc/passwd" },
	{ "cap", 'c', OPTION_TEXTS, offsetof(struct exec_options, caps), "CAP", "a capability" },
	{ "no-new-privs", 0, OPTION_FLAG, offsetof(struct exec_options, no_new_privs), NULL, "set no_new_privs" },
	{ "detach", 'd', OPTION_FLAG, offsetof(struct exec_options, detach), NULL, "return once it has started" },
	{ "console-socket", 0, OPTION_TEXT, offsetof(struct exec_options, console_socket), "PATH", "where the terminal's master is sent" },
	{ "pid-file", 0, OPTION_TEXT, offsetof(struct exec_options, pid_file), "FILE", "where the host pid of a process that stands for it is written" },
	{ "internal-pid-file", 0, OPTION_TEXT, offsetof(struct exec_options, internal_pid_file), "FILE", "where its pid inside the container is written" },
	{ "additional-gids", 'g', OPTION_TEXTS, offsetof(struct exec_options, groups), "GID", "an additional group" },
	{ "preserve-fds", 0, OPTION_TEXT, offsetof(struct exec_options, preserve_fds), "N", "it gets descriptors 3 to 3+N-1 too" },
	{ "apparmor", 0, OPTION_TEXT, offsetof(struct exec_options, apparmor), "PROFILE", "accepted; not applied" },
	{ "process-label", 0, OPTION_TEXT, offsetof(struct exec_options, label), "LABEL", "accepted; not applied" },
	{ "cgroup", 0, OPTION_TEXT, offsetof(struct exec_options, cgroup), "PATH", "only the container's own" },
	{ "ignore-paused", 0, OPTION_FLAG, offsetof(struct exec_options, ignore_paused), NULL, "accepted; a paused container runs nothing" },
	{ 0 },
};

static const char default_path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* "1000", "1000:100" are numbers; anything else is looked up inside. */
static void user(const char *text, struct boot_process *out)
{
	char *end;
	unsigned long long uid, gid = 0;

	if (!text)
		return;
	uid = strtoull(text, &end, 10);
	if (end != text && *end == ':')
		gid = strtoull(end + 1, &end, 10);
	if (end != text && !*end && end[-1] != ':' && text[0] != '-' && uid < UINT32_MAX && gid < UINT32_MAX) {
		out->uid = uid;
		out->gid = gid;
		out->n_groups = 0;
	} else {
		out->user = msg_str(text);
	}
}

/* Without a bundle of its own (`do`) a container gives a process what it gave its first. */
static void base_of_no_bundle(struct context *c, struct boot_process *out)
{
	*out = (struct boot_process){ .cwd = msg_str("/"), .user = msg_str(""), .umask = 022, .cap_bounding = CAPABILITY_ALL,
		.cap_permitted = CAPABILITY_ALL, .cap_effective = CAPABILITY_ALL };
	out->env = pool_alloc(c->pool, sizeof(*out->env));
	out->env[out->n_env++] = msg_str(default_path);
}

/* The container's own process is what a new one is made after, as with runc. */
static struct err *base(struct context *c, const struct sandbox *s, struct boot_process *out)
{
	const char *path = pool_printf(c->pool, "%s/config.json", s->state.bundle ? s->state.bundle : "");
	_cleanup_json_ json_t *doc = NULL;
	struct oci_spec spec = { 0 };
	struct err *e = json_load_path(path, &doc);

	if (e && err_errno(e) == ENOENT) {
		err_free(e);
		base_of_no_bundle(c, out);
		return NULL;
	}
	if (e)
		return e;
	if ((e = oci_read(doc, c->pool, &spec)))
		return err_wrap(e, "%s", path);
	plan_process(spec.process, c->pool, out);
	return NULL;
}

static struct err *add_capabilities(const struct exec_options *o, struct boot_process *out)
{
	for (size_t i = 0; i < o->caps.n; i++) {
		int n = capability_number(o->caps.v[i]);

		if (n < 0)
			return err_new(0, "--cap: unknown capability '%.64s'", o->caps.v[i]);
		out->cap_bounding |= 1ull << n;
		out->cap_permitted |= 1ull << n;
		out->cap_effective |= 1ull << n;
	}
	return NULL;
}

static struct err *add_groups(struct context *c, const struct exec_options *o, struct boot_process *out)
{
	uint64_t *all = pool_array(c->pool, out->n_groups + o->groups.n + 1, sizeof(*all));

	if (out->n_groups)
		memcpy(all, out->groups, out->n_groups * sizeof(*all));
	for (size_t i = 0; i < o->groups.n; i++) {
		char *end;

		all[out->n_groups] = strtoul(o->groups.v[i], &end, 10);
		if (end == o->groups.v[i] || *end || o->groups.v[i][0] == '-' || all[out->n_groups] >= UINT32_MAX)
			return err_new(0, "--additional-gids: '%.64s' is not an id", o->groups.v[i]);
		out->n_groups++;
	}
	out->groups = all;
	return NULL;
}

static struct err *from_arguments(struct context *c, const struct exec_options *o, const struct sandbox *s, struct boot_process *out)
{
	struct err *e;

	if ((e = base(c, s, out)) || (e = add_capabilities(o, out)))
		return e;
	if (o->cgroup && strcmp(o->cgroup, "/"))
		return err_new(0, "--cgroup: '%.64s': a process cannot be put into a cgroup of its own", o->cgroup);
	if (o->cwd)
		out->cwd = msg_str(o->cwd);
	if (out->cwd.p[0] != '/')
		return err_new(0, "--cwd: '%.64s' is not an absolute path", out->cwd.p);
	out->no_new_privs |= o->no_new_privs;
	out->terminal = o->terminal;
	out->rows = out->columns = 0;
	user(o->user, out);
	if ((e = add_groups(c, o, out)))
		return e;
	out->n_args = (uint32_t)c->argc - 1;
	out->args = pool_array(c->pool, out->n_args, sizeof(*out->args));
	for (uint32_t i = 0; i < out->n_args; i++)
		out->args[i] = msg_str(c->argv[i + 1]);
	return NULL;
}

static struct err *from_file(struct context *c, const char *path, struct boot_process *out)
{
	struct oci_process process = { 0 };
	_cleanup_json_ json_t *doc = NULL;
	struct err *e = json_load_path(path, &doc);

	if (e)
		return e;
	if ((e = oci_read_process(doc, c->pool, &process)))
		return err_wrap(e, "%s", path);
	plan_process(&process, c->pool, out);
	return NULL;
}

/* --env's come last and win over those of the same name before them. */
static struct err *add_env(struct context *c, const struct exec_options *o, struct boot_process *out)
{
	struct msg_str *env = pool_array(c->pool, out->n_env + o->env.n + 1, sizeof(*env));
	uint32_t n = 0;

	for (uint32_t i = 0; i < out->n_env; i++) {
		size_t name = strcspn(out->env[i].p, "="), k = 0;

		while (k < o->env.n && strncmp(o->env.v[k], out->env[i].p, name + 1))
			k++;
		if (k == o->env.n)
			env[n++] = out->env[i];
	}
	for (size_t i = 0; i < o->env.n; i++) {
		const char *eq = strchr(o->env.v[i], '=');

		if (!eq || eq == o->env.v[i])
			return err_new(0, "--env: '%.64s' is not NAME=VALUE", o->env.v[i]);
		env[n++] = msg_str(o->env.v[i]);
	}
	out->env = env;
	out->n_env = n;
	return NULL;
}

static struct err *send_exec(const struct state_dir *d, const struct boot_process *p, struct stdio *io, uint64_t *pid)
{
	struct control_exec request = { .id = msg_str(d->id), .stdio = io->fds, .n_stdio = io->n };
	struct control_exec_reply reply = { 0 };
	_cleanup_close_ int process = -1;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = msg_to_memfd(&boot_process_desc, p, &process);

	if (e || (e = client_connect(d, &rpc)))
		return e;
	request.process = process;
	e = RPC_CALL(rpc, control, exec, &request, &reply, &a, 60000);
	if (!e) {
		*pid = reply.pid;
		msg_free(&control_exec_reply_desc, &reply, &a);
	}
	rpc_client_free(rpc);
	return e;
}

/* "redoubt-exec ID: sh -c ...", for who lists the host's processes. */
static const char *title(struct context *c, const char *id, const struct boot_process *p)
{
	const char *text = pool_printf(c->pool, "redoubt-exec %s:", id);

	for (uint32_t i = 0; i < p->n_args && strlen(text) < TITLE_MAX; i++)
		text = pool_printf(c->pool, "%s %s", text, p->args[i].p);
	return text;
}

static struct err *detach(struct context *c, const struct attach_options *ao, const struct boot_process *p, const char *pid_file)
{
	pid_t pid;
	struct err *e = stand_in_start(ao, title(c, ao->dir->id, p), c->g->log_fd, NULL, &pid);

	return e ? e : write_pid_file(pid_file, (uint64_t)pid);
}

static struct err *exec_in(struct context *c, const struct exec_options *o, const struct state_dir *d, const struct boot_process *p,
	struct stdio *io, int *status)
{
	struct attach_options ao = { .dir = d, .master = io->master, .terminal = o->detach && io->slave >= 0 ? io->slave : 0 };
	unsigned wait_status = 0;
	struct err *e;

	if (!o->detach)
		attach_hold_signals();
	e = send_exec(d, p, io, &ao.pid);
	if (!o->detach)
		fd_close(&io->slave);
	if (!e && o->internal_pid_file)
		e = write_pid_file(o->internal_pid_file, ao.pid);
	if (!e && o->pid_file)
		e = o->detach ? detach(c, &ao, p, o->pid_file) : write_pid_file(o->pid_file, (uint64_t)getpid());
	if (e || o->detach)
		return e;
	e = attach(&ao, &wait_status);
	*status = client_exit_code(wait_status);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	const struct exec_options *o = c->options;
	struct boot_process process;
	struct stdio io = STDIO_NONE;
	struct sandbox s = SANDBOX_NONE;
	struct err *e;

	if (c->argc < 2 && !o->process)
		return err_new(0, "too few arguments: neither a command nor --process");
	if ((e = sandbox_open(c, c->argv[0], &s)))
		return e;
	if (!(e = o->process ? from_file(c, o->process, &process) : from_arguments(c, o, &s, &process)))
		e = add_env(c, o, &process);
	if (!e)
		process.terminal |= o->terminal;
	if (!e && !(e = stdio_make(process.terminal, o->console_socket, !o->detach, &process, &io))) {
		if (!(e = stdio_preserve(o->preserve_fds, &io)))
			e = exec_in(c, o, &s.dir, &process, &io, status);
		stdio_close(&io);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_exec = {
	.name = "exec",
	.arguments = "ID COMMAND [ARGUMENT...]",
	.summary = "run one more process in a container",
	.options = options,
	.options_size = sizeof(struct exec_options),
	.min_args = 1,
	.max_args = -1,
	.failure_status = 255, /* as runc: the command's own statuses stay apart */
	.run = run,
};
