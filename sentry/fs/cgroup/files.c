/*
 * files.c - the files of a container's control group, as a table: those of the controllers cpuset, cpu,
 * memory and pids.  Processor limits are the whole sandbox's; the limit of processes is the container's
 * own, and so is that of memory except for the first container, whose limit is the sandbox's.  Threads
 * of tasks, and the event thread (control.cgroup_read); no locks held.
 */
#include "fs/cgroup/cgroup.h"

#include "fs/tmpfs/tmpfs.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "mm/memfile.h"

#include <inttypes.h>

/* --- who is in it ----------------------------------------------------------------------- */

/* Calls fn for each living process of t's container that t's pid namespace sees. */
static void for_each(struct task *t, void (*fn)(struct thread_group *tg, pid_t nr, void *arg), void *arg)
{
	struct thread_group *tg;
	pid_t nr = 0;

	while ((tg = tg_next(task_pid_ns(t), nr, &nr))) {
		if (tg->quota == t->tg->quota)
			fn(tg, nr, arg);
		tg_put(tg);
	}
}

static void one_process(struct thread_group *tg, pid_t nr, void *arg)
{
	fprintf(arg, "%d\n", nr);
}

static void show_procs(FILE *f, struct task *t)
{
	for_each(t, one_process, f);
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

static void show_threads(FILE *f, struct task *t)
{
	for_each(t, its_threads, &(struct listing){ f, task_pid_ns(t) });
}

static void show_pids_current(FILE *f, struct task *t)
{
	unsigned n;

	tasks_lock(t->k);
	n = t->tg->quota->n;
	tasks_unlock(t->k);
	fprintf(f, "%u\n", n);
}

static void show_pids_max(FILE *f, struct task *t)
{
	unsigned max;

	tasks_lock(t->k);
	max = t->tg->quota->max;
	tasks_unlock(t->k);
	max ? fprintf(f, "%u\n", max) : fputs("max\n", f);
}

/* --- processors ---------------------------------------------------------------------------- */

static void show_cpus(FILE *f, struct task *t)
{
	fprintf(f, t->k->cpus > 1 ? "0-%u\n" : "%u\n", t->k->cpus - 1);
}

static void show_cpu_max(FILE *f, struct task *t)
{
	const struct kernel *k = t->k;

	if (k->cpu_quota)
		fprintf(f, "%" PRIu64 " %" PRIu64 "\n", k->cpu_quota, k->cpu_period);
	else
		fprintf(f, "max %" PRIu64 "\n", k->cpu_period);
}

static void add_times(struct thread_group *tg, pid_t nr, void *arg)
{
	struct usage_sum *sum = arg, own;

	tasks_lock(tg->k);
	tg_usage_locked(tg, &own);
	usage_add(sum, &own);
	usage_add(sum, &tg->reaped); /* each that has gone is in its parent's, once */
	tasks_unlock(tg->k);
}

static void show_cpu_stat(FILE *f, struct task *t)
{
	struct usage_sum sum = { 0 };

	for_each(t, add_times, &sum);
	fprintf(f, "usage_usec %" PRId64 "\nuser_usec %" PRId64 "\nsystem_usec %" PRId64 "\n", (sum.utime + sum.stime) / 1000, sum.utime / 1000,
		sum.stime / 1000);
	fputs("nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n", f);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void show_memory_current(FILE *f, struct task *t)
{
	fprintf(f, "%" PRIu64 "\n", oom_used(oom_domain_of(t->tg)));
}

static void show_memory_max(FILE *f, struct task *t)
{
	uint64_t limit = oom_limit(oom_domain_of(t->tg));

	limit ? fprintf(f, "%" PRIu64 "\n", limit) : fputs("max\n", f);
}

static void show_memory_events(FILE *f, struct task *t)
{
	struct oom_events e;

	oom_events(oom_domain_of(t->tg), &e);
	fprintf(f, "low 0\nhigh 0\nmax %" PRIu64 "\noom %" PRIu64 "\noom_kill %" PRIu64 "\noom_group_kill 0\n", e.max, e.oom, e.oom_kill);
}

static void show_memory_stat(FILE *f, struct task *t)
{
	uint64_t used = oom_used(oom_domain_of(t->tg)), shmem = tmpfs_bytes(), anon = used > shmem ? used - shmem : 0;

	fprintf(f, "anon %" PRIu64 "\nfile %" PRIu64 "\nkernel 0\nkernel_stack 0\npagetables 0\nsock 0\nshmem %" PRIu64 "\nfile_mapped 0\nfile_dirty 0\n", anon, shmem, shmem);
	fprintf(f, "file_writeback 0\ninactive_anon %" PRIu64 "\nactive_anon 0\ninactive_file 0\nactive_file 0\nunevictable 0\nslab 0\npgfault 0\npgmajfault 0\n", used);
}

/* ------------------------------------------------------------------------------------------------ */

const struct fixed_file cgroup_files[] = {
	{ .path = "cgroup.controllers", .text = "cpuset cpu memory pids\n" },
	{ .path = "cgroup.events", .text = "populated 1\nfrozen 0\n" },
	{ .path = "cgroup.freeze", .text = "0\n" },
	{ .path = "cgroup.max.depth", .text = "0\n" },
	{ .path = "cgroup.max.descendants", .text = "0\n" },
	{ .path = "cgroup.procs", .show = show_procs },
	{ .path = "cgroup.stat", .text = "nr_descendants 0\nnr_dying_descendants 0\n" },
	{ .path = "cgroup.subtree_control", .text = "" },
	{ .path = "cgroup.threads", .show = show_threads },
	{ .path = "cgroup.type", .text = "domain\n" },
	{ .path = "cpu.idle", .text = "0\n" },
	{ .path = "cpu.max", .show = show_cpu_max },
	{ .path = "cpu.max.burst", .text = "0\n" },
	{ .path = "cpu.stat", .show = show_cpu_stat },
	{ .path = "cpu.weight", .text = "100\n" },
	{ .path = "cpu.weight.nice", .text = "0\n" },
	{ .path = "cpuset.cpus", .text = "\n" },
	{ .path = "cpuset.cpus.effective", .show = show_cpus },
	{ .path = "cpuset.mems", .text = "\n" },
	{ .path = "cpuset.mems.effective", .text = "0\n" },
	{ .path = "memory.current", .show = show_memory_current },
	{ .path = "memory.events", .show = show_memory_events },
	{ .path = "memory.events.local", .show = show_memory_events },
	{ .path = "memory.high", .text = "max\n" },
	{ .path = "memory.low", .text = "0\n" },
	{ .path = "memory.max", .show = show_memory_max },
	{ .path = "memory.min", .text = "0\n" },
	{ .path = "memory.oom.group", .text = "0\n" },
	{ .path = "memory.stat", .show = show_memory_stat },
	{ .path = "memory.swap.current", .text = "0\n" },
	{ .path = "memory.swap.max", .text = "0\n" },
	{ .path = "pids.current", .show = show_pids_current },
	{ .path = "pids.max", .show = show_pids_max },
};
const size_t cgroup_n_files = sizeof(cgroup_files) / sizeof(cgroup_files[0]);
