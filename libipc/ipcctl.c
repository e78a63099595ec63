/*
 * ipcctl - speaks to a component from a shell: JSON in, frames out, and back.
 *
 *   ipcctl --spawn 'gofer --root DIR --ipc-fd {fd}' walk '{"dir":1,"names":["etc"]}'
 *
 * One request at a time, each answer one line of JSON.  It checks its own input
 * by the protocol's tables and has --raw and --surplus-fd for what must be
 * refused by the other side.  Descriptors that come in answers stay open until
 * it ends, so that later lines of a conversation can use their numbers.
 * Single-threaded; blocking; no confinement: it is the caller's hand.
 */
#include "libipc/ctl_ask.h"
#include "libipc/ending.h"
#include "libipc/fd.h"
#include "libipc/spawn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#define SPAWN_GRACE_MS 2000

static struct ctl ctl = { .sock = -1 };
static pid_t child; /* --spawn */

static const char help[] =
	"usage: ipcctl [OPTION]... [PROTOCOL] METHOD [JSON] [METHOD [JSON]]...\n"
	"       ipcctl [OPTION]... [PROTOCOL] -\n"
	"       ipcctl schema PROTOCOL\n"
	"\n"
	"Sends requests to a component and prints each answer as a line of JSON, or\n"
	"{\"error\": {\"errno\": \"ENOENT\", \"text\": \"...\"}}. PROTOCOL is gofer, control or\n"
	"boot; it may be left out where METHOD is in one of them only.\n"
	"\n"
	"  --fd N            the connection is descriptor N\n"
	"  --connect PATH    connect to the SEQPACKET socket PATH\n"
	"  --spawn COMMAND   start COMMAND by sh -c, {fd} in it being its end of the\n"
	"                    connection\n"
	"  --timeout SECONDS give up waiting for an answer (default 30)\n"
	"  --cat-fd FIELD    after an answer with the descriptor FIELD, print what can be\n"
	"                    read from it\n"
	"  --surplus-fd N    add descriptor N to the next request, where none belongs\n"
	"  --raw HEX         send these bytes as they are, print what is answered\n"
	"  --quiet           do not print answers that are no errors\n"
	"  -                 read lines from the standard input:\n"
	"                      METHOD [JSON]      a request\n"
	"                      --raw HEX          as above\n"
	"                      --surplus-fd N     as above; no answer line\n"
	"                      !cat N             content of descriptor N from its start\n"
	"                      !write N JSON      write the string JSON to descriptor N\n"
	"                      !stat N            mode, size, inode of descriptor N\n"
	"                      !close N           close descriptor N\n"
	"  --help, --version, --print-policy\n"
	"\n"
	"A descriptor to send is a number, {\"open\": PATH, \"flags\": \"r\"} (r, w, a, rw, dir,\n"
	"path), {\"text\": STRING} or {\"message\": NAME, \"value\": OBJECT}. Bytes, and strings\n"
	"that are not UTF-8, are {\"hex\": \"...\"}.\n"
	"\n"
	"Exit status: 0 if all was answered without error, 1 if some answer was an\n"
	"error, 2 if a request could not be made.\n";

/* --- a conversation ----------------------------------------------------------------- */

/* "!cat 7": on one of our own descriptors. */
static struct err *local(const char *command)
{
	json_t *answer = NULL;
	struct err *e = ctl_local(command, ctl.sock, &answer);
	if (!e)
		ctl_print(answer);
	return e;
}

static struct err *one_line(char *line)
{
	char *word = line + strspn(line, " \t");
	size_t n = strcspn(word, " \t\n");
	char *rest = word + n + strspn(word + n, " \t\n");
	line[strcspn(line, "\n")] = 0;
	if (!n || *word == '#')
		return NULL;
	if (*word == '!')
		return local(word);
	word[n] = 0;
	rest[strcspn(rest, "\n")] = 0;
	if (strcmp(word, "--raw") == 0)
		return ctl_raw(&ctl, rest);
	if (strcmp(word, "--surplus-fd") == 0)
		return ctl_surplus(&ctl, rest);
	return ctl_request(&ctl, word, *rest ? rest : "{}");
}

/* Every line is answered, also one that could not be sent. */
static void conversation(FILE *in)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	while (!ctl.closed && getline(&line, &size, in) > 0) {
		struct err *e = one_line(line);
		if (e)
			ctl_print_error(&ctl, err_errno(e), err_text(e));
		err_free(e);
	}
}

/* --- command line ---------------------------------------------------------------------- */

static int fd_of(void *arg, const char *name, size_t len)
{
	return len == 2 && memcmp(name, "fd", 2) == 0 ? *(int *)arg : -1;
}

static struct err *start(const char *command)
{
	int pair[2];
	_cleanup_free_ char *line = NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_new(errno, "socketpair");
	struct spawn_opts o = { .keep = &pair[1], .n_keep = 1, .null_stdin = true };
	struct err *e = spawn_expand(command, fd_of, &pair[1], &line);
	if (!e)
		e = spawn_shell(line, &o, &child);
	close(pair[1]);
	ctl.sock = pair[0];
	return e;
}

static struct err *set_timeout(const char *value)
{
	char *end;
	double s = strtod(value, &end);
	if (*end || end == value || !(s >= 0) || s > 1e6)
		return err_new(0, "--timeout: '%s' is not a number of seconds", value);
	struct timeval tv = { (time_t)s, (suseconds_t)((s - (double)(time_t)s) * 1e6) };
	if (setsockopt(ctl.sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) < 0 || setsockopt(ctl.sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) < 0)
		return err_new(errno, "--timeout");
	return NULL;
}

static struct err *use_fd(const char *value)
{
	return fd_from_option("--fd", value, &ctl.sock);
}

static struct err *use_socket(const char *value)
{
	return spawn_connect(value, &ctl.sock);
}

static struct err *use_surplus(const char *value)
{
	return ctl_surplus(&ctl, value);
}

static struct err *use_raw(const char *value)
{
	return ctl_raw(&ctl, value);
}

static struct err *use_cat(const char *value)
{
	ctl.cat_field = value;
	return NULL;
}

static const struct option {
	const char *name;
	struct err *(*fn)(const char *value);
	bool connects; /* needs no connection, makes one */
} options[] = {
	{ "--fd", use_fd, true },
	{ "--connect", use_socket, true },
	{ "--spawn", start, true },
	{ "--timeout", set_timeout, false },
	{ "--cat-fd", use_cat, false },
	{ "--surplus-fd", use_surplus, false },
	{ "--raw", use_raw, false },
};

static struct err *option(char **argv, int *i)
{
	const char *name = argv[*i];
	if (strcmp(name, "--quiet") == 0) {
		ctl.quiet = true;
		return NULL;
	}
	for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
		if (strcmp(name, options[k].name) != 0)
			continue;
		if (!argv[*i + 1])
			return err_new(0, "%s needs a value", name);
		if (options[k].connects && ctl.sock >= 0)
			return err_new(0, "%s: there is a connection already", name);
		if (!options[k].connects && ctl.sock < 0)
			return err_new(0, "%s: name the connection first (--fd, --connect or --spawn)", name);
		struct err *e = options[k].fn(argv[++*i]);
		if (!e && options[k].connects)
			e = set_timeout("30");
		return e;
	}
	return err_new(0, "unknown option %s (see --help)", name);
}

/* The arguments in order, as they come. */
static struct err *run(char **argv)
{
	bool first = true;
	for (int i = 1; argv[i] && !ctl.closed; i++) {
		struct err *e = NULL;
		const struct msg_proto *p = first ? msg_proto_by_name(argv[i]) : NULL;
		if (argv[i][0] == '-' && argv[i][1] == '-') {
			e = option(argv, &i);
		} else if (p) {
			ctl.proto = p;
			first = false;
		} else if (ctl.sock < 0) {
			e = err_new(0, "'%s': name the connection first (--fd, --connect or --spawn)", argv[i]);
		} else if (strcmp(argv[i], "-") == 0) {
			conversation(stdin);
		} else {
			const char *name = argv[i];
			bool body = argv[i + 1] && argv[i + 1][strspn(argv[i + 1], " \t\n")] == '{';
			first = false;
			e = ctl_request(&ctl, name, body ? argv[++i] : "{}");
		}
		if (e)
			return e;
	}
	return NULL;
}

/* The component that we started ends with us. */
static void finish(void)
{
	fd_close(&ctl.sock);
	if (!child)
		return;
	char text[ENDING_MAX];
	int status = spawn_end(child, SPAWN_GRACE_MS);
	if (ctl.closed)
		fprintf(stderr, "ipcctl: the component %s\n", ending_text(status, text));
}

static int schema(const char *name)
{
	const struct msg_proto *p = name ? msg_proto_by_name(name) : NULL;
	if (!p) {
		fprintf(stderr, "ipcctl: schema: %s%s\n", name ? "no such protocol: " : "name a protocol: gofer, control, boot", name ? name : "");
		return 2;
	}
	msg_print_schema(p, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	if (strcmp(first, "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (strcmp(first, "--version") == 0) {
		puts("ipcctl " REDOUBT_VERSION);
		return 0;
	}
	if (strcmp(first, "--print-policy") == 0) {
		puts("component ipcctl\nunconfined: holds the caller's privileges");
		return 0;
	}
	if (strcmp(first, "schema") == 0)
		return schema(argv[2]);
	if (argc < 2) {
		fputs(help, stderr);
		return 2;
	}
	_cleanup_err_ struct err *e = run(argv);
	if (e)
		fprintf(stderr, "ipcctl: %s\n", err_text(e));
	finish();
	return e ? 2 : ctl.failed ? 1 : 0;
}
