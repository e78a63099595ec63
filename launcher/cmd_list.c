/*
 * cmd_list.c - list: all containers below the state directory.
 */
#include "client.h"
#include "oci.h"
#include "sandbox.h"

#include <string.h>

struct list_options {
	const char *format;
	bool quiet;
};

static const struct option_def options[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct list_options, format), "FORMAT", "table or json" },
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct list_options, quiet), NULL, "ids only" },
	{ 0 },
};

struct row {
	const char *id, *status, *bundle, *created;
	uint64_t pid, owner;
};
struct rows {
	struct row *v;
	size_t n, cap;
};

static void add_row(struct context *c, const char *id, struct rows *rows)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = sandbox_open(c, id, &s);
	struct client_state st;

	if (e) {
		/* gone since, or broken: shown so that it can be deleted */
		log_warning("%s", err_text(e));
		err_free(e);
		LIST_ADD(c->pool, rows, { .id = id, .status = "broken", .bundle = "", .created = "" });
		return;
	}
	client_state(&s.dir, &s.state, &st);
	LIST_ADD(c->pool, rows,
		{ .id = id, .status = client_status_names[st.status], .bundle = s.state.bundle, .created = s.state.created,
			.pid = st.status == STATUS_STOPPED ? 0 : st.sentry_pid, .owner = s.state.owner });
	sandbox_close(&s);
}

static void print_json(const struct rows *rows)
{
	_cleanup_json_ json_t *all = json_array();

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->v[i];

		json_array_append_new(all,
			json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:I}", "ociVersion", OCI_VERSION, "id", r->id, "pid", (json_int_t)r->pid,
				"status", r->status, "bundle", r->bundle, "created", r->created, "owner", (json_int_t)r->owner));
	}
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
}

static void print_table(const struct rows *rows)
{
	printf("%-24s %-10s %-9s %-24s %s\n", "ID", "PID", "STATUS", "CREATED", "BUNDLE");
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->v[i];

		printf("%-24s %-10llu %-9s %-24.19s %s\n", r->id, (unsigned long long)r->pid, r->status, r->created, r->bundle);
	}
}

static struct err *run(struct context *c, int *status)
{
	const struct list_options *o = c->options;
	struct state_ids ids = { 0 };
	struct rows rows = { 0 };
	struct err *e;

	if (o->format && strcmp(o->format, "table") && strcmp(o->format, "json"))
		return err_new(0, "--format: '%.64s' is neither table nor json", o->format);
	if ((e = state_list(c->g->root, c->pool, &ids)))
		return e;
	for (size_t i = 0; i < ids.n; i++) {
		if (o->quiet)
			printf("%s\n", ids.v[i]);
		else
			add_row(c, ids.v[i], &rows);
	}
	if (o->quiet)
		return NULL;
	if (o->format && !strcmp(o->format, "json"))
		print_json(&rows);
	else
		print_table(&rows);
	return NULL;
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.summary = "list the containers",
	.options = options,
	.options_size = sizeof(struct list_options),
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
