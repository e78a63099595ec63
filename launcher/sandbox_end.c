/*
 * sandbox_end.c - opening, detaching and ending sandboxes.  See sandbox.h.
 *
 * Ending asks controld first, which kills and reaps its children; what is
 * still there after that, or when controld does not answer, is killed here by
 * pidfds that were checked against the recorded start times.  Nothing is
 * polled: a pidfd becomes readable when its process ends.
 */
#include "cgroup.h"
#include "client.h"
#include "hooks.h"
#include "network.h"
#include "revive.h"
#include "sandbox.h"

#include "libipc/ending.h"
#include "libipc/fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define POLITE_MS 3000
#define KILLED_MS 10000

struct err *sandbox_open(struct context *c, const char *id, struct sandbox *out)
{
	struct sandbox s = SANDBOX_NONE;
	struct err *e = state_open(c->g->root, id, c->pool, &s.dir);

	if (!e && ((e = state_read(&s.dir, c->pool, &s.state)) || (e = state_enter_sandbox(&s.dir, s.state.sandbox))))
		sandbox_close(&s);
	if (!e)
		*out = s;
	return e;
}

struct err *sandbox_detach(struct sandbox *s)
{
	if (s->state.sandbox)
		return NULL; /* nothing of it hangs on this process */
	if (send(s->lifeline, "d", 1, MSG_NOSIGNAL) != 1)
		return err_new(errno, "detaching");
	fd_close(&s->lifeline);
	s->controld = 0;
	return NULL;
}

void sandbox_close(struct sandbox *s)
{
	fd_close(&s->lifeline);
	state_close(&s->dir);
}

/* True when controld says that the container's processes are gone. */
static bool ask_destroy(const struct sandbox *s, bool *gofer_stays)
{
	const struct control_destroy request = { .id = msg_str(s->dir.id) };
	struct control_destroy_reply reply;
	struct msg_arena a = { 0 };
	struct rpc_client *c;
	struct err *e = client_connect(&s->dir, &c);

	if (!e) {
		e = RPC_CALL(c, control, destroy, &request, &reply, &a, POLITE_MS);
		if (!e) {
			*gofer_stays = reply.gofer_stays;
			msg_free(&control_destroy_reply_desc, &reply, &a);
		}
		rpc_client_free(c);
	}
	if (!e)
		return true;
	log_debug("ending '%s' without controld: %s", s->dir.id, err_text(e));
	err_free(e);
	return false;
}

static struct err *wait_end(int pidfd, const char *what, int ms)
{
	struct pollfd p = { pidfd, POLLIN, 0 };
	int n;

	while ((n = poll(&p, 1, ms)) < 0 && errno == EINTR)
		;
	return n > 0 ? NULL : err_new(n < 0 ? errno : ETIMEDOUT, "waiting for the end of the %s", what);
}

/* It ends by itself within ms, if that is not 0, or is killed. */
static struct err *see_end(const struct proc_id *id, const char *what, int ms)
{
	_cleanup_close_ int fd = proc_open(id);
	struct err *e;

	if (fd < 0)
		return NULL;
	e = ms ? wait_end(fd, what, ms) : err_new(0, "not asked");
	if (!e)
		return NULL;
	err_free(e);
	if (pidfd_send_signal(fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_new(errno, "killing the %s", what);
	return wait_end(fd, what, KILLED_MS);
}

/* With revive_lock() held: nobody replaces any of them. */
static struct err *end_recorded(const struct state *now, bool gofer_stays, bool polite)
{
	/* controld last: it is the reaper of the others */
	const struct {
		const char *what;
		const struct proc_id *id;
		bool polite; /* it ends by itself with the sentry, or after its answer; a guard may wait for our lock */
	} all[] = { { "sentry", now->sentry, polite }, { "gofer", gofer_stays ? NULL : now->gofer, polite }, { "guard", now->guard, false },
		{ "controld", now->controld, polite } };
	struct err *first = NULL;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct err *e = see_end(all[i].id, all[i].what, all[i].polite ? POLITE_MS : 0);

		if (e && !first)
			first = e;
		else
			err_free(e);
	}
	return first;
}

struct err *sandbox_end_processes(struct sandbox *s)
{
	_cleanup_pool_ struct pool p = { 0 };
	bool gofer_stays = false, polite = ask_destroy(s, &gofer_stays);
	_cleanup_close_ int lock = -1;
	struct state now = { 0 };
	_cleanup_err_ struct err *unlocked = NULL, *unread = NULL; /* then it is ended by what we know */

	unlocked = revive_lock(&s->dir, &lock);
	unread = state_read(&s->dir, &p, &now);
	/* what a maker knows, and had no time to record */
	now.sentry = now.sentry ? now.sentry : s->state.sentry;
	now.gofer = now.gofer ? now.gofer : s->state.gofer;
	now.controld = now.controld ? now.controld : s->state.controld;
	return end_recorded(&now, gofer_stays, polite);
}

/* Our own child, when we made the sandbox. */
static void reap_controld(struct sandbox *s, bool by_force)
{
	char text[ENDING_MAX];
	int status = 0;

	if (by_force)
		kill(s->controld, SIGKILL);
	while (waitpid(s->controld, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		log_at(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? LOG_ERROR : LOG_DEBUG, "controld %s", ending_text(status, text));
	s->controld = 0;
}

/* Our own child too, when we made the sandbox.  It is ended by SIGKILL, or ends
 * as its program did: any other end is a failure of its own. */
static void reap_sentry(const struct sandbox *s)
{
	char text[ENDING_MAX];
	int status;

	if (waitpid((pid_t)s->sentry_id.pid, &status, WNOHANG) > 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		log_error("the sentry %s", ending_text(status, text));
}

struct err *sandbox_destroy(struct sandbox *s)
{
	const struct cgroup cgroup = cgroup_of(&s->state);
	struct err *e = sandbox_end_processes(s);

	if (s->controld > 0)
		reap_controld(s, e != NULL);
	if (s->sentry_id.pid)
		reap_sentry(s);
	network_user_end();
	if (!e && s->dir.fd >= 0)
		network_give_back(&s->dir);
	if (!e)
		e = cgroup_remove(&cgroup);
	if (!e && s->dir.fd >= 0)
		e = state_remove(&s->dir);
	if (!e && s->state.hooks)
		hooks_run_all(&s->state, HOOK_POSTSTOP, "stopped", 0);
	return e ? err_wrap(e, "container '%s'", s->dir.id) : NULL;
}
