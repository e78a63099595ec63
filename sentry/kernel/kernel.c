/*
 * kernel.c - makes the parts of struct kernel that this layer owns.
 */
#include "kernel/kernel.h"

#include "kernel/bpf.h"
#include "kernel/cgroup.h"
#include "kernel/futex.h"
#include "kernel/klog.h"
#include "kernel/oom.h"
#include "kernel/pid.h"
#include "kernel/sigio.h"
#include "kernel/task_table.h"
#include "kernel/timer_queue.h"
#include "kernel/trace.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

int kernel_init(struct kernel *k)
{
	cpu_set_t set;

	mutex_init(&k->containers_mu, RANK_CONTROL);
	if (!k->cpus)
		k->cpus = !sched_getaffinity(0, sizeof(set), &set) ? (unsigned)CPU_COUNT(&set) : 1;
	if (k->cpus > 1024)
		k->cpus = 1024;
	if (!k->memory_total)
		k->memory_total = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_SIZE;
	k->boot_monotonic = now_monotonic();
	k->boot_realtime = now_realtime();
	k->memory_host = k->memory_total;
	k->cpu_period = 100000;
	k->klog = klog_new();
	k->oom = oom_new(k);
	k->tasks = task_table_new();
	k->futexes = futex_table_new();
	k->timers = timer_queue_new();
	k->cgroups = cgroups_new(k);
	k->bpf = bpf_progs_new();
	k->sigios = sigio_queue_new();
	k->root_pids = pid_ns_new(k, NULL, NULL);
	k->tracer = tracer_new();
	return k->klog && k->cgroups && k->bpf && k->oom && k->tasks && k->futexes && k->timers && k->sigios && k->root_pids && k->tracer ? 0 : -ENOMEM;
}
