/*
 * options.c - see options.h.
 */
#include "options.h"

#include "libipc/fd.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum kind { FLAG, TEXT, FD, NUMBER, FORMAT };

static const struct option_row {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *value, *help;
	bool required;
} rows[] = {
	{ "adopted", FLAG, offsetof(struct options, adopted), NULL, "in the place of a controld that has gone: ask the sentry what there is; no child is ours", false },
	{ "debug", FLAG, offsetof(struct options, debug), NULL, "log more", false },
	{ "gofer-pidfd", FD, offsetof(struct options, gofer_pidfd), "N", "pidfd of our child, the gofer", false },
	{ "help", FLAG, offsetof(struct options, help), NULL, "print this", false },
	{ "id", TEXT, offsetof(struct options, id), "ID", "the container's id", true },
	{ "lifeline-fd", FD, offsetof(struct options, lifeline), "N", "a SEQPACKET socket: end everything when its peer goes before sending 'd'", false },
	{ "listen-fd", FD, offsetof(struct options, listen), "N", "the control socket: bound, listening, SEQPACKET", true },
	{ "log-fd", FD, offsetof(struct options, log_fd), "N", "where to log", false },
	{ "log-format", FORMAT, offsetof(struct options, log_format), "FORMAT", "text or json", false },
	{ "namespaces-made", FLAG, offsetof(struct options, namespaces_made), NULL, "the network, IPC and host name namespaces are the sandbox's own already", false },
	{ "panic-fd", FD, offsetof(struct options, panic_fd), "N", "for last words: why a component fails", false },
	{ "print-policy", FLAG, offsetof(struct options, print_policy), NULL, "print this program's privileges", false },
	{ "sentry-fd", FD, offsetof(struct options, sentry), "N", "control connection to the sentry", true },
	{ "sentry-pid", NUMBER, offsetof(struct options, sentry_pid), "PID", "the sentry's pid, for answers", false },
	{ "sentry-pidfd", FD, offsetof(struct options, sentry_pidfd), "N", "pidfd of our child, the sentry", true },
	{ "terminal-fd", FD, offsetof(struct options, terminal), "N", "our controlling terminal: the container's, whose size we pass on", false },
	{ "version", FLAG, offsetof(struct options, version), NULL, "print the version", false },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct option_row *find(const char *name, size_t len)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (strlen(rows[i].name) == len && !strncmp(rows[i].name, name, len))
			return &rows[i];
	}
	return NULL;
}

static struct err *parse_number(const char *name, const char *value, uint32_t *out)
{
	char *end;
	unsigned long v = strtoul(value, &end, 10);

	if (end == value || *end || value[0] == '-' || v > UINT32_MAX)
		return err_new(0, "--%s: '%.32s' is not a number", name, value);
	*out = (uint32_t)v;
	return NULL;
}

static struct err *store(const struct option_row *r, const char *value, struct options *o)
{
	void *at = (char *)o + r->offset;

	switch (r->kind) {
	case FLAG:
		*(bool *)at = true;
		return NULL;
	case TEXT:
		*(const char **)at = value;
		return *value ? NULL : err_new(0, "--%s: is empty", r->name);
	case FD:
		return fd_from_option(r->name, value, at);
	case NUMBER:
		return parse_number(r->name, value, at);
	case FORMAT:
		if (strcmp(value, "text") && strcmp(value, "json"))
			return err_new(0, "--%s: '%.32s' is neither text nor json", r->name, value);
		*(enum log_format *)at = strcmp(value, "json") ? LOG_TEXT : LOG_JSON;
		return NULL;
	}
	return NULL;
}

static bool given(const struct option_row *r, const struct options *o)
{
	const void *at = (const char *)o + r->offset;

	return r->kind == FD ? *(const int *)at >= 0 : *(const char *const *)at != NULL;
}

static struct err *check(const struct options *o)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].required && !given(&rows[i], o))
			return err_new(0, "--%s is missing", rows[i].name);
	}
	if (strlen(o->id) > 255)
		return err_new(0, "--id: longer than 255 bytes");
	return NULL;
}

struct err *options_parse(int argc, char **argv, struct options *o)
{
	*o = (struct options){ .listen = -1, .sentry = -1, .lifeline = -1, .sentry_pidfd = -1, .gofer_pidfd = -1, .terminal = -1, .log_fd = -1, .panic_fd = -1 };
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + 2, *value;
		size_t len = strlen(argv[i]) >= 2 ? strcspn(name, "=") : 0;
		const struct option_row *r = len && !strncmp(argv[i], "--", 2) ? find(name, len) : NULL;
		struct err *e;

		if (!r)
			return err_new(0, "unknown option '%.64s'", argv[i]);
		value = name[len] ? name + len + 1 : NULL;
		if (r->kind == FLAG && value)
			return err_new(0, "--%s: takes no value", r->name);
		if (r->kind != FLAG && !value && !(value = argv[++i]))
			return err_new(0, "--%s: needs a value", r->name);
		if ((e = store(r, value, o)))
			return e;
	}
	return o->help || o->version || o->print_policy ? NULL : check(o);
}

void options_usage(FILE *f)
{
	fprintf(f, "usage: controld --id ID --listen-fd N --sentry-fd N --sentry-pidfd N [OPTIONS]\n\n"
		   "Supervises one sandbox and serves its control socket.  Started by the launcher.\n\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
		fprintf(f, "  %-24s %s\n", left, rows[i].help);
	}
}
