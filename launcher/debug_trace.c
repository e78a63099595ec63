/*
 * debug_trace.c - a timeline of what a container's programs do.  See debug.h.
 *
 * A trace session of all calls is opened with a socket of ours as its sink; each event is written as it
 * arrives.  A call is two entries, its beginning ("B") and its end ("E"), as the format wants it; of a
 * call that was under way when the session began or ended there is only one.  The sandbox is not
 * trusted: frames are checked, and events of other containers of a pod are left out.
 */
#include "clock.h"
#include "debug.h"
#include "trace.h"

#include "libipc/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SESSION "debug --trace" /* another that begins takes its place */
#define RETRIES 100 /* ms that a program waits for us rather than lose an event */
#define REST_MS 2000 /* for what is on its way when the time is over */
#define NAMES 1024

struct timeline {
	FILE *f;
	const char *container;
	int64_t begin; /* of the first event, ns since the epoch; 0: none has come */
	uint64_t entries, dropped;
	/* The name that was last written of a thread, at its number's place: another thread of that
	 * place only makes it be written again. */
	struct {
		uint64_t thread;
		char name[16];
	} names[NAMES];
};

/* --- entries -------------------------------------------------------------------------- */

/* Takes args, which may be NULL. */
static void put(struct timeline *t, const char *phase, const struct trace_context *c, const char *name, json_t *args)
{
	double us = (double)(c->time - t->begin) / 1e3;
	_cleanup_json_ json_t *j = json_pack("{s:s, s:o, s:I, s:I, s:f}", "ph", phase, "name", debug_text(name, strlen(name)), "pid", (json_int_t)c->group, "tid",
		(json_int_t)c->thread, "ts", us);

	if (args)
		json_object_set_new(j, "args", args);
	if (*phase == 'i')
		json_object_set_new(j, "s", json_string("t")); /* a mark in its thread's line alone */
	fputs(t->entries++ ? ",\n" : "", t->f);
	json_dumpf(j, t->f, JSON_COMPACT | JSON_REAL_PRECISION(15));
}

static json_t *one_arg(const char *name, const struct msg_str *s)
{
	return s->len ? json_pack("{s:o}", name, debug_text(s->p, s->len)) : NULL;
}

static void put_name(struct timeline *t, const struct trace_context *c)
{
	size_t at = c->thread % NAMES;

	if (t->names[at].thread == c->thread && !strcmp(t->names[at].name, c->process.p))
		return;
	t->names[at].thread = c->thread;
	snprintf(t->names[at].name, sizeof(t->names[at].name), "%s", c->process.p);
	put(t, "M", c, "thread_name", one_arg("name", &c->process));
	if (c->thread == c->group)
		put(t, "M", c, "process_name", one_arg("name", &c->process));
}

static void put_enter(struct timeline *t, const void *event)
{
	const struct trace_enter *e = event;

	put(t, "B", &e->context, e->name.len ? e->name.p : "(no such call)", NULL);
}

static void put_exit(struct timeline *t, const void *event)
{
	const struct trace_exit *e = event;

	put(t, "E", &e->context, e->name.len ? e->name.p : "(no such call)", one_arg("call", &e->text));
}

static void put_clone(struct timeline *t, const void *event)
{
	const struct trace_clone *e = event;

	put(t, "i", &e->context, "clone", json_pack("{s:I, s:I}", "thread", (json_int_t)e->thread, "process", (json_int_t)e->group));
}

static void put_exec(struct timeline *t, const void *event)
{
	const struct trace_exec *e = event;

	put(t, "i", &e->context, "exec", one_arg("path", &e->path));
}

static void put_end(struct timeline *t, const void *event)
{
	const struct trace_task_exit *e = event;

	put(t, "i", &e->context, "end", json_pack("{s:I}", "status", (json_int_t)e->status));
}

static const struct {
	const struct msg_desc *event;
	void (*put)(struct timeline *t, const void *event);
} kinds[] = {
	{ &trace_enter_desc, put_enter }, { &trace_exit_desc, put_exit }, { &trace_clone_desc, put_clone }, { &trace_exec_desc, put_exec },
	{ &trace_task_exit_desc, put_end },
};

static void put_event(void *arg, const struct msg_desc *d, const void *event)
{
	struct timeline *t = arg;
	const struct trace_context *c = event; /* every event's first member */

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (d != kinds[i].event)
			continue;
		t->dropped = c->dropped;
		if (strcmp(c->container.p, t->container) != 0)
			return;
		t->begin = t->begin ? t->begin : c->time;
		put_name(t, c);
		kinds[i].put(t, event);
	}
}

/* --- the session ------------------------------------------------------------------------ */

static struct err *begin(const struct debug *d, int sink)
{
	static const char *const points[] = { "sentry/clone", "sentry/execve", "sentry/task_exit", "syscall/*/enter", "syscall/*/exit" };
	static const char *const names[] = { "time", "thread_id", "group_id", "container_id", "process_name", "text" };
	struct control_trace_point all[sizeof(points) / sizeof(points[0])];
	struct msg_str fields[sizeof(names) / sizeof(names[0])];
	const struct control_trace_create request = {
		.id = msg_str(d->s->dir.id), .name = msg_str(SESSION), .force = true, .retries = RETRIES, .points = all,
		.n_points = sizeof(all) / sizeof(all[0]), .sink = sink,
	};
	struct control_trace_create_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fields[i] = msg_str(names[i]);
	for (size_t i = 0; i < request.n_points; i++) /* text, the last field, a call has at its end */
		all[i] = (struct control_trace_point){ .name = msg_str(points[i]), .fields = fields, .n_fields = i == request.n_points - 1 ? 6 : 5 };
	return RPC_CALL(d->rpc, control, trace_create, &request, &reply, &a, CLIENT_QUICK_MS);
}

static struct err *end(const struct debug *d)
{
	const struct control_trace_delete request = { .id = msg_str(d->s->dir.id), .name = msg_str(SESSION) };
	struct control_trace_delete_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };

	return RPC_CALL(d->rpc, control, trace_delete, &request, &reply, &a, CLIENT_QUICK_MS);
}

/* What comes within so many ms; *over: the other side has closed it. */
static struct err *hear(struct timeline *t, int fd, int ms, bool *over)
{
	int64_t until = now_ms() + ms;
	struct err *e = NULL;

	while (!e && !*over && (ms = (int)(until - now_ms())) > 0) {
		_cleanup_frame_ struct frame one = { 0 };
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, ms) == 1 && !(e = frame_recv(fd, &one, NULL, over)) && !*over)
			e = trace_event(&one, put_event, t);
	}
	return e;
}

static struct err *trace(const struct debug *d, struct timeline *t, int ms)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	bool over = false;
	struct err *e;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_new(errno, "socketpair");
	ours = pair[0];
	theirs = pair[1];
	if ((e = begin(d, theirs)))
		return e;
	close(TAKE_FD(theirs));
	e = hear(t, ours, ms, &over);
	if (!e && !over && !(e = end(d)))
		e = hear(t, ours, REST_MS, &over);
	return e;
}

struct err *debug_trace(const struct debug *d, const char *file, int ms)
{
	struct timeline *t = pool_alloc(d->c->pool, sizeof(*t));
	struct err *e;

	if (!(t->f = fopen(file, "we")))
		return err_new(errno, "%s", file);
	t->container = d->s->dir.id;
	fputs("[\n", t->f);
	e = trace(d, t, ms);
	fputs("\n]\n", t->f);
	if (fclose(t->f) && !e)
		e = err_new(errno, "%s", file);
	if (!e)
		fprintf(stderr, "%llu entries%s\n", (unsigned long long)t->entries, t->dropped ? "; some events found no room" : "");
	return e;
}
