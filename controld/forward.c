/*
 * forward.c - passing a client's request on to the sentry, and its answer back (see forward.h).
 *
 * The sentry is not believed: its answers are decoded by the same bounds as requests, and a broken one
 * costs it the connection.
 */
#include "forward.h"

#include <errno.h>
#include <stdlib.h>

struct container *request_container(struct rpc_call *call, const struct msg_str *id)
{
	struct container *c = container_find(server_sandbox(call), id->p);

	if (!c)
		rpc_fail(call, err_new(ENOENT, "container '%.64s' is not in this sandbox", id->p));
	return c;
}

struct container *request_running(struct rpc_call *call, const struct msg_str *id)
{
	const struct sandbox *s = server_sandbox(call);
	struct container *c = request_container(call, id);

	if (!c || (s->rpc && !s->ending && c->phase != PHASE_STOPPED))
		return c;
	rpc_fail(call, err_new(ESRCH, "container not running: '%s' has stopped", c->id));
	return NULL;
}

/* A client's call that waits for the sentry's answer.  The call stays ours even
 * when its client goes; its answer is then dropped by rpc. */
struct forward {
	struct container *container; /* referenced */
	struct rpc_call *call;
	forward_after *after;
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

void forward(struct rpc_call *call, struct container *c, uint32_t id, const struct msg_desc *request, const void *body,
	const struct msg_desc *reply, forward_after *after)
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

/* --- phases ------------------------------------------------------------------------------- */

static bool in_any_phase(struct rpc_call *call, const struct container *c)
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
bool must_be_created(struct rpc_call *call, const struct container *c)
{
	return in_phase(call, c, c->phase == PHASE_CREATED, "created");
}

bool must_run(struct rpc_call *call, const struct container *c)
{
	return in_phase(call, c, c->phase == PHASE_RUNNING, "running");
}

static bool must_be_paused(struct rpc_call *call, const struct container *c)
{
	return in_phase(call, c, c->phase == PHASE_PAUSED, "paused");
}

/* --- after a success -------------------------------------------------------------------------- */

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

/* --- the handlers -------------------------------------------------------------------------- */

#define FORWARD_HANDLER(NAME, PHASE, AFTER)                                           \
	void forward_##NAME(struct rpc_call *call, void *request)                     \
	{                                                                             \
		struct control_##NAME *r = request;                                   \
		struct container *c = request_running(call, &r->id);                  \
                                                                                      \
		if (c && PHASE(call, c))                                              \
			FORWARD(call, c, NAME, r, AFTER);                             \
	}
FORWARDED(FORWARD_HANDLER)
