/*
 * client.c - see client.h.
 */
#include "client.h"

#include "child.h"
#include "guard.h"
#include "revive.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

const char *const client_status_names[] = {
	[STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
	[STATUS_PAUSED] = "paused", [STATUS_STOPPED] = "stopped",
};

#define REVIVALS 8

static struct sockaddr_un address(const struct state_dir *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" STATE_SOCKET, d->sandbox_fd >= 0 ? d->sandbox_fd : d->fd);
	return a;
}

struct err *client_listen(const struct state_dir *d, int *out)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = address(d);

	if (fd < 0)
		return err_new(errno, "control socket");
	/* the mode of an unbound socket is the mode its file is made with: it never exists with a wider one */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0)
		return err_new(errno, "control socket %s/" STATE_SOCKET, d->path);
	*out = TAKE_FD(fd);
	return NULL;
}

/* From within its directory: without /proc, which a stand-in does not see, and however long the path is. */
static int connect_in(int dir, int sock)
{
	const struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = STATE_SOCKET };
	_cleanup_close_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int errnum;

	if (fchdir(dir) < 0)
		return errno;
	errnum = connect(sock, (const struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
	if (back >= 0 && fchdir(back) < 0)
		return errnum ? errnum : errno;
	return errnum;
}

struct err *client_socket_of_living(const struct state_dir *d, int *out)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int errnum;

	if (fd < 0)
		return err_new(errno, "control socket");
	if ((errnum = connect_in(d->sandbox_fd >= 0 ? d->sandbox_fd : d->fd, fd)))
		return err_new(errnum, "container '%s': its controld does not answer", d->id);
	*out = TAKE_FD(fd);
	return NULL;
}

/* Refused: its socket is there, and nobody behind it.  No socket: another is about
 * to put a new one there.  Both again, if the next was killed too. */
static bool nobody_there(const struct err *e) { return err_errno(e) == ECONNREFUSED || err_errno(e) == ENOENT; }

struct err *client_socket(const struct state_dir *d, int *out)
{
	struct err *e, *why;

	for (int tries = 0; (e = client_socket_of_living(d, out)) && nobody_there(e) && tries < REVIVALS; tries++) {
		if ((why = revive(d))) {
			log_debug("%s", err_text(why));
			err_free(why);
			return e;
		}
		err_free(e);
	}
	return e;
}

static void revive_here(const void *arg)
{
	_cleanup_close_ int fd = -1;
	_cleanup_err_ struct err *e = client_socket(arg, &fd);

	if (e)
		log_debug("%s", err_text(e));
}

struct err *client_socket_from(const struct state_dir *d, int home, int *out)
{
	struct err *e, *why;

	for (int tries = 0; (e = client_socket_of_living(d, out)) && nobody_there(e) && tries < REVIVALS; tries++) {
		if ((why = child_run_in(home, revive_here, d))) {
			err_free(e);
			return why;
		}
		err_free(e);
	}
	return e;
}

static bool has_gone(const struct proc_id *id)
{
	_cleanup_close_ int fd = proc_open(id);

	return fd < 0;
}

static void say(struct err *e)
{
	if (e)
		log_debug("%s", err_text(e));
	err_free(e);
}

/* What is asked for may need its gofer, or wait for what does. */
static void look_after(const struct state_dir *d)
{
	_cleanup_pool_ struct pool p = { 0 };
	enum log_format format;
	const int log = log_descriptor(&format);
	struct state s;
	struct err *e = state_read(d, &p, &s);

	if (!e && has_gone(s.gofer))
		e = revive_gofer(d);
	if (!e && s.guard && has_gone(s.guard) && !has_gone(s.sentry))
		e = guard_start(d, log > STDERR_FILENO ? log : -1);
	say(e);
}

struct err *client_connect(const struct state_dir *d, struct rpc_client **out)
{
	_cleanup_close_ int fd = -1;
	struct err *e;

	look_after(d);
	if (!(e = client_socket(d, &fd)) && !(e = rpc_client_new(fd, out)))
		fd = -1;
	return e;
}

static struct err *ask_state(const struct state_dir *d, struct control_state_reply *out)
{
	const struct control_state request = { .id = msg_str(d->id) };
	struct msg_arena a = { 0 };
	struct rpc_client *c;
	struct err *e = client_connect(d, &c);

	if (e)
		return e;
	e = RPC_CALL(c, control, state, &request, out, &a, CLIENT_QUICK_MS);
	if (!e) {
		struct control_state_reply copy = *out; /* holds no memory of the arena's */

		msg_free(&control_state_reply_desc, out, &a);
		*out = copy;
	}
	rpc_client_free(c);
	return e;
}

/* One whose maker was killed before it was done stays as it was then: it will not run.  In a pod the sentry,
 * which goes on, may have it created already. */
static bool maker_was_killed(const struct state_dir *d)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct state now;
	_cleanup_err_ struct err *e = NULL;

	if (d->lock < 0 && state_being_made(d))
		return false;
	/* its maker may have been done since the record was read */
	e = state_read(d, &p, &now);
	return e || !strcmp(now.phase, "creating");
}

void client_state(const struct state_dir *d, const struct state *s, struct client_state *out)
{
	static const enum client_status by_number[] = { STATUS_CREATED, STATUS_RUNNING, STATUS_STOPPED, STATUS_PAUSED };
	struct control_state_reply r = { 0 };
	_cleanup_err_ struct err *e = ask_state(d, &r);
	_cleanup_close_ int alive = proc_open(s->sentry);

	*out = (struct client_state){ .sentry_pid = alive >= 0 ? s->sentry->pid : 0 };
	if (!e) {
		out->status = by_number[r.state];
		out->wait_status = (unsigned)r.status;
		out->sentry_status = (unsigned)r.sentry_status;
	} else {
		/* controld is gone: all that is left to see is whether the sentry lives */
		out->status = alive >= 0 ? STATUS_RUNNING : STATUS_STOPPED;
	}
	if (!strcmp(s->phase, "creating") && out->status != STATUS_STOPPED)
		out->status = maker_was_killed(d) ? STATUS_STOPPED : STATUS_CREATING;
}

int client_exit_code(unsigned wait_status)
{
	int st = (int)wait_status;

	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

struct err *client_usage(const struct state_dir *d, struct control_usage_reply *out)
{
	const struct control_usage request = { .id = msg_str(d->id) };
	struct msg_arena a = { 0 };
	struct rpc_client *rpc;
	struct err *e = client_connect(d, &rpc);

	if (e)
		return e;
	if (!(e = RPC_CALL(rpc, control, usage, &request, out, &a, CLIENT_QUICK_MS)))
		msg_free(&control_usage_reply_desc, out, &a);
	rpc_client_free(rpc);
	return e;
}
