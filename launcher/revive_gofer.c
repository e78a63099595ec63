/*
 * revive_gofer.c - starts another gofer in place of one all of whose processes were killed.  See revive.h.
 *
 * The sentry holds both ends of its connection to a gofer (sentry/fs/gofer/conn.c).  The gofer's end is
 * taken from it by pidfd_getfd, which requires the right to trace it; the sentry is not asked, since
 * all its calls may be waiting for the gofer.  The socket must be the one that was made for the gofer
 * and must not be shut down: a gofer that ends by itself, or crashes too often, shuts it down
 * (gofer/keeper.c) and is not replaced.  What the gofer is to serve was recorded when the first was
 * started (served.h).
 */
#include "revive.h"

#include "host_mounts.h"
#include "served.h"
#include "spawn.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SENTRY_FDS_MAX 65536
#define KEEPER_STARTS 64u /* gofer.1, --start */
#define GOFERS_MAX 64u

struct revival {
	const struct state_dir *dir; /* the container's */
	struct state_dir sandbox;
	struct state state, sandbox_state;
	struct plan plan;
	struct pool *pool;
	int sentry; /* pidfd */
	int far; /* the gofer's end */
};

static bool is_socket(int fd, uint64_t inode)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode) && st.st_ino == inode;
}

/* Its number is the sentry's affair. */
static struct err *take_far_end(struct revival *r, uint64_t inode)
{
	for (int n = 3; n < SENTRY_FDS_MAX; n++) {
		_cleanup_close_ int fd = (int)syscall(SYS_pidfd_getfd, r->sentry, n, 0);

		if (fd < 0 && errno != EBADF)
			return err_new(errno, "reaching the sentry");
		if (fd >= 0 && is_socket(fd, inode)) {
			r->far = TAKE_FD(fd);
			return NULL;
		}
	}
	return err_new(ENOTCONN, "the sentry holds no connection for it");
}

static bool shut_down(int sock)
{
	struct pollfd p = { sock, 0, 0 };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
}

static bool lives(const struct proc_id *id)
{
	_cleanup_close_ int fd = proc_open(id);

	return fd >= 0;
}

/* Those of its processes that have a log write to ours, if we have one. */
static struct globals its_log(void)
{
	struct globals g = { .panic_fd = -1, .user_fd = -1, .error_fd = -1 };

	g.log_fd = log_descriptor(&g.format);
	if (g.log_fd <= STDERR_FILENO)
		g.log_fd = -1;
	return g;
}

/* It begins once it is on record: two that know nothing of each other would answer the
 * same connection. */
static struct err *start(struct revival *r)
{
	_cleanup_close_ int words = open("/dev/null", O_WRONLY | O_CLOEXEC), go = -1, go_far = -1;
	const struct globals g = its_log();
	const struct cgroup cgroup = cgroup_of(&r->sandbox_state);
	struct spawn spawn = { .g = &g, .plan = &r->plan, .dir = r->dir, .gofer_sock = r->far, .words = words,
		.gofer_start = (unsigned)r->state.gofers * KEEPER_STARTS };
	struct proc_id id;
	struct err *e = NULL;
	int fds[2];

	if (words < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_new(errno, "starting it");
	spawn.gofer_go = go_far = fds[0];
	go = fds[1];
	if ((e = host_mounts_make(&r->plan, r->pool)) || (e = spawn_gofer(&spawn, &cgroup, &id)))
		return e;
	r->state.gofer = &id;
	r->state.gofers++;
	if ((e = state_write(r->dir, &r->state)))
		return e;
	return write(go, "", 1) == 1 ? NULL : err_new(errno, "starting it");
}

static struct err *replace(struct revival *r)
{
	uint64_t inode;
	struct err *e;

	if (!r->state.served)
		return err_new(ENOTSUP, "what it served is not known");
	if ((e = served_read(r->state.served, r->pool, &r->plan, &inode)) || (e = take_far_end(r, inode)))
		return e;
	if (shut_down(r->far))
		return err_new(ENOTCONN, "it ended, or crashed once too often");
	log_info("container '%s': its gofer has gone: another is started", r->dir->id);
	return r->state.gofers < GOFERS_MAX ? start(r) : err_new(EAGAIN, "it was killed %u times", GOFERS_MAX);
}

/* What is not replaced now never will be: it is not tried again. */
static void give_up(struct revival *r, const struct err *why)
{
	_cleanup_err_ struct err *e = NULL;

	/* nobody will come any more: what waits for it shall end */
	if (r->far >= 0)
		shutdown(r->far, SHUT_RDWR);
	log_at(r->far >= 0 ? LOG_INFO : LOG_DEBUG, "container '%s': its gofer is not replaced: %s", r->dir->id, err_text(why));
	if (r->far < 0 && err_errno(why) == ESRCH)
		return; /* the sentry is about to end */
	r->state.served = NULL;
	e = state_write(r->dir, &r->state);
}

/* With the sandbox's sentry alive, which it stays: who ends it waits for our lock. */
static struct err *look(struct revival *r)
{
	struct err *e = state_read(r->dir, r->pool, &r->state);

	if (e || (e = state_read(&r->sandbox, r->pool, &r->sandbox_state)))
		return e;
	if (!r->state.gofer || !r->state.gofer->pid || strcmp(r->state.phase, "created"))
		return err_new(ENOENT, "container '%s': has no gofer", r->dir->id);
	if (lives(r->state.gofer))
		return NULL;
	if (!r->state.served || (r->sentry = proc_open(r->sandbox_state.sentry)) < 0)
		return err_new(ESRCH, "container '%s': its gofer has gone", r->dir->id);
	if ((e = replace(r)))
		give_up(r, e);
	return e;
}

struct err *revive_gofer(const struct state_dir *d)
{
	_cleanup_pool_ struct pool p = { 0 };
	struct revival r = { .dir = d, .pool = &p, .sentry = -1, .far = -1 };
	_cleanup_close_ int lock = -1;
	struct err *e = state_read(d, &p, &r.state);

	if (e || lives(r.state.gofer))
		return e;
	if ((e = revive_sandbox(d, &p, &r.sandbox)) || (e = revive_lock(d, &lock)))
		return e;
	e = look(&r);
	fd_close(&r.sentry);
	fd_close(&r.far);
	return e;
}
