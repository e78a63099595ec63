/*
 * cgroup.c - making, joining and removing a container's cgroup.  See cgroup.h.
 */
#include "cgroup.h"

#include "scope.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REMOVE_MS 5000

bool cgroup_is_v2(const struct cgroup *g)
{
	return g->dirs.n && !strcmp(g->dirs.v[0].name, "unified");
}

const char *cgroup_dir(const struct cgroup *g, const char *controller)
{
	for (size_t i = 0; i < g->dirs.n; i++) {
		if (cgroup_is_v2(g) || !strcmp(g->dirs.v[i].name, controller))
			return g->dirs.v[i].value;
	}
	return NULL;
}

static bool write_file(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return false;
	return (fd = open(path, O_WRONLY | O_CLOEXEC)) >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A new v1 cpuset is empty until it is told otherwise: it gets its parent's. */
static void fill_cpuset(const char *dir)
{
	static const char *const names[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *path = NULL;
		_cleanup_close_ int fd = -1;
		char text[4096];
		ssize_t n;

		if (asprintf(&path, "%s/../%s", dir, names[i]) < 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ||
			(n = read(fd, text, sizeof(text) - 1)) <= 1)
			continue;
		text[n] = 0;
		write_file(dir, names[i], text);
	}
}

/* v2: what a parent does not pass on its children do not have.  What it cannot
 * pass on shows when a limit is set. */
static void pass_on(const char *dir)
{
	static const char *const all[] = { "+cpuset", "+cpu", "+io", "+memory", "+pids" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		write_file(dir, "cgroup.subtree_control", all[i]);
}

/* mkdir -p of one hierarchy's directory. */
static struct err *make_dir(const char *name, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	bool v2 = !strcmp(name, "unified");
	char *s;

	if (!copy)
		return err_new(ENOMEM, "cgroup");
	/* the mount point is there */
	for (s = copy + 1; *s; s++) {
		bool made;

		if (*s != '/')
			continue;
		*s = 0;
		if ((made = !mkdir(copy, 0755)) && !strcmp(name, "cpuset"))
			fill_cpuset(copy);
		if (!made && errno != EEXIST && errno != EROFS)
			return err_new(errno, "cgroup %s", copy);
		if (v2)
			pass_on(copy);
		*s = '/';
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_new(errno, "cgroup %s", path);
	if (!strcmp(name, "cpuset"))
		fill_cpuset(path);
	return NULL;
}

struct err *cgroup_make(const struct cgroup *g)
{
	struct err *e = NULL;

	/* in v2 the directory is systemd's own, and so are those above */
	for (size_t i = 0; i < g->dirs.n && !e && !(g->scope && cgroup_is_v2(g)); i++)
		e = make_dir(g->dirs.v[i].name, g->dirs.v[i].value);
	return e;
}

struct err *cgroup_add(const struct cgroup *g, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < g->dirs.n; i++) {
		if (write_file(g->dirs.v[i].value, "cgroup.procs", text))
			continue;
		/* from a cgroup that is not ours: systemd may where we may not */
		if (g->scope && (errno == EACCES || errno == EPERM))
			return scope_attach(g->scope, pid ? pid : getpid());
		return err_new(errno, "joining cgroup %s", g->dirs.v[i].value);
	}
	return NULL;
}

struct err *cgroup_join(const struct cgroup *g)
{
	return cgroup_add(g, 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type == FTW_DP)
		rmdir(path); /* the last one's fate is what counts */
	return 0;
}

/* With those below it, as runc does: a pod's may hold its containers', whose commands were killed. */
static struct err *remove_dir(const char *path)
{
	const struct timespec a_little = { .tv_nsec = 2000000 };

	/* no file tells in v1 when a cgroup has become empty */
	for (int ms = 0; rmdir(path) < 0; ms += 2) {
		if (errno == ENOENT)
			return NULL;
		if (errno != EBUSY || ms >= REMOVE_MS)
			return err_new(errno, "removing cgroup %s", path);
		nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		nanosleep(&a_little, NULL);
	}
	return NULL;
}

static struct err *remove_dirs(const struct cgroup *g)
{
	struct err *first = NULL;

	for (size_t i = 0; i < g->dirs.n; i++) {
		struct err *e = remove_dir(g->dirs.v[i].value);

		if (e && first)
			err_free(e);
		else if (e)
			first = e;
	}
	return first;
}

struct err *cgroup_remove(const struct cgroup *g)
{
	struct err *stop = g->scope ? scope_stop(g->scope) : NULL, *e;

	if (!stop)
		return remove_dirs(g);
	/* a scope that was never made, or went with its systemd, is no loss */
	if ((e = remove_dirs(g))) {
		err_free(e);
		return stop;
	}
	log_debug("the scope %s: %s", g->scope, err_text(stop));
	err_free(stop);
	return NULL;
}
