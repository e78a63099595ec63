/*
 * terminal.c - the size of the first container's terminal.  See sandbox.h.
 *
 * An engine sets the size on the pty's master, which it holds.  The host's kernel then sends SIGWINCH to
 * the processes whose controlling terminal is the slave.  controld is the only one (the launcher made
 * it that), and passes the size on to the sentry.  The terminal's bytes do not come through here: the
 * sentry has its own descriptor for them.
 */
#include "sandbox.h"

#include "libipc/fd.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

static void on_answer(void *arg, void *reply, struct err *e)
{
	/* not made yet (then it reads the size itself), or gone */
	if (e)
		log_debug("the terminal's size: %s", err_text(e));
	err_free(e);
}

static void on_resized(evutil_socket_t fd, short what, void *arg)
{
	struct sandbox *s = arg;
	struct control_resize request = { .id = msg_str(s->first->id) };
	struct signalfd_siginfo si;
	struct winsize size;

	if (read(fd, &si, sizeof(si)) != sizeof(si) || !s->rpc || ioctl(s->terminal, TIOCGWINSZ, &size) < 0)
		return;
	request.rows = size.ws_row;
	request.columns = size.ws_col;
	RPC_ASK(s->rpc, control, resize, &request, 0, on_answer, NULL);
}

struct err *terminal_start(struct sandbox *s, int fd)
{
	sigset_t set;

	if (fd < 0)
		return NULL;
	s->terminal = fd;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((s->resized = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_new(errno, "signalfd");
	s->resized_event = event_new(s->base, s->resized, EV_READ | EV_PERSIST, on_resized, s);
	return s->resized_event && !event_add(s->resized_event, NULL) ? NULL : err_new(ENOMEM, "terminal");
}

void terminal_stop(struct sandbox *s)
{
	if (s->resized_event)
		event_free(s->resized_event);
	fd_close(&s->resized);
	fd_close(&s->terminal);
}
