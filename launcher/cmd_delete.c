/*
 * cmd_delete.c - delete: end what is left of a container and remove its files.
 *
 * With --force also a running one, one whose record is broken or missing, and
 * one that is being made: its maker notices that it was ended and gives up.
 */
#include "client.h"
#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>

struct delete_options {
	bool force;
};

static const struct option_def options[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct delete_options, force), NULL, "also if it is running, and no error if there is none" },
	{ 0 },
};

static void read_what_there_is(struct context *c, struct sandbox *s)
{
	_cleanup_err_ struct err *e = state_read(&s->dir, c->pool, &s->state);

	if (!e)
		e = state_enter_sandbox(&s->dir, s->state.sandbox);

	/* no record, or a broken one: then no process can be named, and only files go */
	if (e)
		log_warning("%s", err_text(e));
}

/* Forced: the processes first, so that a maker lets go of the lock. */
static struct err *force(struct context *c, struct sandbox *s)
{
	struct err *e;

	read_what_there_is(c, s);
	if ((e = sandbox_end_processes(s)))
		return e;
	if ((e = state_lock(&s->dir, true))) {
		if (err_errno(e) != ENOENT)
			return e;
		err_free(e); /* its maker has cleared up already */
		return NULL;
	}
	if (state_was_removed(&s->dir))
		return NULL; /* likewise, while we waited */
	read_what_there_is(c, s); /* the maker may have come further */
	return sandbox_destroy(s);
}

static struct err *orderly(struct context *c, struct sandbox *s)
{
	struct client_state st;
	struct err *e;

	if ((e = state_lock(&s->dir, false)) || (e = state_read(&s->dir, c->pool, &s->state)) ||
		(e = state_enter_sandbox(&s->dir, s->state.sandbox)))
		return e;
	client_state(&s->dir, &s->state, &st);
	if (st.status != STATUS_STOPPED && st.status != STATUS_CREATED)
		return err_new(EBUSY, "container '%s' is %s; stop it first, or use --force", s->dir.id, client_status_names[st.status]);
	return sandbox_destroy(s);
}

static struct err *run(struct context *c, int *status)
{
	const struct delete_options *o = c->options;
	struct sandbox s = SANDBOX_NONE;
	struct err *e = state_open(c->g->root, c->argv[0], c->pool, &s.dir);

	if (e && o->force && err_errno(e) == ENOENT) {
		err_free(e);
		return NULL;
	}
	if (e)
		return e;
	e = o->force ? force(c, &s) : orderly(c, &s);
	sandbox_close(&s);
	return e;
}

const struct command command_delete = {
	.name = "delete",
	.arguments = "ID",
	.summary = "remove a container that has stopped",
	.options = options,
	.options_size = sizeof(struct delete_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
