/*
 * cmd_list.c - list: all containers below the state directory.
 */
#include "client.h"
#include "sandbox.h"
#include "sweep.h"

#include <errno.h>
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
	const char *id, *status, *bundle, *created, *owner;
	uint64_t pid;
	json_t *json; /* if that is what is printed: given to the list */
};
struct rows {
	struct row *v;
	size_t n, cap;
};

static bool as_json(const struct context *c)
{
	const struct list_options *o = c->options;

	return o->format && !strcmp(o->format, "json");
}

/* One whose maker has not written its record: nothing of it runs, or not yet. */
static bool add_unrecorded(struct context *c, const char *id, struct rows *rows)
{
	_cleanup_state_ struct state_dir d = STATE_DIR_NONE;
	_cleanup_err_ struct err *e = state_open(c->g->root, id, c->pool, &d);

	if (e || state_has_record(&d))
		return false;
	LIST_ADD(c->pool, rows, { .id = id, .status = state_being_made(&d) ? "creating" : "stopped", .bundle = "", .created = "", .owner = "" });
	return true;
}

static void add_row(struct context *c, const char *id, struct rows *rows)
{
	struct sandbox s = SANDBOX_NONE;
	struct client_state st;
	uint64_t pid;
	struct err *e;

	if (add_unrecorded(c, id, rows))
		return;
	e = sandbox_open(c, id, &s);

	if (e && err_errno(e) == ENOENT) {
		err_free(e); /* gone since */
		return;
	}
	if (e) {
		/* shown so that it can be deleted */
		log_warning("%s", err_text(e));
		err_free(e);
		LIST_ADD(c->pool, rows, { .id = id, .status = "broken", .bundle = "", .created = "", .owner = "" });
		return;
	}
	client_state(&s.dir, &s.state, &st);
	pid = st.status == STATUS_STOPPED ? 0 : st.sentry_pid;
	LIST_ADD(c->pool, rows,
		{ .id = id, .status = client_status_names[st.status], .bundle = s.state.bundle, .created = s.state.created, .pid = pid,
			.owner = owner_name(s.state.owner, c->pool),
			.json = as_json(c) ? state_json(&s.state, client_status_names[st.status], pid) : NULL });
	sandbox_close(&s);
}

static void print_json(const struct rows *rows)
{
	_cleanup_json_ json_t *all = json_array();

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->v[i];
		json_t *j = r->json ? r->json : json_pack("{s:s, s:s}", "id", r->id, "status", r->status);

		json_object_set_new(j, "owner", json_string(r->owner));
		json_array_append_new(all, j);
	}
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
}

/* runc's columns: as wide as the longest and three more, but at least twelve. */
static void print_table(const struct rows *rows)
{
	static const char *const titles[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED" };
	int width[5] = { 12, 12, 12, 12, 12 };

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->v[i];
		const char *cells[] = { r->id, "", r->status, r->bundle, r->created };

		for (int k = 0; k < 5; k++)
			width[k] = (int)strlen(cells[k]) + 3 > width[k] ? (int)strlen(cells[k]) + 3 : width[k];
	}
	for (int k = 0; k < 5; k++)
		printf("%-*s", width[k], titles[k]);
	puts("OWNER");
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->v[i];

		printf("%-*s%-*llu%-*s%-*s%-*s%s\n", width[0], r->id, width[1], (unsigned long long)r->pid, width[2], r->status, width[3], r->bundle,
			width[4], r->created, r->owner);
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
	sweep(c);
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
	if (as_json(c))
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
