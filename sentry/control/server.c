/*
 * server.c - the control protocol, served to controld on the event thread.
 * controld has checked who asks; what is asked is checked here again.
 */
#include "control/adopt.h"
#include "control/methods.h"
#include "libipc/log.h"
#include "libipc/rpc.h"

#include <errno.h>

/* The named container, or NULL after the call has been answered. */
struct container *control_find(struct rpc_call *call, struct msg_str id)
{
	struct container *c = container_find(rpc_call_arg(call), id.p);

	if (!c)
		rpc_fail(call, err_new(ENOENT, "container %s", id.p));
	else
		vfs_new_age(c->k->vfs); /* who asks may have changed files before */
	return c;
}

static void control_do_containers(struct rpc_call *call, void *request)
{
	adopt_list(rpc_call_arg(call), call);
}

#define METHOD(NAME) RPC_METHOD(control, NAME, control_do_##NAME)

static const struct rpc_method methods[] = {
	METHOD(create),
	METHOD(start),
	METHOD(state),
	METHOD(pause),
	METHOD(resume),
	METHOD(limit),
	METHOD(mount),
	METHOD(port_forward),
	METHOD(destroy),

	METHOD(exec),
	METHOD(wait),
	METHOD(signal),
	METHOD(processes),
	METHOD(resize),

	METHOD(logging),
	METHOD(usage),
	METHOD(usage_file),
	METHOD(stacks),
	METHOD(profile),
	METHOD(procfs),
	METHOD(metrics),
	METHOD(links),

	METHOD(containers),
	METHOD(trace_create),
	METHOD(trace_delete),
	METHOD(trace_list),
	METHOD(cgroup_read),
	METHOD(cgroup_write),
	METHOD(netlink),
	METHOD(interfaces),

	METHOD(file_look),
	METHOD(file_list),
	METHOD(file_read),
	METHOD(file_write),
	METHOD(file_make),
	METHOD(file_remove),
	METHOD(file_rename),
	METHOD(file_link),
	METHOD(file_change),
};

static unsigned connections; /* of controlds: no more than one, but for a moment */

void control_end_if_over(struct kernel *k)
{
	struct container *first = k->containers;

	while (first && first->next)
		first = first->next;
	if (connections || (first && first->state != CONTAINER_STOPPED))
		return;
	k->shutting_down = true;
	event_base_loopbreak(k->loop);
}

/* controld lets go of us when the first container has ended.  One that has gone
 * before that was killed: the programs run on, and another may come (adopt.c). */
static void closed(struct rpc *r, const struct err *why, void *arg)
{
	struct kernel *k = arg;

	log_info("controld is gone%s%s", why ? ": " : "", why ? err_text(why) : "");
	rpc_free(r);
	connections--;
	control_end_if_over(k);
}

struct err *control_serve(struct kernel *k, int sock)
{
	struct rpc *r;
	struct err *e = rpc_new(k->loop, sock, methods, sizeof(methods) / sizeof(*methods), closed, k, &r);

	connections += !e;
	return e;
}
