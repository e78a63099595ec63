/*
 * host_mounts.c - see host_mounts.h.  With the caller's privileges, before any
 * component is started.
 */
#include "host_mounts.h"

#include "libipc/fd.h"
#include "libipc/holder.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* As the gofer makes those that it mounts itself. */
static int set_attributes(int fd, bool readonly)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | (readonly ? MOUNT_ATTR_RDONLY : 0), .propagation = MS_PRIVATE };

	return mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a));
}

/* --- overlays ---------------------------------------------------------------------- */

/* Why the kernel refuses it, in its own words where it has any ("e overlay: ..."). */
static struct err *said(int fs, const char *what)
{
	int why = errno;
	char text[512];
	ssize_t n = fs < 0 ? 0 : read(fs, text, sizeof(text) - 1);

	if (n <= 2)
		return err_new(why, "%s", what);
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return err_new(why, "%s: %s", what, text + 2);
}

/* Relative paths would be of our own working directory. */
static struct err *check_layer(const char *option, const char *path)
{
	static const char *const layers[] = { "lowerdir", "upperdir", "workdir", "lowerdir+", "datadir+" };

	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		if (!strcmp(layers[i], option) && path[0] != '/')
			return err_new(0, "%s: '%.64s' is not an absolute path", option, path);
	}
	return NULL;
}

static struct err *configure(int fs, const char *options, struct pool *p)
{
	char *copy = pool_strdup(p, options), *option;

	while ((option = strsep(&copy, ","))) {
		char *value = strchr(option, '=');
		struct err *e;

		if (!*option)
			continue;
		if (value)
			*value++ = 0;
		if (value && (e = check_layer(option, value)))
			return e;
		if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0) < 0)
			return said(fs, option);
	}
	return NULL;
}

static struct err *make_overlay(struct plan_tree *t, struct pool *p)
{
	_cleanup_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC), mnt = -1;
	struct err *e;

	if (fs < 0)
		return err_new(errno, "the host's kernel refuses an overlay mount");
	if (!strstr(t->overlay, "lowerdir")) /* of which the kernel does not say more than EINVAL */
		return err_new(0, "lowerdir: is missing");
	if ((e = configure(fs, t->overlay, p)))
		return e;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return said(fs, "overlay");
	if ((mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0)) < 0 || set_attributes(mnt, t->readonly) < 0)
		return err_new(errno, "overlay");
	t->fd = TAKE_FD(mnt);
	return NULL;
}

/* --- binds ------------------------------------------------------------------------ */

/* A user namespace that nobody is in, with these maps. */
static struct err *make_namespace(const struct id_maps *ids, struct pool *p, int *out)
{
	pid_t launcher = getpid();
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	struct err *e;

	if (pid < 0)
		return idmap_refused(errno);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == launcher)
			pause();
		_exit(0);
	}
	if (!(e = idmap_write(pid, ids, p)) && (*out = open(pool_printf(p, "/proc/%d/ns/user", pid), O_RDONLY | O_CLOEXEC)) < 0)
		e = err_new(errno, "the map's user namespace");
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return e;
}

/* In a process that shares our descriptors, but has mounts of its own. */
static int holder_number(int file)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return holder_make(file);
}

/* The mount of a file becomes one of a directory that holds it. */
static struct err *hold(int *mnt)
{
	/* what it made, and errno */
	int *made = mmap(NULL, 2 * sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct err *e = NULL;
	pid_t pid;

	if (made == MAP_FAILED || (pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL)) < 0)
		return err_new(errno, "a mount for a single file");
	if (!pid) {
		made[0] = holder_number(*mnt);
		made[1] = errno;
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (made[0] < 0)
		e = err_new(made[1], "a mount for a single file");
	else
		close(*mnt), *mnt = made[0];
	munmap(made, 2 * sizeof(*made));
	return e;
}

static struct err *map_ids(int mnt, const struct plan_tree *t, struct pool *p)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP };
	_cleanup_close_ int ns = -1;
	struct err *e;

	if ((e = make_namespace(t->ids, p, &ns)))
		return e;
	a.userns_fd = (uint64_t)ns;
	if (mount_setattr(mnt, "", AT_EMPTY_PATH | (t->ids_below ? AT_RECURSIVE : 0), &a, sizeof(a)) < 0)
		return err_new(errno, "%s: the host's kernel does not map the ids of this mount", t->path);
	return NULL;
}

static struct err *make_bind(struct plan_tree *t, struct pool *p)
{
	_cleanup_close_ int mnt = open_tree(AT_FDCWD, t->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	struct stat st;
	struct err *e;

	if (mnt < 0 || fstat(mnt, &st) < 0)
		return err_new(errno, "%s", t->path);
	if (t->ids && (e = map_ids(mnt, t, p)))
		return e;
	if (set_attributes(mnt, t->readonly) < 0)
		return err_new(errno, "%s", t->path);
	t->holder = !S_ISDIR(st.st_mode);
	if (t->holder && (e = hold(&mnt)))
		return e;
	t->fd = TAKE_FD(mnt);
	return NULL;
}

static bool by_its_path(const struct plan *plan, size_t tree)
{
	const struct plan_tree *t = &plan->trees.v[tree];

	return !t->overlay && !t->ids && (tree == 0 || !plan->ids.uids.n || geteuid());
}

struct err *host_mounts_make(struct plan *plan, struct pool *p)
{
	for (size_t i = 0; i < plan->trees.n; i++) {
		struct plan_tree *t = &plan->trees.v[i];
		struct err *e = by_its_path(plan, i) ? NULL : t->overlay ? make_overlay(t, p) : make_bind(t, p);

		if (e && (t->overlay || t->ids))
			return err_wrap(e, "%s", t->where);
		if (e) /* the gofer tries its path */
			log_info("%s: %s", t->where, err_text(e));
		err_free(e);
	}
	return NULL;
}
