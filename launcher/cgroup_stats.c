/*
 * cgroup_stats.c - reading a cgroup back, in the shape of runc's events.  See
 * cgroup.h.  What a host does not tell is left out.
 */
#include "cgroup.h"

#include "libipc/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A small file's text, or NULL. */
static char *text_of(const char *dir, const char *file, struct pool *p)
{
	const char *path = dir ? pool_printf(p, "%s/%s", dir, file) : NULL;
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char buf[16384];
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : -1;

	if (n < 0)
		return NULL;
	buf[n] = 0;
	return pool_strdup(p, buf);
}

/* A file that is one number; "max" and what is missing are 0. */
static json_int_t number_of(const char *dir, const char *file, struct pool *p)
{
	const char *text = text_of(dir, file, p);

	return text ? (json_int_t)strtoull(text, NULL, 10) : 0;
}

/* The number behind `key` in a file of "key number" lines. */
static json_int_t member(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *s = text; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		if (!strncmp(s, key, len) && s[len] == ' ')
			return (json_int_t)strtoull(s + len, NULL, 10);
	}
	return 0;
}

static json_t *all_members(const char *text)
{
	json_t *j = json_object();

	for (const char *s = text; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		char key[128];
		unsigned long long v;

		if (sscanf(s, "%127s %llu", key, &v) == 2)
			json_object_set_new(j, key, json_integer((json_int_t)v));
	}
	return j;
}

static json_t *cpu_v1(const struct cgroup *g, struct pool *p)
{
	const char *acct = cgroup_dir(g, "cpuacct"), *throttling = text_of(cgroup_dir(g, "cpu"), "cpu.stat", p);
	json_t *per_cpu = json_array();
	char *each = text_of(acct, "cpuacct.usage_percpu", p), *end;

	for (char *s = each; s && *s && *s != '\n'; s = end) {
		unsigned long long v = strtoull(s, &end, 10);

		if (end == s)
			break;
		json_array_append_new(per_cpu, json_integer((json_int_t)v));
		end += *end == ' ';
	}
	return json_pack("{s:{s:I, s:o, s:I, s:I}, s:{s:I, s:I, s:I}}", "usage", "total", number_of(acct, "cpuacct.usage", p), "percpu", per_cpu,
		"kernel", number_of(acct, "cpuacct.usage_sys", p), "user", number_of(acct, "cpuacct.usage_user", p), "throttling", "periods",
		member(throttling, "nr_periods"), "throttledPeriods", member(throttling, "nr_throttled"), "throttledTime",
		member(throttling, "throttled_time"));
}

static json_t *cpu_v2(const struct cgroup *g, struct pool *p)
{
	const char *stat = text_of(cgroup_dir(g, "cpu"), "cpu.stat", p);

	return json_pack("{s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}}", "usage", "total", member(stat, "usage_usec") * 1000, "kernel",
		member(stat, "system_usec") * 1000, "user", member(stat, "user_usec") * 1000, "throttling", "periods", member(stat, "nr_periods"),
		"throttledPeriods", member(stat, "nr_throttled"), "throttledTime", member(stat, "throttled_usec") * 1000);
}

static json_t *memory(const struct cgroup *g, struct pool *p)
{
	const char *dir = cgroup_dir(g, "memory");
	bool v2 = cgroup_is_v2(g);

	return json_pack("{s:I, s:{s:I, s:I, s:I, s:I}, s:o}", "cache", member(text_of(dir, "memory.stat", p), v2 ? "file" : "total_cache"), "usage",
		"limit", number_of(dir, v2 ? "memory.max" : "memory.limit_in_bytes", p), "usage",
		number_of(dir, v2 ? "memory.current" : "memory.usage_in_bytes", p), "max",
		number_of(dir, v2 ? "memory.peak" : "memory.max_usage_in_bytes", p), "failcnt",
		v2 ? member(text_of(dir, "memory.events", p), "max") : number_of(dir, "memory.failcnt", p), "raw",
		all_members(text_of(dir, "memory.stat", p)));
}

json_t *cgroup_stats(const struct cgroup *g, struct pool *p)
{
	const char *pids = cgroup_dir(g, "pids");

	return json_pack("{s:o, s:o, s:{s:I, s:I}, s:{}, s:{}}", "cpu", cgroup_is_v2(g) ? cpu_v2(g, p) : cpu_v1(g, p), "memory", memory(g, p), "pids",
		"current", number_of(pids, "pids.current", p), "limit", number_of(pids, "pids.max", p), "blkio", "hugetlb");
}

uint64_t cgroup_oom_kills(const struct cgroup *g, struct pool *p)
{
	const char *dir = cgroup_dir(g, "memory");

	return (uint64_t)member(text_of(dir, cgroup_is_v2(g) ? "memory.events" : "memory.oom_control", p), "oom_kill");
}
