/*
 * guard.c - see guard.h.
 *
 * It sleeps in poll() until the gofer or the sentry ends.
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

/* Into the container's cgroup, and its record.  Who ends the sandbox takes the lock when the
 * sentry has ended, and then reads the record: no guard comes after that. */
static struct err *enlist(const struct state_dir *d, int *sentry)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct proc_id self = proc_identify(getpid());
	_cleanup_close_ int lock = -1, other = -1;
	struct cgroup cgroup;
	struct state s;
	struct err *e = revive_lock(d, &lock);

	if (e || (e = state_read(d, &p, &s)))
		return e;
	if ((other = proc_open(s.guard)) >= 0)
		return err_new(EEXIST, "there is a guard");
	if ((*sentry = proc_open(s.sentry)) < 0)
		return err_new(ESRCH, "the sentry");
	cgroup = cgroup_of(&s);
	if ((e = cgroup_join(&cgroup)))
		return e;
	s.guard = &self;
	return state_write(d, &s);
}

static _Noreturn void guard(const struct state_dir *d, pid_t launcher, int log_fd, int ready)
{
	const int keep[] = { d->fd, d->root_fd, log_fd, ready };
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
	snprintf(title, sizeof(title), "redoubt-guard %s", d->id);
	if ((e = background_enter(title, keep, sizeof(keep) / sizeof(keep[0]))) || (e = enlist(d, &sentry))) {
		dprintf(ready, "%.500s", err_text(e));
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, 0);
	close(ready);
	keep_watch(d, sentry);
	_exit(0);
}

/* --- the launcher's side ------------------------------------------------------------------ */

struct err *guard_start(const struct state_dir *d, int log_fd)
{
	_cleanup_close_ int end = -1;
	pid_t launcher = getpid(), pid;
	struct err *e = child_fork(&pid, &end);

	if (e)
		return e;
	if (!pid)
		guard(d, launcher, log_fd, end);
	return child_failure(pid, end);
}
