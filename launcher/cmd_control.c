/*
 * cmd_control.c - read-control and write-control: files of a container's control group,
 * as its own kernel keeps it; runsc's commands, with cgroup2's names.
 */
#include "client.h"
#include "sandbox.h"

#include <stdio.h>
#include <string.h>

/* There is one hierarchy, cgroup2, and one group in it: the controller is the beginning of the file's name. */
static struct err *check_place(const char *controller, const char *path, const char *file)
{
	size_t n = strlen(controller);

	if (strcmp(path, "/"))
		return err_new(0, "'%.64s': a container has one control group, /", path);
	if (strncmp(file, controller, n) || file[n] != '.')
		return err_new(0, "'%.64s' is no file of the controller '%.64s' (names are cgroup2's)", file, controller);
	return NULL;
}

static struct err *open_client(struct context *c, struct rpc_client **out)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = check_place(c->argv[1], c->argv[2], c->argv[3]);

	if (e || (e = sandbox_open(c, c->argv[0], &s)))
		return e;
	e = client_connect(&s.dir, out);
	sandbox_close(&s);
	return e;
}

static struct err *run_read(struct context *c, int *status)
{
	const struct control_cgroup_read request = { .id = msg_str(c->argv[0]), .file = msg_str(c->argv[3]) };
	struct control_cgroup_read_reply reply;
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = open_client(c, &rpc);

	if (e)
		return e;
	if (!(e = RPC_CALL(rpc, control, cgroup_read, &request, &reply, &a, CLIENT_QUICK_MS))) {
		fwrite(reply.content.p, 1, reply.content.len, stdout);
		msg_free(&control_cgroup_read_reply_desc, &reply, &a);
	}
	rpc_client_free(rpc);
	return e;
}

static struct err *run_write(struct context *c, int *status)
{
	const struct control_cgroup_write request = { .id = msg_str(c->argv[0]), .file = msg_str(c->argv[3]), .value = msg_str(c->argv[4]) };
	struct control_cgroup_write_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = open_client(c, &rpc);

	if (e)
		return e;
	e = RPC_CALL(rpc, control, cgroup_write, &request, &reply, &a, CLIENT_QUICK_MS);
	rpc_client_free(rpc);
	return e;
}

const struct command command_read_control = {
	.name = "read-control",
	.arguments = "ID CONTROLLER / FILE",
	.summary = "print a file of a container's control group, as seen inside",
	.min_args = 4,
	.max_args = 4,
	.run = run_read,
};

const struct command command_write_control = {
	.name = "write-control",
	.arguments = "ID CONTROLLER / FILE VALUE",
	.summary = "set memory.max or pids.max of a container's control group inside",
	.min_args = 5,
	.max_args = 5,
	.run = run_write,
};
