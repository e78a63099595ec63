/*
 * methods_process.c - methods of the control protocol on a container's processes: exec, wait, signal,
 * the list of them, the size of their terminal.  Event thread; see server.c.
 */
#include "control/methods.h"

#include "control/listing.h"
#include "fs/devpts/tty.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <stdlib.h>

static struct process *find_process(struct rpc_call *call, struct container *c, uint64_t pid)
{
	struct process *p = container_process(c, (pid_t)pid);

	if (!p)
		rpc_fail(call, err_new(ESRCH, "container %s: process %u was not started by exec", c->id, (unsigned)pid));
	return p;
}

void control_do_exec(struct rpc_call *call, void *request)
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

/* --- waiting -------------------------------------------------------------------------------- */

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

void control_do_wait(struct rpc_call *call, void *request)
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

/* --- signals -------------------------------------------------------------------------------- */

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

void control_do_signal(struct rpc_call *call, void *request)
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

/* --- the list, the terminal ------------------------------------------------------------------ */

void control_do_processes(struct rpc_call *call, void *request)
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

void control_do_resize(struct rpc_call *call, void *request)
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
