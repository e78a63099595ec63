/*
 * program.c - see program.h.
 *
 * A program is started by clone: memory shared until exec and the parent asleep,
 * which costs least.  One with ids mapped waits for its parent, who must write
 * the maps from outside, and so has memory of its own.
 */
#include "program.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (256 * 1024)

/* Beside the launcher when installed, in a folder of its own there or next to it in the tree. */
struct err *program_find(const char *name, struct pool *p, const char **out)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *candidates[4];
	char *slash;

	if (n < 0)
		return err_new(errno, "/proc/self/exe");
	self[n] = 0;
	if ((slash = strrchr(self, '/')))
		*slash = 0;
	candidates[0] = pool_printf(p, "%s/%s", self, name);
	candidates[1] = pool_printf(p, "%s/%s/%s", self, name, name);
	candidates[2] = pool_printf(p, "%s/../%s/%s", self, name, name);
	candidates[3] = pool_printf(p, REDOUBT_LIBEXEC "/%s", name);
	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates); i++) {
		struct stat st;

		if (!stat(candidates[i], &st) && S_ISREG(st.st_mode)) {
			*out = candidates[i];
			if (!access(*out, X_OK))
				return NULL;
			return err_new(EACCES, "%s", *out);
		}
	}
	return err_new(ENOENT, "the program '%s' is neither beside the launcher in %s nor in " REDOUBT_LIBEXEC, name, self);
}

void program_arg(struct program *g, struct pool *p, const char *arg)
{
	LIST_ADD(p, &g->args, pool_strdup(p, arg));
}

void program_fd(struct program *g, struct pool *p, const char *option, int fd)
{
	program_arg(g, p, option);
	program_arg(g, p, pool_printf(p, "%d", fd));
	LIST_ADD(p, &g->keep, fd);
}

/* --- in the new process --------------------------------------------------------- */

struct birth {
	const struct program *g;
	uid_t uid;
	gid_t gid;
	int parents; /* USER_NS_MAPPED: the parent's end of: */
	int sync; /* ours; the parent says that the maps are written, we say what went wrong */
	int file; /* USER_NS_MAPPED: the program, which root of the namespace may be unable to reach by its path */
	struct err *error; /* why exec did not happen, where memory is shared */
};

struct err *program_exec(const struct program *g)
{
	struct err *e = fd_donate_only(g->keep.v, g->keep.n);

	if (e)
		return e;
	execve(g->path, g->args.v, g->env);
	return err_new(errno, "executing %s", g->path);
}

static struct err *write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_new(errno, "%s", path);
	return NULL;
}

/* One id of ours in the new user namespace, as itself. */
static struct err *map_own_id(uid_t uid, gid_t gid)
{
	char text[64];
	struct err *e = write_text("/proc/self/setgroups", "deny");

	snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
	if (!e)
		e = write_text("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
	if (!e)
		e = write_text("/proc/self/gid_map", text);
	return e ? err_wrap(e, "user namespace") : NULL;
}

/* Capabilities that an exec by an ordinary id keeps. */
static struct err *keep_capabilities(void)
{
	cap_t caps = cap_get_proc();
	struct err *e = NULL;

	for (cap_value_t v = 0; caps && v <= cap_max_bits() && !e; v++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(caps, v, CAP_PERMITTED, &has) < 0 || has == CAP_CLEAR)
			continue;
		if (cap_set_flag(caps, CAP_INHERITABLE, 1, &v, CAP_SET) < 0 || cap_set_proc(caps) < 0 || cap_set_ambient(v, CAP_SET) < 0)
			e = err_new(errno, "keeping capability %d", v);
	}
	cap_free(caps);
	return e;
}

static void die_with_parent(const struct program *g)
{
	/* the launcher may go: the sentry's sockets tell it when it is not wanted */
	if (!g->sibling)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* On its own stack in its parent's memory, the parent asleep until exec or exit. */
static int child_main(void *arg)
{
	struct birth *b = arg;

	die_with_parent(b->g);
	setsid(); /* a terminal's signals are not for us */
	if (b->g->user_ns != USER_NS_OURS)
		b->error = map_own_id(b->uid, b->gid);
	if (!b->error && b->g->user_ns == USER_NS_OWN_ID_CAPABLE)
		b->error = keep_capabilities();
	if (!b->error)
		b->error = program_exec(b->g);
	_exit(127);
}

/* Root of the user namespace, whose maps are written; the caller's groups mean nothing in it. */
static struct err *become_its_root(void)
{
	if (setgroups(0, NULL) < 0 && errno != EPERM) /* EPERM: one group only, setgroups is denied */
		return err_new(errno, "dropping additional groups");
	if (setresgid(0, 0, 0) < 0)
		return err_new(errno, "the container's group ids have no root");
	if (setresuid(0, 0, 0) < 0)
		return err_new(errno, "the container's user ids have no root");
	return NULL;
}

static int mapped_main(void *arg)
{
	const struct birth *b = arg;
	struct err *e;
	char c;

	close(b->parents); /* or its end would never be seen */
	if (read(b->sync, &c, 1) != 1)
		_exit(127); /* they could not be written, or the parent has gone */
	e = become_its_root();
	die_with_parent(b->g); /* which a change of ids undoes */
	if (!e)
		e = program_exec(b->g);
	if (err_errno(e) == EACCES)
		execveat(b->file, "", b->g->args.v, b->g->env, AT_EMPTY_PATH);
	dprintf(b->sync, "%s", err_text(e));
	_exit(127);
}

/* --- the parent ------------------------------------------------------------------ */

static struct err *refused(const struct program *g)
{
	int why = errno;

	if (g->user_ns != USER_NS_OURS && (why == EPERM || why == ENOSPC || why == EUSERS || why == EINVAL))
		return err_wrap(idmap_refused(why), "starting %s", g->path);
	return err_new(why, "starting %s", g->path);
}

static pid_t clone_child(int (*fn)(void *), struct birth *b, int flags, struct pool *p, int *pidfd)
{
	char *stack = pool_alloc(p, STACK_SIZE);

	flags |= CLONE_PIDFD | CLONE_NEWPID | SIGCHLD | (b->g->user_ns != USER_NS_OURS ? CLONE_NEWUSER : 0) | (b->g->sibling ? CLONE_PARENT : 0);
	return clone(fn, stack + STACK_SIZE, flags, b, pidfd);
}

/* What the child says before it ends; nothing: it has been exec'ed. */
static struct err *hear(int sync)
{
	char text[512];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(text) - 1 && ((got = read(sync, text + n, sizeof(text) - 1 - n)) > 0 || (got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	text[n] = 0;
	return n ? err_new(0, "%s", text) : NULL;
}

static struct err *start_mapped(const struct program *g, struct pool *p, int *pidfd, pid_t *pid)
{
	_cleanup_close_ int file = open(g->path, O_PATH | O_CLOEXEC), ours = -1, theirs = -1;
	struct birth b = { .g = g, .file = file };
	struct err *e;
	int fds[2];

	if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_new(errno, "starting %s", g->path);
	b.parents = ours = fds[0];
	b.sync = theirs = fds[1];
	if ((*pid = clone_child(mapped_main, &b, 0, p, pidfd)) < 0)
		return refused(g);
	fd_close(&theirs);
	if ((e = idmap_write(*pid, g->ids, p)))
		return e; /* our end closes: the child goes */
	if (write(ours, "", 1) != 1)
		return err_new(errno, "starting %s", g->path);
	return hear(ours);
}

static struct err *start_shared(const struct program *g, struct pool *p, int *pidfd, pid_t *pid)
{
	struct birth b = { .g = g, .uid = geteuid(), .gid = getegid() };

	*pid = clone_child(child_main, &b, CLONE_VM | CLONE_VFORK, p, pidfd);
	return *pid < 0 ? refused(g) : b.error;
}

struct err *program_start(const struct program *g, struct pool *p, int *pidfd, struct proc_id *id)
{
	pid_t pid = -1;
	struct err *e = g->user_ns == USER_NS_MAPPED ? start_mapped(g, p, pidfd, &pid) : start_shared(g, p, pidfd, &pid);

	if (pid > 0)
		fcntl(*pidfd, F_SETFD, FD_CLOEXEC);
	if (e) {
		if (pid > 0 && !g->sibling)
			waitpid(pid, NULL, 0);
		return e;
	}
	*id = proc_identify(pid);
	return NULL;
}
