/*
 * cmd_pause.c - pause, resume: hold every task of a container where it is, and
 * let it go on.
 */
#include "client.h"
#include "sandbox.h"

static struct err *ask(struct context *c, bool pause)
{
	struct sandbox s = SANDBOX_NONE;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = sandbox_open(c, c->argv[0], &s);

	if (e)
		return e;
	if (!(e = client_connect(&s.dir, &rpc))) {
		struct control_pause p = { .id = msg_str(s.dir.id) };
		struct control_resume r = { .id = msg_str(s.dir.id) };
		struct control_pause_reply paused;
		struct control_resume_reply resumed;

		e = pause ? RPC_CALL(rpc, control, pause, &p, &paused, &a, CLIENT_QUICK_MS)
			  : RPC_CALL(rpc, control, resume, &r, &resumed, &a, CLIENT_QUICK_MS);
		if (!e)
			msg_free(pause ? &control_pause_reply_desc : &control_resume_reply_desc, pause ? (void *)&paused : (void *)&resumed, &a);
		rpc_client_free(rpc);
	}
	sandbox_close(&s);
	return e;
}

static struct err *run_pause(struct context *c, int *status)
{
	return ask(c, true);
}

static struct err *run_resume(struct context *c, int *status)
{
	return ask(c, false);
}

const struct command command_pause = {
	.name = "pause", .arguments = "ID", .summary = "suspend all processes of a container", .min_args = 1, .max_args = 1, .run = run_pause,
};

const struct command command_resume = {
	.name = "resume", .arguments = "ID", .summary = "resume a paused container", .min_args = 1, .max_args = 1, .run = run_resume,
};
