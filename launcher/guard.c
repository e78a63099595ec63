/*
 * guard.c - see guard.h.
 *
 * It sleeps in poll() until the gofer or the sentry ends.  A guard that is killed is
 * not replaced: then the next command does its work (client.c).
 */
#include "guard.h"

#include "background.h"
#include "cgroup.h"
#include "child.h"
#include "revive.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* --- the guard ------------------------------------------------------------------------- */

/* False: the sentry has ended.  True: the gofer has. */
static bool await(int sentry, int gofer)
{
	struct pollfd fds[] = { { sentry, POLLIN, 0 }, { gofer, POLLIN, 0 } };
	siginfo_t si;

	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			return false;
	}
	if (fds[0].revents)
		return false;
	waitid(P_PIDFD, (id_t)gofer, &si, WEXITED | WNOHANG); /* it may be a child of ours */
	return true;
}

static void keep_watch(const struct state_dir *d, int sentry)
{
	for (;;) {
		_cleanup_pool_ struct pool p = { 0 };
		_cleanup_close_ int gofer = -1;
		struct state s;
		_cleanup_err_ struct err *e = state_read(d, &p, &s);

		if (e || ((gofer = proc_open(s.gofer)) < 0 && (e = revive_gofer(d))))
			return;
		if (gofer >= 0 && !await(sentry, gofer))
			return;
	}
}

/* Who ends the sandbox takes the lock when the sentry has ended, and then reads the record. */
static struct err *record(const struct state_dir *d, int *sentry)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct proc_id self = proc_identify(getpid());
	_cleanup_close_ int lock = -1;
	struct state s;
	struct err *e = revive_lock(d, &lock);

	if (e || (e = state_read(d, &p, &s)))
		return e;
	if ((*sentry = proc_open(s.sentry)) < 0)
		return err_new(ESRCH, "the sentry");
	s.guard = &self;
	return state_write(d, &s);
}

static _Noreturn void guard(const struct sandbox *s, pid_t launcher, int log_fd, int ready)
{
	const int keep[] = { s->dir.fd, s->dir.root_fd, log_fd, ready };
	const struct cgroup cgroup = cgroup_of(&s->state);
	char title[300];
	int sentry = -1;
	struct err *e;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* until the record names us */
	if (getppid() != launcher)
		_exit(1);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(title, sizeof(title), "redoubt-guard %s", s->dir.id);
	if ((e = background_enter(title, keep, sizeof(keep) / sizeof(keep[0]))) || (e = cgroup_join(&cgroup)) || (e = record(&s->dir, &sentry))) {
		dprintf(ready, "%.500s", err_text(e));
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, 0);
	close(ready);
	keep_watch(&s->dir, sentry);
	_exit(0);
}

/* --- the launcher's side ------------------------------------------------------------------ */

struct err *guard_start(struct sandbox *s, int log_fd)
{
	_cleanup_close_ int end = -1;
	pid_t launcher = getpid(), pid;
	struct err *e = child_fork(&pid, &end);

	if (e)
		return e;
	if (!pid)
		guard(s, launcher, log_fd, end);
	return child_failure(pid, end);
}
