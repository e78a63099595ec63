/*
 * cmd_ps.c - ps: the processes inside a container, as its kernel counts them.
 *
 * To an engine (--format json) a pid is the host's: it looks for it in its own
 * `ps` (docker top), or among the processes that it started (containerd).  So it
 * gets those that stand for programs inside; the other formats are for people.
 */
#include "client.h"
#include "sandbox.h"

#include <string.h>
#include <time.h>

struct ps_options {
	const char *format;
};

static const struct option_def options[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct ps_options, format), "FORMAT", "table, json (host pids only) or json-long" },
	{ 0 },
};

/* A program's command line may hold anything: no control byte reaches the user's terminal. */
static const char *clean(struct pool *p, const struct msg_str *s)
{
	char *text = pool_alloc(p, s->len + 1);

	for (uint32_t i = 0; i < s->len; i++)
		text[i] = (unsigned char)s->p[i] < ' ' || s->p[i] == 127 ? '?' : s->p[i];
	return text;
}

static void print_row(struct pool *p, const struct control_process *r)
{
	time_t start = (time_t)(r->start / 1000000000);
	uint64_t cpu = r->cpu_ns / 1000000000;
	char when[16] = "?";
	struct tm tm;

	if (localtime_r(&start, &tm))
		strftime(when, sizeof(when), "%H:%M", &tm);
	printf("%-8llu %6llu %6llu %3llu %-6s %-5s %02llu:%02llu:%02llu %s\n", (unsigned long long)r->uid, (unsigned long long)r->pid,
		(unsigned long long)r->ppid, (unsigned long long)r->threads, clean(p, &r->tty), when, (unsigned long long)cpu / 3600,
		(unsigned long long)cpu / 60 % 60, (unsigned long long)cpu % 60, clean(p, &r->command));
}

static void add_json(json_t *all, const struct control_process *r, bool whole)
{
	json_t *j = NULL;

	if (whole)
		err_free(msg_to_json(&control_process_desc, r, &j));
	else if (r->stand_in)
		j = json_integer((json_int_t)r->stand_in);
	if (j)
		json_array_append_new(all, j);
}

/* Asks until there are no more. */
static struct err *collect(struct context *c, const struct state_dir *d, struct rpc_client *rpc, json_t *all, bool whole)
{
	struct control_processes request = { .id = msg_str(d->id) };
	struct control_processes_reply reply = { 0 };
	bool more = true;

	while (more) {
		struct msg_arena a = { 0 };
		struct err *e = RPC_CALL(rpc, control, processes, &request, &reply, &a, CLIENT_QUICK_MS);

		if (e)
			return e;
		for (uint32_t i = 0; i < reply.n_processes; i++) {
			if (all)
				add_json(all, &reply.processes[i], whole);
			else
				print_row(c->pool, &reply.processes[i]);
			/* the sandbox is not believed to count upwards */
			more = reply.processes[i].pid > request.after;
			request.after = more ? reply.processes[i].pid : request.after;
		}
		more = more && reply.more && reply.n_processes;
		msg_free(&control_processes_reply_desc, &reply, &a);
	}
	return NULL;
}

/* Options of ps are for a ps: the container's own, which sees the same processes. */
static struct err *run_ps_inside(struct context *c, int *status)
{
	struct context inside = *c;
	char **argv = pool_array(c->pool, (size_t)c->argc + 2, sizeof(*argv));

	argv[0] = c->argv[0];
	argv[1] = pool_strdup(c->pool, "ps");
	for (int i = 1; i < c->argc; i++)
		argv[i + 1] = c->argv[i];
	inside.argv = argv;
	inside.argc = c->argc + 1;
	inside.options = pool_alloc(c->pool, command_exec.options_size);
	return command_exec.run(&inside, status);
}

static struct err *run(struct context *c, int *status)
{
	const struct ps_options *o = c->options;
	bool whole = o->format && !strcmp(o->format, "json-long"), as_json = whole || (o->format && !strcmp(o->format, "json"));
	_cleanup_json_ json_t *all = as_json ? json_array() : NULL;
	struct sandbox s = SANDBOX_NONE;
	struct rpc_client *rpc;
	struct err *e;

	if (o->format && !as_json && strcmp(o->format, "table"))
		return err_new(0, "--format: '%.64s' must be table, json or json-long", o->format);
	if (c->argc > 1 && !as_json)
		return run_ps_inside(c, status);
	if ((e = sandbox_open(c, c->argv[0], &s)))
		return e;
	if (!(e = client_connect(&s.dir, &rpc))) {
		if (as_json && !whole && s.state.sentry)
			json_array_append_new(all, json_integer((json_int_t)s.state.sentry->pid));
		if (!as_json)
			printf("%-8s %6s %6s %3s %-6s %-5s %8s %s\n", "UID", "PID", "PPID", "THR", "TTY", "START", "TIME", "CMD");
		e = collect(c, &s.dir, rpc, all, whole);
		rpc_client_free(rpc);
	}
	if (!e && as_json) {
		json_dumpf(all, stdout, whole ? JSON_INDENT(2) : JSON_COMPACT);
		putchar('\n');
	}
	sandbox_close(&s);
	return e;
}

const struct command command_ps = {
	.name = "ps",
	.arguments = "ID [PS-OPTION...]",
	.summary = "list the processes inside a container; with options of ps, by running the container's ps",
	.options = options,
	.options_size = sizeof(struct ps_options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
