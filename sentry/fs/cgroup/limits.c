/*
 * limits.c - the limits that programs write into groups that they have made.  Those of processes and of groups
 * are enforced; a processor's weight and its time's are kept, of no effect, as a task's nice value is: the container's
 * own limit holds for all.  What else would not be kept to (memory, the choice of processors) is refused, but for the
 * value that means no limit.
 * The writer's thread; no locks held but the file's position.
 */
#include "fs/cgroup/cgroup.h"

#include "kernel/klog.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int cgroup_read_int(const char *text, int *out)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 0);
	if (errno || end == text || *end || v < INT_MIN || v > INT_MAX)
		return -EINVAL;
	*out = (int)v;
	return 0;
}

/* A number, or "max": UINT64_MAX. */
static int read_number(const char *text, uint64_t *out)
{
	char *end;

	if (!strcmp(text, "max")) {
		*out = UINT64_MAX;
		return 0;
	}
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno || *end ? -EINVAL : 0;
}

int cgroup_store_type(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	return !strcmp(text, "threaded") ? -EOPNOTSUPP : -EINVAL;
}

static int store_max(struct cgroup *g, unsigned *to, const char *text)
{
	bool none = !strcmp(text, "max");
	int n = 0, r = none ? 0 : cgroup_read_int(text, &n);

	if (r || n < 0)
		return r ? r : -ERANGE;
	tasks_lock(g->k);
	*to = none ? UINT_MAX : (unsigned)n;
	tasks_unlock(g->k);
	return 0;
}

int cgroup_store_max_depth(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	return store_max(g, &g->max_depth, text);
}

int cgroup_store_max_descendants(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	return store_max(g, &g->max_below, text);
}

int cgroup_store_pids_max(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	uint64_t n;
	int r = read_number(text, &n);

	if (r)
		return r;
	if (n != UINT64_MAX && n >= 1u << 22)
		return -EINVAL;
	cgroup_set_max_tasks(g, n);
	return 0;
}

int cgroup_store_weight(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	uint64_t n;
	int r = read_number(text, &n);

	if (r)
		return r;
	if (n < 1 || n > 10000)
		return -ERANGE;
	tasks_lock(g->k);
	g->weight = (unsigned)n;
	tasks_unlock(g->k);
	return 0;
}

/* --- what is not enforced ------------------------------------------------------------------------- */

int cgroup_store_no_limit(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	char *end;

	if (!strcmp(text, "max"))
		return 0;
	(void)strtoull(text, &end, 0);
	return end == text || (*end && (!strchr("kKmMgGtT", *end) || end[1])) ? -EINVAL : -EOPNOTSUPP;
}

int cgroup_store_zero(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	uint64_t n;
	int r = read_number(text, &n);

	return r ? r : n ? -EOPNOTSUPP : 0;
}

/* "QUOTA", "QUOTA PERIOD", us. */
int cgroup_store_cpu_max(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	char *first = strsep(&text, " ");
	uint64_t quota, period = 0;
	bool says;
	int r = read_number(first, &quota);

	if (!r && text)
		r = read_number(text, &period);
	if (r || (text && (period < 1000 || period > 1000000)) || quota < 1000)
		return -EINVAL;
	tasks_lock(g->k);
	says = quota != UINT64_MAX && g->cpu_quota == UINT64_MAX;
	g->cpu_quota = quota;
	if (text)
		g->cpu_period = period;
	tasks_unlock(g->k);
	if (says)
		klog(g->k, KLOG_INFO, "cgroup: cpu.max of %s is kept, but of no effect", g->name);
	return 0;
}

/* All of them, or no choice. */
int cgroup_store_all_cpus(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	char all[24];

	snprintf(all, sizeof(all), t->k->cpus > 1 ? "0-%u" : "0", t->k->cpus - 1);
	return !*text || !strcmp(text, all) ? 0 : -EOPNOTSUPP;
}

/* There is one node. */
int cgroup_store_mems(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	return !*text || !strcmp(text, "0") ? 0 : -EINVAL;
}

/* There is no swap, so every limit of it is kept to, and none need be remembered. */
int cgroup_store_swap_max(struct file *f, struct task *t, struct cgroup *g, char *text)
{
	int r = cgroup_store_no_limit(f, t, g, text);

	return r == -EOPNOTSUPP ? 0 : r;
}
