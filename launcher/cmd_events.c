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

static void put(json_t *data, const char *kind, const char *member, const char *key, uint64_t value)
{
	json_t *at = json_object_get(data, kind);

	if (member)
		at = json_object_get(at, member);
	if (at)
		json_object_set_new(at, key, json_integer((json_int_t)value));
}

/* What the guest's own kernel counts, and the limit that it keeps: instead of a cgroup's
 * data, or into it.  That of one that joined a sandbox holds no more than its stand-in. */
static struct err *guest_stats(const struct sandbox *s, json_t **data)
{
	struct control_usage_reply r = { 0 };
	struct err *e = client_usage(&s->dir, &r);

	if (e)
		return e;
	if (!*data)
		*data = json_pack("{s:{s:{s:I}}, s:{s:I, s:{s:I}}, s:{s:I}}", "cpu", "usage", "total", (json_int_t)r.cpu_ns, "memory", "cache", (json_int_t)r.shmem,
			"usage", "usage", (json_int_t)r.memory, "pids", "current", (json_int_t)r.tasks);
	if (r.memory_limit)
		put(*data, "memory", "usage", "limit", r.memory_limit);
	if (s->state.sandbox) {
		put(*data, "memory", "usage", "usage", r.memory);
		put(*data, "pids", NULL, "current", r.tasks);
		put(*data, "cpu", "usage", "total", r.cpu_ns);
	}
	return NULL;
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
	json_t *data = g.dirs.n ? cgroup_stats(&g, &p) : NULL;
	struct err *e = guest_stats(s, &data);

	if (e && !data)
		return e;
	err_free(e);
	print("stats", s->dir.id, data);
	return NULL;
}

/* By the guest's kernel, and by the host's. */
static uint64_t oom_kills(const struct sandbox *s)
{
	const struct cgroup g = cgroup_of(&s->state);
	_cleanup_pool_ struct pool p = { 0 };
	struct control_usage_reply r = { 0 };
	struct err *e = client_usage(&s->dir, &r);

	err_free(e);
	return r.oom_kills + cgroup_oom_kills(&g, &p);
}

/* Until the sandbox ends. */
static struct err *follow(struct context *c, const struct sandbox *s, int ms)
{
	_cleanup_close_ int sentry = proc_open(s->state.sentry);
	struct pollfd p = { sentry, POLLIN, 0 };
	uint64_t kills = oom_kills(s);
	struct err *e = NULL;

	while (!e && sentry >= 0) {
		int n = poll(&p, 1, ms);
		uint64_t now;

		if (n < 0 && errno != EINTR)
			return err_new(errno, "poll");
		if ((now = oom_kills(s)) > kills)
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
	.summary = "print what a container uses, and out-of-memory kills as they happen",
	.options = options,
	.options_size = sizeof(struct events_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
