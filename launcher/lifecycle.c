/*
 * lifecycle.c - see lifecycle.h.
 */
#include "lifecycle.h"

#include "attach.h"
#include "client.h"
#include "console.h"
#include "hooks.h"
#include "network.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct err *stdio_make(bool terminal, const char *console_socket, bool attached, const struct boot_process *p, struct stdio *out)
{
	struct winsize size = { .ws_row = (unsigned short)p->rows, .ws_col = (unsigned short)p->columns };
	struct stdio io = STDIO_NONE;
	struct err *e;

	if (console_socket && !terminal)
		return err_new(0, "--console-socket is given, but process.terminal is not set");
	if (!terminal) {
		*out = (struct stdio){ .fds = { 0, 1, 2 }, .n = 3, .master = -1, .slave = -1 };
		return NULL;
	}
	if (!console_socket && !attached)
		return err_new(0, "process.terminal is set: --console-socket is needed when detached");
	if (!console_socket && !isatty(STDIN_FILENO))
		return err_new(0, "process.terminal is set, but standard input is not a terminal");
	if (!size.ws_row && !console_socket)
		ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	if ((e = console_make(&size, &io.master, &io.slave)))
		return e;
	io.fds[0] = io.slave;
	io.n = 1;
	if (console_socket) {
		e = console_send(console_socket, io.master);
		fd_close(&io.master);
	}
	if (e)
		stdio_close(&io);
	else
		*out = io;
	return e;
}

struct err *stdio_preserve(const char *text, struct stdio *s)
{
	unsigned long n;
	char *end;

	if (!text)
		return NULL;
	n = strtoul(text, &end, 10);
	if (end == text || *end || text[0] == '-' || n > PRESERVE_MAX)
		return err_new(0, "--preserve-fds: '%.64s' is not a number of at most %d", text, PRESERVE_MAX);
	for (int fd = 3; fd < 3 + (int)n; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			return err_new(errno, "--preserve-fds: descriptor %d", fd);
		s->fds[s->n++] = fd;
	}
	return NULL;
}

void stdio_close(struct stdio *s)
{
	fd_close(&s->master);
	fd_close(&s->slave);
}

/* Whole or not at all: a killed launcher leaves neither half a file nor one of
 * another name (where the file system can make nameless files). */
struct err *write_pid_file(const char *path, uint64_t pid)
{
	_cleanup_free_ char *copy = strdup(path), *temp = NULL;
	_cleanup_close_ int fd = -1;
	char self[32];
	bool ok;

	if (!copy || asprintf(&temp, "%s.redoubt-tmp", path) < 0)
		return err_new(ENOMEM, "--pid-file");
	unlink(temp);
	if ((fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644)) >= 0) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		ok = dprintf(fd, "%llu", (unsigned long long)pid) > 0 && (!linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ||
			(errno == EEXIST && !linkat(AT_FDCWD, self, AT_FDCWD, temp, AT_SYMLINK_FOLLOW) && !rename(temp, path)));
	} else {
		ok = (fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) >= 0 && dprintf(fd, "%llu", (unsigned long long)pid) > 0 &&
			!rename(temp, path);
	}
	return ok ? NULL : err_new(errno, "--pid-file %s", path);
}

static uint64_t sentry_pid(const struct state *s)
{
	return s->sentry ? s->sentry->pid : 0;
}

static struct err *send_start(const struct state_dir *d)
{
	const struct control_start request = { .id = msg_str(d->id) };
	struct control_start_reply reply;
	struct msg_arena a = { 0 };
	struct rpc_client *c;
	struct err *e = client_connect(d, &c);

	if (e)
		return e;
	e = RPC_CALL(c, control, start, &request, &reply, &a, 60000);
	if (!e)
		msg_free(&control_start_reply_desc, &reply, &a);
	rpc_client_free(c);
	return e;
}

struct err *start_container(struct sandbox *s)
{
	struct err *e = network_at_start(&s->dir, &s->state);

	if (!e)
		e = hooks_run_inside(&s->dir, &s->state, sentry_pid(&s->state));
	/* a container whose last preparation failed never runs */
	if (e) {
		err_free(sandbox_end_processes(s));
		return e;
	}
	if (!(e = send_start(&s->dir)))
		hooks_run_all(&s->state, HOOK_POSTSTART, "running", sentry_pid(&s->state));
	return e;
}

static void run_poststart(const void *state)
{
	hooks_run_all(state, HOOK_POSTSTART, "running", sentry_pid(state));
}

/* From created to the program's end. */
static struct err *live(struct sandbox *s, const struct run_options *ro, int master, unsigned *wait_status)
{
	struct attach_options o = { .dir = &s->dir, .master = master, .start = true };
	struct err *e = ro->pid_file ? write_pid_file(ro->pid_file, s->sentry_id.pid) : NULL;

	if (!e && s->state.hooks) {
		o.started = run_poststart;
		o.started_arg = &s->state;
		e = hooks_run_inside(&s->dir, &s->state, s->sentry_id.pid);
	}
	return e ? e : attach(&o, wait_status);
}

struct err *run_attached(struct context *c, struct plan *plan, struct stdio *io, const struct run_options *o, int *status, int *boot_errno)
{
	struct sandbox s = SANDBOX_NONE;
	unsigned wait_status = 0;
	struct err *e, *undo;

	attach_hold_signals();
	e = sandbox_create(c, plan, io->fds, io->n, &s, boot_errno);
	fd_close(&io->slave);
	if (!e) {
		e = live(&s, o, io->master, &wait_status);
		log_timing("program ended");
		undo = !e && o->keep ? sandbox_detach(&s) : sandbox_destroy(&s);
		log_timing("sandbox ended");
		if (undo && !e)
			e = undo;
		else
			err_free(undo);
	}
	if (!e)
		attach_drain(io->master);
	sandbox_close(&s);
	attach_release_signals();
	*status = client_exit_code(wait_status);
	return e;
}
