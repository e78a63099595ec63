/*
 * trace.c - control.trace_create, trace_delete, trace_list, and the names of trace points and fields, which
 * are runsc's.  Event thread; the sessions themselves are in kernel/trace.c.
 */
#include "control/methods.h"

#include "control/trace_points.h"
#include "kernel/trace.h"
#include "libipc/hostcall.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- names ------------------------------------------------------------------------------ */

static const struct field {
	const char *name;
	uint16_t bit;
} context_fields[] = {
	{ "container_id", TRACE_CONTAINER }, { "credentials", TRACE_CREDENTIALS }, { "cwd", TRACE_CWD }, { "group_id", TRACE_GROUP },
	{ "process_name", TRACE_PROCESS }, { "task_start_time", TRACE_THREAD_START }, { "thread_group_start_time", TRACE_GROUP_START },
	{ "thread_id", TRACE_THREAD }, { "time", TRACE_TIME }, { 0 },
}, start_fields[] = { { "env", TRACE_ENV }, { 0 } }, exec_fields[] = { { "envv", TRACE_ENV }, { 0 } },
	call_fields[] = { { "fd_path", TRACE_FD_PATH }, { "text", TRACE_TEXT }, { 0 } }, no_fields[] = { { 0 } };

static const struct point {
	const char *name;
	unsigned number;
	const struct field *optional;
	unsigned others; /* as many that follow are meant too */
} points[] = {
	{ "container/start", TRACE_CONTAINER_START, start_fields, 0 }, { "sentry/clone", TRACE_CLONE, no_fields, 0 },
	{ "sentry/execve", TRACE_EXEC, exec_fields, 0 }, { "sentry/exit_notify_parent", TRACE_EXIT_NOTIFY, no_fields, 0 },
	{ "sentry/task_exit", TRACE_TASK_EXIT, no_fields, 0 },
};
#define N_POINTS (sizeof(points) / sizeof(points[0]))

static bool call_by_name(const char *name, size_t n, unsigned *nr)
{
	for (unsigned i = 0; i < SYSCALL_MAX; i++) {
		if (syscall_table[i].name && strlen(syscall_table[i].name) == n && !memcmp(syscall_table[i].name, name, n)) {
			*nr = i;
			return true;
		}
	}
	return false;
}

static bool call_by_number(const char *text, size_t n, unsigned *nr)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || v >= TRACE_CALLS)
			return false;
		v = v * 10 + (unsigned)(text[i] - '0');
	}
	*nr = v;
	return n && v < TRACE_CALLS;
}

/* syscall/NAME/enter, syscall/sysno/NUMBER/exit, syscall/ALL/exit, where ALL is an asterisk */
static bool find_call(const char *name, struct point *out)
{
	const char *last = strrchr(name, '/');
	unsigned nr = 0;

	if (strncmp(name, "syscall/", 8) || last < name + 8)
		return false;
	if (last == name + 9 && name[8] == '*')
		out->others = TRACE_CALLS - 1;
	else if (!strncmp(name + 8, "sysno/", 6) && last > name + 14 ? !call_by_number(name + 14, (size_t)(last - name - 14), &nr)
								: !call_by_name(name + 8, (size_t)(last - name - 8), &nr))
		return false;
	out->number = nr + (!strcmp(last, "/enter") ? TRACE_ENTER : TRACE_EXIT);
	return !strcmp(last, "/enter") || !strcmp(last, "/exit");
}

static bool find_point(const char *name, struct point *out)
{
	for (size_t i = 0; i < N_POINTS; i++) {
		if (!strcmp(points[i].name, name)) {
			*out = points[i];
			return true;
		}
	}
	*out = (struct point){ name, 0, call_fields, 0 };
	return find_call(name, out);
}

static uint16_t find_field(const struct field *f, const char *name)
{
	while (f->name && strcmp(f->name, name))
		f++;
	return f->bit;
}

/* --- what is asked ------------------------------------------------------------------------- */

static struct err *read_point(const struct control_trace_point *in, bool ignore, uint16_t fields[TRACE_POINTS])
{
	struct point p;
	uint16_t wanted = TRACE_WANTED;

	if (!find_point(in->name.p, &p))
		return ignore ? NULL : err_new(EINVAL, "trace point '%s' is not known", in->name.p);
	for (uint32_t i = 0; i < in->n_fields; i++) {
		const char *name = in->fields[i].p;
		uint16_t bit = find_field(context_fields, name);

		if (!bit)
			bit = find_field(p.optional, name);
		if (!bit && !ignore)
			return err_new(EINVAL, "trace point '%s' has no field '%s'", in->name.p, name);
		wanted |= bit;
	}
	for (unsigned i = 0; i <= p.others; i++)
		fields[p.number + i] |= wanted;
	return NULL;
}

static struct err *read_request(const struct control_trace_create *q, struct trace_options *o)
{
	struct err *e = NULL;
	struct stat st;

	if (!q->name.len)
		return err_new(EINVAL, "a trace session needs a name");
	if (!q->n_points)
		return err_new(EINVAL, "trace session %s: no points", q->name.p);
	if (host_fstat(q->sink, &st) < 0 || !(S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode)))
		return err_new(EINVAL, "trace session %s: the sink is neither a socket nor a regular file", q->name.p);
	o->name = q->name.p;
	o->sink = q->sink;
	o->file = S_ISREG(st.st_mode);
	o->retries = (unsigned)q->retries;
	for (uint32_t i = 0; !e && i < q->n_points; i++)
		e = read_point(&q->points[i], q->ignore_missing, o->fields);
	return e;
}

static struct err *create(struct kernel *k, struct control_trace_create *q)
{
	struct trace_options *o = calloc(1, sizeof(*o));
	struct err *e = o ? read_request(q, o) : err_new(ENOMEM, "trace session");
	int r;

	if (!e) {
		if (q->force)
			(void)trace_session_end(k, q->name.p);
		if ((r = trace_session_begin(k, o)) < 0)
			e = err_new(-r, "trace session %s", q->name.p);
		else
			q->sink = -1; /* the session's */
	}
	free(o);
	return e;
}

void control_do_trace_create(struct rpc_call *call, void *request)
{
	struct control_trace_create *q = request;
	struct container *c = control_find(call, q->id);
	struct control_trace_create_reply r;
	struct err *e = c ? create(c->k, q) : NULL;

	if (e)
		rpc_fail(call, e);
	else if (c)
		rpc_reply(call, &r);
}

void control_do_trace_delete(struct rpc_call *call, void *request)
{
	struct control_trace_delete *q = request;
	struct container *c = control_find(call, q->id);
	struct control_trace_delete_reply r;

	if (c && trace_session_end(c->k, q->name.p))
		rpc_fail(call, err_new(ENOENT, "trace session '%s'", q->name.p));
	else if (c)
		rpc_reply(call, &r);
}

void control_do_trace_list(struct rpc_call *call, void *request)
{
	struct control_trace_list *q = request;
	struct container *c = control_find(call, q->id);
	struct control_trace_session rows[TRACE_SESSIONS_MAX];
	struct trace_info all[TRACE_SESSIONS_MAX];
	struct control_trace_list_reply r = { .sessions = rows };

	if (!c)
		return;
	r.n_sessions = trace_list(c->k, all);
	for (uint32_t i = 0; i < r.n_sessions; i++)
		rows[i] = (struct control_trace_session){ msg_str(all[i].name), all[i].points, all[i].sent, all[i].dropped, all[i].broken };
	rpc_reply(call, &r);
}

/* --- the list of them all -------------------------------------------------------------------- */

static void print_fields(const char *what, const struct field *f)
{
	printf("%s: [", what);
	for (unsigned i = 0; f[i].name; i++)
		printf("%s%s", i ? "|" : "", f[i].name);
	printf("]\n");
}

static void print_point(const char *name, const struct field *optional)
{
	printf("Name: %s", name);
	if (optional->name)
		print_fields(", optional fields", optional);
	else
		printf(", optional fields: []\n");
}

void trace_points_print(void)
{
	char name[64];

	print_fields("CONTEXT FIELDS", context_fields);
	printf("\nPOINTS (%zu and those of calls)\n", N_POINTS);
	for (size_t i = 0; i < N_POINTS; i++)
		print_point(points[i].name, points[i].optional);
	for (unsigned nr = 0; nr < SYSCALL_MAX; nr++) {
		if (!syscall_table[nr].name)
			continue;
		for (int after = 0; after < 2; after++) {
			snprintf(name, sizeof(name), "syscall/%s/%s", syscall_table[nr].name, after ? "exit" : "enter");
			print_point(name, call_fields);
		}
	}
	print_point("syscall/sysno/N/enter", call_fields);
	print_point("syscall/sysno/N/exit", call_fields);
	print_point("syscall/*/enter", call_fields);
	print_point("syscall/*/exit", call_fields);
	printf("\nSINKS\nName: remote, config: endpoint (a SEQPACKET socket's path), retries\nName: file, config: path\n");
}
