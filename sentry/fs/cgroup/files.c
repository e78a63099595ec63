/*
 * files.c - the files of control groups, as a table: those of every group, and of the controllers cpuset, cpu,
 * memory and pids.  Of a container's own group, processor limits are the whole sandbox's; the limit of processes is
 * the container's own, and so is that of memory except for the first container, whose limit is the sandbox's.
 * Memory of a group below it is what its processes hold.  Threads of tasks, and the event thread
 * (control.cgroup_read); no locks held.
 */
#include "fs/cgroup/cgroup.h"

#include "fs/tmpfs/tmpfs.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "mm/memfile.h"

#include <inttypes.h>
#include <limits.h>

/* --- the group ---------------------------------------------------------------------------- */

static void show_controllers_of(FILE *f, unsigned bits)
{
	static const char *const names[] = { "cpuset", "cpu", "memory", "pids" };
	const char *space = "";

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(bits & 1u << i))
			continue;
		fprintf(f, "%s%s", space, names[i]);
		space = " ";
	}
	fputc('\n', f);
}

static void show_controllers(FILE *f, struct task *t, struct cgroup *g)
{
	unsigned bits;

	tasks_lock(g->k);
	bits = cgroup_controllers_locked(g);
	tasks_unlock(g->k);
	show_controllers_of(f, bits);
}

static void show_control(FILE *f, struct task *t, struct cgroup *g)
{
	unsigned bits;

	tasks_lock(g->k);
	bits = g->control;
	tasks_unlock(g->k);
	show_controllers_of(f, bits);
}

static void show_events(FILE *f, struct task *t, struct cgroup *g)
{
	bool live;

	tasks_lock(g->k);
	live = g->live;
	tasks_unlock(g->k);
	fprintf(f, "populated %d\nfrozen %d\n", live, cgroup_is_frozen(g));
}

static void show_freeze(FILE *f, struct task *t, struct cgroup *g)
{
	bool freeze;

	tasks_lock(g->k);
	freeze = g->freeze;
	tasks_unlock(g->k);
	fprintf(f, "%d\n", freeze);
}

static unsigned value_of(const struct cgroup *g, const unsigned *at)
{
	unsigned n;

	tasks_lock(g->k);
	n = *at;
	tasks_unlock(g->k);
	return n;
}

static void show_stat(FILE *f, struct task *t, struct cgroup *g)
{
	fprintf(f, "nr_descendants %u\nnr_dying_descendants 0\n", value_of(g, &g->below));
}

static void show_max(FILE *f, struct cgroup *g, const unsigned *from)
{
	unsigned n = value_of(g, from);

	n == UINT_MAX ? fputs("max\n", f) : fprintf(f, "%u\n", n);
}

static void show_max_depth(FILE *f, struct task *t, struct cgroup *g)
{
	show_max(f, g, &g->max_depth);
}

static void show_max_descendants(FILE *f, struct task *t, struct cgroup *g)
{
	show_max(f, g, &g->max_below);
}

/* --- who is in it ----------------------------------------------------------------------- */

/* Calls fn for each living process of g, and of what is below it, that t's pid namespace sees. */
static void for_each(struct task *t, struct cgroup *g, bool below, void (*fn)(struct thread_group *tg, pid_t nr, void *arg), void *arg)
{
	struct thread_group *tg;
	struct cgroup *its;
	pid_t nr = 0;
	bool is;

	while ((tg = tg_next(task_pid_ns(t), nr, &nr))) {
		tasks_lock(g->k);
		its = tg->in_cgroup ? tg->cgroup : NULL;
		is = its == g || (its && below && cgroup_is_below(its, g));
		tasks_unlock(g->k);
		if (is)
			fn(tg, nr, arg);
		tg_put(tg);
	}
}

static void one_process(struct thread_group *tg, pid_t nr, void *arg)
{
	fprintf(arg, "%d\n", nr);
}

static void show_procs(FILE *f, struct task *t, struct cgroup *g)
{
	for_each(t, g, false, one_process, f);
}

struct listing {
	FILE *f;
	const struct pid_ns *ns; /* whose numbers are shown */
};

static void its_threads(struct thread_group *tg, pid_t nr, void *arg)
{
	const struct listing *l = arg;
	struct task *one;
	pid_t after = 0;

	while ((one = tg_next_task(tg, after))) {
		after = one->tid;
		fprintf(l->f, "%d\n", pid_nr(one->pid, l->ns));
		task_put(one);
	}
}

static void show_threads(FILE *f, struct task *t, struct cgroup *g)
{
	for_each(t, g, false, its_threads, &(struct listing){ f, task_pid_ns(t) });
}

static void show_pids_current(FILE *f, struct task *t, struct cgroup *g)
{
	fprintf(f, "%u\n", value_of(g, &g->tasks));
}

static void show_pids_max(FILE *f, struct task *t, struct cgroup *g)
{
	unsigned max;
	bool has;

	tasks_lock(g->k);
	max = g->max_tasks;
	has = g->has_max_tasks;
	tasks_unlock(g->k);
	has ? fprintf(f, "%u\n", max) : fputs("max\n", f);
}

static void show_pids_events(FILE *f, struct task *t, struct cgroup *g)
{
	uint64_t n;

	tasks_lock(g->k);
	n = g->refused;
	tasks_unlock(g->k);
	fprintf(f, "max %" PRIu64 "\n", n);
}

/* --- processors ---------------------------------------------------------------------------- */

static void show_cpus(FILE *f, struct task *t, struct cgroup *g)
{
	fprintf(f, t->k->cpus > 1 ? "0-%u\n" : "%u\n", t->k->cpus - 1);
}

static void show_cpu_max(FILE *f, struct task *t, struct cgroup *g)
{
	const struct kernel *k = t->k;
	uint64_t quota = k->cpu_quota ? k->cpu_quota : UINT64_MAX, period = k->cpu_period;

	if (g->parent) {
		tasks_lock(g->k);
		quota = g->cpu_quota;
		period = g->cpu_period;
		tasks_unlock(g->k);
	}
	if (quota != UINT64_MAX)
		fprintf(f, "%" PRIu64 " %" PRIu64 "\n", quota, period);
	else
		fprintf(f, "max %" PRIu64 "\n", period);
}

static void show_cpu_stat(FILE *f, struct task *t, struct cgroup *g)
{
	int64_t utime, stime;

	cgroup_cpu(g, &utime, &stime);
	fprintf(f, "usage_usec %" PRId64 "\nuser_usec %" PRId64 "\nsystem_usec %" PRId64 "\n", (utime + stime) / 1000, utime / 1000, stime / 1000);
	fputs("nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n", f);
}

static void show_weight(FILE *f, struct task *t, struct cgroup *g)
{
	unsigned n;

	tasks_lock(g->k);
	n = g->weight;
	tasks_unlock(g->k);
	fprintf(f, "%u\n", n);
}

/* --- memory ---------------------------------------------------------------------------------- */

struct held { /* bytes */
	uint64_t anon, shmem;
};

static void add_memory(struct thread_group *tg, pid_t nr, void *arg)
{
	struct task *t = tg_any_task(tg);
	struct mm *mm = t ? task_get_mm(t) : NULL;
	struct held *sum = arg;
	struct mm_usage u;

	if (mm) {
		mm_usage(mm, &u);
		sum->anon += u.rss_anon;
		sum->shmem += u.rss_shmem;
		mm_put(mm);
	}
	task_put(t);
}

/* A container's is counted by its pages, a group's below it by its processes. */
static struct held held_by(struct task *t, struct cgroup *g)
{
	uint64_t used = g->parent ? 0 : oom_used(oom_domain_of(t->tg)), files = g->parent ? 0 : tmpfs_bytes();
	struct held sum = { used > files ? used - files : 0, files };

	if (g->parent)
		for_each(t, g, true, add_memory, &sum);
	return sum;
}

static void show_memory_current(FILE *f, struct task *t, struct cgroup *g)
{
	struct held h = held_by(t, g);

	fprintf(f, "%" PRIu64 "\n", g->parent ? h.anon + h.shmem : oom_used(oom_domain_of(t->tg)));
}

static void show_memory_max(FILE *f, struct task *t, struct cgroup *g)
{
	uint64_t limit = g->parent ? 0 : oom_limit(oom_domain_of(t->tg));

	limit ? fprintf(f, "%" PRIu64 "\n", limit) : fputs("max\n", f);
}

/* There is no swap: any limit of it is kept to. */
static void show_swap_max(FILE *f, struct task *t, struct cgroup *g)
{
	fputs(g->parent ? "max\n" : "0\n", f);
}

static void show_memory_events(FILE *f, struct task *t, struct cgroup *g)
{
	struct oom_events e = { 0 };

	if (!g->parent)
		oom_events(oom_domain_of(t->tg), &e);
	fprintf(f, "low 0\nhigh 0\nmax %" PRIu64 "\noom %" PRIu64 "\noom_kill %" PRIu64 "\noom_group_kill 0\n", e.max, e.oom, e.oom_kill);
}

static void show_memory_stat(FILE *f, struct task *t, struct cgroup *g)
{
	struct held h = held_by(t, g);

	fprintf(f, "anon %" PRIu64 "\nfile %" PRIu64 "\nkernel 0\nkernel_stack 0\npagetables 0\nsock 0\nshmem %" PRIu64 "\nfile_mapped 0\nfile_dirty 0\n", h.anon,
		h.shmem, h.shmem);
	fprintf(f, "file_writeback 0\ninactive_anon %" PRIu64 "\nactive_anon 0\ninactive_file 0\nactive_file 0\nunevictable 0\nslab 0\npgfault 0\npgmajfault 0\n",
		h.anon + h.shmem);
}

/* ------------------------------------------------------------------------------------------------ */

#define CORE(n) .name = "cgroup." n
#define CPU(n) .name = "cpu." n, .controllers = CGROUP_CPU
#define CPUSET(n) .name = "cpuset." n, .controllers = CGROUP_CPUSET
#define MEM(n) .name = "memory." n, .controllers = CGROUP_MEMORY
#define PIDS(n) .name = "pids." n, .controllers = CGROUP_PIDS

const struct cgroup_file cgroup_files[] = {
	{ CORE("controllers"), .show = show_controllers },
	{ CORE("events"), .show = show_events, .polled = true, .told = CGROUP_EVENTS },
	{ CORE("freeze"), .show = show_freeze, .store = cgroup_store_freeze },
	{ CORE("kill"), .blind = true, .store = cgroup_store_kill },
	{ CORE("max.depth"), .show = show_max_depth, .store = cgroup_store_max_depth },
	{ CORE("max.descendants"), .show = show_max_descendants, .store = cgroup_store_max_descendants },
	{ CORE("procs"), .show = show_procs, .store = cgroup_store_procs, .delegated = true },
	{ CORE("stat"), .show = show_stat },
	{ CORE("subtree_control"), .show = show_control, .store = cgroup_store_control, .delegated = true },
	{ CORE("threads"), .show = show_threads, .store = cgroup_store_threads, .delegated = true },
	{ CORE("type"), .text = "domain\n", .store = cgroup_store_type },
	{ CPU("idle"), .text = "0\n", .store = cgroup_store_zero },
	{ CPU("max"), .show = show_cpu_max, .store = cgroup_store_cpu_max },
	{ CPU("max.burst"), .text = "0\n", .store = cgroup_store_zero },
	{ .name = "cpu.stat", .show = show_cpu_stat },
	{ CPU("weight"), .show = show_weight, .store = cgroup_store_weight },
	{ CPU("weight.nice"), .text = "0\n", .store = cgroup_store_zero },
	{ CPUSET("cpus"), .text = "\n", .store = cgroup_store_all_cpus },
	{ CPUSET("cpus.effective"), .show = show_cpus },
	{ CPUSET("mems"), .text = "\n", .store = cgroup_store_mems },
	{ CPUSET("mems.effective"), .text = "0\n" },
	{ MEM("current"), .show = show_memory_current },
	{ MEM("events"), .show = show_memory_events },
	{ MEM("events.local"), .show = show_memory_events },
	{ MEM("high"), .text = "max\n", .store = cgroup_store_no_limit },
	{ MEM("low"), .text = "0\n", .store = cgroup_store_zero },
	{ MEM("max"), .show = show_memory_max, .store = cgroup_store_no_limit },
	{ MEM("min"), .text = "0\n", .store = cgroup_store_zero },
	{ MEM("oom.group"), .text = "0\n", .store = cgroup_store_zero },
	{ MEM("stat"), .show = show_memory_stat },
	{ MEM("swap.current"), .text = "0\n" },
	{ MEM("swap.max"), .show = show_swap_max, .store = cgroup_store_swap_max },
	{ PIDS("current"), .show = show_pids_current },
	{ PIDS("events"), .show = show_pids_events, .polled = true, .told = CGROUP_PIDS_EVENTS },
	{ PIDS("max"), .show = show_pids_max, .store = cgroup_store_pids_max },
};
const size_t cgroup_n_files = sizeof(cgroup_files) / sizeof(cgroup_files[0]);
