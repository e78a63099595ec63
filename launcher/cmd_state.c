/*
 * cmd_state.c - state: a container's state as the OCI runtime specification
 * wants it.
 */
#include "client.h"
#include "sandbox.h"

#include "oci.h"

static json_t *annotations_json(const struct jmap *m)
{
	json_t *j = json_object();

	for (size_t i = 0; i < m->n; i++)
		json_object_set_new(j, m->v[i].name, json_string(m->v[i].value));
	return j;
}

static struct err *run(struct context *c, int *status)
{
	_cleanup_json_ json_t *j = NULL;
	struct sandbox s = SANDBOX_NONE;
	struct client_state st;
	struct err *e = sandbox_open(c, c->argv[0], &s);

	if (e)
		return e;
	client_state(&s.dir, &s.state, &st);
	j = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:o}", "ociVersion", OCI_VERSION, "id", s.dir.id, "status",
		client_status_names[st.status], "pid", (json_int_t)(st.status == STATUS_STOPPED ? 0 : st.sentry_pid), "bundle",
		s.state.bundle ? s.state.bundle : "", "created", s.state.created ? s.state.created : "", "annotations",
		annotations_json(&s.state.annotations));
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	sandbox_close(&s);
	return NULL;
}

const struct command command_state = {
	.name = "state", .arguments = "ID", .summary = "print a container's state", .min_args = 1, .max_args = 1, .run = run,
};
