/*
 * root.c - the top of /proc: files about the whole machine, as the container
 * is to see it, and the processes' directories.
 */
#include "fs/proc/options.h"

#include "abi/time.h"
#include "fs/tmpfs/tmpfs.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"
#include "mm/memfile.h"
#include "vfs/vfs.h"

#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NS INT64_C(1000000000)
#define TICK (NS / 100)

static SHOW(show_version)
{
	pprintf(b, "Linux version 6.6.0 (redoubt@localhost) (gcc) #1 SMP PREEMPT_DYNAMIC\n");
	return 0;
}

struct time_ns *proc_reader_time(void)
{
	struct task *t = task_current();

	return t && t->ns ? t->ns->time : NULL;
}

static SHOW(show_uptime)
{
	int64_t idle = now_monotonic() - c->k->boot_monotonic, up = time_ns_uptime(proc_reader_time(), idle);

	pprintf(b, "%" PRId64 ".%02" PRId64 " %" PRId64 ".00\n", up / NS, up % NS / (NS / 100), idle / NS);
	return 0;
}

static void count_tasks(struct kernel *k, const struct pid_ns *ns, unsigned *running, unsigned *total, pid_t *last)
{
	struct thread_group *tg;
	struct task *t;

	*running = *total = 0;
	tasks_lock(k);
	LIST_FOREACH (tg, &k->tasks->all, all_link)
		TAILQ_FOREACH (t, &tg->tasks, tg_link) {
			++*total;
			*running += t->state == 'R';
		}
	*last = ns->last_pid;
	tasks_unlock(k);
}

static SHOW(show_loadavg)
{
	struct task *reader = task_current();
	unsigned running, total;
	pid_t last;

	count_tasks(c->k, reader ? task_pid_ns(reader) : c->ns, &running, &total, &last);
	pprintf(b, "0.00 0.00 0.00 %u/%u %d\n", running, total, last);
	return 0;
}

static SHOW(show_meminfo)
{
	uint64_t total = c->k->memory_total / 1024, used = memfile_committed(c->k->memfile) / 1024;
	uint64_t unused = total > used ? total - used : 0, shmem = tmpfs_bytes() / 1024, anon = used > shmem ? used - shmem : 0;
	static const char *const zeros[] = { "Buffers", "SwapCached", "Unevictable", "Mlocked", "SwapTotal", "SwapFree", "Dirty", "Writeback" };

	pprintf(b, "MemTotal:       %8" PRIu64 " kB\nMemFree:        %8" PRIu64 " kB\nMemAvailable:   %8" PRIu64 " kB\n", total, unused, unused);
	for (size_t i = 0; i < 2; i++)
		pprintf(b, "%s:%*s%8d kB\n", zeros[i], (int)(15 - strlen(zeros[i])), "", 0);
	pprintf(b, "Cached:         %8" PRIu64 " kB\nActive:         %8" PRIu64 " kB\nInactive:       %8d kB\n", shmem, used, 0);
	for (size_t i = 2; i < sizeof(zeros) / sizeof(*zeros); i++)
		pprintf(b, "%s:%*s%8d kB\n", zeros[i], (int)(15 - strlen(zeros[i])), "", 0);
	pprintf(b, "AnonPages:      %8" PRIu64 " kB\nMapped:         %8d kB\nShmem:          %8" PRIu64 " kB\nSlab:           %8d kB\n", anon, 0, shmem, 0);
	pprintf(b, "CommitLimit:    %8" PRIu64 " kB\nCommitted_AS:   %8" PRIu64 " kB\nVmallocTotal:   34359738367 kB\nVmallocUsed:    %8d kB\n", total, used, 0);
	pprintf(b, "HugePages_Total:   %5d\nHugePages_Free:    %5d\nHugepagesize:       2048 kB\n", 0, 0);
	return 0;
}

static void cpu_strings(char vendor[13], char brand[49], unsigned *family, unsigned *model, unsigned *stepping)
{
	unsigned a, bx, cx, dx;

	memset(vendor, 0, 13);
	memset(brand, 0, 49);
	*family = *model = *stepping = 0;
	if (__get_cpuid(0, &a, &bx, &cx, &dx)) {
		memcpy(vendor, &bx, 4);
		memcpy(vendor + 4, &dx, 4);
		memcpy(vendor + 8, &cx, 4);
	}
	if (__get_cpuid(1, &a, &bx, &cx, &dx)) {
		*stepping = a & 15;
		*family = (a >> 8 & 15) + ((a >> 8 & 15) == 15 ? a >> 20 & 255 : 0);
		*model = (a >> 4 & 15) | (a >> 12 & 0xf0);
	}
	for (unsigned leaf = 0; leaf < 3; leaf++) {
		unsigned v[4];

		if (!__get_cpuid(0x80000002 + leaf, &v[0], &v[1], &v[2], &v[3]))
			return;
		memcpy(brand + leaf * 16, v, 16);
	}
}

/* The names of CPUID bits that programs look for, in the kernel's order. */
static void cpu_flags(struct pbuf *b)
{
	static const struct {
		unsigned leaf, reg, bit;
		const char *name;
	} flags[] = {
		{ 1, 3, 0, "fpu" }, { 1, 3, 4, "tsc" }, { 1, 3, 5, "msr" }, { 1, 3, 6, "pae" }, { 1, 3, 8, "cx8" }, { 1, 3, 9, "apic" }, { 1, 3, 15, "cmov" },
		{ 1, 3, 16, "pat" }, { 1, 3, 19, "clflush" }, { 1, 3, 23, "mmx" }, { 1, 3, 24, "fxsr" }, { 1, 3, 25, "sse" }, { 1, 3, 26, "sse2" },
		{ 1, 3, 28, "ht" }, { 0x80000001, 3, 11, "syscall" }, { 0x80000001, 3, 20, "nx" }, { 0x80000001, 3, 27, "rdtscp" },
		{ 0x80000001, 3, 29, "lm" }, { 1, 2, 0, "pni" }, { 1, 2, 1, "pclmulqdq" }, { 1, 2, 9, "ssse3" }, { 1, 2, 12, "fma" }, { 1, 2, 13, "cx16" },
		{ 1, 2, 19, "sse4_1" }, { 1, 2, 20, "sse4_2" }, { 1, 2, 22, "movbe" }, { 1, 2, 23, "popcnt" }, { 1, 2, 25, "aes" }, { 1, 2, 26, "xsave" },
		{ 1, 2, 28, "avx" }, { 1, 2, 29, "f16c" }, { 1, 2, 30, "rdrand" }, { 0x80000001, 2, 0, "lahf_lm" }, { 0x80000001, 2, 5, "abm" },
		{ 7, 1, 0, "fsgsbase" }, { 7, 1, 3, "bmi1" }, { 7, 1, 5, "avx2" }, { 7, 1, 8, "bmi2" }, { 7, 1, 9, "erms" }, { 7, 1, 16, "avx512f" },
		{ 7, 1, 17, "avx512dq" }, { 7, 1, 18, "rdseed" }, { 7, 1, 19, "adx" }, { 7, 1, 29, "sha_ni" }, { 7, 1, 30, "avx512bw" }, { 7, 1, 31, "avx512vl" },
		{ 7, 2, 22, "rdpid" }, { 7, 3, 4, "fsrm" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		unsigned r[4];

		if (__get_cpuid_count(flags[i].leaf, 0, &r[0], &r[1], &r[2], &r[3]) && r[flags[i].reg] >> flags[i].bit & 1)
			pprintf(b, " %s", flags[i].name);
	}
}

static SHOW(show_cpuinfo)
{
	char vendor[13], brand[49];
	unsigned family, model, stepping;

	cpu_strings(vendor, brand, &family, &model, &stepping);
	for (unsigned i = 0; i < c->k->cpus; i++) {
		pprintf(b, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", i, vendor, family, model,
			brand, stepping);
		pprintf(b, "cpu MHz\t\t: 2000.000\ncache size\t: 512 KB\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", c->k->cpus, i,
			c->k->cpus);
		pprintf(b, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\nflags\t\t:");
		cpu_flags(b);
		pprintf(b, "\nbugs\t\t:\nbogomips\t: 4000.00\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 48 bits physical, 48 bits virtual\npower management:\n\n");
	}
	return 0;
}

static SHOW(show_stat_global)
{
	int64_t idle = (now_monotonic() - c->k->boot_monotonic) / TICK, user = 0, sys = 0;
	struct thread_group *tg;
	unsigned running, total;
	uint64_t forks;
	pid_t last;

	tasks_lock(c->k);
	LIST_FOREACH (tg, &c->k->tasks->all, all_link) {
		struct usage_sum u;

		tg_usage_locked(tg, &u);
		user += u.utime / TICK;
		sys += u.stime / TICK;
	}
	forks = c->k->tasks->n_forks;
	tasks_unlock(c->k);
	count_tasks(c->k, c->ns, &running, &total, &last);
	pprintf(b, "cpu  %" PRId64 " 0 %" PRId64 " %" PRId64 " 0 0 0 0 0 0\n", user, sys, idle * c->k->cpus);
	for (unsigned i = 0; i < c->k->cpus; i++)
		pprintf(b, "cpu%u %" PRId64 " 0 %" PRId64 " %" PRId64 " 0 0 0 0 0 0\n", i, user / c->k->cpus, sys / c->k->cpus, idle);
	pprintf(b, "intr 0\nctxt 0\nbtime %" PRId64 "\nprocesses %" PRIu64 "\nprocs_running %u\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		(c->k->boot_realtime - time_ns_offset(proc_reader_time(), LINUX_CLOCK_BOOTTIME)) / NS, forks, running ? running : 1);
	return 0;
}

static SHOW(show_filesystems)
{
	pprintf(b, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tramfs\nnodev\tproc\nnodev\tdevpts\nnodev\toverlay\nnodev\tmqueue\nnodev\tcgroup2\n");
	return 0;
}

static SHOW(show_cmdline)
{
	pprintf(b, "BOOT_IMAGE=/vmlinuz-6.6.0 quiet\n");
	return 0;
}

static SHOW(show_devices)
{
	pprintf(b, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n");
	return 0;
}

static SHOW(show_swaps)
{
	pprintf(b, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static SHOW(show_partitions)
{
	pprintf(b, "major minor  #blocks  name\n\n");
	return 0;
}

static SHOW(show_nothing)
{
	pappend(b, "", 0);
	return 0;
}

static SHOW(show_cgroups)
{
	static const char *const names[] = { "cpuset", "cpu", "cpuacct", "memory", "pids" };

	pprintf(b, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		pprintf(b, "%s\t0\t1\t1\n", names[i]);
	return 0;
}

static SHOW(show_vmstat)
{
	uint64_t used = memfile_committed(c->k->memfile) / PAGE_SIZE, total = c->k->memory_total / PAGE_SIZE;

	pprintf(b, "nr_free_pages %" PRIu64 "\nnr_anon_pages %" PRIu64 "\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\noom_kill %" PRIu64 "\n",
		total > used ? total - used : 0, used, oom_kills(c->k));
	return 0;
}

static int link_self(struct pctx *c, struct pbuf *b)
{
	struct task *t = task_current();
	pid_t nr;

	if (!t)
		return -ENOENT;
	if (!(nr = tg_nr(t->tg, c->ns)))
		return -ENOENT;
	pprintf(b, "%d", nr);
	return 0;
}

static int link_thread_self(struct pctx *c, struct pbuf *b)
{
	struct task *t = task_current();
	pid_t nr;

	if (!t)
		return -ENOENT;
	if (!(nr = tg_nr(t->tg, c->ns)))
		return -ENOENT;
	pprintf(b, "%d/task/%d", nr, pid_nr(t->pid, c->ns));
	return 0;
}

static int link_mounts(struct pctx *c, struct pbuf *b)
{
	pprintf(b, "self/mounts");
	return 0;
}

static int link_net(struct pctx *c, struct pbuf *b)
{
	pprintf(b, "self/net");
	return 0;
}

/* --- processes ------------------------------------------------------------------ */
static int pid_lookup(struct pctx *c, const struct qstr *name, struct pnode *out)
{
	struct thread_group *tg;
	int nr;

	if (!parse_number(name, &nr))
		return -ENOENT;
	tg = tg_find(c->ns, nr);
	if (!tg) {
		/* a thread's number works too, though it is not listed */
		struct task *t = task_find(c->ns, nr);

		if (!t)
			return -ENOENT;
		tg = t->tg;
		ref_get(&tg->ref);
		task_put(t);
	}
	*out = (struct pnode){ .e = &proc_pid_entry, .pid = tg->tgid, .start = tg->start_time, .fd = -1 };
	tg_put(tg);
	return c->super && c->super->hide == PROC_HIDE_UNTRACEABLE && !proc_shows_node(c, out, PROC_HIDE_UNTRACEABLE) ? -ENOENT : 0;
}

static bool pid_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out)
{
	do {
		pid_t nr;
		struct thread_group *tg = tg_next(c->ns, (pid_t)*pos - 1 < 0 ? 0 : (pid_t)*pos - 1, &nr);

		if (!tg)
			return false;
		*out = (struct pnode){ .e = &proc_pid_entry, .pid = tg->tgid, .start = tg->start_time, .fd = -1 };
		snprintf(name, 32, "%d", nr);
		*pos = nr + 1;
		tg_put(tg);
	} while (!proc_shows_node(c, out, PROC_HIDE_OTHERS));
	return true;
}

#define FILE_(n, f) { .name = n, .kind = P_FILE, .mode = 0444, .show = f }
#define LINK_(n, f) { .name = n, .kind = P_LINK, .mode = 0777, .link = f }
static const struct pentry root_table[] = {
	{ .name = "self", .kind = P_LINK, .mode = 0777, .link = link_self, .flags = PE_PIDS },
	{ .name = "thread-self", .kind = P_LINK, .mode = 0777, .link = link_thread_self, .flags = PE_PIDS },
	LINK_("mounts", link_mounts),
	LINK_("net", link_net),
	FILE_("cgroups", show_cgroups),
	FILE_("cmdline", show_cmdline),
	FILE_("cpuinfo", show_cpuinfo),
	FILE_("devices", show_devices),
	FILE_("diskstats", show_nothing),
	FILE_("filesystems", show_filesystems),
	FILE_("interrupts", show_nothing),
	FILE_("loadavg", show_loadavg),
	FILE_("locks", show_locks),
	FILE_("meminfo", show_meminfo),
	FILE_("modules", show_nothing),
	FILE_("partitions", show_partitions),
	FILE_("stat", show_stat_global),
	FILE_("swaps", show_swaps),
	FILE_("uptime", show_uptime),
	FILE_("version", show_version),
	FILE_("vmstat", show_vmstat),
	{ .name = "sys", .kind = P_DIR, .mode = 0555, .table = proc_sys_table },
	{ .name = "sysvipc", .kind = P_DIR, .mode = 0555, .table = proc_sysvipc_table },
	{ .name = NULL },
};
const struct pentry proc_root_entry = { .name = "/", .kind = P_DIR, .mode = 0555, .table = root_table, .lookup = pid_lookup, .next = pid_next };
