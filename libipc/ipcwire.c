/*
 * ipcwire - starts several components wired to each other, from a shell.
 *
 *   ipcwire 'gofer --root R --ipc-fd {fs}' 'sentry --gofer-fd {fs} -- /bin/ls /'
 *
 * Each {name} stands in exactly two commands and becomes the two ends of a
 * SEQPACKET socketpair.  The last command is the foreground one: its end is
 * ours.  Single-threaded; owns the sockets until the commands have them, and
 * the commands until they are reaped.
 */
#include "libipc/fd.h"
#include "libipc/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define COMMANDS_MAX 64
#define WIRES_MAX 64
#define GRACE_MS 1000

struct wire {
	char name[64];
	int command[2]; /* the commands it joins; -1: none yet */
	int fd[2]; /* their ends */
};

static struct wiring {
	struct wire wires[WIRES_MAX];
	size_t n_wires;
	const char *const *commands;
	int n_commands;
	pid_t pids[COMMANDS_MAX];
} wiring;

static const char help[] =
	"usage: ipcwire COMMAND... FOREGROUND-COMMAND\n"
	"\n"
	"Starts the commands, each by sh -c, joined by SEQPACKET socketpairs: a {name}\n"
	"must stand in exactly two of them and becomes the number of a descriptor, one\n"
	"end in each. The last command is the foreground one: it has the standard\n"
	"input, and its exit status is ipcwire's (128+N when signal N ended it). The\n"
	"others read /dev/null; when the foreground command has ended they are left\n"
	"a second to notice, then sent SIGTERM, then SIGKILL.\n"
	"\n"
	"  --help          this text\n"
	"  --version       the version\n"
	"  --print-policy  what ipcwire itself may do\n"
	"\n"
	"example:\n"
	"  ipcwire 'gofer --root / --ipc-fd {fs}' 'sentry --gofer-fd {fs} -- /bin/ls /'\n";

static struct wire *find_wire(const char *name, size_t len)
{
	for (size_t i = 0; i < wiring.n_wires; i++) {
		struct wire *w = &wiring.wires[i];
		if (strlen(w->name) == len && memcmp(w->name, name, len) == 0)
			return w;
	}
	return NULL;
}

/* Notes that command number i has an end of the wire. */
static struct err *note_end(const char *name, size_t len, int i)
{
	struct wire *w = find_wire(name, len);
	if (len >= sizeof w->name)
		return err_new(0, "'{%.*s}': the name is too long", (int)len, name);
	if (!w) {
		if (wiring.n_wires == WIRES_MAX)
			return err_new(0, "more than %d names", WIRES_MAX);
		w = &wiring.wires[wiring.n_wires++];
		*w = (struct wire){ .command = { i, -1 }, .fd = { -1, -1 } };
		memcpy(w->name, name, len);
	} else if (w->command[0] != i && w->command[1] == -1) {
		w->command[1] = i;
	} else if (w->command[0] != i && w->command[1] != i) {
		return err_new(0, "'{%s}' stands in more than two commands", w->name);
	}
	return NULL;
}

static struct err *find_wires(void)
{
	for (int i = 0; i < wiring.n_commands; i++) {
		struct spawn_place at;
		for (const char *p = wiring.commands[i]; spawn_next_place(p, &at); p = at.name + at.len + 1) {
			struct err *e = note_end(at.name, at.len, i);
			if (e)
				return e;
		}
	}
	for (size_t i = 0; i < wiring.n_wires; i++) {
		struct wire *w = &wiring.wires[i];
		if (w->command[1] == -1)
			return err_new(0, "'{%s}' stands in one command only: '%s'", w->name, wiring.commands[w->command[0]]);
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->fd) < 0)
			return err_new(errno, "socketpair");
	}
	return NULL;
}

static int wire_end(const struct wire *w, int i)
{
	return w->command[0] == i ? w->fd[0] : w->command[1] == i ? w->fd[1] : -1;
}

static int fd_of(void *arg, const char *name, size_t len)
{
	const struct wire *w = find_wire(name, len);
	return w ? wire_end(w, *(int *)arg) : -1;
}

static struct err *start(int i)
{
	int keep[WIRES_MAX];
	bool foreground = i == wiring.n_commands - 1;
	struct spawn_opts o = { .keep = keep, .null_stdin = !foreground, .own_group = !foreground };
	_cleanup_free_ char *command = NULL;
	struct err *e = spawn_expand(wiring.commands[i], fd_of, &i, &command);
	if (e)
		return e;
	for (size_t k = 0; k < wiring.n_wires; k++) {
		int fd = wire_end(&wiring.wires[k], i);
		if (fd >= 0)
			keep[o.n_keep++] = fd;
	}
	return spawn_shell(command, &o, &wiring.pids[i]);
}

static void close_wires(void)
{
	for (size_t i = 0; i < wiring.n_wires; i++) {
		fd_close(&wiring.wires[i].fd[0]);
		fd_close(&wiring.wires[i].fd[1]);
	}
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Waits for the foreground command, passing on what we are sent meanwhile. */
static int wait_foreground(pid_t pid, const sigset_t *set)
{
	for (;;) {
		int status;
		siginfo_t si;
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		if (sigwaitinfo(set, &si) < 0 || si.si_signo == SIGCHLD)
			continue;
		if (si.si_code != SI_KERNEL) /* a terminal's went to it as well */
			kill(pid, si.si_signo);
	}
}

static void end_others(void)
{
	/* all at once: the socketpairs are closed by now on one end */
	for (int i = 0; i < wiring.n_commands - 1; i++)
		if (wiring.pids[i] > 0)
			spawn_end(wiring.pids[i], GRACE_MS);
}

static struct err *run(int *status)
{
	static const int passed_on[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
		sigaddset(&set, passed_on[i]);
	struct err *e = find_wires();
	if (e)
		return e;
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < wiring.n_commands && !e; i++)
		e = start(i);
	close_wires();
	if (!e)
		*status = wait_foreground(wiring.pids[wiring.n_commands - 1], &set);
	end_others();
	return e;
}

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	if (strcmp(first, "--help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (strcmp(first, "--version") == 0) {
		puts("ipcwire " REDOUBT_VERSION);
		return 0;
	}
	if (strcmp(first, "--print-policy") == 0) {
		puts("component ipcwire\nunconfined: holds the caller's privileges");
		return 0;
	}
	int skip = strcmp(first, "--") == 0 ? 2 : 1;
	if (argc <= skip || (skip == 1 && first[0] == '-') || argc - skip > COMMANDS_MAX) {
		fputs(help, stderr);
		return 2;
	}
	wiring.commands = (const char *const *)argv + skip;
	wiring.n_commands = argc - skip;
	int status = 0;
	_cleanup_err_ struct err *e = run(&status);
	if (e) {
		fprintf(stderr, "ipcwire: %s\n", err_text(e));
		return 2;
	}
	return status_of(status);
}
