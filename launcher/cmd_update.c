/*
 * cmd_update.c - update: other limits for a container's cgroup.
 */
#include "cgroup.h"
#include "client.h"
#include "sandbox.h"
#include "scope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM_MS 25000

struct update_options {
	const char *resources;
	const char *memory, *reservation, *swap, *shares, *quota, *period, *cpus, *mems, *pids, *weight, *rt_period, *rt_runtime;
	const char *l3_cache, *mem_bw; /* Intel RDT: refused */
};

static const struct option_def options[] = {
	{ "resources", 'r', OPTION_TEXT, offsetof(struct update_options, resources), "FILE", "linux.resources as JSON; '-' reads standard input" },
	{ "memory", 0, OPTION_TEXT, offsetof(struct update_options, memory), "BYTES", "memory limit" },
	{ "memory-reservation", 0, OPTION_TEXT, offsetof(struct update_options, reservation), "BYTES", "soft memory limit" },
	{ "memory-swap", 0, OPTION_TEXT, offsetof(struct update_options, swap), "BYTES", "memory and swap together; -1: no limit" },
	{ "cpu-share", 0, OPTION_TEXT, offsetof(struct update_options, shares), "N", "weight against others" },
	{ "cpu-quota", 0, OPTION_TEXT, offsetof(struct update_options, quota), "US", "processor time in a period" },
	{ "cpu-period", 0, OPTION_TEXT, offsetof(struct update_options, period), "US", "the period" },
	{ "cpu-rt-runtime", 0, OPTION_TEXT, offsetof(struct update_options, rt_runtime), "US", "real-time processor time in a period" },
	{ "cpu-rt-period", 0, OPTION_TEXT, offsetof(struct update_options, rt_period), "US", "that period" },
	{ "cpuset-cpus", 0, OPTION_TEXT, offsetof(struct update_options, cpus), "LIST", "processors" },
	{ "cpuset-mems", 0, OPTION_TEXT, offsetof(struct update_options, mems), "LIST", "memory nodes" },
	{ "pids-limit", 0, OPTION_TEXT, offsetof(struct update_options, pids), "N", "processes" },
	{ "blkio-weight", 0, OPTION_TEXT, offsetof(struct update_options, weight), "N", "block device weight" },
	{ "l3-cache-schema", 0, OPTION_TEXT, offsetof(struct update_options, l3_cache), "TEXT", "refused: Intel RDT is not supported" },
	{ "mem-bw-schema", 0, OPTION_TEXT, offsetof(struct update_options, mem_bw), "TEXT", "refused, the same" },
	{ 0 },
};

/* The options become the same JSON that --resources would bring. */
static struct err *from_options(const struct update_options *o, json_t *doc)
{
	const struct {
		const char *value, *object, *member;
	} numbers[] = {
		{ o->memory, "memory", "limit" }, { o->reservation, "memory", "reservation" }, { o->swap, "memory", "swap" },
		{ o->shares, "cpu", "shares" }, { o->quota, "cpu", "quota" }, { o->period, "cpu", "period" },
		{ o->rt_runtime, "cpu", "realtimeRuntime" }, { o->rt_period, "cpu", "realtimePeriod" }, { o->pids, "pids", "limit" }, { o->weight, "blockIO", "weight" },
	};

	if (o->l3_cache || o->mem_bw)
		return err_new(0, "--%s: Intel RDT is not supported", o->l3_cache ? "l3-cache-schema" : "mem-bw-schema");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *text = numbers[i].value;
		long long v;
		char *end;

		if (!text)
			continue;
		errno = 0;
		v = strtoll(text, &end, 10);
		if (errno || end == text || *end)
			return err_new(0, "%s.%s: '%.64s' is not a number", numbers[i].object, numbers[i].member, text);
		if (!json_object_get(doc, numbers[i].object))
			json_object_set_new(doc, numbers[i].object, json_object());
		json_object_set_new(json_object_get(doc, numbers[i].object), numbers[i].member, json_integer(v));
	}
	if ((o->cpus || o->mems) && !json_object_get(doc, "cpu"))
		json_object_set_new(doc, "cpu", json_object());
	if (o->cpus)
		json_object_set_new(json_object_get(doc, "cpu"), "cpus", json_string(o->cpus));
	if (o->mems)
		json_object_set_new(json_object_get(doc, "cpu"), "mems", json_string(o->mems));
	return NULL;
}

static struct err *load(const struct update_options *o, json_t **doc)
{
	struct err *e = NULL;

	if (!o->resources)
		*doc = json_object();
	else
		e = strcmp(o->resources, "-") ? json_load_path(o->resources, doc) : json_load_fd(0, doc);
	if (!e && !json_is_object(*doc))
		e = err_new(0, "--resources: is not an object");
	return e ? e : from_options(o, *doc);
}

/* -1, "none", is the greatest number. */
static uint64_t guest_limit(int64_t limit)
{
	return limit < 0 ? UINT64_MAX : (uint64_t)limit;
}

/* The guest's own kernel keeps these. */
static struct err *change_inside(const struct sandbox *s, const struct oci_resources *r)
{
	const struct control_limit request = { .id = msg_str(s->dir.id),
		.memory = r->memory ? guest_limit(r->memory->limit) : 0, .tasks = r->pids ? guest_limit(r->pids->limit) : 0 };
	struct control_limit_reply reply;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = NULL;

	if ((!request.memory && !request.tasks) || (e = client_connect(&s->dir, &rpc)))
		return e;
	if (!(e = RPC_CALL(rpc, control, limit, &request, &reply, &a, CLIENT_QUICK_MS)))
		msg_free(&control_limit_reply_desc, &reply, &a);
	rpc_client_free(rpc);
	return e;
}

/* A guest that has more than it now may kills a program; only then is it the host's
 * turn, which would kill the sandbox. */
static struct err *await_room(const struct sandbox *s, int64_t limit)
{
	const struct timespec a_little = { .tv_nsec = 5000000 };
	struct control_usage_reply usage;
	struct err *e = NULL;

	if (limit <= 0)
		return NULL;
	for (int ms = 0; ms < ROOM_MS; ms += 5) {
		if ((e = client_usage(&s->dir, &usage)) || usage.memory <= (uint64_t)limit)
			return e;
		nanosleep(&a_little, NULL);
	}
	return err_new(EBUSY, "linux.resources.memory.limit: programs hold %llu bytes still; the host's limit is as it was", (unsigned long long)usage.memory);
}

/* systemd is told before its files are written: what it does not know it would undo. */
static struct err *change(const struct sandbox *s, const struct oci_resources *r, struct pool *p)
{
	const struct cgroup g = cgroup_of(&s->state);
	struct err *e = change_inside(s, r);

	if (e)
		return e;
	if (r->memory && (e = await_room(s, r->memory->limit)))
		return e;
	e = g.scope ? scope_update(g.scope, r, p) : NULL;
	return e ? e : cgroup_limit(&g, r, p);
}

static struct err *run(struct context *c, int *status)
{
	_cleanup_json_ json_t *doc = NULL;
	struct oci_resources resources = { 0 };
	struct sandbox s = SANDBOX_NONE;
	struct client_state st;
	struct err *e;

	if ((e = load(c->options, &doc)) || (e = oci_read_resources(doc, c->pool, &resources)) || (e = sandbox_open(c, c->argv[0], &s)))
		return e;
	client_state(&s.dir, &s.state, &st);
	if (st.status == STATUS_STOPPED)
		e = err_new(0, "container not running: '%s' has stopped", s.dir.id);
	else if (!s.state.cgroup.n && !s.state.scope)
		e = err_new(0, "container '%s' has no cgroup on the host", s.dir.id);
	else
		e = change(&s, &resources, c->pool);
	sandbox_close(&s);
	return e;
}

const struct command command_update = {
	.name = "update",
	.arguments = "ID",
	.summary = "change a container's limits on the host",
	.options = options,
	.options_size = sizeof(struct update_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
