/*
 * methods_look.c - methods of the control protocol that only look, or change what
 * is logged.  Event thread; see server.c.
 */
#include "control/methods.h"

#include "control/listing.h"
#include "control/looking.h"
#include "fs/tmpfs/tmpfs.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "libipc/log.h"
#include "mm/memfile.h"
#include "syscalls/strace/strace.h"

#include <errno.h>

static struct err *choose_calls(const struct control_logging *q)
{
	const char *names[512];
	unsigned unknown;

	for (uint32_t i = 0; i < q->n_calls; i++)
		names[i] = q->calls[i].p;
	return strace_choose(names, q->n_calls, &unknown) ? err_new(EINVAL, "there is no system call '%s'", names[unknown]) : NULL;
}

void control_do_logging(struct rpc_call *call, void *request)
{
	struct control_logging *q = request;
	struct kernel *k = rpc_call_arg(call);
	struct control_logging_reply r;
	struct err *e = q->strace == 1 ? choose_calls(q) : NULL;

	if (e) {
		rpc_fail(call, e);
		return;
	}
	if (q->level <= LOG_DEBUG)
		log_set_level((enum log_level)q->level);
	if (q->strace < 2 && k->strace != q->strace) {
		k->strace = q->strace;
		tasks_tell_again(k);
	}
	if (k->strace && !log_enabled(LOG_INFO)) /* what it prints with */
		log_set_level(LOG_INFO);
	rpc_reply(call, &r);
}

void control_do_usage(struct rpc_call *call, void *request)
{
	struct control_usage *q = request;
	struct container *c = control_find(call, q->id);
	struct control_usage_reply r = { 0 };
	struct oom_events events;
	const struct oom_domain *d;

	if (!c)
		return;
	d = container_memory(c);
	r.memory = oom_used(d);
	r.memory_limit = oom_limit(d);
	r.shmem = tmpfs_bytes();
	oom_events(d, &events);
	r.oom_kills = events.oom_kill;
	listing_usage(c, &r.cpu_ns, &r.tasks);
	rpc_reply(call, &r);
}

void control_do_stacks(struct rpc_call *call, void *request)
{
	struct control_stacks *q = request;
	struct control_stacks_reply r = { 0 };
	struct err *e = control_find(call, q->id) ? stacks_write(q->out, &r.length) : NULL;

	if (e)
		rpc_fail(call, e);
	else if (r.length)
		rpc_reply(call, &r);
}

void control_do_profile(struct rpc_call *call, void *request)
{
	struct control_profile *q = request;
	struct container *c = control_find(call, q->id);

	if (c)
		profile_begin(c->k, call, q);
}

void control_do_procfs(struct rpc_call *call, void *request)
{
	struct control_procfs *q = request;
	struct container *c = control_find(call, q->id);
	struct control_procfs_reply r = { 0 };
	struct err *e = c ? procfs_write(c, q->out, &r.length) : NULL;

	if (e)
		rpc_fail(call, e);
	else if (c)
		rpc_reply(call, &r);
}

void control_do_metrics(struct rpc_call *call, void *request)
{
	struct control_metrics *q = request;
	struct container *c = control_find(call, q->id);

	if (c)
		metrics_answer(c, call);
}

void control_do_usage_file(struct rpc_call *call, void *request)
{
	struct control_usage_file *q = request;
	struct container *c = control_find(call, q->id);

	if (c)
		rpc_reply(call, &(struct control_usage_file_reply){ .memory = memfile_fd(c->k->memfile) });
}

void control_do_links(struct rpc_call *call, void *request)
{
	struct control_links *q = request;
	struct container *c = control_find(call, q->id);

	if (c)
		links_answer(c, call);
}
