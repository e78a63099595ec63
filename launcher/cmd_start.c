/*
 * cmd_start.c - start: let a created container's program run.
 */
#include "lifecycle.h"

#include <string.h>

static struct err *run(struct context *c, int *status)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = sandbox_open(c, c->argv[0], &s);

	if (e)
		return e;
	if (strcmp(s.state.phase, "created"))
		e = err_new(0, "container '%s' is not created yet", s.dir.id);
	else
		e = start_container(&s);
	sandbox_close(&s);
	return e;
}

const struct command command_start = {
	.name = "start", .arguments = "ID", .summary = "start a created container's program", .min_args = 1, .max_args = 1, .run = run,
};
