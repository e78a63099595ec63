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
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The host counts our own threads and the stubs of the container's processes too. */
#define PIDS_PER_TASK 3
#define PIDS_OWN 64

static struct err *put(const char *dir, const char *file, const char *value, const char *what)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;

	if (asprintf(&path, "%s/%s", dir, file) < 0)
		return err_new(ENOMEM, "cgroup");
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0 || write(fd, value, strlen(value)) < 0)
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
	struct err *e = limit ? put(dir, "memory.limit_in_bytes", limit, "memory.limit") : NULL;

	if (swap && e) {
		err_free(e);
		if (!(e = put(dir, "memory.memsw.limit_in_bytes", swap, "memory.swap")))
			e = put(dir, "memory.limit_in_bytes", limit, "memory.limit");
	} else if (swap) {
		e = put(dir, "memory.memsw.limit_in_bytes", swap, "memory.swap");
	}
	if (!e && m->reservation)
		e = put(dir, "memory.soft_limit_in_bytes", number_v1(p, m->reservation), "memory.reservation");
	if (!e && m->has_swappiness)
		e = put(dir, "memory.swappiness", number_v1(p, (int64_t)m->swappiness), "memory.swappiness");
	if (!e && m->disable_oom_killer)
		e = put(dir, "memory.oom_control", "1", "memory.disableOOMKiller");
	return e;
}

/* OCI's swap counts memory and swap together, v2's swap alone. */
static struct err *memory_v2(const char *dir, const struct oci_memory *m, struct pool *p)
{
	struct err *e = NULL;

	if (m->swap > 0 && m->limit <= 0)
		return err_new(0, "linux.resources.memory.swap: needs a memory.limit with cgroup v2");
	if (m->swap)
		e = put(dir, "memory.swap.max", number(p, m->swap < 0 ? -1 : m->swap - m->limit), "memory.swap");
	if (!e && m->limit)
		e = put(dir, "memory.max", number(p, m->limit), "memory.limit");
	if (!e && m->reservation)
		e = put(dir, "memory.low", number(p, m->reservation), "memory.reservation");
	return e;
}

/* --- processors ------------------------------------------------------------------ */

static struct err *cpu_v1(const char *dir, const struct oci_cpu *c, struct pool *p)
{
	struct err *e = NULL;

	if (c->shares)
		e = put(dir, "cpu.shares", number_v1(p, (int64_t)c->shares), "cpu.shares");
	if (!e && c->period)
		e = put(dir, "cpu.cfs_period_us", number_v1(p, (int64_t)c->period), "cpu.period");
	if (!e && c->quota)
		e = put(dir, "cpu.cfs_quota_us", number_v1(p, c->quota), "cpu.quota");
	if (!e && c->burst)
		e = put(dir, "cpu.cfs_burst_us", number_v1(p, (int64_t)c->burst), "cpu.burst");
	if (!e && c->idle)
		e = put(dir, "cpu.idle", number_v1(p, c->idle), "cpu.idle");
	return e;
}

static struct err *cpu_v2(const char *dir, const struct oci_cpu *c, struct pool *p)
{
	struct err *e = NULL;

	/* 2..262144 to 1..10000, as every runtime maps it */
	if (c->shares)
		e = put(dir, "cpu.weight", number(p, (int64_t)(1 + (c->shares < 2 ? 0 : c->shares - 2) * 9999 / 262142)), "cpu.shares");
	if (!e && (c->quota || c->period))
		e = put(dir, "cpu.max", pool_printf(p, "%s %llu", c->quota > 0 ? number(p, c->quota) : "max", (unsigned long long)(c->period ? c->period : 100000)),
			"cpu.quota");
	if (!e && c->burst)
		e = put(dir, "cpu.max.burst", number(p, (int64_t)c->burst), "cpu.burst");
	if (!e && c->idle)
		e = put(dir, "cpu.idle", number(p, c->idle), "cpu.idle");
	return e;
}

static struct err *cpuset(const char *dir, const struct oci_cpu *c)
{
	struct err *e = NULL;

	if (c->cpus && *c->cpus)
		e = put(dir, "cpuset.cpus", c->cpus, "cpu.cpus");
	if (!e && c->mems && *c->mems)
		e = put(dir, "cpuset.mems", c->mems, "cpu.mems");
	return e;
}

uint64_t cgroup_quota_cpus(const struct oci_resources *r)
{
	uint64_t period = r && r->cpu && r->cpu->period ? r->cpu->period : 100000;

	if (!r || !r->cpu || r->cpu->quota <= 0)
		return 0;
	return ((uint64_t)r->cpu->quota + period - 1) / period;
}

/* --- all -------------------------------------------------------------------------- */

static struct err *missing(const char *what)
{
	return err_new(0, "linux.resources.%s: this host has no such cgroup controller", what);
}

static struct err *limit_cpu(const struct cgroup *g, const struct oci_cpu *c, struct pool *p)
{
	bool time = c->shares || c->quota || c->period || c->burst || c->idle, set = (c->cpus && *c->cpus) || (c->mems && *c->mems);
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
	return put(dir, "pids.max", limit->limit < 0 || limit->limit > 1000000 ? "max" : number(p, limit->limit * PIDS_PER_TASK + PIDS_OWN), "pids.limit");
}

static struct err *limit_blkio(const struct cgroup *g, const struct oci_blkio *b, struct pool *p)
{
	const char *dir = cgroup_dir(g, "blkio");

	if (!b->weight)
		return NULL;
	if (!dir)
		return missing("blockIO");
	if (cgroup_is_v2(g))
		return put(dir, "io.weight", pool_printf(p, "default %llu", 1 + ((unsigned long long)b->weight - 10) * 9999 / 990), "blockIO.weight");
	return put(dir, "blkio.weight", number(p, (int64_t)b->weight), "blockIO.weight");
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
		e = put(g->dirs.v[0].value, m->v[i].name, m->v[i].value, "unified");
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
	if (!e && r->blkio)
		e = limit_blkio(g, r->blkio, p);
	return e ? e : limit_unified(g, &r->unified);
}
