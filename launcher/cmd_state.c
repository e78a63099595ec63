/*
 * cmd_state.c - state: a container's state as the OCI runtime specification
 * wants it.
 */
#include "client.h"
#include "sandbox.h"

static struct err *run(struct context *c, int *status)
{
	_cleanup_json_ json_t *j = NULL;
	struct sandbox s = SANDBOX_NONE;
	struct client_state st;
	struct err *e = sandbox_open(c, c->argv[0], &s);

	if (e)
		return e;
	client_state(&s.dir, &s.state, &st);
	j = state_json(&s.state, client_status_names[st.status], st.status == STATUS_STOPPED ? 0 : st.sentry_pid);
	json_object_set_new(j, "owner", json_string(owner_name(s.state.owner, c->pool)));
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	sandbox_close(&s);
	return NULL;
}

const struct command command_state = {
	.name = "state", .arguments = "ID", .summary = "print a container's state", .min_args = 1, .max_args = 1, .run = run,
};
