/*
 * revive.c - see revive.h.
 *
 * The sentry keeps a socket pair for this purpose, and holds both of its ends (sentry/control/adopt.c).
 * One end is taken from it by pidfd_getfd, which requires the right to trace it; over that end it is
 * sent one end of a new control connection, whose other end goes to a new controld together with a new
 * control socket.  Two commands that do this at once exclude each other by a lock on the container's
 * directory, not by the lock of making and deleting, which the caller may hold.
 */
#include "revive.h"

#include "cgroup.h"
#include "child.h"
#include "client.h"
#include "program.h"
#include "served.h"
#include "spawn.h"
#include "view.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct revival {
	const struct state_dir *dir; /* the sandbox's */
	struct state state;
	struct pool *pool;
	int sentry, gofer; /* pidfds */
	int listen, ours; /* new; ours: controld's end */
};

static bool answers(const struct state_dir *d)
{
	_cleanup_close_ int fd = -1;
	_cleanup_err_ struct err *e = client_socket_of_living(d, &fd);

	return !e;
}

/* --- the child that becomes controld -------------------------------------------------- */

static struct err *controld_program(const struct revival *r, bool namespaces_made, struct program *g)
{
	struct pool *p = r->pool;

	*g = (struct program){ .env = spawn_environment(p) };
	program_arg(g, p, pool_printf(p, "redoubt-controld %s", r->dir->id));
	if (namespaces_made)
		program_arg(g, p, "--namespaces-made");
	program_arg(g, p, "--adopted");
	program_arg(g, p, "--id");
	program_arg(g, p, r->dir->id);
	program_fd(g, p, "--listen-fd", r->listen);
	program_fd(g, p, "--sentry-fd", r->ours);
	program_fd(g, p, "--sentry-pidfd", r->sentry);
	if (r->gofer >= 0)
		program_fd(g, p, "--gofer-pidfd", r->gofer);
	program_arg(g, p, "--sentry-pid");
	program_arg(g, p, pool_printf(p, "%llu", (unsigned long long)r->state.sentry->pid));
	LIST_ADD(p, &g->args, NULL);
	return program_find("controld", p, &g->path);
}

static struct err *become_controld(struct revival *r)
{
	const struct cgroup cgroup = cgroup_of(&r->state);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct proc_id self;
	struct program g;
	struct err *e;
	sigset_t none;

	setsid();
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	self = proc_identify(getpid());
	r->state.controld = &self;
	if (chdir("/") < 0)
		return err_new(errno, "/");
	if ((e = cgroup_join(&cgroup)) || (e = state_write(r->dir, &r->state)) ||
		(e = controld_program(r, child_unshare(), &g)))
		return e;
	return program_exec(&g);
}

/* Why it could not begin comes through a pipe that its exec closes. */
static struct err *start_controld(struct revival *r)
{
	_cleanup_close_ int end = -1;
	pid_t pid;
	struct err *e = child_fork(&pid, &end);

	if (e)
		return e;
	if (!pid) {
		dprintf(end, "%.500s", err_text(become_controld(r)));
		_exit(1);
	}
	e = child_failure(pid, end);
	return e ? err_wrap(e, "another controld") : NULL;
}

/* --- the launcher's side ------------------------------------------------------------------ */

static struct err *send_adopt(const struct revival *r, int control)
{
	const struct boot_adopt adopt = { .control = control };
	int fd = (int)syscall(SYS_pidfd_getfd, r->sentry, (int)r->state.adopt_fd, 0);
	struct rpc_client *c;
	struct err *e;

	if (fd < 0)
		return err_new(errno, "reaching the sentry");
	if ((e = rpc_client_new(fd, &c))) {
		close(fd);
		return e;
	}
	/* a sentry that has fallen could have filled it, and everybody who deletes the container waits for our lock */
	e = rpc_client_call(c, boot_adopt_id, &boot_adopt_desc, &adopt, NULL, NULL, NULL, CLIENT_QUICK_MS);
	rpc_client_free(c);
	return e;
}

static struct err *replace(struct revival *r)
{
	_cleanup_close_ int theirs = -1;
	struct err *e;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_new(errno, "socketpair");
	r->ours = fds[0];
	theirs = fds[1];
	if (unlinkat(r->dir->fd, STATE_SOCKET, 0) < 0 && errno != ENOENT)
		return err_new(errno, "the old control socket");
	if ((e = client_listen(r->dir, &r->listen)) || (e = send_adopt(r, theirs)))
		return e;
	return start_controld(r);
}

static struct err *revive_locked(const struct state_dir *d, bool *replaced)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct revival r = { .dir = d, .pool = &p, .sentry = -1, .gofer = -1, .listen = -1, .ours = -1 };
	struct err *e;

	if (answers(d))
		return NULL; /* another command was faster */
	if ((e = state_read(d, &p, &r.state)))
		return e;
	if (!r.state.adopt_fd || strcmp(r.state.phase, "created") || (r.sentry = proc_open(r.state.sentry)) < 0)
		return err_new(ECONNREFUSED, "container '%s': its controld does not answer", d->id);
	r.gofer = proc_open(r.state.gofer);
	log_info("container '%s': its controld has gone: another is started", d->id);
	e = replace(&r);
	*replaced = !e;
	fd_close(&r.sentry);
	fd_close(&r.gofer);
	fd_close(&r.listen);
	fd_close(&r.ours);
	return e;
}

static const struct id_maps *ids_of(const struct state *s, struct plan *plan, struct pool *p)
{
	uint64_t socket;
	_cleanup_err_ struct err *e = s->served ? served_read(s->served, p, plan, &socket) : err_new(0, "not known");

	return e ? NULL : &plan->ids;
}

/* What of its containers the dead one served to processes of the host. */
static void show_again(const struct state_dir *sandbox, const char *root, struct pool *p)
{
	struct state_ids ids = { 0 };
	_cleanup_err_ struct err *e = state_list(root, p, &ids);

	for (size_t i = 0; !e && i < ids.n; i++) {
		_cleanup_state_ struct state_dir d = STATE_DIR_NONE;
		struct plan plan = { 0 };
		struct state s;
		_cleanup_err_ struct err *bad = state_open(root, ids.v[i], p, &d);

		if (bad || (bad = state_read(&d, p, &s)) || strcmp(s.sandbox ? s.sandbox : ids.v[i], sandbox->id) || !s.sentry)
			continue;
		if (!s.sandbox || !(bad = state_enter_sandbox(&d, s.sandbox)))
			view_show_again(&d, s.sentry, ids_of(&s, &plan, p), p);
	}
}

struct err *revive_sandbox(const struct state_dir *d, struct pool *p, struct state_dir *out)
{
	const char *slash = strrchr(d->path, '/');
	struct state s;
	struct err *e;

	*out = *d;
	if (d->sandbox_fd < 0)
		return NULL;
	/* one in another's sandbox knows whose */
	if ((e = state_read(d, p, &s)))
		return e;
	out->id = s.sandbox;
	out->path = pool_printf(p, "%.*s/%s", slash ? (int)(slash - d->path) : 0, d->path, s.sandbox);
	out->fd = d->sandbox_fd;
	out->sandbox_fd = -1;
	return NULL;
}

struct err *revive_lock(const struct state_dir *d, int *lock)
{
	_cleanup_close_ int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_new(errno, "%s", d->path);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_new(errno, "%s", d->path);
	}
	*lock = TAKE_FD(fd);
	return NULL;
}

struct err *revive(const struct state_dir *d)
{
	_cleanup_pool_ struct pool p = { 0 };
	_cleanup_close_ int lock = -1;
	struct state_dir sandbox;
	bool replaced = false;
	const char *slash;
	struct err *e;

	if ((e = revive_sandbox(d, &p, &sandbox)) || (e = revive_lock(&sandbox, &lock)) || (e = revive_locked(&sandbox, &replaced)) || !replaced)
		return e;
	slash = strrchr(sandbox.path, '/');
	show_again(&sandbox, pool_printf(&p, "%.*s", slash ? (int)(slash - sandbox.path) : 0, sandbox.path), &p);
	return NULL;
}
