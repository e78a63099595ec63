/*
 * pause.c - pause and resume.  Event thread, but for frozen_woken.
 */
#include "control/container.h"

#include "kernel/freeze.h"

#include <errno.h>
#include <stdlib.h>

#define ASK_AGAIN_US 2000

/* A pause under way: answered once no program code runs. */
struct pausing {
	struct container *c;
	struct rpc_call *call;
	struct freeze freeze;
	struct waiter w;
	struct event *done;
};

/* Any thread, with the lock on tasks held. */
static void frozen_woken(struct waiter *w, uint32_t events)
{
	event_active(((struct pausing *)w->arg)->done, 0, 0);
}

static void on_frozen(evutil_socket_t fd, short what, void *arg)
{
	struct pausing *p = arg;
	struct control_pause_reply r;

	if (!kernel_freeze_done(p->c->k, &p->freeze)) {
		event_add(p->done, &(struct timeval){ .tv_usec = ASK_AGAIN_US });
		return;
	}
	kernel_freeze_forget(p->c->k, &p->freeze, &p->w);
	event_free(p->done);
	p->c->pausing = false;
	if (p->c->state == CONTAINER_PAUSED)
		rpc_reply(p->call, &r);
	else
		rpc_fail(p->call, err_new(ESRCH, "container %s: has ended", p->c->id));
	free(p);
}

void container_pause(struct container *c, struct rpc_call *call)
{
	struct pausing *p = c->state == CONTAINER_RUNNING ? calloc(1, sizeof(*p)) : NULL;

	if (!p) {
		rpc_fail(call, c->state == CONTAINER_RUNNING ? err_new(ENOMEM, "pause") : err_new(EINVAL, "container %s: not running", c->id));
		return;
	}
	*p = (struct pausing){ .c = c, .call = call, .w = { .mask = EVENT_ALL, .fn = frozen_woken, .arg = p } };
	if (!(p->done = event_new(c->k->loop, -1, 0, on_frozen, p))) {
		free(p);
		rpc_fail(call, err_new(ENOMEM, "pause"));
		return;
	}
	c->state = CONTAINER_PAUSED;
	c->pausing = true;
	kernel_freeze(c->k, c, &p->freeze, &p->w);
	event_active(p->done, 0, 0);
}

struct err *container_resume(struct container *c)
{
	if (c->state != CONTAINER_PAUSED || c->pausing)
		return err_new(EINVAL, "container %s: not paused", c->id);
	kernel_thaw(c->k, c);
	c->state = CONTAINER_RUNNING;
	return NULL;
}
