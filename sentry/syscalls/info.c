/*
 * info.c - what the system is: uname, sysinfo, getrandom, membarrier.
 */
#include "abi/capability.h"
#include "fs/tmpfs/tmpfs.h"
#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"
#include "mm/memfile.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/random.h>

#define UTS_RELEASE "6.6.0-redoubt"
#define UTS_VERSION "#1 SMP PREEMPT_DYNAMIC Redoubt " REDOUBT_VERSION

struct linux_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

int64_t sys_uname(struct task *t, const uint64_t a[6])
{
	struct linux_utsname u = { .sysname = "Linux", .release = UTS_RELEASE, .version = UTS_VERSION, .machine = "x86_64" };
	struct uts_ns *ns = t->ns->uts;

	mutex_lock(&ns->mu);
	memcpy(u.nodename, ns->nodename, sizeof(u.nodename));
	memcpy(u.domainname, ns->domainname, sizeof(u.domainname));
	mutex_unlock(&ns->mu);
	if ((t->personality & 0xff) == 8) /* PER_LINUX32 */
		strcpy(u.machine, "i686");
	if (t->personality & 0x0020000) /* UNAME26 */
		strcpy(u.release, "2.6.60");
	return copy_to_user(t->mm, UADDR(a[0]), &u, sizeof(u));
}

static int64_t set_name(struct task *t, const uint64_t a[6], bool domain)
{
	struct uts_ns *ns = t->ns->uts;
	char tmp[65] = { 0 };
	int len = (int)a[1];

	if (!cred_capable_in(t->cred, ns->owner, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > 64)
		return -EINVAL;
	if (copy_from_user(t->mm, tmp, UADDR(a[0]), (size_t)len))
		return -EFAULT;
	mutex_lock(&ns->mu);
	memcpy(domain ? ns->domainname : ns->nodename, tmp, sizeof(tmp));
	mutex_unlock(&ns->mu);
	uts_ns_changed(ns, domain);
	return 0;
}

int64_t sys_sethostname(struct task *t, const uint64_t a[6])
{
	return set_name(t, a, false);
}

int64_t sys_setdomainname(struct task *t, const uint64_t a[6])
{
	return set_name(t, a, true);
}

struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint32_t pad2;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit, pad3;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "sysinfo");

int64_t sys_sysinfo(struct task *t, const uint64_t a[6])
{
	struct linux_sysinfo s = { .mem_unit = 1, .totalram = t->k->memory_total };
	uint64_t used = memfile_committed(t->k->memfile);

	s.uptime = time_ns_uptime(t->ns->time, now_monotonic() - t->k->boot_monotonic) / 1000000000;
	s.sharedram = tmpfs_bytes();
	s.freeram = used < s.totalram ? s.totalram - used : 0;
	tasks_lock(t->k);
	s.procs = (uint16_t)t->k->tasks->n_tasks;
	tasks_unlock(t->k);
	return copy_to_user(t->mm, UADDR(a[0]), &s, sizeof(s));
}

#define GRND_KNOWN 7u
#define GRND_INSECURE_RANDOM 6u

int64_t sys_getrandom(struct task *t, const uint64_t a[6])
{
	uint64_t len = a[1] > MAX_RW_COUNT ? MAX_RW_COUNT : a[1], done = 0;
	unsigned flags = (unsigned)a[2];
	uint8_t buf[1024];

	if (flags & ~GRND_KNOWN || (flags & GRND_INSECURE_RANDOM) == GRND_INSECURE_RANDOM)
		return -EINVAL;
	while (done < len) {
		size_t n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		ssize_t got = getrandom(buf, n, 0);

		if (got <= 0)
			break;
		if (copy_to_user(t->mm, uaddr_add(UADDR(a[0]), done), buf, (size_t)got))
			return done ? (int64_t)done : -EFAULT;
		done += (uint64_t)got;
		if (done < len && done >= 256 && task_interrupted(t))
			break;
	}
	explicit_bzero(buf, sizeof(buf));
	return (int64_t)done;
}

/* --- memory barriers --------------------------------------------------------------------- */

enum {
	MB_QUERY = 0,
	MB_GLOBAL = 1,
	MB_GLOBAL_EXPEDITED = 2,
	MB_REGISTER_GLOBAL_EXPEDITED = 4,
	MB_PRIVATE_EXPEDITED = 8,
	MB_REGISTER_PRIVATE_EXPEDITED = 16,
};
#define MB_KNOWN (MB_GLOBAL | MB_GLOBAL_EXPEDITED | MB_REGISTER_GLOBAL_EXPEDITED | MB_PRIVATE_EXPEDITED | MB_REGISTER_PRIVATE_EXPEDITED)

/* Interrupting a stub thread makes its processor go through the host kernel,
 * a full barrier; the call is asynchronous, so wait until each that ran has come out. */
static void barrier(struct task *t, bool all)
{
	struct thread_group *tg;
	struct task *o;

	atomic_thread_fence(memory_order_seq_cst);
	tasks_lock(t->k);
	LIST_FOREACH(tg, &t->k->tasks->all, all_link)
		TAILQ_FOREACH(o, &tg->tasks, tg_link) {
			uint64_t was;

			if (o == t || !o->ctx || (!all && o->mm != t->mm))
				continue;
			was = atomic_load(&o->cpu.program);
			if (!task_cpu_in_program(was))
				continue;
			platform_interrupt(o->ctx);
			while (atomic_load(&o->cpu.program) == was)
				sched_yield();
		}
	tasks_unlock(t->k);
}

int64_t sys_membarrier(struct task *t, const uint64_t a[6])
{
	if ((unsigned)a[1])
		return -EINVAL;
	switch ((int)a[0]) {
	case MB_QUERY:
		return MB_KNOWN;
	case MB_GLOBAL:
	case MB_GLOBAL_EXPEDITED:
		barrier(t, true);
		return 0;
	case MB_PRIVATE_EXPEDITED:
		if (!mm_barriers(t->mm))
			return -EPERM;
		barrier(t, false);
		return 0;
	case MB_REGISTER_PRIVATE_EXPEDITED:
		mm_set_barriers(t->mm);
		return 0;
	case MB_REGISTER_GLOBAL_EXPEDITED:
		return 0;
	default:
		return -EINVAL;
	}
}
