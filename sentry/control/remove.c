/*
 * remove.c - removes a container from the sandbox: its processes are killed, and once they are gone its
 * mounts and its gofer's connection are released.  Event thread.
 */
#include "control/container.h"

#include "abi/signal.h"
#include "control/process.h"
#include "fs/gofer/gofer_fs.h"

#include <errno.h>
#include <stdlib.h>

/* A removal under way: answered when the container's first process has ended,
 * which is the last of it to do so. */
struct removing {
	struct process_waiter w;
	struct container *c;
	struct rpc_call *call;
	struct event *finish;
};

static void unlist(struct container *c)
{
	struct kernel *k = c->k;
	struct container **at;

	mutex_lock(&k->containers_mu);
	for (at = &k->containers; *at && *at != c; at = &(*at)->next)
		;
	if (*at)
		*at = c->next;
	mutex_unlock(&k->containers_mu);
}

static void on_finish(evutil_socket_t fd, short what, void *arg)
{
	struct removing *r = arg;
	struct control_destroy_reply reply = { 0 };
	struct gofer_conn *gofer = r->c->gofer;
	const struct timeval soon = { .tv_usec = 1000 };

	if (r->c->pausing) { /* its report is under way */
		event_add(r->finish, &soon);
		return;
	}
	gofer_conn_get(gofer);
	unlist(r->c);
	processes_free(r->c);
	container_free(r->c);
	reply.gofer_stays = gofer_conn_shared(gofer);
	gofer_conn_put(gofer);
	rpc_reply(r->call, &reply);
	event_free(r->finish);
	free(r);
}

/* Not from within the process's own report. */
static void on_init_ended(struct process_waiter *w, int wait_status)
{
	struct removing *r = w->arg;

	event_active(r->finish, 0, 0);
}

void container_remove(struct container *c, struct rpc_call *call)
{
	struct removing *r;

	if (container_is_first(c)) {
		rpc_fail(call, err_new(EINVAL, "container %s: ends with the sandbox", c->id));
		return;
	}
	if (c->removing) {
		rpc_fail(call, err_new(EALREADY, "container %s: is being removed", c->id));
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r || !(r->finish = event_new(c->k->loop, -1, 0, on_finish, r))) {
		free(r);
		rpc_fail(call, err_new(ENOMEM, "removing a container"));
		return;
	}
	r->w = (struct process_waiter){ .fn = on_init_ended, .arg = r };
	r->c = c;
	r->call = call;
	c->removing = r;
	gofer_conn_let_go(c->gofer); /* what waits for a gofer that was killed shall end */
	container_kill(c);
	process_wait(c->init, &r->w);
}
