/*
 * server.c - the control protocol, served to controld on the event thread.
 * controld has checked who asks; what is asked is checked here again.
 */
#include "control/adopt.h"
#include "control/container.h"

#include "control/listing.h"
#include "control/methods.h"
#include "control/port_forward.h"
#include "fs/devpts/tty.h"
#include "fs/gofer/gofer_fs.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "libipc/rpc.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SPEC_MAX (16u << 20)

static struct kernel *kernel_of(struct rpc_call *call)
{
	return rpc_call_arg(call);
}

/* The named container, or NULL after the call has been answered. */
struct container *control_find(struct rpc_call *call, struct msg_str id)
{
	struct container *c = container_find(kernel_of(call), id.p);

	if (!c)
		rpc_fail(call, err_new(ENOENT, "container %s", id.p));
	else
		vfs_new_age(c->k->vfs); /* who asks may have changed files before */
	return c;
}

static void do_start(struct rpc_call *call, void *request)
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

static void do_exec(struct rpc_call *call, void *request)
{
	struct control_exec *q = request;
	struct container *c = control_find(call, q->id);
	struct control_exec_reply r = { 0 };
	struct boot_process bp;
	struct msg_arena arena = { 0 };
	struct process *p;
	struct err *e;

	if (!c)
		return;
	e = msg_from_fd(&boot_process_desc, q->process, SPEC_MAX, &bp, &arena);
	if (e) {
		rpc_fail(call, err_wrap(e, "process"));
		return;
	}
	e = container_exec(c, &bp, q->hook, q->stdio, q->n_stdio, &p);
	msg_free(&boot_process_desc, &bp, &arena);
	if (e) {
		rpc_fail(call, e);
		return;
	}
	r.pid = (uint64_t)p->pid;
	rpc_reply(call, &r);
}

/* A wait under way: the call is answered when the process ends, or given up. */
struct wait_call {
	struct process_waiter w;
	struct process *p;
	struct rpc_call *call;
};

static void wait_ended(struct process_waiter *w, int wait_status)
{
	struct wait_call *wc = w->arg;
	struct control_wait_reply r = { .status = (uint64_t)(wait_status & 0xffff) };
	struct oom_events events;

	oom_events(container_memory(wc->p->c), &events);
	r.for_memory = events.oom_kill > 0;
	rpc_reply(wc->call, &r);
	free(wc);
}

static void wait_cancelled(struct rpc_call *call, void *arg)
{
	struct wait_call *wc = arg;

	process_unwait(wc->p, &wc->w);
	rpc_fail(wc->call, err_new(ECANCELED, "wait"));
	free(wc);
}

static struct process *find_process(struct rpc_call *call, struct container *c, uint64_t pid)
{
	struct process *p = container_process(c, (pid_t)pid);

	if (!p)
		rpc_fail(call, err_new(ESRCH, "container %s: process %u was not started by exec", c->id, (unsigned)pid));
	return p;
}

static void do_wait(struct rpc_call *call, void *request)
{
	struct control_wait *q = request;
	struct container *c = control_find(call, q->id);
	struct process *p = c ? find_process(call, c, q->pid) : NULL;
	struct wait_call *wc;

	if (!p)
		return;
	wc = calloc(1, sizeof(*wc));
	if (!wc) {
		rpc_fail(call, err_new(ENOMEM, "wait"));
		return;
	}
	*wc = (struct wait_call){ .w = { .fn = wait_ended, .arg = wc }, .p = p, .call = call };
	if (!p->ended)
		rpc_on_cancel(call, wait_cancelled, wc);
	process_wait(p, &wc->w);
}

enum { SIGNAL_PROCESS, SIGNAL_ALL, SIGNAL_FOREGROUND };

static int send_to_process(struct container *c, pid_t pid, int signo)
{
	struct thread_group *tg = tg_find(c->proxy->pid_for_children, pid ? pid : c->init->pid);
	int ret;

	if (!tg)
		return -ESRCH;
	ret = tg->container != c ? -ESRCH : signo ? signal_send_group(tg, signo, NULL) : 0;
	tg_put(tg);
	return ret;
}

static int send_to_foreground(struct container *c, uint64_t pid, int signo)
{
	struct process *p = container_process(c, (pid_t)pid);
	pid_t pgid;
	int ret = p ? process_foreground_pgrp(p, &pgid) : -ESRCH;

	/* without a terminal there is no foreground: the process itself */
	if (ret == -ENOTTY)
		return send_to_process(c, (pid_t)pid, signo);
	return ret ? ret : signo ? signal_send_pgrp(c->k, pgid, signo, NULL) : 0;
}

/* As runc's init, which waits for start: what is fatal to it ends it. */
static int signal_unstarted(struct container *c, int signo)
{
	if (signo != LINUX_SIGKILL && signo != LINUX_SIGTERM)
		return send_to_process(c, 0, signo);
	container_kill(c);
	return 0;
}

static void do_signal(struct rpc_call *call, void *request)
{
	struct control_signal *q = request;
	struct container *c = control_find(call, q->id);
	struct control_signal_reply r;
	int ret;

	if (!c)
		return;
	if (c->state == CONTAINER_STOPPED && q->mode != SIGNAL_ALL)
		ret = -ESRCH;
	else if (c->state == CONTAINER_CREATED && q->signal)
		ret = signal_unstarted(c, (int)q->signal);
	else if (q->mode == SIGNAL_ALL)
		ret = q->signal ? signal_send_container(c->k, c, (int)q->signal) : 0;
	else if (q->mode == SIGNAL_FOREGROUND)
		ret = send_to_foreground(c, q->pid, (int)q->signal);
	else
		ret = send_to_process(c, (pid_t)q->pid, (int)q->signal);
	if (ret < 0)
		rpc_fail(call, err_new(-ret, "signal %u to container %s", (unsigned)q->signal, c->id));
	else
		rpc_reply(call, &r);
}

static void do_state(struct rpc_call *call, void *request)
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

static void do_containers(struct rpc_call *call, void *request)
{
	adopt_list(rpc_call_arg(call), call);
}

static void do_processes(struct rpc_call *call, void *request)
{
	struct control_processes *q = request;
	struct container *c = control_find(call, q->id);
	struct control_processes_reply r = { 0 };
	struct listing *l = malloc(sizeof(*l));

	if (!c || !l) {
		free(l);
		if (c)
			rpc_fail(call, err_new(ENOMEM, "processes"));
		return;
	}
	listing_make(l, c, (pid_t)q->after);
	r.processes = l->rows;
	r.n_processes = l->n;
	r.more = l->more;
	rpc_reply(call, &r);
	free(l);
}

static void do_resize(struct rpc_call *call, void *request)
{
	struct control_resize *q = request;
	struct container *c = control_find(call, q->id);
	struct process *p = c ? find_process(call, c, q->pid) : NULL;
	struct control_resize_reply r;

	if (!p)
		return;
	if (!p->tty) {
		rpc_fail(call, err_new(ENOTTY, "process %d has no terminal", p->pid));
		return;
	}
	tty_set_winsize(p->tty, &(struct linux_winsize){ .ws_row = (uint16_t)q->rows, .ws_col = (uint16_t)q->columns });
	rpc_reply(call, &r);
}

static void do_pause(struct rpc_call *call, void *request)
{
	struct control_pause *q = request;
	struct container *c = control_find(call, q->id);

	if (c)
		container_pause(c, call);
}

static void do_resume(struct rpc_call *call, void *request)
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

/* The first container's: controld ends the sentry itself; what is asked here is only to end the programs. */
static void do_destroy(struct rpc_call *call, void *request)
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

static void do_create(struct rpc_call *call, void *request)
{
	struct control_create *q = request;
	struct kernel *k = kernel_of(call);
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

/* The first container's memory is the sandbox's: its limit is that of all. */
static void do_limit(struct rpc_call *call, void *request)
{
	struct control_limit *q = request;
	struct container *c = control_find(call, q->id);
	struct control_limit_reply r;
	int e = 0;

	if (!c)
		return;
	if (q->memory)
		e = oom_set_limit(container_memory(c), q->memory);
	if (q->tasks) {
		tasks_lock(c->k);
		c->quota.max = q->tasks < UINT_MAX ? (unsigned)q->tasks : 0;
		tasks_unlock(c->k);
	}
	if (e)
		rpc_fail(call, err_new(-e, "the memory limit"));
	else
		rpc_reply(call, &r);
}

static void do_mount(struct rpc_call *call, void *request)
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

static void do_port_forward(struct rpc_call *call, void *request)
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

static const struct rpc_method methods[] = {
	RPC_METHOD(control, start, do_start, 0),
	RPC_METHOD(control, containers, do_containers, 0),
	RPC_METHOD(control, logging, control_do_logging, 0),
	RPC_METHOD(control, exec, do_exec, 0),
	RPC_METHOD(control, wait, do_wait, 0),
	RPC_METHOD(control, signal, do_signal, 0),
	RPC_METHOD(control, state, do_state, 0),
	RPC_METHOD(control, processes, do_processes, 0),
	RPC_METHOD(control, resize, do_resize, 0),
	RPC_METHOD(control, pause, do_pause, 0),
	RPC_METHOD(control, resume, do_resume, 0),
	RPC_METHOD(control, destroy, do_destroy, 0),
	RPC_METHOD(control, usage, control_do_usage, 0),
	RPC_METHOD(control, limit, do_limit, 0),
	RPC_METHOD(control, create, do_create, 0),
	RPC_METHOD(control, stacks, control_do_stacks, 0),
	RPC_METHOD(control, profile, control_do_profile, 0),
	RPC_METHOD(control, procfs, control_do_procfs, 0),
	RPC_METHOD(control, metrics, control_do_metrics, 0),
	RPC_METHOD(control, usage_file, control_do_usage_file, 0),
	RPC_METHOD(control, links, control_do_links, 0),
	RPC_METHOD(control, mount, do_mount, 0),
	RPC_METHOD(control, port_forward, do_port_forward, 0),
	RPC_METHOD(control, trace_create, control_do_trace_create, 0),
	RPC_METHOD(control, trace_delete, control_do_trace_delete, 0),
	RPC_METHOD(control, trace_list, control_do_trace_list, 0),
	RPC_METHOD(control, cgroup_read, control_do_cgroup_read, 0),
	RPC_METHOD(control, cgroup_write, control_do_cgroup_write, 0),
	RPC_METHOD(control, netlink, control_do_netlink, 0),
	RPC_METHOD(control, file_look, control_do_file_look, 0),
	RPC_METHOD(control, file_list, control_do_file_list, 0),
	RPC_METHOD(control, file_read, control_do_file_read, 0),
	RPC_METHOD(control, file_write, control_do_file_write, 0),
	RPC_METHOD(control, file_make, control_do_file_make, 0),
	RPC_METHOD(control, file_remove, control_do_file_remove, 0),
	RPC_METHOD(control, file_rename, control_do_file_rename, 0),
	RPC_METHOD(control, file_link, control_do_file_link, 0),
	RPC_METHOD(control, file_change, control_do_file_change, 0),
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
