/*
 * adopted.c - start-up of a controld that replaces one that was killed: before it serves anybody it asks
 * the sentry which containers and processes there are, including those that have ended meanwhile, which
 * the sentry remembers.  See sandbox.h.
 */
#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>

static void adopt_container(struct sandbox *s, const struct control_container *r)
{
	struct container *c = r->first ? s->first : NULL;
	struct err *e = NULL;

	if (!c && (container_find(s, r->id.p) || (e = container_new(s, r->id.p, &c)))) {
		log_error("container '%.64s': %s", r->id.p, e ? err_text(e) : "told twice");
		err_free(e);
		return;
	}
	c->phase = (enum phase)r->state;
	if (!r->first)
		container_made(c);
	else if (c->phase != PHASE_CREATED)
		container_watch(c, 0);
	for (uint32_t i = 0; i < r->n_processes; i++)
		container_watch(c, (uint32_t)r->processes[i]);
	if (!r->first)
		container_put(c);
}

static void on_containers(void *arg, void *reply, struct err *e)
{
	struct sandbox *s = arg;
	const struct control_containers_reply *r = reply;

	for (uint32_t i = 0; !e && i < r->n_containers; i++)
		adopt_container(s, &r->containers[i]);
	if (!e)
		e = server_start(s, s->listen);
	if (!e)
		return;
	log_error("taking another controld's place: %s", err_text(e));
	err_free(e);
	event_base_loopexit(s->base, NULL);
}

struct err *adopted_start(struct sandbox *s, int listen)
{
	static const struct control_containers request;

	s->listen = listen;
	RPC_ASK(s->rpc, control, containers, &request, 0, on_containers, s);
	return NULL;
}
