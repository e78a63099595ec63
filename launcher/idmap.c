/*
 * idmap.c - see idmap.h.  Reads files of the host and runs two programs of the
 * shadow suite; one thread, no state.
 */
#include "idmap.h"

#include "libipc/fd.h"
#include "libipc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RANGES_MAX 340 /* lines that the kernel takes */

extern char **environ;

/* One kind of id: its files and its program. */
struct kind {
	const char *map, *sub, *program;
};
static const struct kind uid_kind = { "uid_map", "/etc/subuid", "newuidmap" };
static const struct kind gid_kind = { "gid_map", "/etc/subgid", "newgidmap" };

static const char *const program_dirs[] = { "/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin" };

static const char *find_program(const char *name, struct pool *p)
{
	for (size_t i = 0; i < sizeof(program_dirs) / sizeof(program_dirs[0]); i++) {
		const char *path = pool_printf(p, "%s/%s", program_dirs[i], name);

		if (!access(path, X_OK))
			return path;
	}
	return NULL;
}

bool idmap_in_user_ns(void)
{
	unsigned inside = 0, outside = 0, count = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool whole = !f || (fscanf(f, "%u %u %u", &inside, &outside, &count) == 3 && !inside && !outside && count == UINT32_MAX);

	if (f)
		fclose(f);
	return !whole;
}

/* --- the caller's subordinate ranges ---------------------------------------------- */

static void add_range(struct oci_id_mappings *m, uint64_t outside, uint64_t count)
{
	const struct oci_id_mapping *last = &m->v[m->n - 1];

	m->v[m->n] = (struct oci_id_mapping){ last->container + last->size, outside, count };
	m->n++;
}

/* Adds the lines "NAME:FIRST:COUNT" of the user, by name or by number. */
static void read_ranges(const char *file, const char *user, struct oci_id_mappings *m)
{
	_cleanup_free_ char *line = NULL;
	char number[16];
	size_t cap = 0;
	FILE *f = fopen(file, "re");

	snprintf(number, sizeof(number), "%u", geteuid());
	while (f && m->n < RANGES_MAX && getline(&line, &cap, f) > 0) {
		char *rest = strchr(line, ':');
		unsigned first, count;

		if (!rest)
			continue;
		*rest++ = 0;
		if ((!strcmp(line, user) || !strcmp(line, number)) && sscanf(rest, "%u:%u", &first, &count) == 2 && count &&
			first <= UINT32_MAX - count)
			add_range(m, first, count);
	}
	if (f)
		fclose(f);
}

/* Begins with the caller's own id as root; false, and why: there is nothing more. */
static bool ranges_of_caller(const struct kind *k, uint64_t own, const char *user, struct pool *p, struct oci_id_mappings *m, const char **why)
{
	m->v = pool_array(p, RANGES_MAX + 1, sizeof(*m->v));
	m->v[0] = (struct oci_id_mapping){ 0, own, 1 };
	m->n = 1;
	read_ranges(k->sub, user, m);
	if (m->n == 1)
		*why = pool_printf(p, "%s has no range for '%s'", k->sub, user);
	else if (!find_program(k->program, p))
		*why = pool_printf(p, "%s is not installed (Debian: uidmap)", k->program);
	else
		return true;
	return false;
}

static void of_caller(struct pool *p, struct id_maps *out)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *user = pw ? pool_strdup(p, pw->pw_name) : pool_printf(p, "%u", geteuid());
	const char *why = NULL;

	if (ranges_of_caller(&uid_kind, geteuid(), user, p, &out->uids, &why) && ranges_of_caller(&gid_kind, getegid(), user, p, &out->gids, &why))
		return;
	log_info("the container has one user and one group only, yours: %s", why);
	ranges_of_caller(&gid_kind, getegid(), user, p, &out->gids, &why);
	out->uids.n = out->gids.n = 1;
}

static bool has_namespace(const struct oci_linux *l, const char *type)
{
	for (size_t i = 0; l && i < l->namespaces.n; i++) {
		if (!strcmp(l->namespaces.v[i].type, type))
			return true;
	}
	return false;
}

struct err *idmap_plan(const struct oci_linux *l, struct pool *p, struct id_maps *out)
{
	if (has_namespace(l, "user") && (l->uid_mappings.n || l->gid_mappings.n)) {
		if (!l->uid_mappings.n || !l->gid_mappings.n)
			return err_new(0, "linux.%s: is missing, linux.%s is given", l->uid_mappings.n ? "gidMappings" : "uidMappings",
				l->uid_mappings.n ? "uidMappings" : "gidMappings");
		*out = (struct id_maps){ l->uid_mappings, l->gid_mappings };
	} else if (geteuid()) {
		of_caller(p, out);
	}
	return NULL;
}

/* --- writing ----------------------------------------------------------------------- */

static struct err *write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_new(errno, "%s", path);
	return NULL;
}

static struct err *run_program(const struct kind *k, pid_t pid, const struct oci_id_mappings *m, struct pool *p)
{
	const char *path = find_program(k->program, p);
	char **argv = pool_array(p, 3 + 3 * m->n, sizeof(*argv));
	size_t n = 0;
	pid_t child;
	int status, error;

	if (!path)
		return err_new(0, "%s is not installed (Debian: uidmap): without it only your own id can be mapped", k->program);
	argv[n++] = pool_strdup(p, path);
	argv[n++] = pool_printf(p, "%d", pid);
	for (size_t i = 0; i < m->n; i++) {
		argv[n++] = pool_printf(p, "%llu", (unsigned long long)m->v[i].container);
		argv[n++] = pool_printf(p, "%llu", (unsigned long long)m->v[i].host);
		argv[n++] = pool_printf(p, "%llu", (unsigned long long)m->v[i].size);
	}
	if ((error = posix_spawn(&child, path, NULL, NULL, argv, environ)))
		return err_new(error, "%s", path);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return err_new(errno, "waiting for %s", path);
	}
	if (status)
		return err_new(0, "%s refused the map: are all its ids in the ranges that %s gives you?", k->program, k->sub);
	return NULL;
}

static struct err *write_kind(const struct kind *k, pid_t pid, const struct oci_id_mappings *m, unsigned own, struct pool *p)
{
	const char *path = pool_printf(p, "/proc/%d/%s", pid, k->map);
	char *text = pool_strdup(p, "");
	struct err *e;

	for (size_t i = 0; i < m->n; i++)
		text = pool_printf(p, "%s%llu %llu %llu\n", text, (unsigned long long)m->v[i].container, (unsigned long long)m->v[i].host,
			(unsigned long long)m->v[i].size);
	if (!(e = write_file(path, text)) || err_errno(e) != EPERM)
		return e;
	/* our own id alone, and still refused: the program cannot do better */
	if (m->n == 1 && m->v[0].size == 1 && m->v[0].host == own)
		return e;
	err_free(e);
	return run_program(k, pid, m, p);
}

struct err *idmap_write(pid_t pid, const struct id_maps *m, struct pool *p)
{
	struct err *e;

	/* a map of groups by an ordinary user needs setgroups denied, one by newgidmap must not */
	if (geteuid() && m->gids.n == 1 && m->gids.v[0].size == 1 && m->gids.v[0].host == getegid() &&
		(e = write_file(pool_printf(p, "/proc/%d/setgroups", pid), "deny")))
		return e;
	if ((e = write_kind(&uid_kind, pid, &m->uids, geteuid(), p)))
		return err_wrap(e, "the container's user ids");
	e = write_kind(&gid_kind, pid, &m->gids, getegid(), p);
	return e ? err_wrap(e, "the container's group ids") : NULL;
}

/* --- when there is no user namespace to be had ---------------------------------------- */

/* The switches that forbid them: what is read there is the reason. */
static const struct {
	const char *file, *forbids;
} switches[] = {
	{ "/proc/sys/user/max_user_namespaces", "0" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1" },
};

struct err *idmap_refused(int why)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		_cleanup_close_ int fd = open(switches[i].file, O_RDONLY | O_CLOEXEC);
		char text[16] = "";
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		if (n > 0 && strcspn(text, "\n") == strlen(switches[i].forbids) && !strncmp(text, switches[i].forbids, strlen(switches[i].forbids)))
			return err_new(why, "no user namespace can be made: %s is %s", switches[i].file, switches[i].forbids);
	}
	if (access("/proc/self/ns/user", F_OK))
		return err_new(why, "no user namespace can be made: this kernel is built without them");
	return err_new(why, "no user namespace can be made");
}
