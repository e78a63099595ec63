/*
 * attach.c - see attach.h.  One libevent loop on the launcher's only thread:
 * the control connection, signals by signalfd, the terminal.
 */
#include "attach.h"

#include "client.h"
#include "console.h"
#include "gofer_watch.h"

#include "libipc/fd.h"
#include "libipc/log.h"
#include "libipc/rest.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define INPUT_MAX 4096

/* Signals passed on to the program.  INT, QUIT from a terminal's keys come
 * here only when the terminal is not in raw mode. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT };

/* Those that a process of its own would get, were it on the host; faults stay ours. */
static const int never_forwarded[] = { SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };

struct attached {
	const struct attach_options *o;
	struct event_base *base;
	struct rpc *rpc;
	struct event *signals, *input, *input_out, *output;
	int signal_fd;
	char typed[INPUT_MAX]; /* from the user, not yet taken by the master */
	size_t typed_n;
	bool ended;
	struct gofer_watch gofer;
	unsigned reconnects;
	unsigned status;
	struct err *error;
};

static void forwarded_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(set, forwarded[i]);
}

static void all_forwarded_set(sigset_t *set)
{
	sigfillset(set);
	for (size_t i = 0; i < sizeof(never_forwarded) / sizeof(never_forwarded[0]); i++)
		sigdelset(set, never_forwarded[i]);
}

void attach_hold_signals(void)
{
	sigset_t set;

	forwarded_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void attach_release_signals(void)
{
	sigset_t set;

	forwarded_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void finish(struct attached *a, struct err *e)
{
	if (a->ended) {
		err_free(e); /* calls that tear_down() cancels */
		return;
	}
	a->error = e;
	a->ended = true;
	event_base_loopbreak(a->base);
}

static void on_ignored(void *arg, void *reply, struct err *e)
{
	if (e)
		log_debug("control: %s", err_text(e));
	err_free(e);
}

/* --- the program's life ---------------------------------------------------------- */

static void on_wait(void *arg, void *reply, struct err *e)
{
	const struct control_wait_reply *r = reply;
	struct attached *a = arg;

	if (!e)
		a->status = (unsigned)r->status;
	if (!e && a->o->for_memory)
		*a->o->for_memory = r->for_memory;
	finish(a, e ? err_wrap(e, "waiting for the program") : NULL);
}

static void ask_wait(struct attached *a)
{
	const struct control_wait request = { .id = msg_str(a->o->dir->id), .pid = a->o->pid,
		.stand_in = a->o->stands_in ? (uint64_t)getpid() : 0 };

	RPC_ASK(a->rpc, control, wait, &request, 0, on_wait, a);
}

static void wait_started(struct attached *a)
{
	ask_wait(a);
	if (a->o->started)
		a->o->started(a->o->started_arg);
}

static void on_start(void *arg, void *reply, struct err *e)
{
	struct attached *a = arg;

	if (e)
		finish(a, err_wrap(e, "starting the program"));
	else
		wait_started(a);
}

static void on_closed(struct rpc *r, const struct err *why, void *arg)
{
	if (!((struct attached *)arg)->ended)
		finish(arg, err_new(ECONNRESET, "the sandbox's controld has gone%s%s", why ? ": " : "", why ? err_text(why) : ""));
}

/* --- signals ------------------------------------------------------------------------ */

static void send_signal(struct attached *a, int sig)
{
	const struct control_signal request = { .id = msg_str(a->o->dir->id), .pid = a->o->pid, .signal = (uint64_t)sig };

	RPC_ASK(a->rpc, control, signal, &request, CLIENT_QUICK_MS, on_ignored, NULL);
}

static void send_size(struct attached *a)
{
	struct control_resize request = { .id = msg_str(a->o->dir->id), .pid = a->o->pid };
	struct winsize w;

	if (ioctl(a->o->terminal ? a->o->terminal : STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		return;
	if (a->o->master >= 0)
		ioctl(a->o->master, TIOCSWINSZ, &w);
	request.rows = w.ws_row;
	request.columns = w.ws_col;
	RPC_ASK(a->rpc, control, resize, &request, CLIENT_QUICK_MS, on_ignored, NULL);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct attached *a = arg;
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGWINCH && (a->o->master >= 0 || a->o->terminal))
		send_size(a);
	else if (si.ssi_signo != SIGHUP || si.ssi_code != SI_KERNEL || !a->o->terminal) /* the guest has its own for that */
		send_signal(a, (int)si.ssi_signo);
}

/* --- the terminal ------------------------------------------------------------------- */

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct attached *a = arg;
	ssize_t n = read(STDIN_FILENO, a->typed + a->typed_n, sizeof(a->typed) - a->typed_n);

	if (n <= 0 && !(n < 0 && (errno == EINTR || errno == EAGAIN))) {
		/* the user's terminal has gone; so will we, by SIGHUP or the program's end */
		event_del(a->input);
		return;
	}
	if (n > 0)
		a->typed_n += (size_t)n;
	if (a->typed_n == sizeof(a->typed))
		event_del(a->input);
	if (a->typed_n)
		event_add(a->input_out, NULL);
}

static void on_input_out(evutil_socket_t fd, short what, void *arg)
{
	struct attached *a = arg;
	ssize_t n = write(a->o->master, a->typed, a->typed_n);

	if (n > 0) {
		a->typed_n -= (size_t)n;
		memmove(a->typed, a->typed + n, a->typed_n);
		event_add(a->input, NULL);
	}
	if (!a->typed_n || (n < 0 && errno != EAGAIN && errno != EINTR))
		event_del(a->input_out);
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EAGAIN) {
			struct pollfd pfd = { fd, POLLOUT, 0 };

			poll(&pfd, 1, -1);
			continue;
		}
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* One piece of output; false when there is no more for now (errno EAGAIN) or ever. */
static bool copy_output(int master)
{
	char buf[16384];
	ssize_t n = read(master, buf, sizeof(buf));

	return n > 0 && write_all(STDOUT_FILENO, buf, (size_t)n);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	struct attached *a = arg;

	if (!copy_output(a->o->master) && errno != EAGAIN && errno != EINTR)
		event_del(a->output); /* EIO: nobody holds the other side any more */
}

void attach_drain(int master)
{
	if (master >= 0)
		while (copy_output(master))
			;
}

/* --- set-up ---------------------------------------------------------------------------- */

static struct err *add_event(struct attached *a, int fd, short what, event_callback_fn fn, bool now, struct event **out)
{
	if (!(*out = event_new(a->base, fd, (short)(what | EV_PERSIST), fn, a)) || (now && event_add(*out, NULL) < 0))
		return err_new(ENOMEM, "event");
	return NULL;
}

static struct err *add_terminal(struct attached *a)
{
	struct err *e;

	if ((e = add_event(a, STDIN_FILENO, EV_READ, on_input, true, &a->input)) ||
		(e = add_event(a, a->o->master, EV_WRITE, on_input_out, false, &a->input_out)) ||
		(e = add_event(a, a->o->master, EV_READ, on_output, true, &a->output)))
		return e;
	return console_raw(STDIN_FILENO);
}

static struct err *set_up(struct attached *a)
{
	_cleanup_close_ int sock = -1;
	struct err *e;
	sigset_t set;

	attach_hold_signals();
	forwarded_set(&set);
	if (a->o->stands_in)
		all_forwarded_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((a->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_new(errno, "signalfd");
	if (!(a->base = event_base_new()))
		return err_new(ENOMEM, "event loop");
	if ((e = client_socket(a->o->dir, &sock)) || (e = rpc_new(a->base, sock, NULL, 0, on_closed, a, &a->rpc)))
		return e;
	sock = -1; /* the rpc's now */
	if ((e = add_event(a, a->signal_fd, EV_READ, on_signal, true, &a->signals)))
		return e;
	return a->o->master >= 0 ? add_terminal(a) : NULL;
}

static void tear_down(struct attached *a)
{
	struct event *events[] = { a->signals, a->input, a->input_out, a->output };

	a->ended = true;
	console_restore();
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i])
			event_free(events[i]);
	}
	gofer_watch_stop(&a->gofer);
	if (a->rpc)
		rpc_free(a->rpc);
	if (a->base)
		event_base_free(a->base);
	fd_close(&a->signal_fd);
	attach_release_signals();
}

/* controld was killed, the sandbox lives: another is asked. */
static bool reconnect(struct attached *a)
{
	_cleanup_err_ struct err *e = NULL;
	struct rpc *rpc = NULL;
	int sock = -1;

	if (!a->error || err_errno(a->error) != ECONNRESET || a->reconnects++ == CLIENT_RECONNECTS)
		return false;
	if ((e = a->o->home && *a->o->home >= 0 ? client_socket_from(a->o->dir, *a->o->home, &sock) : client_socket(a->o->dir, &sock)))
		return false;
	if ((e = rpc_new(a->base, sock, NULL, 0, on_closed, a, &rpc))) {
		close(sock);
		return false;
	}
	rpc_free(a->rpc);
	a->rpc = rpc;
	err_free(a->error);
	a->error = NULL;
	a->ended = false;
	ask_wait(a);
	return true;
}

struct err *attach(const struct attach_options *o, unsigned *status)
{
	struct attached a = { .o = o, .signal_fd = -1, .gofer = GOFER_WATCH_NONE };
	struct err *e = set_up(&a);

	if (!e) {
		const struct control_start request = { .id = msg_str(o->dir->id) };

		if (o->start)
			RPC_ASK(a.rpc, control, start, &request, 0, on_start, &a);
		else
			wait_started(&a);
		gofer_watch_start(&a.gofer, a.base, o->dir, o->home);
		rest_watch(a.base);
		do {
			if (!a.ended)
				event_base_dispatch(a.base);
		} while (reconnect(&a));
		e = a.error;
		if (!e)
			attach_drain(o->master);
	}
	tear_down(&a);
	*status = a.status;
	return e;
}
