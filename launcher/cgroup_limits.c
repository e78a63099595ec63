/*
 * cgroup_limits.c - linux.resources into a cgroup's files.  See cgroup.h.
 *
 * A table: which member, which file of which controller in v1 and in v2, and
 * how the value is written there.
 */
#include "cgroup.h"

#include "libipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUSY_TRIES 100
#define BUSY_MS 20

/* v1 refuses less memory than is in use: what the guest gave back may take a moment to be free. */
static ssize_t write_patiently(int fd, const char *value)
{
	ssize_t n;

	for (unsigned tries = 0; (n = write(fd, value, strlen(value))) < 0 && errno == EBUSY && tries < BUSY_TRIES; tries++)
		poll(NULL, 0, BUSY_MS);
	return n;
}

struct err *cgroup_put(const char *dir, const char *file, const char *value, const char *what)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	if (asprintf(&path, "%s/%s", dir, file) < 0)
		return err_new(ENOMEM, "cgroup");
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0 || write_patiently(fd, value) < 0)
		return err_new(errno, "linux.resources.%s: writing '%.64s' to %s", what, value, path);
	return NULL;
}

static const char *number(struct pool *p, int64_t v)
{
	return v < 0 ? "max" : pool_printf(p, "%lld", (long long)v);
}

static const char *number_v1(struct pool *p, int64_t v)
{
	return pool_printf(p, "%lld", (long long)v);
}

/* --- memory ------------------------------------------------------------------- */

/* v1 wants memory <= memory and swap at any time: which goes first depends on
 * whether they grow or shrink. */
static struct err *memory_v1(const char *dir, const struct oci_memory *m, struct pool *p)
{
	const char *limit = m->limit ? number_v1(p, m->limit) : NULL, *swap = m->swap ? number_v1(p, m->swap) : NULL;
	struct err *e = limit ? cgroup_put(dir, "memory.limit_in_bytes", limit, "memory.limit") : NULL;

	if (swap && e) {
		err_free(e);
		if (!(e = cgroup_put(dir, "memory.memsw.limit_in_bytes", swap, "memory.swap")))
			e = cgroup_put(dir, "memory.limit_in_bytes", limit, "memory.limit");
	} else if (swap) {
		e = cgroup_put(dir, "memory.memsw.limit_in_bytes", swap, "memory.swap");
	}
	if (!e && m->reservation)
		e = cgroup_put(dir, "memory.soft_limit_in_bytes", number_v1(p, m->reservation), "memory.reservation");
	if (!e && m->has_swappiness)
		e = cgroup_put(dir, "memory.swappiness", number_v1(p, (int64_t)m->swappiness), "memory.swappiness");
	if (!e && m->disable_oom_killer)
		e = cgroup_put(dir, "memory.oom_control", "1", "memory.disableOOMKiller");
	return e;
}

/* OCI's swap counts memory and swap together, v2's swap alone. */
static struct err *memory_v2(const char *dir, const struct oci_memory *m, struct pool *p)
{
	struct err *e = NULL;

	if (m->swap > 0 && m->limit <= 0)
		return err_new(0, "linux.resources.memory.swap: needs a memory.limit with cgroup v2");
	if (m->swap)
		e = cgroup_put(dir, "memory.swap.max", number(p, m->swap < 0 ? -1 : m->swap - m->limit), "memory.swap");
	if (!e && m->limit)
		e = cgroup_put(dir, "memory.max", number(p, m->limit), "memory.limit");
	if (!e && m->reservation)
		e = cgroup_put(dir, "memory.low", number(p, m->reservation), "memory.reservation");
	return e;
}

/* --- processors ------------------------------------------------------------------ */

static struct err *cpu_v1(const char *dir, const struct oci_cpu *c, struct pool *p)
{
	struct err *e = NULL;

	if (c->shares)
		e = cgroup_put(dir, "cpu.shares", number_v1(p, (int64_t)c->shares), "cpu.shares");
	if (!e && c->period)
		e = cgroup_put(dir, "cpu.cfs_period_us", number_v1(p, (int64_t)c->period), "cpu.period");
	if (!e && c->quota)
		e = cgroup_put(dir, "cpu.cfs_quota_us", number_v1(p, c->quota), "cpu.quota");
	if (!e && c->burst)
		e = cgroup_put(dir, "cpu.cfs_burst_us", number_v1(p, (int64_t)c->burst), "cpu.burst");
	if (!e && c->idle)
		e = cgroup_put(dir, "cpu.idle", number_v1(p, c->idle), "cpu.idle");
	if (!e && c->rt_period)
		e = cgroup_put(dir, "cpu.rt_period_us", number_v1(p, (int64_t)c->rt_period), "cpu.realtimePeriod");
	if (!e && c->rt_runtime)
		e = cgroup_put(dir, "cpu.rt_runtime_us", number_v1(p, c->rt_runtime), "cpu.realtimeRuntime");
	return e;
}

static struct err *cpu_v2(const char *dir, const struct oci_cpu *c, struct pool *p)
{
	struct err *e = NULL;

	if (c->shares)
		e = cgroup_put(dir, "cpu.weight", number(p, (int64_t)cgroup_weight(c->shares)), "cpu.shares");
	if (!e && (c->quota || c->period))
		e = cgroup_put(dir, "cpu.max", pool_printf(p, "%s %llu", c->quota > 0 ? number(p, c->quota) : "max", (unsigned long long)(c->period ? c->period : 100000)),
			"cpu.quota");
	if (!e && c->burst)
		e = cgroup_put(dir, "cpu.max.burst", number(p, (int64_t)c->burst), "cpu.burst");
	if (!e && c->idle)
		e = cgroup_put(dir, "cpu.idle", number(p, c->idle), "cpu.idle");
	if (!e && (c->rt_period || c->rt_runtime))
		e = err_new(0, "linux.resources.cpu.realtimeRuntime: cgroup v2 has no such limit");
	return e;
}

static struct err *cpuset(const char *dir, const struct oci_cpu *c)
{
	struct err *e = NULL;

	if (c->cpus && *c->cpus)
		e = cgroup_put(dir, "cpuset.cpus", c->cpus, "cpu.cpus");
	if (!e && c->mems && *c->mems)
		e = cgroup_put(dir, "cpuset.mems", c->mems, "cpu.mems");
	return e;
}

/* --- all -------------------------------------------------------------------------- */

static struct err *missing(const char *what)
{
	return err_new(0, "linux.resources.%s: this host has no such cgroup controller", what);
}

static struct err *limit_cpu(const struct cgroup *g, const struct oci_cpu *c, struct pool *p)
{
	bool time = c->shares || c->quota || c->period || c->burst || c->idle || c->rt_period || c->rt_runtime;
	bool set = (c->cpus && *c->cpus) || (c->mems && *c->mems);
	const char *dir = cgroup_dir(g, "cpu"), *set_dir = cgroup_dir(g, "cpuset");
	struct err *e = NULL;

	if (time)
		e = !dir ? missing("cpu") : cgroup_is_v2(g) ? cpu_v2(dir, c, p) : cpu_v1(dir, c, p);
	if (!e && set)
		e = set_dir ? cpuset(set_dir, c) : missing("cpu.cpus");
	return e;
}

static struct err *limit_memory(const struct cgroup *g, const struct oci_memory *m, struct pool *p)
{
	const char *dir = cgroup_dir(g, "memory");

	if (!m->limit && !m->swap && !m->reservation && !m->has_swappiness && !m->disable_oom_killer)
		return NULL;
	return !dir ? missing("memory") : cgroup_is_v2(g) ? memory_v2(dir, m, p) : memory_v1(dir, m, p);
}

static struct err *limit_pids(const struct cgroup *g, const struct oci_pids *limit, struct pool *p)
{
	const char *dir = cgroup_dir(g, "pids");

	if (!limit->limit)
		return NULL;
	if (!dir)
		return missing("pids");
	return cgroup_put(dir, "pids.max", number(p, cgroup_host_pids(limit->limit)), "pids.limit");
}

/* v2's own files, by name. */
static struct err *limit_unified(const struct cgroup *g, const struct jmap *m)
{
	struct err *e = NULL;

	if (m->n && !cgroup_is_v2(g))
		return err_new(0, "linux.resources.unified: this host's cgroups are v1");
	for (size_t i = 0; i < m->n && !e; i++) {
		if (!m->v[i].name[0] || strchr(m->v[i].name, '/') || m->v[i].name[0] == '.')
			return err_new(0, "linux.resources.unified: '%.64s' is not a file's name", m->v[i].name);
		e = cgroup_put(g->dirs.v[0].value, m->v[i].name, m->v[i].value, "unified");
	}
	return e;
}

struct err *cgroup_limit(const struct cgroup *g, const struct oci_resources *r, struct pool *p)
{
	struct err *e = NULL;

	if (r->memory)
		e = limit_memory(g, r->memory, p);
	if (!e && r->cpu)
		e = limit_cpu(g, r->cpu, p);
	if (!e && r->pids)
		e = limit_pids(g, r->pids, p);
	if (!e)
		e = cgroup_limit_devices(g, r, p);
	return e ? e : limit_unified(g, &r->unified);
}
