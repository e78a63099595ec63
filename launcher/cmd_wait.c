/*
 * cmd_wait.c - wait: for the end of a container's program; any number of
 * waiters get the same status, also afterwards.
 */
#include "client.h"
#include "sandbox.h"

#include <stdlib.h>

struct wait_options {
	const char *pid;
};

static const struct option_def options[] = {
	{ "pid", 0, OPTION_TEXT, offsetof(struct wait_options, pid), "PID", "for a process started by exec, by its pid inside" },
	{ 0 },
};

static struct err *run(struct context *c, int *status)
{
	const struct wait_options *o = c->options;
	struct control_wait request = { 0 };
	struct control_wait_reply reply = { 0 };
	struct sandbox s = SANDBOX_NONE;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e;
	char *end;

	if (o->pid && ((request.pid = strtoul(o->pid, &end, 10)) < 1 || request.pid > UINT32_MAX || *end || o->pid[0] == '-'))
		return err_new(0, "--pid: '%.64s' is not a pid", o->pid);
	if ((e = sandbox_open(c, c->argv[0], &s)))
		return e;
	request.id = msg_str(s.dir.id);
	if (!(e = client_connect(&s.dir, &rpc))) {
		e = RPC_CALL(rpc, control, wait, &request, &reply, &a, 0);
		*status = client_exit_code((unsigned)reply.status);
		if (!e)
			msg_free(&control_wait_reply_desc, &reply, &a);
		rpc_client_free(rpc);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_wait = {
	.name = "wait",
	.arguments = "ID",
	.summary = "wait for the end of a container's program; exits as it did",
	.options = options,
	.options_size = sizeof(struct wait_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
