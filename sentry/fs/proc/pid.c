/*
 * pid.c - /proc/PID and /proc/PID/task/TID: the tables and small files.  Links are in
 * pid_links.c; longer files have files of their own (status.c, maps.c, fd.c, mounts.c,
 * mem.c, timens.c, tuning.c, pagemap.c, map_files.c).
 */
#include "fs/proc/tables.h"

#include "abi/capability.h"
#include "abi/fs.h"
#include "kernel/cgroup.h"
#include "kernel/ns.h"
#include "kernel/oom.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- memory ranges ------------------------------------------------------------- */
static int append_user(struct pctx *c, struct pbuf *b, uint64_t from, uint64_t to, size_t max)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;
	char chunk[1024];

	if (!mm)
		return 0;
	if (to - from > max)
		to = from + max;
	while (from < to) {
		size_t want = to - from < sizeof(chunk) ? to - from : sizeof(chunk);
		size_t n = copy_from_user_partial(mm, chunk, UADDR(from), want);

		pappend(b, chunk, n);
		if (n < want)
			break;
		from += n;
	}
	mm_put(mm);
	return 0;
}

static bool layout_of(struct pctx *c, struct mm_layout *l)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	if (!mm)
		return false;
	mm_get_layout(mm, l);
	if (l->exe)
		file_put(l->exe);
	l->exe = NULL;
	mm_put(mm);
	return true;
}

static SHOW(show_cmdline)
{
	struct mm_layout l;

	if (!layout_of(c, &l) || l.arg_end < l.arg_start)
		return 0;
	append_user(c, b, l.arg_start, l.arg_end, 1 << 21);
	/* a title written over the arguments into the environment (setproctitle) */
	if (b->len && b->p[b->len - 1] && l.env_end > l.arg_end) {
		size_t at = b->len, end;

		append_user(c, b, l.arg_end, l.env_end, 4096);
		end = strnlen(b->p + at, b->len - at);
		b->len = at + end;
	}
	return 0;
}

static SHOW(show_environ)
{
	struct mm_layout l;

	if (!layout_of(c, &l) || l.env_end < l.env_start)
		return 0;
	return append_user(c, b, l.env_start, l.env_end, 1 << 21);
}

static SHOW(show_auxv)
{
	struct mm_layout l;

	if (layout_of(c, &l))
		pappend(b, l.auxv, l.n_auxv * sizeof(l.auxv[0]));
	return 0;
}

/* --- names and numbers ------------------------------------------------------------ */
static SHOW(show_comm)
{
	char comm[16] = "";

	tasks_lock(c->k);
	if (c->t || !TAILQ_EMPTY(&c->tg->tasks))
		memcpy(comm, c->t ? c->t->comm : TAILQ_FIRST(&c->tg->tasks)->comm, sizeof(comm));
	tasks_unlock(c->k);
	pprintf(b, "%.15s\n", comm);
	return 0;
}

static ssize_t store_comm(struct pctx *c, char *text, size_t n)
{
	size_t len = strcspn(text, "\n");

	if (!c->t || c->t->tg != task_current()->tg)
		return -EINVAL;
	len = len < 15 ? len : 15;
	tasks_lock(c->k);
	memset(c->t->comm, 0, sizeof(c->t->comm));
	memcpy(c->t->comm, text, len);
	tasks_unlock(c->k);
	return (ssize_t)n;
}

static SHOW(show_oom_score_adj)
{
	pprintf(b, "%d\n", c->tg->oom_score_adj);
	return 0;
}

static ssize_t store_oom_score_adj(struct pctx *c, char *text, size_t n)
{
	char *end;
	long v = strtol(text, &end, 10);

	while (*end == '\n' || *end == ' ')
		end++;
	if (*end || end == text || v < -1000 || v > 1000)
		return -EINVAL;
	if (v < c->tg->oom_score_adj && !cred_capable(task_current()->cred, LINUX_CAP_SYS_RESOURCE))
		return -EACCES;
	c->tg->oom_score_adj = (int)v;
	return (ssize_t)n;
}

static SHOW(show_oom_adj)
{
	pprintf(b, "%d\n", c->tg->oom_score_adj * 17 / 1000);
	return 0;
}

static SHOW(show_oom_score)
{
	int64_t points = oom_badness(c->tg), total = (int64_t)(c->k->memory_total / PAGE_SIZE);
	int64_t v = points == INT64_MIN ? 0 : (1000 + points * 1000 / total) * 2 / 3;

	pprintf(b, "%" PRId64 "\n", v < 0 ? 0 : v);
	return 0;
}

static SHOW(show_cgroup)
{
	struct task *reader = task_current();
	struct cgroup *g = cgroup_of(c->tg);
	struct cgroup_ns *ns = reader && reader->ns ? reader->ns->cgroup : NULL;
	char *path = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&path, &n);

	if (f && g)
		cgroup_path(f, g, ns ? ns->root : NULL);
	if (f && !fclose(f))
		pprintf(b, "0::%s%s\n", path, g && g->removed ? " (deleted)" : "");
	free(path);
	cgroup_put(g);
	return f ? 0 : -ENOMEM;
}

static SHOW(show_cpuset)
{
	pprintf(b, "/\n");
	return 0;
}

static SHOW(show_personality)
{
	pprintf(b, "%08" PRIx64 "\n", c->t ? c->t->personality : 0);
	return 0;
}

static SHOW(show_loginuid)
{
	pprintf(b, "%" PRIu32, c->t ? c->t->loginuid : AUDIT_UNSET);
	return 0;
}

/* Who logged in, for the audit: a login program says it once; to change it takes a capability. */
static ssize_t store_loginuid(struct pctx *c, char *text, size_t n)
{
	static _Atomic uint32_t sessions;
	char *end;
	uint64_t v;

	if (!c->t || c->t != task_current())
		return -EPERM;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	if (errno || v > UINT32_MAX)
		return -ERANGE;
	if (c->t->loginuid != AUDIT_UNSET && !cred_capable(c->t->cred, LINUX_CAP_AUDIT_CONTROL))
		return -EPERM;
	c->t->sessionid = v == AUDIT_UNSET ? AUDIT_UNSET : ++sessions;
	c->t->loginuid = (uint32_t)v;
	return (ssize_t)n;
}

static SHOW(show_sessionid)
{
	pprintf(b, "%" PRIu32, c->t ? c->t->sessionid : AUDIT_UNSET);
	return 0;
}

static SHOW(show_io)
{
	struct usage_sum u = { 0 };

	if (c->thread) {
		task_usage(c->t, &u);
	} else if (c->tg) {
		tasks_lock(c->k);
		tg_usage_locked(c->tg, &u);
		usage_add(&u, &c->tg->reaped);
		tasks_unlock(c->k);
	}
	/* what of it reached a disk the host knows */
	pprintf(b, "rchar: %" PRIu64 "\nwchar: %" PRIu64 "\nsyscr: %" PRIu64 "\nsyscw: %" PRIu64 "\n"
		"read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n", u.rchar, u.wchar, u.syscr, u.syscw);
	return 0;
}

static SHOW(show_wchan)
{
	pprintf(b, "0");
	return 0;
}

static SHOW(show_schedstat)
{
	int64_t utime = 0, stime = 0;

	if (c->t) {
		tasks_lock(c->k);
		task_times_locked(c->t, &utime, &stime);
		tasks_unlock(c->k);
	}
	pprintf(b, "%" PRId64 " 0 0\n", utime + stime);
	return 0;
}

static SHOW(show_empty)
{
	pappend(b, "", 0);
	return 0;
}

static ssize_t store_ignored(struct pctx *c, char *text, size_t n)
{
	return (ssize_t)n;
}

/* --- threads ------------------------------------------------------------------------------ */
static int tid_lookup(struct pctx *c, const struct qstr *name, struct pnode *out)
{
	struct task *t;
	int nr;

	if (!parse_number(name, &nr) || !(t = task_find(c->ns, nr)))
		return -ENOENT;
	if (t->tg != c->tg) {
		task_put(t);
		return -ENOENT;
	}
	*out = (struct pnode){ .e = &proc_tid_entry, .pid = c->node->pid, .tid = t->tid, .start = c->node->start, .fd = -1 };
	task_put(t);
	return 0;
}

/* Programs count their threads by the directory's links (Chromium's sandbox). */
static unsigned tid_count(struct pctx *c)
{
	struct task *t;
	unsigned n = 0;

	tasks_lock(c->k);
	TAILQ_FOREACH (t, &c->tg->tasks, tg_link)
		n++;
	tasks_unlock(c->k);
	return n;
}

static bool tid_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out)
{
	struct task *t = tg_next_task(c->tg, *pos ? (pid_t)*pos - 1 : 0);

	if (!t)
		return false;
	*out = (struct pnode){ .e = &proc_tid_entry, .pid = c->node->pid, .tid = t->tid, .start = c->node->start, .fd = -1 };
	snprintf(name, 32, "%d", pid_nr(t->pid, c->ns));
	*pos = t->tid + 1;
	task_put(t);
	return true;
}

#define OWN(n, f) { .name = n, .kind = P_FILE, .mode = 0400, .show = f, .flags = PE_PTRACE }
#define LATE(n, f, how) { .name = n, .kind = P_FILE, .mode = 0400, .show = f, .flags = PE_PTRACE | PE_LATE | (how) }
#define MAGIC(n, f) { .name = n, .kind = P_MAGIC, .mode = 0777, .follow = f, .flags = PE_PTRACE }
#define NS(n) { .name = n, .kind = P_MAGIC, .mode = 0777, .follow = follow_ns, .flags = PE_PTRACE }

static const struct pentry ns_table[] = {
	NS("cgroup"), NS("ipc"), NS("mnt"), NS("net"), NS("pid"), NS("pid_for_children"), NS("time"), NS("time_for_children"), NS("user"), NS("uts"), END_,
};

/* clang-format off */
#define COMMON                                                                                                                                       \
	OWN("auxv", show_auxv),                                                                                                                      \
	RO("cgroup", show_cgroup),                                                                                                                   \
	{ .name = "clear_refs", .kind = P_FILE, .mode = 0200, .store = store_ignored },                                                              \
	RO("cmdline", show_cmdline),                                                                                                                 \
	RW("comm", show_comm, store_comm),                                                                                                           \
	RW("coredump_filter", show_coredump_filter, store_coredump_filter),                                                                          \
	RO("cpuset", show_cpuset),                                                                                                                   \
	MAGIC("cwd", follow_cwd),                                                                                                                    \
	OWN("environ", show_environ),                                                                                                                \
	MAGIC("exe", follow_exe),                                                                                                                    \
	{ .name = "fd", .kind = P_DIR, .mode = 0500, .lookup = fd_lookup, .next = fd_next, .flags = PE_SELF },                                       \
	{ .name = "fdinfo", .kind = P_DIR, .mode = 0555, .lookup = fdinfo_lookup, .next = fdinfo_next, .flags = PE_PTRACE },                         \
	RW("gid_map", show_gid_map, store_gid_map),                                                                                                            \
	LATE("io", show_io, 0),                                                                                                                         \
	RO("limits", show_limits),                                                                                                                   \
	RW("loginuid", show_loginuid, store_loginuid),                                                                                               \
	{ .name = "maps", .kind = P_FILE, .mode = 0444, .show = show_maps, .flags = PE_PTRACE },                                                     \
	{ .name = "mem", .kind = P_FILE, .mode = 0600, .ops = &proc_mem_ops, .flags = PE_PTRACE },                                                   \
	{ .name = "mountinfo", .kind = P_FILE, .mode = 0444, .show = show_mountinfo, .watch = watch_mounts },                                                                                                           \
	{ .name = "mounts", .kind = P_FILE, .mode = 0444, .show = show_mounts, .watch = watch_mounts },                                                                                                              \
	{ .name = "mountstats", .kind = P_FILE, .mode = 0400, .show = show_mountstats },                                                                                                          \
	{ .name = "net", .kind = P_DIR, .mode = 0555, .table = proc_net_table },                                                                     \
	{ .name = "ns", .kind = P_DIR, .mode = 0511, .table = ns_table },                                                                            \
	RO("oom_adj", show_oom_adj),                                                                                                                 \
	RO("oom_score", show_oom_score),                                                                                                             \
	RW("oom_score_adj", show_oom_score_adj, store_oom_score_adj),                                                                                \
	{ .name = "pagemap", .kind = P_FILE, .mode = 0400, .ops = &proc_pagemap_ops, .flags = PE_PTRACE },                                           \
	LATE("personality", show_personality, PE_EPERM),                                                                                             \
	MAGIC("root", follow_root),                                                                                                                  \
	RO("sched", show_empty),                                                                                                                     \
	RO("schedstat", show_schedstat),                                                                                                             \
	RO("sessionid", show_sessionid),                                                                                                             \
	RW("setgroups", show_setgroups, store_setgroups),                                                                                                            \
	{ .name = "smaps", .kind = P_FILE, .mode = 0444, .show = show_smaps, .flags = PE_PTRACE },                                                   \
	{ .name = "smaps_rollup", .kind = P_FILE, .mode = 0444, .show = show_smaps_rollup, .flags = PE_PTRACE },                                     \
	RO("stat", show_stat),                                                                                                                       \
	RO("statm", show_statm),                                                                                                                     \
	RO("status", show_status),                                                                                                                   \
	LATE("syscall", show_syscall, PE_EPERM),                                                                                                      \
	RW("timens_offsets", show_timens_offsets, store_timens_offsets),                                                                                                   \
	RW("uid_map", show_uid_map, store_uid_map),                                                                                                            \
	RO("wchan", show_wchan)

const struct pentry proc_tid_table[] = { COMMON, RO("children", show_children), END_ };
const struct pentry proc_pid_table[] = {
	COMMON,
	{ .name = "map_files", .kind = P_DIR, .mode = 0500, .lookup = map_files_lookup, .next = map_files_next, .flags = PE_PTRACE },
	{ .name = "task", .kind = P_DIR, .mode = 0555, .lookup = tid_lookup, .next = tid_next, .count = tid_count },
	RO("timers", show_timers),
	{ .name = "timerslack_ns", .kind = P_FILE, .mode = 0666, .show = show_timerslack, .store = store_timerslack },
	END_,
};
/* clang-format on */
const struct pentry proc_pid_entry = { .name = "PID", .kind = P_DIR, .mode = 0555, .table = proc_pid_table };
const struct pentry proc_tid_entry = { .name = "TID", .kind = P_DIR, .mode = 0555, .table = proc_tid_table };
