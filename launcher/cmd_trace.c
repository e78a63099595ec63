/*
 * cmd_trace.c - trace: sessions that report what a sandbox's programs do, compatible with runsc's command
 * of that name.  Each subcommand is a row of a table, with options of its own.
 */
#include "trace.h"

#include "debug.h"
#include "sandbox.h"
#include "tables.h"

#include <string.h>

struct trace_options {
	const char *config, *name;
	bool force;
};

static const struct option_def options[] = {
	{ "config", 0, OPTION_TEXT, offsetof(struct trace_options, config), "FILE", "create: the session, as JSON" },
	{ "force", 0, OPTION_FLAG, offsetof(struct trace_options, force), NULL, "create: end a session of that name first" },
	{ "name", 0, OPTION_TEXT, offsetof(struct trace_options, name), "NAME", "delete: the session's (Default)" },
	{ 0 },
};

/* --- of a sandbox ---------------------------------------------------------------------- */

static struct err *create(const struct debug *d, const struct trace_options *o)
{
	if (!o->config)
		return err_new(0, "create: --config is needed");
	return trace_create(d->rpc, d->s->dir.id, o->config, o->force, d->c->pool);
}

static struct err *delete(const struct debug *d, const struct trace_options *o)
{
	const struct control_trace_delete request = { .id = msg_str(d->s->dir.id), .name = msg_str(o->name ? o->name : "Default") };
	struct control_trace_delete_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };

	return RPC_CALL(d->rpc, control, trace_delete, &request, &reply, &a, CLIENT_QUICK_MS);
}

static struct err *list(const struct debug *d, const struct trace_options *o)
{
	const struct control_trace_list request = { .id = msg_str(d->s->dir.id) };
	struct control_trace_list_reply reply;
	struct msg_arena a = { 0 };
	struct err *e = RPC_CALL(d->rpc, control, trace_list, &request, &reply, &a, CLIENT_QUICK_MS);

	if (e)
		return e;
	printf("SESSIONS (%u)\n", reply.n_sessions);
	for (uint32_t i = 0; i < reply.n_sessions; i++) {
		const struct control_trace_session *s = &reply.sessions[i];

		printf("\"%s\"\n\tPoints: %llu, events: %llu, dropped: %llu%s\n", s->name.p, (unsigned long long)s->points, (unsigned long long)s->sent,
			(unsigned long long)s->dropped, s->broken ? ", its sink has gone" : "");
	}
	msg_free(&control_trace_list_reply_desc, &reply, &a);
	return NULL;
}

static struct err *procfs(const struct debug *d, const struct trace_options *o)
{
	return debug_procfs(d);
}

/* --- the rows ------------------------------------------------------------------------------ */

static struct err *metadata(const char *none, struct pool *p)
{
	return tables_trace_points(p);
}

static struct err *show(const char *path, struct pool *p)
{
	return trace_show(path);
}

static struct err *hear(const char *path, struct pool *p)
{
	return trace_listen(path);
}

static const struct row {
	const char *name, *argument; /* NULL: it has none */
	struct err *(*ask)(const struct debug *d, const struct trace_options *o); /* of the sandbox that the argument names */
	struct err *(*act)(const char *argument, struct pool *p); /* of none */
} rows[] = {
	{ "create", "ID", create, NULL }, { "delete", "ID", delete, NULL }, { "list", "ID", list, NULL }, { "procfs", "ID", procfs, NULL },
	{ "metadata", NULL, NULL, metadata }, { "show", "FILE", NULL, show }, { "listen", "SOCKET", NULL, hear },
};

static struct err *find_row(const char *name, const struct row **out)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].name, name)) {
			*out = &rows[i];
			return NULL;
		}
	}
	return err_new(0, "'%.64s' is not create, delete, list, procfs, metadata, show or listen", name);
}

static struct err *of_sandbox(struct context *c, const struct row *row, const char *id, const struct trace_options *o)
{
	struct sandbox s = SANDBOX_NONE;
	struct debug d = { .c = c, .s = &s };
	struct err *e = sandbox_open(c, id, &s);

	if (e)
		return e;
	if (!(e = client_connect(&s.dir, &d.rpc))) {
		e = row->ask(&d, o);
		rpc_client_free(d.rpc);
	}
	sandbox_close(&s);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	struct trace_options *o = pool_alloc(c->pool, sizeof(*o));
	const struct row *row;
	struct err *e;
	int used, left;

	/* options may stand before the subcommand or behind it */
	*o = *(const struct trace_options *)c->options;
	if ((e = find_row(c->argv[0], &row)) || (e = option_parse(options, c->argc - 1, c->argv + 1, c->pool, o, &used)))
		return e;
	left = c->argc - 1 - used;
	if (left != !!row->argument)
		return err_new(0, "%s: %s arguments; usage: redoubt trace %s [OPTIONS] %s", row->name, left ? "too many" : "too few", row->name,
			row->argument ? row->argument : "");
	return row->ask ? of_sandbox(c, row, c->argv[1 + used], o) : row->act(c->argv[1 + used], c->pool);
}

const struct command command_trace = {
	.name = "trace",
	.arguments = "create|delete|list|procfs ID, metadata, show FILE, listen SOCKET",
	.summary = "record what a sandbox's programs do (trace sessions), and show it",
	.options = options,
	.options_size = sizeof(struct trace_options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
