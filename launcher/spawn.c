/*
 * spawn.c - starts the processes of a sandbox: see spawn.h.
 *
 * The launcher forks a child, which still runs the launcher's code with its
 * privileges, in a session of its own.  The child starts gofer and sentry (clone:
 * shared memory until exec, new pid namespace, pidfd), records their pids in the
 * state file, reports to the launcher through a pipe and execs controld.  On any
 * failure it sends the reason through the same pipe and exits; components already
 * started die with it (by parent-death signal until they are confined, after that
 * because their sockets close).
 *
 * The sentry's parent is the launcher, and the launcher's subreaper once that has
 * exited: engines (conmon, containerd's shim) wait for the process that the pid
 * file names, and take its exit status for the program's.
 */
#include "spawn_internal.h"

#include "child.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What the child writes to the pipe, in one write of at most PIPE_BUF bytes. */
struct report {
	struct proc_id controld, gofer, sentry;
	uint64_t adopt_fd;
	int failed; /* errno, or 0 */
	char text[512]; /* why it failed */
};
_Static_assert(sizeof(struct report) <= PIPE_BUF, "a report is written in one piece");

/* --- the child that becomes controld -------------------------------------------- */

char *const *spawn_environment(struct pool *p)
{
	struct {
		char **v;
		size_t n, cap;
	} env = { 0 };
#ifdef REDOUBT_SANITIZE
	static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS" };

	for (size_t i = 0; i < 4; i++) {
		const char *value = getenv(names[i]);

		if (value)
			LIST_ADD(p, &env, pool_printf(p, "%s=%s", names[i], value));
	}
#endif
	LIST_ADD(p, &env, NULL);
	return env.v;
}

static struct err *own_session(const struct spawn *s)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (null < 0)
		return err_new(errno, "/dev/null");
	setsid();
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(s->words, 2) < 0)
		return err_new(errno, "own stdio");
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (chdir("/") < 0)
		return err_new(errno, "/");
	return NULL;
}

static struct err *record(const struct spawn *s, struct report *r)
{
	s->state->controld = &r->controld;
	s->state->gofer = &r->gofer;
	s->state->sentry = &r->sentry;
	r->adopt_fd = s->state->adopt_fd;
	return state_write(s->dir, s->state);
}

static struct err *write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_new(errno, "%s", path);
	return NULL;
}

/* The host's OOM killer's preference for the whole sandbox.  Lowering it needs
 * CAP_SYS_RESOURCE; without, it stays as it is. */
static void set_oom_score(const struct spawn *s)
{
	int64_t adj = s->plan->spec.process.oom_score_adj;
	char text[16];
	struct err *e;

	if (!adj)
		return;
	snprintf(text, sizeof(text), "%d", (int)adj);
	if ((e = write_text("/proc/self/oom_score_adj", text)))
		log_warning("process.oomScoreAdj: not applied on the host: %s", err_text(e));
	err_free(e);
}

/* The first process's scheduling is that of all the sandbox's host processes, since
 * they do its work. */
static struct err *set_priorities(const struct plan *plan)
{
	static const int policies[] = { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, 4, SCHED_IDLE };
	const struct boot_process *p = &plan->spec.process;
	const struct sched_param param = { .sched_priority = (int)p->sched_priority };

	if (p->sched_policy && sched_setscheduler(0, policies[p->sched_policy], &param) < 0)
		return err_new(errno, "process.scheduler");
	if (p->nice && setpriority(PRIO_PROCESS, 0, (int)p->nice) < 0)
		return err_new(errno, "process.scheduler.nice");
	if (plan->io_priority && syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, plan->io_priority) < 0)
		return err_new(errno, "process.ioPriority");
	return NULL;
}

/* Makes the terminal controld's controlling one, so that it gets SIGWINCH.  gofer and
 * sentry are in sessions of their own by now; SIGHUP at its end must not kill us. */
static struct err *give_terminal(const struct spawn *s, struct program *controld, struct pool *p)
{
	if (s->terminal < 0)
		return NULL;
	signal(SIGHUP, SIG_IGN);
	if (ioctl(s->terminal, TIOCSCTTY, 0) < 0)
		return err_new(errno, "the container's terminal");
	program_fd(controld, p, "--terminal-fd", s->terminal);
	return NULL;
}

/* The child dies with a launcher that is killed: until the state file names the
 * components nobody else could find and end them. */
static void end_with(pid_t launcher)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != launcher)
		_exit(1);
}

/* Starts gofer and sentry, then execs controld; returns only on failure. */
static struct err *become_controld(const struct spawn *s, struct report *r, int report_fd, struct pool *p)
{
	struct program gofer, sentry, controld;
	int gofer_pidfd = -1, sentry_pidfd = -1;
	const struct cgroup cgroup = cgroup_of(s->state);
	struct err *e = own_session(s);

	if (e || (e = cgroup_join(&cgroup)) || (e = spawn_gofer_program(&gofer, s, p)) || (e = spawn_sentry_program(&sentry, s, p)) || (e = spawn_controld_program(&controld, s, p)))
		return e;
	if ((e = set_priorities(s->plan)))
		return e;
	set_oom_score(s);
	gofer.env = sentry.env = controld.env = spawn_environment(p);
	r->controld = proc_identify(getpid());
	if ((e = program_start(&gofer, p, &gofer_pidfd, &r->gofer)) || (e = program_start(&sentry, p, &sentry_pidfd, &r->sentry)) ||
		(e = record(s, r)))
		return e;
	prctl(PR_SET_PDEATHSIG, 0);
	program_fd(&controld, p, "--gofer-pidfd", gofer_pidfd);
	program_fd(&controld, p, "--sentry-pidfd", sentry_pidfd);
	program_arg(&controld, p, "--sentry-pid");
	program_arg(&controld, p, pool_printf(p, "%llu", (unsigned long long)r->sentry.pid));
	if ((e = give_terminal(s, &controld, p)))
		return e;
	LIST_ADD(p, &controld.args, NULL);
	if (write(report_fd, r, sizeof(*r)) != sizeof(*r))
		return err_new(errno, "reporting");
	return program_exec(&controld);
}

/* Takes e. */
static void report_failure(struct report *r, struct err *e)
{
	r->failed = err_errno(e) ? err_errno(e) : EIO;
	snprintf(r->text, sizeof(r->text), "%s", err_text(e));
	err_free(e);
}

static _Noreturn void controld_child(const struct spawn *in, pid_t launcher, int report_fd)
{
	struct pool p = { 0 };
	struct report r = { 0 };
	struct spawn s = *in;
	struct err *e;

	end_with(launcher);
	/* All processes of the sandbox share one of each: making and ending a network
	 * namespace is the dearest part of a start.  Each component checks that it is not
	 * the host's; without privilege each makes its own, in its user namespace. */
	s.namespaces_made = child_unshare();
	e = become_controld(&s, &r, report_fd, &p);

	report_failure(&r, e);
	if (write(report_fd, &r, sizeof(r)) != sizeof(r))
		_exit(2);
	_exit(1);
}

/* --- the launcher's side ---------------------------------------------------------- */

/* Reads reports until the pipe ends: at controld's exec, or at the child's end. */
static struct err *read_reports(int fd, struct report *last)
{
	bool any = false;

	for (;;) {
		struct report r;
		ssize_t n = read(fd, &r, sizeof(r));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_new(errno, "waiting for the components");
		if (n == 0)
			break;
		if (n != sizeof(r))
			return err_new(EIO, "waiting for the components: half a report");
		*last = r;
		any = true;
	}
	if (!any)
		return err_new(EIO, "the process that starts the components died");
	last->text[sizeof(last->text) - 1] = 0;
	/* the text holds the errno's name already */
	return last->failed ? err_new(0, "%s", last->text) : NULL;
}

static struct err *start_gofer(const struct spawn *s, const struct cgroup *cgroup, struct report *r, struct pool *p)
{
	struct program gofer;
	int pidfd = -1;
	struct err *e = own_session(s);

	if (e || (e = cgroup_join(cgroup)) || (e = spawn_gofer_program(&gofer, s, p)))
		return e;
	set_oom_score(s);
	gofer.sibling = true;
	gofer.env = spawn_environment(p);
	return program_start(&gofer, p, &pidfd, &r->gofer);
}

static _Noreturn void gofer_child(const struct spawn *in, const struct cgroup *cgroup, int report_fd)
{
	struct pool p = { 0 };
	struct report r = { 0 };
	struct spawn s = *in;
	struct err *e;

	s.namespaces_made = child_unshare();
	if ((e = start_gofer(&s, cgroup, &r, &p)))
		report_failure(&r, e);
	_exit(write(report_fd, &r, sizeof(r)) != sizeof(r));
}

struct err *spawn_gofer(const struct spawn *s, const struct cgroup *cgroup, struct proc_id *out)
{
	_cleanup_close_ int reports = -1;
	struct report r = { 0 };
	pid_t pid;
	struct err *e = child_fork(&pid, &reports);

	if (e)
		return e;
	if (!pid)
		gofer_child(s, cgroup, reports);
	e = read_reports(reports, &r);
	waitpid(pid, NULL, 0);
	*out = r.gofer;
	return e;
}

struct err *spawn_components(const struct spawn *s, struct spawn_result *out)
{
	_cleanup_close_ int reports = -1;
	struct report r = { 0 };
	pid_t launcher = getpid();
	struct err *e = child_fork(&out->controld, &reports);

	if (e)
		return e;
	if (!out->controld)
		controld_child(s, launcher, reports);
	e = read_reports(reports, &r);
	s->state->adopt_fd = r.adopt_fd;
	out->controld_id = r.controld;
	out->gofer = r.gofer;
	out->sentry = r.sentry;
	return e;
}
