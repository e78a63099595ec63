/*
 * containers.c - the containers of the sandbox, and how their processes end.
 * See sandbox.h.
 *
 * The sentry is asked once for each process's end, when it is started; who
 * waits is answered from the record, any number of times, also after the
 * sentry has gone.
 */
#include "sandbox.h"
#include "view.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* --- their life ------------------------------------------------------------------- */

struct container *container_find(const struct sandbox *s, const char *id)
{
	struct container *c;

	LIST_FOREACH (c, &s->containers, link) {
		if (!strcmp(c->id, id))
			return c;
	}
	return NULL;
}

struct err *container_new(struct sandbox *s, const char *id, struct container **out)
{
	struct container *c = s->n_containers < CONTAINERS_MAX ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return s->n_containers < CONTAINERS_MAX ? err_new(ENOMEM, "container") :
							  err_new(EAGAIN, "%d containers are in this sandbox already", CONTAINERS_MAX);
	c->sandbox = s;
	c->refs = 1;
	records_init(&c->records);
	/* the container's own end: waited for from the beginning, by us from its start */
	if (!(c->id = strdup(id)) || !records_add(&c->records, 0)) {
		container_put(c);
		return err_new(ENOMEM, "container");
	}
	*out = c;
	return NULL;
}

void container_get(struct container *c)
{
	c->refs++;
}

void container_put(struct container *c)
{
	if (--c->refs)
		return;
	records_free(&c->records);
	free(c->id);
	free(c);
}

static void enlist(struct container *c)
{
	container_get(c);
	LIST_INSERT_HEAD(&c->sandbox->containers, c, link);
	c->sandbox->n_containers++;
}

struct err *containers_start(struct sandbox *s, const char *id)
{
	struct err *e = container_new(s, id, &s->first);

	if (!e)
		enlist(s->first);
	return e;
}

void containers_stop(struct sandbox *s)
{
	struct container *c;

	while ((c = LIST_FIRST(&s->containers)))
		container_gone(c);
	if (s->first)
		container_put(s->first);
	s->first = NULL;
}

void container_made(struct container *c)
{
	enlist(c);
	container_watch(c, 0);
}

/* --- ends ----------------------------------------------------------------------------- */

struct waiter {
	struct record_waiter link; /* first */
	struct rpc_call *call;
	struct container *container; /* referenced */
	uint32_t pid;
	bool stands_in; /* towards others the asker is the process */
};

static void waiter_free(struct waiter *w)
{
	container_put(w->container);
	free(w);
}

static void answer_waiter(struct record_waiter *link, uint16_t status)
{
	struct waiter *w = (struct waiter *)link;
	const struct record *rec = records_find(&w->container->records, w->pid);
	const struct control_wait_reply reply = { .status = status, .for_memory = rec && rec->for_memory };

	rpc_on_cancel(w->call, NULL, NULL);
	rpc_reply(w->call, &reply);
	waiter_free(w);
}

static void on_killed(void *arg, void *reply, struct err *e)
{
	struct container *c = arg;

	if (e)
		log_debug("killing a process of container '%s': %s", c->id, err_text(e));
	err_free(e);
	container_put(c);
}

/* The host process that stands for it has gone: so goes the process, or the container with its first. */
static void kill_process(struct container *c, uint32_t pid)
{
	const struct control_signal kill = { .id = msg_str(c->id), .pid = pid, .signal = SIGKILL, .mode = pid ? 0 : 1 };

	if (c->phase == PHASE_STOPPED || !c->sandbox->rpc)
		return;
	container_get(c);
	RPC_ASK(c->sandbox->rpc, control, signal, &kill, 0, on_killed, c);
}

static void on_waiter_gone(struct rpc_call *call, void *arg)
{
	struct waiter *w = arg;

	record_unwait(&w->link);
	if (w->stands_in)
		kill_process(w->container, w->pid);
	waiter_free(w);
	rpc_fail(call, err_new(ECANCELED, "wait"));
}

void container_wait(struct container *c, uint32_t pid, uint32_t stand_in, struct rpc_call *call)
{
	struct record *rec = records_find(&c->records, pid);
	struct waiter *w;

	if (!rec) {
		rpc_fail(call, err_new(ESRCH, "no process %u was started here", pid));
	} else if (rec->ended) {
		rpc_reply(call, &(struct control_wait_reply){ .status = rec->status, .for_memory = rec->for_memory });
	} else if (!(w = malloc(sizeof(*w)))) {
		rpc_fail(call, err_new(ENOMEM, "wait"));
	} else {
		*w = (struct waiter){ .call = call, .container = c, .pid = pid, .stands_in = stand_in };
		container_get(c);
		if (stand_in)
			rec->stand_in = stand_in;
		record_wait(rec, &w->link);
		rpc_on_cancel(call, on_waiter_gone, w);
	}
}

/* Our own question to the sentry: when does this process end? */
struct watch {
	struct container *container; /* referenced */
	uint32_t pid;
};

static void on_process_end(void *arg, void *reply, struct err *e)
{
	struct watch *w = arg;
	struct container *c = w->container;
	struct record *rec = records_find(&c->records, w->pid);
	const struct control_wait_reply *r = reply;

	/* an error: the sentry is going, which ends all records (containers_sentry_gone) */
	if (!e && rec) {
		if (!w->pid)
			c->phase = PHASE_STOPPED;
		rec->for_memory = r->for_memory;
		record_end(rec, (uint16_t)r->status, answer_waiter);
		/* the first has ended: letting go of its sentry ends that, with the program's status */
		if (!w->pid && c == c->sandbox->first)
			event_active(c->sandbox->let_go, 0, 0);
	} else if (e) {
		log_debug("waiting for process %u: %s", w->pid, err_text(e));
	}
	err_free(e);
	container_put(c);
	free(w);
}

void container_watch(struct container *c, uint32_t pid)
{
	const struct control_wait request = { .id = msg_str(c->id), .pid = pid };
	struct watch *w = malloc(sizeof(*w));

	if (!w || !records_add(&c->records, pid)) {
		log_error("the exit status of process %u will not be recorded: out of memory", pid);
		free(w);
		return;
	}
	*w = (struct watch){ c, pid };
	container_get(c);
	RPC_ASK(c->sandbox->rpc, control, wait, &request, 0, on_process_end, w);
}

static void all_killed(struct container *c)
{
	c->phase = PHASE_STOPPED;
	records_end_all(&c->records, SIGKILL, answer_waiter);
}

void container_gone(struct container *c)
{
	views_close(c);
	LIST_REMOVE(c, link);
	c->sandbox->n_containers--;
	all_killed(c);
	container_put(c);
}

void containers_sentry_gone(struct sandbox *s)
{
	struct container *c;

	LIST_FOREACH (c, &s->containers, link)
		all_killed(c);
}
