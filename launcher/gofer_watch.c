/*
 * gofer_watch.c - see gofer_watch.h.  On the loop of attach().
 */
#include "gofer_watch.h"

#include "child.h"
#include "pool.h"
#include "revive.h"

#include "libipc/fd.h"

#include <event2/event.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static bool its_id(const struct gofer_watch *w, struct proc_id *out)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct state s;
	_cleanup_err_ struct err *e = state_read(w->dir, &p, &s);

	if (e || !s.gofer)
		return false;
	*out = *s.gofer;
	return true;
}

static bool away(const struct gofer_watch *w) { return w->home && *w->home >= 0; }

static void start_another(const void *dir)
{
	err_free(revive_gofer(dir));
}

/* Whether there is another now.  If not it is not to be replaced, or has ended with its container. */
static bool replaced(const struct gofer_watch *w, const struct proc_id *before)
{
	struct proc_id now;

	if (away(w)) /* the paths to be served are those of the mount namespace that we have left */
		err_free(child_run_in(*w->home, start_another, w->dir));
	else
		start_another(w->dir);
	return its_id(w, &now) && (now.pid != before->pid || now.start != before->start);
}

static void watch(struct gofer_watch *w);

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct gofer_watch *w = arg;
	struct proc_id id;
	siginfo_t si;

	waitid(P_PIDFD, (id_t)w->pidfd, &si, WEXITED | WNOHANG); /* it may be a child of ours */
	gofer_watch_stop(w);
	if (its_id(w, &id) && replaced(w, &id))
		watch(w);
}

/* By its number alone where /proc is not to be seen: it was recorded a moment ago. */
static void watch(struct gofer_watch *w)
{
	struct proc_id id;

	while (its_id(w, &id) && (w->pidfd = away(w) ? pidfd_open((pid_t)id.pid, 0) : proc_open(&id)) < 0) {
		if (!replaced(w, &id))
			return;
	}
	if (w->pidfd < 0)
		return;
	w->event = event_new(w->base, w->pidfd, EV_READ, on_end, w);
	if (!w->event || event_add(w->event, NULL) < 0)
		gofer_watch_stop(w);
}

void gofer_watch_start(struct gofer_watch *w, struct event_base *base, const struct state_dir *dir, const int *home)
{
	*w = (struct gofer_watch){ .dir = dir, .home = home, .base = base, .pidfd = -1 };
	watch(w);
}

void gofer_watch_stop(struct gofer_watch *w)
{
	if (w->event)
		event_free(w->event);
	w->event = NULL;
	fd_close(&w->pidfd);
}
