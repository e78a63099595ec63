/*
 * cmd_events.c - events: what a container uses, one JSON object a line, in
 * runc's shape: from its cgroup, or, without one, from its kernel.
 */
#include "cgroup.h"
#include "client.h"
#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct events_options {
	const char *interval;
	bool stats;
};

static const struct option_def options[] = {
	{ "stats", 0, OPTION_FLAG, offsetof(struct events_options, stats), NULL, "once, and end" },
	{ "interval", 0, OPTION_TEXT, offsetof(struct events_options, interval), "TIME", "between two (5s)" },
	{ 0 },
};

/* "5s", "500ms", "1m"; seconds without a unit. */
/* Without a cgroup: what the guest's own kernel counts. */
static struct err *guest_stats(const struct state_dir *d, json_t **out)
{
	const struct control_usage request = { .id = msg_str(d->id) };
	struct control_usage_reply r = { 0 };
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(d, &rpc);

	if (e)
		return e;
	if (!(e = RPC_CALL(rpc, control, usage, &request, &r, &a, CLIENT_QUICK_MS))) {
		*out = json_pack("{s:{s:{s:I}}, s:{s:{s:I}}, s:{s:I}}", "cpu", "usage", "total", (json_int_t)r.cpu_ns, "memory", "usage", "usage",
			(json_int_t)r.memory, "pids", "current", (json_int_t)r.tasks);
		msg_free(&control_usage_reply_desc, &r, &a);
	}
	rpc_client_free(rpc);
	return e;
}

static void print(const char *type, const char *id, json_t *data)
{
	_cleanup_json_ json_t *j = json_pack("{s:s, s:s}", "type", type, "id", id);

	if (data)
		json_object_set_new(j, "data", data);
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
}

static struct err *stats(struct context *c, const struct sandbox *s)
{
	const struct cgroup g = cgroup_of(&s->state);
	_cleanup_pool_ struct pool p = { 0 };
	json_t *data = NULL;
	struct err *e = NULL;

	if (g.dirs.n)
		data = cgroup_stats(&g, &p);
	else
		e = guest_stats(&s->dir, &data);
	if (!e)
		print("stats", s->dir.id, data);
	return e;
}

/* Until the sandbox ends. */
static struct err *follow(struct context *c, const struct sandbox *s, int ms)
{
	const struct cgroup g = cgroup_of(&s->state);
	_cleanup_close_ int sentry = proc_open(s->state.sentry);
	struct pollfd p = { sentry, POLLIN, 0 };
	uint64_t kills = cgroup_oom_kills(&g, c->pool);
	struct err *e = NULL;

	while (!e && sentry >= 0) {
		int n = poll(&p, 1, ms);
		uint64_t now;

		if (n < 0 && errno != EINTR)
			return err_new(errno, "poll");
		if ((now = cgroup_oom_kills(&g, c->pool)) > kills)
			print("oom", s->dir.id, NULL);
		kills = now;
		if (n > 0)
			break;
		e = stats(c, s);
	}
	return e;
}

static struct err *run(struct context *c, int *status)
{
	const struct events_options *o = c->options;
	struct sandbox s = SANDBOX_NONE;
	struct client_state st;
	struct err *e;
	int ms = 5000;

	if ((e = option_ms("interval", o->interval, 86400000, &ms)) || (e = sandbox_open(c, c->argv[0], &s)))
		return e;
	client_state(&s.dir, &s.state, &st);
	if (st.status == STATUS_STOPPED)
		e = err_new(0, "container not running: '%s' has stopped", s.dir.id);
	else
		e = o->stats ? stats(c, &s) : follow(c, &s, ms);
	sandbox_close(&s);
	return e;
}

const struct command command_events = {
	.name = "events",
	.arguments = "ID",
	.summary = "print what a container uses, and when the host killed it for want of memory",
	.options = options,
	.options_size = sizeof(struct events_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
