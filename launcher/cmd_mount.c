/*
 * cmd_mount.c - mount: one more file system in a running container.
 */
#include "client.h"
#include "mounts.h"
#include "sandbox.h"

#include <errno.h>
#include <string.h>

struct mount_options {
	const char *type, *options;
};

static const struct option_def options[] = {
	{ "types", 't', OPTION_TEXT, offsetof(struct mount_options, type), "TYPE", "tmpfs (the default), proc, sysfs, mqueue" },
	{ "options", 'o', OPTION_TEXT, offsetof(struct mount_options, options), "LIST", "ro, nosuid, nodev, noexec and the file system's own, with commas" },
	{ 0 },
};

/* "a,b,c" */
static void split(const char *list, struct pool *p, struct texts *out)
{
	char *copy = pool_strdup(p, list), *save = NULL;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
		LIST_ADD(p, out, word);
}

static struct err *ask(struct sandbox *s, const struct control_mount *request)
{
	struct control_mount_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(&s->dir, &rpc);

	if (e)
		return e;
	e = RPC_CALL(rpc, control, mount, request, &reply, &a, CLIENT_QUICK_MS);
	rpc_client_free(rpc);
	return e;
}

static struct err *run(struct context *c, int *status)
{
	const struct mount_options *o = c->options;
	struct oci_mount m = { .type = o->type ? o->type : "tmpfs", .source = "none", .destination = c->argv[1] };
	struct control_mount request = { .id = msg_str(c->argv[0]), .destination = msg_str(c->argv[1]) };
	struct mount_meaning meaning;
	struct sandbox s = SANDBOX_NONE;
	struct texts words = { 0 };
	struct err *e;

	if (o->options)
		split(o->options, c->pool, &words);
	m.options = (struct jstrs){ .v = words.v, .n = words.n };
	if ((e = mount_understand(&m, "mount", c->pool, &meaning)))
		return e;
	if (meaning.bind)
		return err_new(EOPNOTSUPP, "bind: a running container gets no more of the host's files");
	request.type = msg_str(meaning.type);
	request.options = msg_str(meaning.data);
	request.flags = meaning.flags;
	if ((e = sandbox_open(c, c->argv[0], &s)))
		return e;
	e = ask(&s, &request);
	sandbox_close(&s);
	return e;
}

const struct command command_mount = {
	.name = "mount",
	.arguments = "ID DIRECTORY",
	.summary = "mount one more file system in a running container",
	.options = options,
	.options_size = sizeof(struct mount_options),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
