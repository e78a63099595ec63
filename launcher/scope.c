/*
 * scope.c - see scope.h.
 */
#include "scope.h"

#include "cgroup.h"
#include "idmap.h"
#include "program.h"

#include "libipc/ending.h"
#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ANSWER_MAX 4096

extern char **environ;

bool scope_user_manager(void)
{
	return geteuid() || idmap_in_user_ns();
}

/* --- the program -------------------------------------------------------------------------- */

struct run {
	const char **args; /* NULL at the end */
	int in, out, words; /* its standard input, output and error */
};

static _Noreturn void exec_scope(const struct run *r, const char *path)
{
	_cleanup_err_ struct err *e = fd_donate_only(NULL, 0);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!e && dup2(r->in, 0) == 0 && dup2(r->out, 1) == 1 && dup2(r->words, 2) == 2)
		execve(path, (char *const *)(uintptr_t)r->args, environ);
	dprintf(r->words, "executing %s: %s", path, strerror(errno));
	_exit(127);
}

static struct err *start_program(const struct run *r, pid_t *pid)
{
	_cleanup_pool_ struct pool p = { 0 };
	const char *path;
	struct err *e = program_find("scope", &p, &path);

	if (e)
		return err_wrap(e, "--systemd-cgroup (built where libsystemd-dev is installed)");
	if ((*pid = fork()) < 0)
		return err_new(errno, "fork");
	if (!*pid)
		exec_scope(r, path);
	return NULL;
}

/* Why it has ended, by its last words; NULL: as it should. */
static struct err *reap(pid_t pid, int words)
{
	char text[ANSWER_MAX + 1] = "", how[ENDING_MAX];
	ssize_t n;
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_new(errno, "--systemd-cgroup");
	}
	if (!status)
		return NULL;
	n = pread(words, text, ANSWER_MAX, 0);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	return err_new(0, "--systemd-cgroup: %s", n > 0 ? text : ending_text(status, how));
}

static struct err *run_to_end(const char **args)
{
	_cleanup_close_ int words = memfd_create("redoubt-scope-words", MFD_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct run r = { args, null, null, words };
	struct err *e;
	pid_t pid;

	if (words < 0 || null < 0)
		return err_new(errno, "--systemd-cgroup");
	e = start_program(&r, &pid);
	return e ? e : reap(pid, words);
}

/* Its one line, or nothing at its end. */
static void read_line(int fd, char line[ANSWER_MAX])
{
	size_t len = 0;
	ssize_t n;

	while (len < ANSWER_MAX - 1 && ((n = read(fd, line + len, ANSWER_MAX - 1 - len)) > 0 || (n < 0 && errno == EINTR))) {
		len += n > 0 ? (size_t)n : 0;
		if (len && line[len - 1] == '\n')
			break;
	}
	line[len] = 0;
}

static struct err *run_and_hold(const char **args, struct pool *p, struct scope_holder *h, const char **path)
{
	_cleanup_close_ int words = memfd_create("redoubt-scope-words", MFD_CLOEXEC), in = -1, out = -1, answer = -1, hold = -1;
	struct run r = { .args = args, .words = words };
	char line[ANSWER_MAX];
	struct err *e;
	int fds[2];

	if (words < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_new(errno, "--systemd-cgroup");
	r.in = in = fds[0];
	hold = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_new(errno, "--systemd-cgroup");
	answer = fds[0];
	r.out = out = fds[1];
	if ((e = start_program(&r, &h->pid)))
		return e;
	fd_close(&in);
	fd_close(&out);
	read_line(answer, line);
	h->fd = TAKE_FD(hold);
	if (line[0] == '/') {
		line[strcspn(line, "\n")] = 0;
		*path = pool_strdup(p, line);
		return NULL;
	}
	fd_close(&h->fd);
	e = reap(h->pid, words);
	h->pid = 0;
	return e ? e : err_new(0, "--systemd-cgroup: systemd does not report where the scope's cgroup is");
}

/* "scope", "--user" where it is that one, and the command's own. */
static void begin(struct pool *p, struct scope_properties *args, const char *command, const char *unit)
{
	LIST_ADD(p, args, "redoubt-scope");
	if (scope_user_manager())
		LIST_ADD(p, args, "--user");
	LIST_ADD(p, args, command);
	LIST_ADD(p, args, unit);
}

/* --- what can be done ----------------------------------------------------------------------- */

struct err *scope_start(const struct scope_plan *s, struct pool *p, struct scope_holder *holder, const char **path)
{
	struct scope_properties args = { 0 };
	struct err *e;

	begin(p, &args, "start", s->unit);
	LIST_ADD(p, &args, pool_printf(p, "Description=s:%s", s->description));
	LIST_ADD(p, &args, pool_printf(p, "Slice=s:%s", s->slice));
	LIST_ADD(p, &args, "Delegate=b:true");
	LIST_ADD(p, &args, "DefaultDependencies=b:false");
	LIST_ADD(p, &args, "MemoryAccounting=b:true");
	LIST_ADD(p, &args, "CPUAccounting=b:true");
	LIST_ADD(p, &args, "TasksAccounting=b:true");
	LIST_ADD(p, &args, cgroup_unified_alone() ? "IOAccounting=b:true" : "BlockIOAccounting=b:true");
	if ((e = scope_annotations(&s->annotations, p, &args)))
		return e;
	if (s->resources)
		scope_limits(s->resources, cgroup_unified_alone(), p, &args);
	LIST_ADD(p, &args, NULL);
	return run_and_hold(args.v, p, holder, path);
}

void scope_release(struct scope_holder *h)
{
	fd_close(&h->fd);
	if (h->pid > 0) {
		kill(h->pid, SIGKILL); /* a child of ours may hold the other end too */
		waitpid(h->pid, NULL, 0);
	}
	h->pid = 0;
}

struct err *scope_attach(const char *unit, pid_t pid)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct scope_properties args = { 0 };

	begin(&p, &args, "attach", unit);
	LIST_ADD(&p, &args, pool_printf(&p, "%d", pid));
	LIST_ADD(&p, &args, NULL);
	return run_to_end(args.v);
}

struct err *scope_update(const char *unit, const struct oci_resources *r, struct pool *p)
{
	struct scope_properties args = { 0 };
	size_t none;

	begin(p, &args, "set", unit);
	none = args.n;
	scope_limits(r, cgroup_unified_alone(), p, &args);
	if (args.n == none)
		return NULL;
	LIST_ADD(p, &args, NULL);
	return run_to_end(args.v);
}

struct err *scope_stop(const char *unit)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct scope_properties args = { 0 };

	begin(&p, &args, "stop", unit);
	LIST_ADD(&p, &args, NULL);
	return run_to_end(args.v);
}
