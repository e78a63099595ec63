/*
 * spawn.c - see spawn.h.
 *
 * After fork() the child is still the launcher's code with its privileges, in a
 * session of its own.  It starts gofer and sentry (clone: shared memory until
 * exec, new pid namespace, pidfd), records their pids in the state file, reports
 * to the launcher through a pipe and execs controld.  At any failure it
 * reports the reason through the same pipe and ends; a component dies with it
 * (parent-death signal until its own confinement, its sockets' end after that).
 *
 * The sentry is the launcher's own child, and once that has gone its subreaper's:
 * engines (conmon, containerd's shim) wait for the process that the pid file
 * names and take its exit status for the program's.
 */
#include "spawn.h"

#include "child.h"
#include "program.h"

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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The report through the pipe: one write of at most PIPE_BUF bytes. */
struct report {
	struct proc_id controld, gofer, sentry;
	uint64_t adopt_fd;
	int failed; /* errno, or 0 */
	char text[512];
};

/* --- programs --------------------------------------------------------------- */

static struct err *begin_program(struct program *g, const char *name, const struct spawn *s, struct pool *p)
{
	*g = (struct program){ 0 };
	program_arg(g, p, pool_printf(p, "redoubt-%s %s", name, s->dir->id));
	if (s->namespaces_made)
		program_arg(g, p, "--namespaces-made");
	return program_find(name, p, &g->path);
}

static void add_log(struct program *g, const struct spawn *s, struct pool *p)
{
	/* without a log of the user's, warnings go where the last words go */
	int fd = s->g->log_fd >= 0 ? s->g->log_fd : STDERR_FILENO;

	program_arg(g, p, "--log-fd");
	program_arg(g, p, pool_printf(p, "%d", fd));
	if (fd > STDERR_FILENO)
		LIST_ADD(p, &g->keep, fd);
	program_arg(g, p, "--log-format");
	program_arg(g, p, s->g->format == LOG_JSON ? "json" : "text");
	if (s->g->debug)
		program_arg(g, p, "--debug");
	if (s->g->panic_fd >= 0)
		program_fd(g, p, "--panic-fd", s->g->panic_fd);
}

static void add_trees(struct program *g, const struct plan *plan, struct pool *p)
{
	bool writable_bind = false;

	program_arg(g, p, "--root");
	program_arg(g, p, plan->trees.v[0].path);
	for (size_t i = 1; i < plan->trees.n; i++) {
		const struct plan_tree *t = &plan->trees.v[i];

		writable_bind |= !t->readonly;
		if (t->fd) {
			program_fd(g, p, t->holder ? "--tree-file-fd" : "--tree-fd", t->fd);
			continue;
		}
		program_arg(g, p, t->readonly ? "--tree-ro" : "--tree");
		program_arg(g, p, t->path);
	}
	/* a read-only root with a writable bind stays read-only by its mount flag in the sentry */
	if (plan->trees.v[0].readonly && !writable_bind)
		program_arg(g, p, "--read-only");
}

static struct err *gofer_program(struct program *g, const struct spawn *s, struct pool *p)
{
	struct err *e = begin_program(g, "gofer", s, p);

	if (e)
		return e;
	add_trees(g, s->plan, p);
	program_fd(g, p, "--ipc-fd", s->gofer_sock);
	program_arg(g, p, "--keeper");
	if (s->gofer_go)
		program_fd(g, p, "--go-fd", s->gofer_go);
	if (s->gofer_start) {
		program_arg(g, p, "--start");
		program_arg(g, p, pool_printf(p, "%u", s->gofer_start));
	}
	add_log(g, s, p);
	LIST_ADD(p, &g->args, NULL);
	/* on the host's own tree everybody stays who they are */
	if (s->plan->ids.uids.n)
		g->user_ns = USER_NS_MAPPED;
	else if (geteuid())
		g->user_ns = USER_NS_OWN_ID_CAPABLE;
	g->ids = &s->plan->ids;
	return NULL;
}

/* A connection of which the sentry holds both ends: see sentry/control/adopt.c. */
static struct err *adoption(struct program *g, const struct spawn *s, struct pool *p)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_new(errno, "socketpair");
	program_fd(g, p, "--adopt-fd", fds[0]);
	program_fd(g, p, "--adopt-peer-fd", fds[1]);
	s->state->adopt_fd = (uint64_t)fds[1];
	return NULL;
}

static struct err *sentry_program(struct program *g, const struct spawn *s, struct pool *p)
{
	struct err *e = begin_program(g, "sentry", s, p);

	if (e)
		return e;
	program_fd(g, p, "--boot-fd", s->boot_sock);
	program_fd(g, p, "--control-fd", s->sentry_control);
	if ((e = adoption(g, s, p)))
		return e;
	if (s->g->platform) {
		program_arg(g, p, "--platform");
		program_arg(g, p, s->g->platform);
	}
	if (s->g->strace)
		program_arg(g, p, "--strace");
	if (s->g->no_patch)
		program_arg(g, p, "--no-patch");
	if (s->g->user_fd >= 0)
		program_fd(g, p, "--user-log-fd", s->g->user_fd);
	add_log(g, s, p);
	LIST_ADD(p, &g->args, NULL);
	g->sibling = true;
	g->user_ns = geteuid() ? USER_NS_OWN_ID : USER_NS_OURS;
	return NULL;
}

static struct err *controld_program(struct program *g, const struct spawn *s, struct pool *p)
{
	struct err *e = begin_program(g, "controld", s, p);

	if (e)
		return e;
	program_arg(g, p, "--id");
	program_arg(g, p, s->dir->id);
	program_fd(g, p, "--listen-fd", s->listen);
	program_fd(g, p, "--sentry-fd", s->controld_control);
	program_fd(g, p, "--lifeline-fd", s->lifeline);
	add_log(g, s, p);
	return NULL;
}

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

/* How soon the host kills the sandbox when it is out of memory.  Below its own
 * value only with CAP_SYS_RESOURCE: else it stays what it is. */
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

/* As the first process's scheduling is inside, so that of all the sandbox's
 * processes is on the host: they do its work. */
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

/* So that controld is told of the terminal's size; the others have sessions of
 * their own by now, and the end of this terminal is no signal to any of us. */
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

/* Until the state file names the components nobody could find what is left of a
 * command that was killed: its child, which holds the container's lock, goes too. */
static void end_with(pid_t launcher)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != launcher)
		_exit(1);
}

/* Starts all, ends in exec; returns only with an error. */
static struct err *become_controld(const struct spawn *s, struct report *r, int report_fd, struct pool *p)
{
	struct program gofer, sentry, controld;
	int gofer_pidfd = -1, sentry_pidfd = -1;
	const struct cgroup cgroup = cgroup_of(s->state);
	struct err *e = own_session(s);

	if (e || (e = cgroup_join(&cgroup)) || (e = gofer_program(&gofer, s, p)) || (e = sentry_program(&sentry, s, p)) || (e = controld_program(&controld, s, p)))
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

static _Noreturn void child(const struct spawn *in, pid_t launcher, int report_fd)
{
	struct pool p = { 0 };
	struct report r = { 0 };
	struct spawn s = *in;
	struct err *e;

	end_with(launcher);
	/* One of each for all processes of the sandbox: a network namespace is what
	 * costs most at their start and end.  Each checks that it is apart from the
	 * host's; without privilege each makes its own, in its user namespace. */
	s.namespaces_made = !geteuid() && !unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
	e = become_controld(&s, &r, report_fd, &p);

	r.failed = err_errno(e) ? err_errno(e) : EIO;
	snprintf(r.text, sizeof(r.text), "%s", err_text(e));
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

	if (e || (e = cgroup_join(cgroup)) || (e = gofer_program(&gofer, s, p)))
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

	s.namespaces_made = !geteuid() && !unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
	if ((e = start_gofer(&s, cgroup, &r, &p))) {
		r.failed = err_errno(e) ? err_errno(e) : EIO;
		snprintf(r.text, sizeof(r.text), "%s", err_text(e));
	}
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
		child(s, launcher, reports);
	e = read_reports(reports, &r);
	s->state->adopt_fd = r.adopt_fd;
	out->controld_id = r.controld;
	out->gofer = r.gofer;
	out->sentry = r.sentry;
	return e;
}
