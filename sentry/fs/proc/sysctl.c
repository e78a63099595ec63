/*
 * sysctl.c - /proc/sys: settings that programs read; few can be changed, and
 * only what has an effect.
 */
#include "fs/proc/sysctl.h"

#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

TEXT(show_zero, "0")
TEXT(show_one, "1")
TEXT(show_two, "2")
TEXT(show_ostype, "Linux")
TEXT(show_osrelease, "6.6.0")
TEXT(show_sysversion, "#1 SMP PREEMPT_DYNAMIC")
TEXT(show_core_pattern, "core")
TEXT(show_file_max, "9223372036854775807")
TEXT(show_file_nr, "0\t0\t9223372036854775807")
TEXT(show_nr_open, "1048576")
TEXT(show_aio_max, "65536")
TEXT(show_pipe_max, "1048576")
TEXT(show_inotify_instances, "128")
TEXT(show_inotify_watches, "65536")
TEXT(show_inotify_queue, "16384")
TEXT(show_max_map_count, "65530")
TEXT(show_mmap_min_addr, "524288")
TEXT(show_overcommit_ratio, "50")
TEXT(show_swappiness, "60")
TEXT(show_ngroups, "65536")
TEXT(show_threads_max, "16384")
TEXT(show_cap_last, "40")
TEXT(show_sched_rr, "100")
TEXT(show_rtsig, "32")
TEXT(show_overflow, "65534")
TEXT(show_arch, "x86_64")
TEXT(show_seccomp_actions, "kill_process kill_thread trap errno user_notif trace log allow")

static SHOW(show_pid_max)
{
	pprintf(b, "%d\n", PID_MAX);
	return 0;
}

static SHOW(show_aio_nr)
{
	pprintf(b, "%u\n", atomic_load(&c->k->aio_nr));
	return 0;
}

static int show_name(struct pbuf *b, bool domain)
{
	struct task *t = task_current();
	struct uts_ns *ns = t ? t->ns->uts : NULL;

	if (!ns)
		return -ESRCH;
	mutex_lock(&ns->mu);
	pprintf(b, "%s\n", domain ? ns->domainname : ns->nodename);
	mutex_unlock(&ns->mu);
	return 0;
}

static SHOW(show_hostname)
{
	return show_name(b, false);
}

static SHOW(show_domainname)
{
	return show_name(b, true);
}

static void put_uts(void *ns)
{
	uts_ns_put(ns);
}

/* Those of who opens the file. */
static int watch_name(struct pwatch *out, bool domain)
{
	struct task *t = task_current();

	if (!t)
		return -ESRCH;
	uts_ns_get(t->ns->uts);
	*out = (struct pwatch){ &t->ns->uts->wq, &t->ns->uts->changes[domain], put_uts, t->ns->uts };
	return 0;
}

static int watch_hostname(struct pctx *c, struct pwatch *out)
{
	return watch_name(out, false);
}

static int watch_domainname(struct pctx *c, struct pwatch *out)
{
	return watch_name(out, true);
}

static ssize_t store_name(char *text, size_t n, bool domain)
{
	struct task *t = task_current();
	size_t len = strcspn(text, "\n");

	if (!t || !cred_capable(t->cred, 21 /* CAP_SYS_ADMIN */))
		return -EPERM; /* without a task: a container's specification, which has members of its own for the names */
	text[len < 64 ? len : 64] = 0;
	uts_ns_set(t->ns->uts, domain ? NULL : text, domain ? text : NULL);
	return (ssize_t)n;
}

static ssize_t store_hostname(struct pctx *c, char *text, size_t n)
{
	return store_name(text, n, false);
}

static ssize_t store_domainname(struct pctx *c, char *text, size_t n)
{
	return store_name(text, n, true);
}

/* --- of the IPC namespace ----------------------------------------------------------- */

static int show_ipc(struct pctx *c, struct pbuf *b, const char *dir)
{
	struct task *t = task_current();
	char name[64], text[128];

	snprintf(name, sizeof(name), "%s.%s", dir, c->node->e->name);
	if (!t || ipc_sysctl_show(t->ns->ipc, name, text, sizeof(text)))
		return -ESRCH;
	pprintf(b, "%s\n", text);
	return 0;
}

/* Without a task: a container's specification, which says it to the namespace itself. */
static ssize_t store_ipc(struct pctx *c, const char *text, size_t n, const char *dir)
{
	struct task *t = task_current();
	char name[64];
	int r;

	snprintf(name, sizeof(name), "%s.%s", dir, c->node->e->name);
	r = t ? ipc_sysctl_set(t->ns->ipc, name, text) : -EPERM;
	return r ? r : (ssize_t)n;
}

static SHOW(show_sysv)
{
	return show_ipc(c, b, "kernel");
}

static SHOW(show_mqueue)
{
	return show_ipc(c, b, "fs.mqueue");
}

static ssize_t store_sysv(struct pctx *c, char *text, size_t n)
{
	return store_ipc(c, text, n, "kernel");
}

static ssize_t store_mqueue(struct pctx *c, char *text, size_t n)
{
	return store_ipc(c, text, n, "fs.mqueue");
}

/* --- random ---------------------------------------------------------------------------- */

static void uuid(struct pbuf *b, const uint8_t r[16])
{
	pprintf(b, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n", r[0], r[1], r[2], r[3], r[4], r[5], (r[6] & 15) | 0x40, r[7],
		(r[8] & 0x3f) | 0x80, r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
}

static SHOW(show_uuid)
{
	uint8_t r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	uuid(b, r);
	return 0;
}

/* One for the life of the sandbox, made of when it began. */
static SHOW(show_boot_id)
{
	uint8_t r[16];
	uint64_t x = (uint64_t)c->k->boot_realtime, y = (uint64_t)c->k->boot_monotonic * 0x9e3779b97f4a7c15u;

	memcpy(r, &x, 8);
	memcpy(r + 8, &y, 8);
	uuid(b, r);
	return 0;
}

TEXT(show_entropy, "256")

#define SYSV(n) RW(n, show_sysv, store_sysv)
#define MQUEUE(n) RW(n, show_mqueue, store_mqueue)

static const struct pentry random_table[] = {
	RO("boot_id", show_boot_id), RO("uuid", show_uuid), RO("entropy_avail", show_entropy), RO("poolsize", show_entropy), END_,
};
static const struct pentry seccomp_table[] = { RO("actions_avail", show_seccomp_actions), END_ };
static const struct pentry kernel_table[] = {
	RO("arch", show_arch),
	RO("cap_last_cap", show_cap_last),
	RO("core_pattern", show_core_pattern),
	RO("core_uses_pid", show_zero),
	RO("dmesg_restrict", show_zero),
	{ .name = "domainname", .kind = P_FILE, .mode = 0644, .show = show_domainname, .store = store_domainname, .watch = watch_domainname },
	{ .name = "hostname", .kind = P_FILE, .mode = 0644, .show = show_hostname, .store = store_hostname, .watch = watch_hostname },
	SYSV("msgmax"),
	SYSV("msgmnb"),
	SYSV("msgmni"),
	RO("ngroups_max", show_ngroups),
	RO("osrelease", show_osrelease),
	RO("ostype", show_ostype),
	RO("overflowgid", show_overflow),
	RO("overflowuid", show_overflow),
	RO("pid_max", show_pid_max),
	DIR_("random", random_table),
	RO("randomize_va_space", show_two),
	RO("rtsig-max", show_rtsig),
	RO("sched_rr_timeslice_ms", show_sched_rr),
	DIR_("seccomp", seccomp_table),
	SYSV("sem"),
	SYSV("shmall"),
	SYSV("shmmax"),
	SYSV("shmmni"),
	RO("tainted", show_zero),
	RO("threads-max", show_threads_max),
	RO("unprivileged_bpf_disabled", show_two),
	RO("unprivileged_userns_clone", show_one),
	RO("version", show_sysversion),
	END_,
};
static const struct pentry inotify_table[] = {
	RO("max_queued_events", show_inotify_queue), RO("max_user_instances", show_inotify_instances), RO("max_user_watches", show_inotify_watches), END_,
};
static const struct pentry mqueue_table[] = {
	MQUEUE("msg_default"), MQUEUE("msg_max"), MQUEUE("msgsize_default"), MQUEUE("msgsize_max"), MQUEUE("queues_max"), END_,
};
static const struct pentry fs_table[] = {
	RO("aio-max-nr", show_aio_max),
	RO("aio-nr", show_aio_nr),
	RO("file-max", show_file_max),
	RO("file-nr", show_file_nr),
	RO("dir-notify-enable", show_one),
	DIR_("inotify", inotify_table),
	DIR_("mqueue", mqueue_table),
	RO("leases-enable", show_zero),
	RO("nr_open", show_nr_open),
	RO("overflowgid", show_overflow),
	RO("overflowuid", show_overflow),
	RO("pipe-max-size", show_pipe_max),
	RO("pipe-user-pages-hard", show_zero),
	RO("pipe-user-pages-soft", show_zero),
	RO("protected_fifos", show_zero),
	RO("protected_hardlinks", show_zero),
	RO("protected_regular", show_zero),
	RO("protected_symlinks", show_zero),
	RO("suid_dumpable", show_zero),
	END_,
};
static const struct pentry vm_table[] = {
	RO("legacy_va_layout", show_zero), RO("max_map_count", show_max_map_count), RO("memfd_noexec", show_zero), RO("mmap_min_addr", show_mmap_min_addr),
	RO("nr_hugepages", show_zero), RO("nr_overcommit_hugepages", show_zero), RO("oom_kill_allocating_task", show_zero),
	RO("overcommit_kbytes", show_zero), RO("overcommit_memory", show_one), RO("panic_on_oom", show_zero), RO("overcommit_ratio", show_overcommit_ratio), RO("swappiness", show_swappiness), END_,
};
const struct pentry proc_sys_table[] = {
	DIR_("fs", fs_table), DIR_("kernel", kernel_table), DIR_("net", proc_sys_net_table), DIR_("user", proc_sys_user_table), DIR_("vm", vm_table), END_,
};
