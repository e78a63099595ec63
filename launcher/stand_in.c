/*
 * stand_in.c - see stand_in.h.
 */
#include "stand_in.h"

#include "background.h"
#include "child.h"
#include "client.h"
#include "lifecycle.h"
#include "oom_tell.h"
#include "view.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct going {
	int ready; /* a word to who started us */
	int home; /* the mount namespace that we came from; -1: we are there */
};

/* Connected: paths are of no more use, unless controld should be killed.  Who joins
 * our mount namespace, taking it for the container's, must not come to be among
 * the host's files. */
static void tell(const void *arg)
{
	struct going *g = *(struct going *const *)arg;
	struct err *e = NULL;

	if (!geteuid() && g->home < 0) {
		g->home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		if ((e = view_enter_empty()))
			log_warning("a stand-in stays in the host's mount namespace: %s", err_text(e));
		err_free(e);
	}
	if (g->ready >= 0 && write(g->ready, "", 1) == 1)
		fd_close(&g->ready);
}

static _Noreturn void stand_in(const struct attach_options *ao, const char *title, int log_fd, const struct oom_teller *teller, int ready)
{
	/* what the caller has open, a lock or another terminal, is not held open by us */
	const int keep[] = { ao->dir->fd, ao->dir->root_fd, ao->dir->sandbox_fd, log_fd, ready, ao->terminal ? ao->terminal : -1, teller->limit,
		teller->swap };
	struct attach_options mine = *ao;
	struct going going = { ready, -1 }, *at = &going;
	unsigned wait_status = 0;
	bool for_memory = false;
	_cleanup_err_ struct err *e = background_enter(title, keep, sizeof(keep) / sizeof(keep[0]));

	if (e)
		_exit(255);
	/* An engine that takes our namespaces for the container's and sets them up (Docker does, its
	 * network's) must not come to do that to the host's. */
	if (!child_unshare() && !geteuid())
		log_warning("a stand-in stays in the host's network namespace: %s", strerror(errno));
	if (ao->terminal && ioctl(ao->terminal, TIOCSCTTY, 0) < 0)
		log_warning("changes of a terminal's size will not be noticed: %s", strerror(errno));
	mine.stands_in = true;
	mine.started = tell;
	mine.started_arg = &at;
	mine.home = &going.home;
	mine.for_memory = teller->limit >= 0 ? &for_memory : NULL;
	e = attach(&mine, &wait_status);
	if (!e && for_memory && client_exit_code(wait_status) == 128 + SIGKILL)
		oom_tell(teller);
	_exit(e ? 255 : client_exit_code(wait_status));
}

struct err *stand_in_start(const struct attach_options *ao, const char *title, int log_fd, const struct cgroup *cgroup, pid_t *pid)
{
	struct oom_teller teller = OOM_TELLER_NONE;
	int ready[2];
	ssize_t n;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_new(errno, "pipe");
	if (!(*pid = fork())) {
		close(ready[0]);
		if (cgroup)
			oom_teller_open(cgroup, &teller);
		stand_in(ao, title, log_fd, &teller, ready[1]);
	}
	close(ready[1]);
	while (*pid > 0 && (n = read(ready[0], &c, 1)) < 0 && errno == EINTR)
		;
	close(ready[0]);
	if (*pid < 0)
		return err_new(errno, "fork");
	/* without a word: it has ended, and its status tells who waits for it why */
	return NULL;
}
