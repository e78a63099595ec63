/*
 * cgroup.c - control.cgroup_read and cgroup_write.  Event thread.
 */
#include "control/methods.h"

#include "fs/cgroup/cgroup.h"

#include <errno.h>
#include <stdlib.h>

/* Some process of the container's that lives: whose group it is.  A new reference, or NULL after the call has been answered. */
static struct task *member(struct rpc_call *call, struct msg_str id)
{
	struct container *c = control_find(call, id);
	struct task *t = c && c->init->tg ? tg_any_task(c->init->tg) : NULL;

	if (c && !t)
		rpc_fail(call, err_new(ESRCH, "container %s has stopped", c->id));
	return t;
}

static struct err *why(int r, struct msg_str file, struct msg_str value)
{
	switch (r) {
	case -ENOENT:
		return err_new(ENOENT, "the container's cgroup has no file '%s'", file.p);
	case -EACCES:
		return err_new(EACCES, "%s: can only be read", file.p);
	case -EINVAL:
		return err_new(EINVAL, "%s: '%s' is no value for it", file.p, value.p);
	default:
		return err_new(-r, "%s", file.p);
	}
}

void control_do_cgroup_read(struct rpc_call *call, void *request)
{
	struct control_cgroup_read *q = request;
	struct task *t = member(call, q->id);
	char *text = NULL;
	size_t n = 0;
	int r;

	if (!t)
		return;
	if ((r = cgroup_read(t, q->file.p, &text, &n)))
		rpc_fail(call, why(r, q->file, msg_str("")));
	else if (n > 32768)
		rpc_fail(call, err_new(EFBIG, "%s", q->file.p));
	else
		rpc_reply(call, &(struct control_cgroup_read_reply){ { (const uint8_t *)text, (uint32_t)n } });
	free(text);
	task_put(t);
}

void control_do_cgroup_write(struct rpc_call *call, void *request)
{
	struct control_cgroup_write *q = request;
	struct task *t = member(call, q->id);
	struct control_cgroup_write_reply reply;
	int r;

	if (!t)
		return;
	if ((r = cgroup_write(t, q->file.p, q->value.p)))
		rpc_fail(call, why(r, q->file, q->value));
	else
		rpc_reply(call, &reply);
	task_put(t);
}
