/*
 * cgroup_paths.c - where a container's cgroup belongs, from /proc/self/mountinfo
 * and /proc/self/cgroup.  See cgroup.h.
 */
#include "cgroup.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

static bool wants_hugetlb(const struct oci_resources *r) { return r->hugepages.n; }
static bool wants_rdma(const struct oci_resources *r) { return r->rdma; }
static bool wants_class(const struct oci_resources *r) { return r->net && r->net->class_id; }
static bool wants_priorities(const struct oci_resources *r) { return r->net && r->net->priorities.n; }

/* The v1 hierarchies we use: to be in one costs a grace period, so some only
 * when there is something for them to do; the others have nothing for a sandbox. */
static const struct {
	const char *name;
	bool (*wanted)(const struct oci_resources *r); /* NULL: always */
} controllers[] = {
	{ "memory", NULL }, { "cpu", NULL }, { "cpuacct", NULL }, { "cpuset", NULL }, { "pids", NULL }, { "blkio", NULL },
	{ "hugetlb", wants_hugetlb }, { "rdma", wants_rdma }, { "net_cls", wants_class }, { "net_prio", wants_priorities },
};
#define N_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

/* Whether a comma-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = list; *s; s += strcspn(s, ","), s += *s == ',') {
		if (strcspn(s, ",") == len && !strncmp(s, word, len))
			return true;
	}
	return false;
}

struct mount {
	const char *root, *point, *options;
	bool v2;
};
struct mounts {
	struct mount *v;
	size_t n, cap;
};

static void read_mount(char *line, struct pool *p, struct mounts *out)
{
	char root[4096], point[4096], type[64], options[4096];
	char *rest = strstr(line, " - ");

	if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 ||
		sscanf(rest + 3, "%63s %*s %4095s", type, options) != 2 || strncmp(type, "cgroup", 6))
		return;
	LIST_ADD(p, out, { pool_strdup(p, root), pool_strdup(p, point), pool_strdup(p, options), !strcmp(type, "cgroup2") });
}

static struct err *read_lines(const char *path, struct pool *p, void (*fn)(char *line, struct pool *p, struct mounts *out), struct mounts *out)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return err_new(errno, "%s", path);
	while (getline(&line, &size, f) > 0)
		fn(line, p, out);
	free(line);
	fclose(f);
	return NULL;
}

/* "4:memory:/some/where" of /proc/self/cgroup, kept as { "memory", "/some/where" }. */
static void read_own(char *line, struct pool *p, struct mounts *out)
{
	char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

	if (!path)
		return;
	*path = 0;
	path[strcspn(path + 1, "\n") + 1] = 0;
	LIST_ADD(p, out, { .options = pool_strdup(p, names + 1), .point = pool_strdup(p, path + 1) });
}

/* The caller's own path in a hierarchy; "" is v2's. */
static const char *own_path(const struct mounts *own, const char *controller)
{
	for (size_t i = 0; i < own->n; i++) {
		if (*controller ? has_word(own->v[i].options, controller) : !*own->v[i].options)
			return own->v[i].point;
	}
	return "/";
}

static const char *parent(const char *path, struct pool *p)
{
	char *copy = pool_strdup(p, path), *slash = strrchr(copy, '/');

	if (slash)
		*slash = 0;
	return copy;
}

/* A relative path lies below the caller's own cgroup; in v2 below that one's
 * parent, as a cgroup with processes cannot give controllers to its children. */
static const char *directory(const struct mount *m, const char *path, const char *own, struct pool *p)
{
	const char *above = path[0] == '/' ? "" : m->v2 ? parent(own, p) : strcmp(own, "/") ? own : "";
	size_t root = strlen(m->root);

	/* the mount may show a part of the hierarchy only */
	if (strcmp(m->root, "/") && !strncmp(above, m->root, root) && (!above[root] || above[root] == '/'))
		above += root;
	return pool_printf(p, "%s%s%s%s", m->point, above, path[0] == '/' ? "" : "/", path);
}

struct found {
	struct jpair *v;
	size_t n, cap;
};

static void find_v1(const struct mounts *mounts, const struct mounts *own, const char *path, const struct oci_resources *r, struct pool *p, struct found *out)
{
	for (size_t c = 0; c < N_CONTROLLERS; c++) {
		const char *name = controllers[c].name;

		if (controllers[c].wanted && !(r && controllers[c].wanted(r)))
			continue;
		for (size_t i = 0; i < mounts->n; i++) {
			const struct mount *m = &mounts->v[i];

			if (m->v2 || !has_word(m->options, name))
				continue;
			LIST_ADD(p, out, { name, directory(m, path, own_path(own, name), p) });
			break;
		}
	}
}

static void find_v2(const struct mounts *mounts, const struct mounts *own, const char *path, struct pool *p, struct found *out)
{
	for (size_t i = 0; i < mounts->n; i++) {
		if (!mounts->v[i].v2)
			continue;
		LIST_ADD(p, out, { "unified", directory(&mounts->v[i], path, own_path(own, ""), p) });
		return;
	}
}

static bool climbs(const char *path)
{
	for (const char *s = path; *s; s += strcspn(s, "/"), s += *s == '/') {
		if (!strncmp(s, "..", 2) && (s[2] == '/' || !s[2]))
			return true;
	}
	return false;
}

struct err *cgroup_find(const char *path, const char *id, const struct oci_resources *r, struct pool *p, struct cgroup *out)
{
	struct mounts mounts = { 0 }, own = { 0 };
	struct found found = { 0 };
	struct err *e;

	if (!path || !*path)
		path = id;
	if (climbs(path))
		return err_new(0, "linux.cgroupsPath: '%.64s' has '..' in it", path);
	if (!strcmp(path, "/"))
		return err_new(0, "linux.cgroupsPath: '/' is the whole machine");
	if ((e = read_lines("/proc/self/mountinfo", p, read_mount, &mounts)) || (e = read_lines("/proc/self/cgroup", p, read_own, &own)))
		return e;
	find_v1(&mounts, &own, path, r, p, &found);
	if (!found.n)
		find_v2(&mounts, &own, path, p, &found);
	out->dirs.v = found.v;
	out->dirs.n = found.n;
	return NULL;
}

bool cgroup_unified_alone(void)
{
	struct statfs st;

	return !statfs("/sys/fs/cgroup", &st) && st.f_type == CGROUP2_SUPER_MAGIC;
}
