/*
 * cmd_kill.c - kill: send a signal to a container's program, or to all of it.
 */
#include "client.h"
#include "names.h"
#include "sandbox.h"

#include <errno.h>
#include <signal.h>

struct kill_options {
	bool all;
};

static const struct option_def options[] = {
	{ "all", 'a', OPTION_FLAG, offsetof(struct kill_options, all), NULL, "to every process of the container" },
	{ 0 },
};

static struct err *run(struct context *c, int *status)
{
	const struct kill_options *o = c->options;
	const char *name = c->argc > 1 ? c->argv[1] : "TERM";
	int sig = signal_number(name);
	struct control_signal request = { .mode = o->all ? 1 : 0 };
	struct control_signal_reply reply;
	struct sandbox s = SANDBOX_NONE;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e;

	if (sig < 0)
		return err_new(0, "unknown signal '%.64s'", name);
	if ((e = sandbox_open(c, c->argv[0], &s)))
		return e;
	request.id = msg_str(s.dir.id);
	request.signal = (uint64_t)sig;
	if (!(e = client_connect(&s.dir, &rpc))) {
		e = RPC_CALL(rpc, control, signal, &request, &reply, &a, CLIENT_QUICK_MS);
		if (e && o->all && err_errno(e) == ESRCH) {
			err_free(e); /* nobody is left to get it: engines clear up so */
			e = NULL;
		} else if (!e)
			msg_free(&control_signal_reply_desc, &reply, &a);
		rpc_client_free(rpc);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_kill = {
	.name = "kill",
	.arguments = "ID [SIGNAL]",
	.summary = "send a signal (TERM) to a container's program",
	.options = options,
	.options_size = sizeof(struct kill_options),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
