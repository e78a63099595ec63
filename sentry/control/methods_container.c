/*
 * methods_container.c - methods of the control protocol on a whole container: its life from create to
 * destroy, its limits, what is mounted in it.  Event thread; see server.c.
 */
#include "control/methods.h"

#include "control/port_forward.h"
#include "fs/gofer/gofer_fs.h"
#include "kernel/cgroup.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "libipc/fd.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void control_do_create(struct rpc_call *call, void *request)
{
	struct control_create *q = request;
	struct kernel *k = rpc_call_arg(call);
	struct control_create_reply r;
	struct boot_spec spec;
	struct msg_arena arena = { 0 };
	struct container *c;
	struct err *e = msg_from_fd(&boot_spec_desc, q->spec, SPEC_MAX, &spec, &arena);

	if (e) {
		rpc_fail(call, err_wrap(e, "specification"));
		return;
	}
	if (!k->containers)
		e = err_new(EINVAL, "the sandbox is not set up");
	else if (strcmp(spec.id.p, q->id.p))
		e = err_new(EINVAL, "container %s: its specification is for %s", q->id.p, spec.id.p);
	else if (container_find(k, spec.id.p))
		e = err_new(EEXIST, "container %s", spec.id.p);
	else
		e = container_create(k, &spec, TAKE_FD(q->gofer), q->stdio, q->n_stdio, &c);
	msg_free(&boot_spec_desc, &spec, &arena);
	if (e) {
		rpc_fail(call, e);
		return;
	}
	rpc_reply(call, &r);
	gofer_conn_hold(c->gofer);
}

void control_do_start(struct rpc_call *call, void *request)
{
	struct control_start *q = request;
	struct container *c = control_find(call, q->id);
	struct control_start_reply r = { 0 };
	struct err *e;

	if (!c)
		return;
	e = container_start(c);
	if (e) {
		rpc_fail(call, e);
		return;
	}
	r.pid = (uint64_t)c->init->pid;
	rpc_reply(call, &r);
}

void control_do_state(struct rpc_call *call, void *request)
{
	struct control_state *q = request;
	struct container *c = control_find(call, q->id);
	struct control_state_reply r = { 0 };

	if (!c)
		return;
	r.state = c->state;
	r.status = c->init->ended ? (uint64_t)(c->init->status & 0xffff) : 0;
	rpc_reply(call, &r);
}

void control_do_pause(struct rpc_call *call, void *request)
{
	struct control_pause *q = request;
	struct container *c = control_find(call, q->id);

	if (c)
		container_pause(c, call);
}

void control_do_resume(struct rpc_call *call, void *request)
{
	struct control_resume *q = request;
	struct container *c = control_find(call, q->id);
	struct control_resume_reply r;
	struct err *e;

	if (!c)
		return;
	e = container_resume(c);
	if (e)
		rpc_fail(call, e);
	else
		rpc_reply(call, &r);
}

/* The first container's memory is the sandbox's: its limit is that of all. */
void control_do_limit(struct rpc_call *call, void *request)
{
	struct control_limit *q = request;
	struct container *c = control_find(call, q->id);
	struct control_limit_reply r;
	int e = 0;

	if (!c)
		return;
	if (q->memory)
		e = oom_set_limit(container_memory(c), q->memory);
	if (q->tasks)
		cgroup_set_max_tasks(c->quota.cgroup, q->tasks);
	if (e)
		rpc_fail(call, err_new(-e, "the memory limit"));
	else
		rpc_reply(call, &r);
}

void control_do_mount(struct rpc_call *call, void *request)
{
	struct control_mount *q = request;
	struct container *c = control_find(call, q->id);
	struct control_mount_reply r;
	struct err *e = c ? container_mount(c, q) : NULL;

	if (e)
		rpc_fail(call, e);
	else if (c)
		rpc_reply(call, &r);
}

void control_do_port_forward(struct rpc_call *call, void *request)
{
	struct control_port_forward *q = request;
	struct container *c = control_find(call, q->id);
	struct control_port_forward_reply r;
	struct err *e = c ? port_forward_begin(c, (uint16_t)q->port, &q->stream) : NULL;

	if (e)
		rpc_fail(call, e);
	else if (c)
		rpc_reply(call, &r);
}

/* The first container's: controld ends the sentry itself; what is asked here is only to end the programs. */
void control_do_destroy(struct rpc_call *call, void *request)
{
	struct control_destroy *q = request;
	struct container *c = control_find(call, q->id);
	struct control_destroy_reply r = { 0 };

	if (!c)
		return;
	if (!container_is_first(c)) {
		container_remove(c, call);
		return;
	}
	container_kill(c);
	rpc_reply(call, &r);
}
