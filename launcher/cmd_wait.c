/*
 * cmd_wait.c - wait: for the end of a container's program; any number of
 * waiters get the same status, also afterwards.
 */
#include "client.h"
#include "sandbox.h"

#include <errno.h>
#include <stdlib.h>

struct wait_options {
	const char *pid;
};

static const struct option_def options[] = {
	{ "pid", 0, OPTION_TEXT, offsetof(struct wait_options, pid), "PID", "for a process started by exec, by its pid inside" },
	{ 0 },
};

static struct err *ask(const struct state_dir *d, const struct control_wait *request, int *status)
{
	struct control_wait_reply reply;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(d, &rpc);

	if (e)
		return e;
	if (!(e = RPC_CALL(rpc, control, wait, request, &reply, &a, 0))) {
		*status = client_exit_code((unsigned)reply.status);
		msg_free(&control_wait_reply_desc, &reply, &a);
	}
	rpc_client_free(rpc);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	const struct wait_options *o = c->options;
	struct control_wait request = { 0 };
	struct sandbox s = SANDBOX_NONE;
	struct err *e;
	char *end;

	if (o->pid && ((request.pid = strtoul(o->pid, &end, 10)) < 1 || request.pid > UINT32_MAX || *end || o->pid[0] == '-'))
		return err_new(0, "--pid: '%.64s' is not a pid", o->pid);
	if ((e = sandbox_open(c, c->argv[0], &s)))
		return e;
	request.id = msg_str(s.dir.id);
	e = ask(&s.dir, &request, status);
	for (int i = 0; e && err_errno(e) == ECONNRESET && i < CLIENT_RECONNECTS; i++) { /* controld was killed: another knows as well */
		err_free(e);
		e = ask(&s.dir, &request, status);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_wait = {
	.name = "wait",
	.arguments = "ID",
	.summary = "wait until a container's program ends, and exit with its status",
	.options = options,
	.options_size = sizeof(struct wait_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
