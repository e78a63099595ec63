/*
 * status.c - /proc/PID/{stat,statm,status,limits}.
 */
#include "fs/proc/internal.h"

#include "abi/fs.h"
#include "fs/devpts/tty.h"
#include "kernel/ns.h"
#include "kernel/ptrace.h"
#include "kernel/seccomp.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"

#include <inttypes.h>
#include <string.h>

#define TICK INT64_C(10000000)

/* All that the files tell of a process or thread, taken at one time. */
struct view {
	pid_t pid, tgid, ppid, pgid, sid, tpgid, tracer;
	char comm[16], state;
	unsigned threads, tty;
	int exit_signal, nice, priority, policy;
	struct usage_sum own, reaped;
	int64_t start;
	uint64_t pending, shared, blocked, ignored, caught;
	uint64_t nvcsw, nivcsw;
	bool nnp;
	int seccomp;
	unsigned filters;
	struct mm_usage mem;
	struct mm_layout layout;
	bool has_mm;
	uint64_t affinity;
};

static void view_signals(struct view *v, struct thread_group *tg, struct task *t)
{
	for (int s = 1; tg->sighand && s <= LINUX_NSIG; s++) {
		uint64_t h = tg->sighand->action[s - 1].handler;

		if (h == LINUX_SIG_IGN)
			v->ignored |= SIGBIT(s);
		else if (h != LINUX_SIG_DFL)
			v->caught |= SIGBIT(s);
	}
	v->shared = tg->pending ? tg->pending->set : 0;
	if (t) {
		v->pending = t->pending ? t->pending->set : 0;
		v->blocked = signal_blocked_locked(t);
	}
}

static char state_of(const struct thread_group *tg, const struct task *t)
{
	if (tg->zombie || !t)
		return 'Z';
	if (t->state == 't')
		return 't';
	return tg->stopped ? 'T' : t->state ? t->state : 'S';
}

static void view_locked(struct pctx *c, struct view *v)
{
	struct thread_group *tg = c->tg;
	struct task *t = c->t ? c->t : TAILQ_FIRST(&tg->tasks);
	struct pgrp *pg;

	v->tgid = tg_nr(tg, c->ns);
	v->pid = c->thread ? pid_nr(t->pid, c->ns) : v->tgid;
	v->ppid = tg->parent ? tg_nr(tg->parent, c->ns) : 0;
	if (tg->pgrp) {
		v->pgid = pgrp_nr(tg->pgrp, c->ns);
		v->sid = session_nr(tg->pgrp->session, c->ns);
		v->tpgid = -1;
		if (tg->pgrp->session->tty) {
			v->tty = (int)linux_makedev(PTS_MAJOR, tg->pgrp->session->tty->index);
			pg = pgrp_find_locked(c->k->root_pids, tg->pgrp->session->tty->pgid);
			v->tpgid = pg ? pgrp_nr(pg, c->ns) : 0;
		}
	}
	v->state = state_of(tg, c->t ? c->t : NULL);
	v->threads = tg->n_live;
	v->exit_signal = tg->exit_signal;
	v->start = tg->start_time;
	v->reaped = tg->reaped;
	tg_usage_locked(tg, &v->own);
	if (t) {
		memcpy(v->comm, t->comm, sizeof(v->comm));
		v->tracer = task_traced(t) ? pid_nr(t->tracing->tracer->pid, c->ns) : 0;
		v->nice = t->nice;
		v->policy = t->sched_policy;
		v->nvcsw = t->nvcsw;
		v->nivcsw = t->nivcsw;
		v->nnp = t->no_new_privs;
		v->seccomp = atomic_load(&t->seccomp_mode);
		v->filters = seccomp_count(t);
		v->affinity = t->affinity[0];
		if (c->thread) {
			task_times_locked(t, &v->own.utime, &v->own.stime);
			v->start = t->start_time;
		}
	}
	view_signals(v, tg, t);
}

static void view_take(struct pctx *c, struct view *v)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	memset(v, 0, sizeof(*v));
	tasks_lock(c->k);
	view_locked(c, v);
	tasks_unlock(c->k);
	if (!mm)
		return;
	v->has_mm = true;
	mm_usage(mm, &v->mem);
	mm_get_layout(mm, &v->layout);
	if (v->layout.exe)
		file_put(v->layout.exe);
	mm_put(mm);
}

SHOW(show_stat)
{
	struct view v;
	bool may = !proc_may_access(c); /* who may not look into it is not told addresses, nor how it ended */

	view_take(c, &v);
	if (!may)
		v.layout = (struct mm_layout){ .start_code = v.has_mm, .end_code = v.has_mm };
	pprintf(b, "%d (%.15s) %c %d %d %d %u %d 0 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, v.pid, v.comm, v.state, v.ppid, v.pgid, v.sid, v.tty,
		v.tpgid ? v.tpgid : -1, v.own.minflt, v.reaped.minflt, v.own.majflt, v.reaped.majflt);
	pprintf(b, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d %d %u 0 %" PRId64, v.own.utime / TICK, v.own.stime / TICK, v.reaped.utime / TICK,
		v.reaped.stime / TICK, 20 + v.nice, v.nice, v.threads, time_ns_uptime(proc_reader_time(), v.start - c->k->boot_monotonic) / TICK);
	pprintf(b, " %" PRIu64 " %" PRIu64 " 18446744073709551615", v.mem.vm_size, v.mem.rss / PAGE_SIZE);
	pprintf(b, " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 0", v.layout.start_code, v.layout.end_code, v.layout.start_stack);
	pprintf(b, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 0 0 %d 0 0 %d 0 0 0", (v.pending | v.shared) & 0x7fffffff, v.blocked & 0x7fffffff,
		v.ignored & 0x7fffffff, v.caught & 0x7fffffff, v.exit_signal, v.policy);
	pprintf(b, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d\n", v.layout.start_data, v.layout.end_data,
		v.layout.start_brk, v.layout.arg_start, v.layout.arg_end, v.layout.env_start, v.layout.env_end, v.state == 'Z' && may ? c->tg->exit_status : 0);
	return 0;
}

SHOW(show_statm)
{
	struct view v;

	view_take(c, &v);
	pprintf(b, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " 0 %" PRIu64 " 0\n", v.mem.vm_size / PAGE_SIZE, v.mem.rss / PAGE_SIZE,
		(v.mem.rss_file + v.mem.rss_shmem) / PAGE_SIZE, v.mem.text / PAGE_SIZE, (v.mem.data + v.mem.stack) / PAGE_SIZE);
	return 0;
}

static const char *state_name(char s)
{
	switch (s) {
	case 'R': return "R (running)";
	case 'D': return "D (disk sleep)";
	case 'T': return "T (stopped)";
	case 't': return "t (tracing stop)";
	case 'Z': return "Z (zombie)";
	default: return "S (sleeping)";
	}
}

static void show_ids(struct pctx *c, struct pbuf *b)
{
	struct cred *cr = pctx_cred(c);
	struct fdtable *files = c->t ? task_get_files(c->t) : NULL;
	const struct user_ns *ns = task_current() ? task_current()->cred->user_ns : NULL; /* the reader's */
	int size = 64;

	if (files) {
		for (int fd = fdtable_next(files, 0); fd >= 0; fd = fdtable_next(files, fd + 1))
			while (fd >= size)
				size *= 2;
		fdtable_put_table(files);
	} else {
		size = 0;
	}
	if (!cr) {
		pprintf(b, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%d\nGroups:\t \n", size);
		return;
	}
	pprintf(b, "Uid:\t%u\t%u\t%u\t%u\n", uid_shown(ns, cr->ruid), uid_shown(ns, cr->euid), uid_shown(ns, cr->suid), uid_shown(ns, cr->fsuid));
	pprintf(b, "Gid:\t%u\t%u\t%u\t%u\nFDSize:\t%d\nGroups:\t", gid_shown(ns, cr->rgid), gid_shown(ns, cr->egid), gid_shown(ns, cr->sgid),
		gid_shown(ns, cr->fsgid), size);
	for (uint32_t i = 0; i < cr->n_groups; i++)
		pprintf(b, "%u ", gid_shown(ns, cr->groups[i]));
	pprintf(b, "%s\n", cr->n_groups ? "" : " ");
	cred_put(cr);
}

static void show_caps(struct pctx *c, struct pbuf *b)
{
	struct cred *cr = pctx_cred(c);

	pprintf(b, "CapInh:\t%016" PRIx64 "\nCapPrm:\t%016" PRIx64 "\nCapEff:\t%016" PRIx64 "\nCapBnd:\t%016" PRIx64 "\nCapAmb:\t%016" PRIx64 "\n",
		cr ? cr->cap_inheritable : 0, cr ? cr->cap_permitted : 0, cr ? cr->cap_effective : 0, cr ? cr->cap_bounding : 0, cr ? cr->cap_ambient : 0);
	if (cr)
		cred_put(cr);
}

static void show_memory(struct pbuf *b, const struct view *v)
{
	const struct {
		const char *name;
		uint64_t bytes;
	} rows[] = {
		{ "VmPeak", v->mem.peak_size }, { "VmSize", v->mem.vm_size }, { "VmLck", v->mem.locked }, { "VmPin", 0 }, { "VmHWM", v->mem.peak_rss },
		{ "VmRSS", v->mem.rss }, { "RssAnon", v->mem.rss_anon }, { "RssFile", v->mem.rss_file }, { "RssShmem", v->mem.rss_shmem },
		{ "VmData", v->mem.data }, { "VmStk", v->mem.stack }, { "VmExe", v->mem.text }, { "VmLib", 0 }, { "VmPTE", 0 }, { "VmSwap", 0 },
	};

	for (size_t i = 0; v->has_mm && i < sizeof(rows) / sizeof(*rows); i++)
		pprintf(b, "%s:\t%8" PRIu64 " kB\n", rows[i].name, rows[i].bytes / 1024);
}

/* From this /proc's namespace down to the process's own. */
static void show_number_row(struct pctx *c, struct pbuf *b, const char *name, const struct pid *p)
{
	pprintf(b, "%s:", name);
	for (unsigned l = c->ns->level; p && l <= c->tg->pid_ns->level; l++)
		pprintf(b, "\t%d", l <= p->level && p->numbers[l].ns->level == l ? p->numbers[l].nr : 0);
	pprintf(b, "\n");
}

static void show_numbers(struct pctx *c, struct pbuf *b)
{
	struct thread_group *tg = c->tg;

	tasks_lock(c->k);
	show_number_row(c, b, "NStgid", tg->pid);
	show_number_row(c, b, "NSpid", c->thread ? c->t->pid : tg->pid);
	show_number_row(c, b, "NSpgid", tg->pgrp ? tg->pgrp->pid : NULL);
	show_number_row(c, b, "NSsid", tg->pgrp ? tg->pgrp->session->pid : NULL);
	tasks_unlock(c->k);
}

SHOW(show_status)
{
	uint64_t cpus = c->k->cpus >= 64 ? UINT64_MAX : (UINT64_C(1) << c->k->cpus) - 1;
	struct view v;

	view_take(c, &v);
	pprintf(b, "Name:\t%.15s\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", v.comm, 022u, state_name(v.state),
		v.tgid, v.pid, v.ppid, v.tracer);
	show_ids(c, b);
	show_numbers(c, b);
	show_memory(b, &v);
	pprintf(b, "CoreDumping:\t0\nThreads:\t%u\nSigQ:\t0/96365\nSigPnd:\t%016" PRIx64 "\nShdPnd:\t%016" PRIx64 "\nSigBlk:\t%016" PRIx64 "\nSigIgn:\t%016" PRIx64
		   "\nSigCgt:\t%016" PRIx64 "\n",
		v.threads, v.pending, v.shared, v.blocked, v.ignored, v.caught);
	show_caps(c, b);
	pprintf(b, "NoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%u\nCpus_allowed:\t%" PRIx64 "\nCpus_allowed_list:\t0-%u\n", v.nnp, v.seccomp,
		v.filters, cpus, c->k->cpus - 1);
	pprintf(b, "Mems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%" PRIu64 "\nnonvoluntary_ctxt_switches:\t%" PRIu64 "\n", v.nvcsw, v.nivcsw);
	return 0;
}

SHOW(show_limits)
{
	static const struct {
		const char *name, *unit;
	} rows[LINUX_RLIM_NLIMITS] = {
		{ "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" }, { "Max stack size", "bytes" },
		{ "Max core file size", "bytes" }, { "Max resident set", "bytes" }, { "Max processes", "processes" }, { "Max open files", "files" },
		{ "Max locked memory", "bytes" }, { "Max address space", "bytes" }, { "Max file locks", "locks" }, { "Max pending signals", "signals" },
		{ "Max msgqueue size", "bytes" }, { "Max nice priority", "" }, { "Max realtime priority", "" }, { "Max realtime timeout", "us" },
	};
	struct linux_rlimit r[LINUX_RLIM_NLIMITS];

	tasks_lock(c->k);
	memcpy(r, c->tg->rlimits, sizeof(r));
	tasks_unlock(c->k);
	pprintf(b, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++) {
		char soft[24] = "unlimited", hard[24] = "unlimited";

		if (r[i].cur != UINT64_MAX)
			snprintf(soft, sizeof(soft), "%" PRIu64, r[i].cur);
		if (r[i].max != UINT64_MAX)
			snprintf(hard, sizeof(hard), "%" PRIu64, r[i].max);
		pprintf(b, *rows[i].unit ? "%-25s %-20s %-20s %-10s\n" : "%-25s %-20s %-20s \n", rows[i].name, soft, hard, rows[i].unit);
	}
	return 0;
}
