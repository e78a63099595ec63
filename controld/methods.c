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

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* --- passing on ----------------------------------------------------------------- */

/* A client's call that waits for the sentry's answer.  The call stays ours even
 * when its client goes; its answer is then dropped by rpc. */
struct forward {
	struct sandbox *sandbox;
	struct rpc_call *call;
	void (*after)(struct sandbox *s, const void *reply); /* or NULL: what a success means for us */
};

static void on_answer(void *arg, void *reply, struct err *e)
{
	struct forward *f = arg;

	if (!e && f->after)
		f->after(f->sandbox, reply);
	if (e)
		rpc_fail(f->call, e);
	else
		rpc_reply(f->call, reply);
	free(f);
}

/* Whether the request is for our container; if not the call is answered. */
static bool ours(struct rpc_call *call, const struct sandbox *s, const struct msg_str *id)
{
	if (id->len == strlen(s->id) && !memcmp(id->p, s->id, id->len))
		return true;
	rpc_fail(call, err_new(ENOENT, "container '%.64s' is not in this sandbox", id->p));
	return false;
}

/* The same, and the sentry must be there to ask. */
static bool ready(struct rpc_call *call, const struct sandbox *s, const struct msg_str *id)
{
	if (!ours(call, s, id))
		return false;
	if (s->rpc && !s->ending && s->phase != PHASE_STOPPED)
		return true;
	rpc_fail(call, err_new(ESRCH, "container not running: '%s' has stopped", s->id));
	return false;
}

static void forward(struct rpc_call *call, uint32_t id, const struct msg_desc *request, const void *body, const struct msg_desc *reply,
	void (*after)(struct sandbox *s, const void *reply))
{
	struct forward *f = malloc(sizeof(*f));
	struct sandbox *s = server_sandbox(call);

	if (!f) {
		rpc_fail(call, err_new(ENOMEM, "passing a request on"));
		return;
	}
	*f = (struct forward){ s, call, after };
	rpc_ask(s->rpc, id, request, body, reply, 0, on_answer, f);
}

#define FORWARD(M, PHASE_OK, AFTER)                                                                                           \
	static void on_##M(struct rpc_call *call, void *request)                                                              \
	{                                                                                                                     \
		struct control_##M *r = request;                                                                              \
                                                                                                                              \
		if (ready(call, server_sandbox(call), &r->id) && (PHASE_OK)(call, server_sandbox(call)))                      \
			forward(call, control_##M##_id, &control_##M##_desc, r, &control_##M##_reply_desc, AFTER);            \
	}

/* --- how processes end ------------------------------------------------------------ */

struct waiter {
	struct record_waiter link; /* first */
	struct rpc_call *call;
};

static void answer_waiter(struct record_waiter *link, uint16_t status)
{
	struct waiter *w = (struct waiter *)link;
	const struct control_wait_reply reply = { .status = status };

	rpc_on_cancel(w->call, NULL, NULL);
	rpc_reply(w->call, &reply);
	free(w);
}

static void on_waiter_gone(struct rpc_call *call, void *arg)
{
	struct waiter *w = arg;

	record_unwait(&w->link);
	free(w);
	rpc_fail(call, err_new(ECANCELED, "wait"));
}

/* Our own question to the sentry: when does this process end? */
struct watch {
	struct sandbox *sandbox;
	uint32_t pid;
};

static void on_process_end(void *arg, void *reply, struct err *e)
{
	struct watch *w = arg;
	struct record *rec = records_find(&w->sandbox->records, w->pid);

	/* an error: the sentry is going, which ends all records (methods_sentry_gone) */
	if (!e && rec) {
		if (!w->pid)
			w->sandbox->phase = PHASE_STOPPED;
		record_end(rec, (uint16_t)((struct control_wait_reply *)reply)->status, answer_waiter);
		/* the container has ended: letting go of its sentry ends that, with the program's status */
		if (!w->pid)
			event_active(w->sandbox->let_go, 0, 0);
	} else if (e) {
		log_debug("waiting for process %u: %s", w->pid, err_text(e));
	}
	err_free(e);
	free(w);
}

static void watch_process(struct sandbox *s, uint32_t pid)
{
	const struct control_wait request = { .id = msg_str(s->id), .pid = pid };
	struct watch *w = malloc(sizeof(*w));

	if (!w || !records_add(&s->records, pid)) {
		log_error("the end of process %u will not be known: out of memory", pid);
		free(w);
		return;
	}
	*w = (struct watch){ s, pid };
	RPC_ASK(s->rpc, control, wait, &request, 0, on_process_end, w);
}

static void on_wait(struct rpc_call *call, void *request)
{
	struct sandbox *s = server_sandbox(call);
	const struct control_wait *r = request;
	struct record *rec = records_find(&s->records, (uint32_t)r->pid);
	struct waiter *w;

	if (!ours(call, s, &r->id))
		return;
	if (!rec) {
		rpc_fail(call, err_new(ESRCH, "no process %llu was started here", (unsigned long long)r->pid));
	} else if (rec->ended) {
		rpc_reply(call, &(struct control_wait_reply){ .status = rec->status });
	} else if (!(w = malloc(sizeof(*w)))) {
		rpc_fail(call, err_new(ENOMEM, "wait"));
	} else {
		w->call = call;
		record_wait(rec, &w->link);
		rpc_on_cancel(call, on_waiter_gone, w);
	}
}

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
	s->phase = PHASE_STOPPED;
	if (r)
		rpc_free(r);
	/* whatever had not ended by then was killed */
	records_end_all(&s->records, SIGKILL, answer_waiter);
}

/* Not from within an answer of the connection that is to be closed. */
static void on_let_go(evutil_socket_t fd, short what, void *arg)
{
	methods_sentry_gone(arg);
}

struct err *methods_connect_sentry(struct sandbox *s, int sock)
{
	records_init(&s->records);
	/* the container itself: waited for from the beginning, by us from its start */
	if (!records_add(&s->records, 0) || !(s->let_go = event_new(s->base, -1, 0, on_let_go, s)))
		return err_new(ENOMEM, "records");
	return rpc_new(s->base, sock, NULL, 0, on_sentry_closed, s, &s->rpc);
}

/* --- the methods -------------------------------------------------------------------- */

static bool any_phase(struct rpc_call *call, const struct sandbox *s)
{
	return true;
}

static bool in_phase(struct rpc_call *call, const struct sandbox *s, bool ok, const char *must)
{
	static const char *const names[] = { "created", "running", "stopped", "paused" };

	if (!ok)
		rpc_fail(call, err_new(EINVAL, "container '%s' is %s, must be %s", s->id, names[s->phase], must));
	return ok;
}

/* Two starts at once are the sentry's to tell apart: it starts a container once. */
static bool must_be_created(struct rpc_call *call, const struct sandbox *s)
{
	return in_phase(call, s, s->phase == PHASE_CREATED, "created");
}

static bool must_run(struct rpc_call *call, const struct sandbox *s)
{
	return in_phase(call, s, s->phase == PHASE_RUNNING, "running");
}

static bool must_be_paused(struct rpc_call *call, const struct sandbox *s)
{
	return in_phase(call, s, s->phase == PHASE_PAUSED, "paused");
}

static void after_start(struct sandbox *s, const void *reply)
{
	s->phase = PHASE_RUNNING;
	watch_process(s, 0);
}

static void after_exec(struct sandbox *s, const void *reply)
{
	const struct control_exec_reply *r = reply;

	watch_process(s, (uint32_t)r->pid);
}

static void after_pause(struct sandbox *s, const void *reply)
{
	if (s->phase == PHASE_RUNNING)
		s->phase = PHASE_PAUSED;
}

static void after_resume(struct sandbox *s, const void *reply)
{
	if (s->phase == PHASE_PAUSED)
		s->phase = PHASE_RUNNING;
}

FORWARD(start, must_be_created, after_start)
FORWARD(exec, must_run, after_exec)
FORWARD(signal, any_phase, NULL)
FORWARD(processes, any_phase, NULL)
FORWARD(resize, any_phase, NULL)
FORWARD(pause, must_run, after_pause)
FORWARD(resume, must_be_paused, after_resume)
FORWARD(usage, any_phase, NULL)

static void on_state(struct rpc_call *call, void *request)
{
	const struct control_state *r = request;
	struct sandbox *s = server_sandbox(call);
	const struct record *rec = records_find(&s->records, 0);
	struct control_state_reply reply;

	if (!ours(call, s, &r->id))
		return;
	supervise_look(s);
	reply = (struct control_state_reply){
		.state = s->phase,
		.status = rec && rec->ended ? rec->status : 0,
		.sentry_pid = s->sentry.pidfd >= 0 ? s->sentry_pid : 0,
		.sentry_status = (uint64_t)s->sentry.status,
	};
	rpc_reply(call, &reply);
}

static void on_destroy(struct rpc_call *call, void *request)
{
	const struct control_destroy *r = request;
	struct sandbox *s = server_sandbox(call);

	if (ours(call, s, &r->id))
		supervise_destroy(s, call);
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
};
const size_t n_methods = sizeof(methods) / sizeof(methods[0]);
