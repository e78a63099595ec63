/*
 * methods.c - what clients may ask.  See sandbox.h.
 *
 * Requests arrive decoded and within their bounds; here the container's id and
 * the sandbox's phase are checked.  What needs the guest's kernel goes on to the
 * sentry in the same protocol (forward.c); what needs a record only (wait, state) is
 * answered from the record, and so also after the sentry has gone.
 */
#include "forward.h"
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* --- what controld has a part in -------------------------------------------------------------------- */

static void after_exec(struct container *c, void *reply)
{
	const struct control_exec_reply *r = reply;

	container_watch(c, (uint32_t)r->pid);
}

static void on_exec(struct rpc_call *call, void *request)
{
	struct control_exec *r = request;
	struct container *c = request_running(call, &r->id);

	if (c && (r->hook ? must_be_created(call, c) : must_run(call, c)))
		FORWARD(call, c, exec, r, after_exec);
}

static void on_logging(struct rpc_call *call, void *request)
{
	struct control_logging *r = request;
	struct container *c = request_running(call, &r->id);

	if (c && r->level <= LOG_DEBUG)
		log_set_level((enum log_level)r->level);
	if (c)
		FORWARD(call, c, logging, r, NULL);
}

static void on_files_serve(struct rpc_call *call, void *request)
{
	struct control_files_serve *r = request;
	struct container *c = request_running(call, &r->id);
	struct err *e = c ? view_serve(c, r) : NULL;
	const struct control_files_serve_reply reply;

	if (e)
		rpc_fail(call, e);
	else if (c)
		rpc_reply(call, &reply);
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
	struct container *c = request_container(call, &r->id);

	if (c)
		container_wait(c, (uint32_t)r->pid, (uint32_t)r->stand_in, call);
}

static void on_state(struct rpc_call *call, void *request)
{
	const struct control_state *r = request;
	struct sandbox *s = server_sandbox(call);
	struct control_state_reply reply;
	struct container *c = request_container(call, &r->id);
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
	struct container *c = request_container(call, &r->id);

	if (!c)
		return;
	if (c == s->first) {
		supervise_destroy(s, call);
	} else if (s->rpc && !s->ending) {
		FORWARD(call, c, destroy, r, after_destroy);
	} else {
		container_gone(c);
		rpc_reply(call, &(struct control_destroy_reply){ 0 });
	}
}

#define OWN(NAME) RPC_METHOD(control, NAME, on_##NAME)
#define PASSED_ON(NAME, PHASE, AFTER) RPC_METHOD(control, NAME, forward_##NAME),

const struct rpc_method methods[] = {
	OWN(exec),
	OWN(wait),
	OWN(state),
	OWN(create),
	OWN(destroy),
	OWN(logging),
	OWN(checkpoint),
	OWN(restore),
	OWN(files_serve),
	FORWARDED(PASSED_ON)
};
const size_t n_methods = sizeof(methods) / sizeof(methods[0]);
