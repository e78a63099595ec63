/*
 * methods.c - what clients may ask.  See sandbox.h.
 *
 * Requests arrive decoded and within their bounds; here the container's id and
 * the sandbox's phase are checked.  What needs the guest's kernel goes on to the
 * sentry in the same protocol; what needs a record only (wait, state) is
 * answered from the record, and so also after the sentry has gone.  The sentry
 * is not believed: its answers are decoded by the same bounds, and a broken
 * one costs it the connection.
 */
#include "sandbox.h"
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- passing on ----------------------------------------------------------------- */

/* A client's call that waits for the sentry's answer.  The call stays ours even
 * when its client goes; its answer is then dropped by rpc. */
struct forward {
	struct container *container; /* referenced */
	struct rpc_call *call;
	void (*after)(struct container *c, void *reply); /* or NULL: what a success means for us */
};

static void on_answer(void *arg, void *reply, struct err *e)
{
	struct forward *f = arg;

	if (!e && f->after)
		f->after(f->container, reply);
	if (e)
		rpc_fail(f->call, e);
	else
		rpc_reply(f->call, reply);
	container_put(f->container);
	free(f);
}

/* The container that the request is for; NULL: the call is answered. */
static struct container *ours(struct rpc_call *call, const struct msg_str *id)
{
	struct container *c = container_find(server_sandbox(call), id->p);

	if (!c)
		rpc_fail(call, err_new(ENOENT, "container '%.64s' is not in this sandbox", id->p));
	return c;
}

/* The same, and the sentry must be there to ask. */
static struct container *ready(struct rpc_call *call, const struct msg_str *id)
{
	const struct sandbox *s = server_sandbox(call);
	struct container *c = ours(call, id);

	if (!c || (s->rpc && !s->ending && c->phase != PHASE_STOPPED))
		return c;
	rpc_fail(call, err_new(ESRCH, "container not running: '%s' has stopped", c->id));
	return NULL;
}

static void forward(struct rpc_call *call, struct container *c, uint32_t id, const struct msg_desc *request, const void *body,
	const struct msg_desc *reply, void (*after)(struct container *c, void *reply))
{
	struct forward *f = malloc(sizeof(*f));

	if (!f) {
		rpc_fail(call, err_new(ENOMEM, "passing a request on"));
		return;
	}
	*f = (struct forward){ c, call, after };
	container_get(c);
	rpc_ask(c->sandbox->rpc, id, request, body, reply, 0, on_answer, f);
}

#define FORWARD(M, PHASE_OK, AFTER)                                                                                           \
	static void on_##M(struct rpc_call *call, void *request)                                                              \
	{                                                                                                                     \
		struct control_##M *r = request;                                                                              \
		struct container *c = ready(call, &r->id);                                                                    \
                                                                                                                              \
		if (c && (PHASE_OK)(call, c))                                                                                 \
			forward(call, c, control_##M##_id, &control_##M##_desc, r, &control_##M##_reply_desc, AFTER);         \
	}

/* --- the sentry's connection -------------------------------------------------------- */

static void on_sentry_closed(struct rpc *r, const struct err *why, void *arg)
{
	struct sandbox *s = arg;

	if (why)
		log_error("the sentry broke the protocol: %s", err_text(why));
	/* without control over it the sandbox is worth nothing */
	methods_sentry_gone(s);
	supervise_kill_sentry(s);
}

void methods_sentry_gone(struct sandbox *s)
{
	struct rpc *r = s->rpc;

	s->rpc = NULL;
	if (r)
		rpc_free(r);
	/* whatever had not ended by then was killed */
	containers_sentry_gone(s);
}

/* Not from within an answer of the connection that is to be closed. */
static void on_let_go(evutil_socket_t fd, short what, void *arg)
{
	methods_sentry_gone(arg);
}

struct err *methods_connect_sentry(struct sandbox *s, int sock)
{
	if (!(s->let_go = event_new(s->base, -1, 0, on_let_go, s)))
		return err_new(ENOMEM, "event");
	return rpc_new(s->base, sock, NULL, 0, on_sentry_closed, s, &s->rpc);
}

/* --- the methods -------------------------------------------------------------------- */

static bool any_phase(struct rpc_call *call, const struct container *c)
{
	return true;
}

static bool in_phase(struct rpc_call *call, const struct container *c, bool ok, const char *must)
{
	static const char *const names[] = { "created", "running", "stopped", "paused" };

	if (!ok)
		rpc_fail(call, err_new(EINVAL, "container '%s' is %s, must be %s", c->id, names[c->phase], must));
	return ok;
}

/* Two starts at once are the sentry's to tell apart: it starts a container once. */
static bool must_be_created(struct rpc_call *call, const struct container *c)
{
	return in_phase(call, c, c->phase == PHASE_CREATED, "created");
}

static bool must_run(struct rpc_call *call, const struct container *c)
{
	return in_phase(call, c, c->phase == PHASE_RUNNING, "running");
}

static bool must_be_paused(struct rpc_call *call, const struct container *c)
{
	return in_phase(call, c, c->phase == PHASE_PAUSED, "paused");
}

static void after_start(struct container *c, void *reply)
{
	c->phase = PHASE_RUNNING;
	/* of the others it is known from their making on */
	if (c == c->sandbox->first)
		container_watch(c, 0);
}

/* What ends one that has not started is learned too. */
static void after_signal(struct container *c, void *reply)
{
	if (c == c->sandbox->first && c->phase == PHASE_CREATED)
		container_watch(c, 0);
}

static void after_exec(struct container *c, void *reply)
{
	const struct control_exec_reply *r = reply;

	container_watch(c, (uint32_t)r->pid);
}

/* Which host processes stand for those inside is known here only. */
static void after_processes(struct container *c, void *reply)
{
	struct control_processes_reply *r = reply;

	for (uint32_t i = 0; i < r->n_processes; i++) {
		const struct record *rec = records_find(&c->records, (uint32_t)r->processes[i].pid);

		r->processes[i].stand_in = rec && !rec->ended ? rec->stand_in : 0;
	}
}

static void after_pause(struct container *c, void *reply)
{
	if (c->phase == PHASE_RUNNING)
		c->phase = PHASE_PAUSED;
}

static void after_resume(struct container *c, void *reply)
{
	if (c->phase == PHASE_PAUSED)
		c->phase = PHASE_RUNNING;
}

FORWARD(start, must_be_created, after_start)

static void on_exec(struct rpc_call *call, void *request)
{
	struct control_exec *r = request;
	struct container *c = ready(call, &r->id);

	if (c && (r->hook ? must_be_created(call, c) : must_run(call, c)))
		forward(call, c, control_exec_id, &control_exec_desc, r, &control_exec_reply_desc, after_exec);
}

FORWARD(signal, any_phase, after_signal)
FORWARD(processes, any_phase, after_processes)
FORWARD(resize, any_phase, NULL)
FORWARD(pause, must_run, after_pause)
FORWARD(resume, must_be_paused, after_resume)
FORWARD(usage, any_phase, NULL)
FORWARD(limit, any_phase, NULL)
FORWARD(stacks, any_phase, NULL)
FORWARD(profile, any_phase, NULL)
FORWARD(port_forward, must_run, NULL)
FORWARD(procfs, any_phase, NULL)
FORWARD(metrics, any_phase, NULL)
FORWARD(usage_file, any_phase, NULL)
FORWARD(mount, any_phase, NULL)
FORWARD(links, any_phase, NULL)
FORWARD(trace_create, any_phase, NULL)
FORWARD(trace_delete, any_phase, NULL)
FORWARD(trace_list, any_phase, NULL)
FORWARD(cgroup_read, any_phase, NULL)
FORWARD(cgroup_write, any_phase, NULL)
FORWARD(netlink, any_phase, NULL)
FORWARD(file_look, any_phase, NULL)
FORWARD(file_list, any_phase, NULL)
FORWARD(file_read, any_phase, NULL)
FORWARD(file_write, any_phase, NULL)
FORWARD(file_make, any_phase, NULL)
FORWARD(file_remove, any_phase, NULL)
FORWARD(file_rename, any_phase, NULL)
FORWARD(file_link, any_phase, NULL)
FORWARD(file_change, any_phase, NULL)

static void on_files_serve(struct rpc_call *call, void *request)
{
	struct control_files_serve *r = request;
	struct container *c = ready(call, &r->id);
	struct err *e = c ? view_serve(c, r) : NULL;
	const struct control_files_serve_reply reply;

	if (e)
		rpc_fail(call, e);
	else if (c)
		rpc_reply(call, &reply);
}

static void on_logging(struct rpc_call *call, void *request)
{
	struct control_logging *r = request;
	struct container *c = ready(call, &r->id);

	if (c && r->level <= LOG_DEBUG)
		log_set_level((enum log_level)r->level);
	if (c)
		forward(call, c, control_logging_id, &control_logging_desc, r, &control_logging_reply_desc, NULL);
}

#define NOT_SUPPORTED(M)                                                               \
	static void on_##M(struct rpc_call *call, void *request)                       \
	{                                                                              \
		rpc_fail(call, err_new(EOPNOTSUPP, #M ": is not supported yet"));      \
	}

NOT_SUPPORTED(checkpoint)
NOT_SUPPORTED(restore)

static void on_wait(struct rpc_call *call, void *request)
{
	const struct control_wait *r = request;
	struct container *c = ours(call, &r->id);

	if (c)
		container_wait(c, (uint32_t)r->pid, (uint32_t)r->stand_in, call);
}

static void on_state(struct rpc_call *call, void *request)
{
	const struct control_state *r = request;
	struct sandbox *s = server_sandbox(call);
	struct control_state_reply reply;
	struct container *c = ours(call, &r->id);
	const struct record *rec;

	if (!c)
		return;
	supervise_look(s);
	rec = records_find(&c->records, 0);
	reply = (struct control_state_reply){
		.state = c->phase,
		.status = rec && rec->ended ? rec->status : 0,
		.sentry_pid = s->sentry.pidfd >= 0 ? s->sentry_pid : 0,
		.sentry_status = (uint64_t)s->sentry.status,
	};
	rpc_reply(call, &reply);
}

/* --- containers come and go ----------------------------------------------------------- */

/* A create under way. */
struct creating {
	struct container *container; /* referenced, in no list */
	struct rpc_call *call;
};

static void on_created(void *arg, void *reply, struct err *e)
{
	struct creating *cr = arg;

	if (e) {
		rpc_fail(cr->call, e);
	} else {
		container_made(cr->container);
		rpc_reply(cr->call, reply);
	}
	container_put(cr->container);
	free(cr);
}

static void on_create(struct rpc_call *call, void *request)
{
	const struct control_create *r = request;
	struct sandbox *s = server_sandbox(call);
	struct creating *cr = NULL;
	struct container *c = NULL;
	struct err *e = NULL;

	if (!s->rpc || s->ending || s->first->phase == PHASE_STOPPED)
		e = err_new(ESRCH, "sandbox '%s' has stopped", s->first->id);
	else if (container_find(s, r->id.p))
		e = err_new(EEXIST, "container '%.64s' is in this sandbox already", r->id.p);
	else if (!(e = container_new(s, r->id.p, &c)) && !(cr = malloc(sizeof(*cr))))
		e = err_new(ENOMEM, "container");
	if (e) {
		if (c)
			container_put(c);
		rpc_fail(call, e);
		return;
	}
	*cr = (struct creating){ c, call };
	RPC_ASK(s->rpc, control, create, r, 0, on_created, cr);
}

static void after_destroy(struct container *c, void *reply)
{
	container_gone(c);
}

static void on_destroy(struct rpc_call *call, void *request)
{
	const struct control_destroy *r = request;
	struct sandbox *s = server_sandbox(call);
	struct container *c = ours(call, &r->id);

	if (!c)
		return;
	if (c == s->first) {
		supervise_destroy(s, call);
	} else if (s->rpc && !s->ending) {
		forward(call, c, control_destroy_id, &control_destroy_desc, r, &control_destroy_reply_desc, after_destroy);
	} else {
		container_gone(c);
		rpc_reply(call, &(struct control_destroy_reply){ 0 });
	}
}

const struct rpc_method methods[] = {
	RPC_METHOD(control, start, on_start, 0),
	RPC_METHOD(control, exec, on_exec, 0),
	RPC_METHOD(control, wait, on_wait, 0),
	RPC_METHOD(control, signal, on_signal, 0),
	RPC_METHOD(control, state, on_state, 0),
	RPC_METHOD(control, processes, on_processes, 0),
	RPC_METHOD(control, resize, on_resize, 0),
	RPC_METHOD(control, pause, on_pause, 0),
	RPC_METHOD(control, resume, on_resume, 0),
	RPC_METHOD(control, destroy, on_destroy, 0),
	RPC_METHOD(control, usage, on_usage, 0),
	RPC_METHOD(control, limit, on_limit, 0),
	RPC_METHOD(control, logging, on_logging, 0),
	RPC_METHOD(control, checkpoint, on_checkpoint, 0),
	RPC_METHOD(control, restore, on_restore, 0),
	RPC_METHOD(control, stacks, on_stacks, 0),
	RPC_METHOD(control, profile, on_profile, 0),
	RPC_METHOD(control, trace_create, on_trace_create, 0),
	RPC_METHOD(control, trace_delete, on_trace_delete, 0),
	RPC_METHOD(control, trace_list, on_trace_list, 0),
	RPC_METHOD(control, port_forward, on_port_forward, 0),
	RPC_METHOD(control, create, on_create, 0),
	RPC_METHOD(control, procfs, on_procfs, 0),
	RPC_METHOD(control, metrics, on_metrics, 0),
	RPC_METHOD(control, usage_file, on_usage_file, 0),
	RPC_METHOD(control, mount, on_mount, 0),
	RPC_METHOD(control, links, on_links, 0),
	RPC_METHOD(control, cgroup_read, on_cgroup_read, 0),
	RPC_METHOD(control, cgroup_write, on_cgroup_write, 0),
	RPC_METHOD(control, netlink, on_netlink, 0),
	RPC_METHOD(control, file_look, on_file_look, 0),
	RPC_METHOD(control, file_list, on_file_list, 0),
	RPC_METHOD(control, file_read, on_file_read, 0),
	RPC_METHOD(control, file_write, on_file_write, 0),
	RPC_METHOD(control, file_make, on_file_make, 0),
	RPC_METHOD(control, file_remove, on_file_remove, 0),
	RPC_METHOD(control, file_rename, on_file_rename, 0),
	RPC_METHOD(control, file_link, on_file_link, 0),
	RPC_METHOD(control, file_change, on_file_change, 0),
	RPC_METHOD(control, files_serve, on_files_serve, 0),
};
const size_t n_methods = sizeof(methods) / sizeof(methods[0]);
