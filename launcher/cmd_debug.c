/*
 * cmd_debug.c - debug: looks into a live sandbox, and changes what it logs.
 */
#include "client.h"
#include "sandbox.h"

#include <errno.h>
#include <string.h>

struct debug_options {
	const char *level, *strace;
	bool stacks, profile;
};

static const struct option_def options[] = {
	{ "log-level", 0, OPTION_TEXT, offsetof(struct debug_options, level), "LEVEL", "what it logs from now on: error, warning, info, debug" },
	{ "strace", 0, OPTION_TEXT, offsetof(struct debug_options, strace), "on|off", "whether it logs every call of its programs from now on" },
	{ "stacks", 0, OPTION_FLAG, offsetof(struct debug_options, stacks), NULL, "not supported yet" },
	{ "profile", 0, OPTION_FLAG, offsetof(struct debug_options, profile), NULL, "not supported yet" },
	{ 0 },
};

#define KEEP 4 /* of levels, as control.logging counts */

static struct err *find_word(const char *option, const char *text, const char *const *words, uint64_t n, uint64_t *out)
{
	for (uint64_t i = 0; text && i < n; i++) {
		if (!strcmp(words[i], text)) {
			*out = i;
			return NULL;
		}
	}
	return text ? err_new(0, "--%s: '%.64s' is none of its words (see --help)", option, text) : NULL;
}

static struct err *ask(const struct debug_options *o, struct rpc_client *rpc, const struct control_logging *logging)
{
	const struct control_stacks stacks = { .id = logging->id };
	const struct control_profile profile = { .id = logging->id };
	union {
		struct control_logging_reply logging;
		struct control_stacks_reply stacks;
		struct control_profile_reply profile;
	} r;
	struct msg_arena a = { 0 };

	if (o->stacks)
		return RPC_CALL(rpc, control, stacks, &stacks, &r.stacks, &a, CLIENT_QUICK_MS);
	if (o->profile)
		return RPC_CALL(rpc, control, profile, &profile, &r.profile, &a, CLIENT_QUICK_MS);
	return RPC_CALL(rpc, control, logging, logging, &r.logging, &a, CLIENT_QUICK_MS);
}

static struct err *run(struct context *c, int *status)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" }, *const switches[] = { "off", "on" };
	const struct debug_options *o = c->options;
	struct control_logging request = { .id = msg_str(c->argv[0]), .level = KEEP, .strace = 2 };
	struct sandbox s = SANDBOX_NONE;
	struct rpc_client *rpc;
	struct err *e;

	if (!o->level && !o->strace && !o->stacks && !o->profile)
		return err_new(0, "nothing is asked for (see --help)");
	if ((e = find_word("log-level", o->level, levels, 4, &request.level)) || (e = find_word("strace", o->strace, switches, 2, &request.strace)) ||
		(e = sandbox_open(c, c->argv[0], &s)))
		return e;
	if (!(e = client_connect(&s.dir, &rpc))) {
		e = ask(o, rpc, &request);
		rpc_client_free(rpc);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_debug = {
	.name = "debug",
	.arguments = "ID",
	.summary = "change what a live sandbox logs",
	.options = options,
	.options_size = sizeof(struct debug_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
