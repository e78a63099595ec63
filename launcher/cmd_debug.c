/*
 * cmd_debug.c - debug: looks into a live sandbox, and changes what it logs.
 * What there is to see is in debug_*.c; what is asked for is done in the order
 * of the options.
 */
#include "debug.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

struct debug_options {
	const char *level, *strace, *trace, *duration;
	const char *profiles[DEBUG_PROFILES]; /* by enum debug_profile */
	const char *signal;
	bool stacks, ps, procfs, network;
};

static const struct option_def options[] = {
	{ "log-level", 0, OPTION_TEXT, offsetof(struct debug_options, level), "LEVEL", "what it logs from now on: error, warning, info, debug" },
	{ "strace", 0, OPTION_TEXT, offsetof(struct debug_options, strace), "on|off|CALLS", "whether it logs its programs' calls from now on, or which: names with commas" },
	{ "stacks", 0, OPTION_FLAG, offsetof(struct debug_options, stacks), NULL, "print where its sentry's threads are, and in which calls its tasks" },
	{ "ps", 0, OPTION_FLAG, offsetof(struct debug_options, ps), NULL, "list the processes of the container" },
	{ "procfs", 0, OPTION_FLAG, offsetof(struct debug_options, procfs), NULL, "print as JSON what /proc shows of each of them" },
	{ "network", 0, OPTION_FLAG, offsetof(struct debug_options, network), NULL, "print as JSON its network interfaces and routes" },
	{ "signal", 0, OPTION_TEXT, offsetof(struct debug_options, signal), "NUMBER", "send a signal to its sentry, which is a process of the host" },
	{ "profile-cpu", 0, OPTION_TEXT, offsetof(struct debug_options, profiles[DEBUG_PROFILE_CPU]), "FILE", "write what its sentry's processor time goes into, as folded call chains" },
	{ "profile-block", 0, OPTION_TEXT, offsetof(struct debug_options, profiles[DEBUG_PROFILE_BLOCK]), "FILE", "the same: where its threads sleep" },
	{ "profile-mutex", 0, OPTION_TEXT, offsetof(struct debug_options, profiles[DEBUG_PROFILE_MUTEX]), "FILE", "the same: where its threads wait for locks" },
	{ "profile-heap", 0, OPTION_TEXT, offsetof(struct debug_options, profiles[DEBUG_PROFILE_HEAP]), "FILE", "the same: who asked for memory in that time that is still held, in bytes" },
	{ "trace", 0, OPTION_TEXT, offsetof(struct debug_options, trace), "FILE", "write a timeline of what its programs do, for Perfetto or chrome://tracing" },
	{ "duration", 0, OPTION_TEXT, offsetof(struct debug_options, duration), "TIME", "of a profile or timeline (10s)" },
	{ 0 },
};

#define KEEP 4 /* of levels, as control.logging counts */
#define PROFILE_MAX_MS 600000

static struct err *find_word(const char *option, const char *text, const char *const *words, uint64_t n, uint64_t *out)
{
	for (uint64_t i = 0; text && i < n; i++) {
		if (!strcmp(words[i], text)) {
			*out = i;
			return NULL;
		}
	}
	return text ? err_new(0, "--%s: '%.64s' is not one of its values (see --help)", option, text) : NULL;
}

/* on, all; off; or names with commas. */
static struct err *find_calls(const char *text, struct pool *p, struct control_logging *out)
{
	char *copy, *save = NULL;

	if (!text)
		return NULL;
	out->strace = strcmp(text, "off") != 0;
	if (!out->strace || !strcmp(text, "on") || !strcmp(text, "all"))
		return NULL;
	copy = pool_strdup(p, text);
	out->calls = pool_alloc(p, 512 * sizeof(*out->calls));
	for (char *word = strtok_r(copy, ",", &save); word && out->n_calls < 512; word = strtok_r(NULL, ",", &save))
		out->calls[out->n_calls++] = msg_str(word);
	return out->n_calls ? NULL : err_new(0, "--strace: '%.64s' names no call", text);
}

static struct err *change_logging(const struct debug *d, const struct control_logging *request)
{
	struct control_logging_reply reply;
	_cleanup_arena_ struct msg_arena a = { 0 };

	return RPC_CALL(d->rpc, control, logging, request, &reply, &a, CLIENT_QUICK_MS);
}

static struct err *signal_sentry(const struct debug *d, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	_cleanup_close_ int sentry = -1;

	if (end == text || *end || number > 64)
		return err_new(0, "--signal: '%.64s' is not a signal's number", text);
	if (d->s->state.sandbox)
		return err_new(0, "--signal: its sentry is that of container '%s'", d->s->state.sandbox);
	if ((sentry = proc_open(d->s->state.sentry)) < 0 || pidfd_send_signal(sentry, (int)number, NULL, 0) < 0)
		return err_new(sentry < 0 ? ESRCH : errno, "--signal: sentry of '%s'", d->s->dir.id);
	return NULL;
}

/* As the command does it. */
static struct err *list_processes(const struct debug *d)
{
	struct context ps = *d->c;
	int status;

	ps.options = pool_alloc(d->c->pool, command_ps.options_size);
	return command_ps.run(&ps, &status);
}

static struct err *ask(const struct debug *d, const struct debug_options *o, const struct control_logging *logging, int ms)
{
	struct err *e = o->level || o->strace ? change_logging(d, logging) : NULL;

	if (!e && o->signal)
		e = signal_sentry(d, o->signal);
	if (!e && o->stacks)
		e = debug_stacks(d);
	if (!e && o->ps)
		e = list_processes(d);
	if (!e && o->procfs)
		e = debug_procfs(d);
	if (!e && o->network)
		e = debug_network(d);
	for (int i = 0; !e && i < DEBUG_PROFILES; i++)
		e = o->profiles[i] ? debug_profile(d, (enum debug_profile)i, o->profiles[i], ms) : NULL;
	if (!e && o->trace)
		e = debug_trace(d, o->trace, ms);
	return e;
}

static bool nothing_asked(const struct debug_options *o)
{
	bool profile = false;

	for (int i = 0; i < DEBUG_PROFILES; i++)
		profile = profile || o->profiles[i];
	return !o->level && !o->strace && !o->trace && !o->signal && !o->stacks && !o->ps && !o->procfs && !o->network && !profile;
}

static struct err *run(struct context *c, int *status)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	const struct debug_options *o = c->options;
	struct control_logging logging = { .id = msg_str(c->argv[0]), .level = KEEP, .strace = 2 };
	struct sandbox s = SANDBOX_NONE;
	struct debug d = { .c = c, .s = &s };
	int ms = 10000;
	struct err *e;

	if (nothing_asked(o))
		return err_new(0, "no option says what to do (see --help)");
	if ((e = find_word("log-level", o->level, levels, 4, &logging.level)) || (e = find_calls(o->strace, c->pool, &logging)) ||
		(e = option_ms("duration", o->duration, PROFILE_MAX_MS, &ms)) || (e = sandbox_open(c, c->argv[0], &s)))
		return e;
	if (!(e = client_connect(&s.dir, &d.rpc))) {
		e = ask(&d, o, &logging, ms);
		rpc_client_free(d.rpc);
	}
	sandbox_close(&s);
	return e;
}

const struct command command_debug = {
	.name = "debug",
	.arguments = "ID",
	.summary = "inspect a live sandbox (stacks, profiles, /proc) and change what it logs",
	.options = options,
	.options_size = sizeof(struct debug_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
