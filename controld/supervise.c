/*
 * supervise.c - the sandbox's processes.  See sandbox.h.
 *
 * A process's pidfd becomes readable when it ends.  The gofer is our child and
 * reaped; the sentry is not: its exit status belongs to who made the sandbox.
 * When the sentry ends the gofer follows by itself, since the sentry was its
 * only peer; a gofer that does not is killed after GRACE_S.
 */
#include "sandbox.h"

#include "libipc/ending.h"
#include "libipc/fd.h"
#include "libipc/panic.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define GRACE_S 2
#define AGAIN_US 10000

bool supervise_all_gone(const struct sandbox *s)
{
	return s->sentry.pidfd < 0 && s->gofer.pidfd < 0;
}

static int kill_child(struct child *c)
{
	if (c->pidfd < 0 || !pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0) || errno == ESRCH)
		return 0;
	log_debug("killing the %s: %s", c->name, strerror(errno));
	return errno;
}

void supervise_kill_sentry(struct sandbox *s)
{
	kill_child(&s->sentry);
}

/* All children are gone and an end was asked for: answer, and leave the loop
 * once the answer is out. */
static void end_if_gone(struct sandbox *s)
{
	static const struct control_destroy_reply reply;

	if (!s->ending || !supervise_all_gone(s))
		return;
	if (s->destroying)
		rpc_reply(s->destroying, &reply);
	s->destroying = NULL;
	if (!server_has_clients(s))
		event_base_loopexit(s->base, NULL);
}

static void log_end(const struct child *c, bool expected)
{
	char ending[ENDING_MAX], text[ENDING_MAX + 32];

	if (!c->ours) {
		log_at(expected ? LOG_DEBUG : LOG_ERROR, "the %s has ended", c->name);
		return;
	}
	ending_text(c->status, ending);
	snprintf(text, sizeof(text), "the %s %s", c->name, ending);
	if (expected || !c->status) {
		log_debug("%s", text);
		return;
	}
	log_fatal(text); /* who makes the container wants to know */
	panic_note(c->name, ending);
}

/* Whether it has ended; ours is reaped then. */
static bool has_ended(struct child *c)
{
	struct epoll_event ev;
	siginfo_t si = { 0 };

	if (!c->ours)
		return epoll_wait(c->epoll, &ev, 1, 0) > 0;
	if (waitid(P_PIDFD, (id_t)c->pidfd, &si, WEXITED | WNOHANG) < 0)
		log_error("waiting for the %s: %s", c->name, strerror(errno));
	else if (!si.si_pid)
		return false;
	c->status = si.si_code == CLD_EXITED ? (si.si_status & 0xff) << 8 : si.si_status & 0x7f;
	return true;
}

static void look_after(struct child *c)
{
	struct sandbox *s = c->sandbox;

	if (!has_ended(c))
		return;
	log_end(c, s->ending || s->first->phase == PHASE_STOPPED);
	event_free(c->event);
	c->event = NULL;
	fd_close(&c->pidfd);
	if (c == &s->sentry)
		methods_sentry_gone(s);
	end_if_gone(s);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	look_after(arg);
}

void supervise_look(struct sandbox *s)
{
	if (s->sentry.pidfd >= 0)
		look_after(&s->sentry);
}

static struct err *watch(struct sandbox *s, struct child *c, const char *name, bool ours, int pidfd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	*c = (struct child){ .sandbox = s, .name = name, .pidfd = pidfd, .ours = ours, .epoll = -1 };
	if (pidfd < 0)
		return NULL;
	if (!ours && ((c->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, pidfd, &ev) < 0))
		return err_new(errno, "watching the %s", name);
	c->event = event_new(s->base, pidfd, EV_READ | EV_PERSIST, on_child, c);
	return c->event && !event_add(c->event, NULL) ? NULL : err_new(ENOMEM, "watching the %s", name);
}

/* --- ending ------------------------------------------------------------------- */

/* The launcher went at the beginning: there is nobody else to kill a sentry that is not yet as far
 * as its own confinement, and it may have been sent all that it needs to go on. */
static void on_again(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = AGAIN_US };
	struct sandbox *s = arg;

	if (kill_child(&s->sentry))
		event_add(s->again, &soon);
}

static void on_force(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval grace = { .tv_sec = GRACE_S };
	struct sandbox *s = arg;

	if (event_pending(s->again, EV_TIMEOUT, NULL)) {
		event_add(s->force, &grace);
		return;
	}
	kill_child(&s->gofer);
	/* an asker that still holds its connection after this has been waited for long enough */
	if (supervise_all_gone(s) || !s->destroying)
		event_base_loopexit(s->base, NULL);
}

void supervise_destroy(struct sandbox *s, struct rpc_call *call)
{
	const struct timeval grace = { .tv_sec = GRACE_S };
	int errnum;

	if (s->destroying && call) {
		rpc_fail(call, err_new(EALREADY, "the sandbox is being ended"));
		return;
	}
	if (!s->ending) {
		s->ending = true;
		event_add(s->force, &grace);
	}
	/* a sentry that never came as far as its own confinement is not ours to kill, but the asker's */
	if ((errnum = kill_child(&s->sentry))) {
		if (!call)
			on_again(-1, 0, s);
		else
			rpc_fail(call, err_new(errnum, "killing the sentry"));
		return;
	}
	s->destroying = call ? call : s->destroying;
	end_if_gone(s);
}

/* --- the lifeline ---------------------------------------------------------------- */

static void on_lifeline(evutil_socket_t fd, short what, void *arg)
{
	struct sandbox *s = arg;
	char c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(s->lifeline, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	event_free(s->lifeline_event);
	s->lifeline_event = NULL;
	fd_close(&s->lifeline);
	if (n == 1 && c == 'd')
		return;
	log_debug("the launcher has gone");
	supervise_destroy(s, NULL);
}

struct err *supervise_start(struct sandbox *s, const struct options *o)
{
	struct err *e;

	s->sentry_pid = o->sentry_pid;
	s->lifeline = o->lifeline;
	if ((e = watch(s, &s->sentry, "sentry", false, o->sentry_pidfd)) || (e = watch(s, &s->gofer, "gofer", !o->adopted, o->gofer_pidfd)))
		return e;
	if (!(s->force = evtimer_new(s->base, on_force, s)) || !(s->again = evtimer_new(s->base, on_again, s)))
		return err_new(ENOMEM, "timer");
	if (s->lifeline < 0)
		return NULL;
	s->lifeline_event = event_new(s->base, s->lifeline, EV_READ | EV_PERSIST, on_lifeline, s);
	return s->lifeline_event && !event_add(s->lifeline_event, NULL) ? NULL : err_new(ENOMEM, "watching the lifeline");
}

void supervise_stop(struct sandbox *s)
{
	struct event *events[] = { s->sentry.event, s->gofer.event, s->force, s->again, s->lifeline_event };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i])
			event_free(events[i]);
	}
	fd_close(&s->sentry.epoll);
	fd_close(&s->sentry.pidfd);
	fd_close(&s->gofer.pidfd);
	fd_close(&s->lifeline);
}
