/*
 * oom_kill.c - whom to kill for want of memory: see oom.h.  The watching thread;
 * oom_badness on any.  No locks held.
 */
#include "kernel/oom_internal.h"

#include "kernel/klog.h"
#include "kernel/task_table.h"
#include "libipc/log.h"
#include "vfs/cred.h"

#include <inttypes.h>
#include <string.h>

static struct mm *mm_of(struct thread_group *tg)
{
	struct task *t = tg_any_task(tg);
	struct mm *mm = t ? task_get_mm(t) : NULL;

	if (t)
		task_put(t);
	return mm;
}

static uint64_t page_tables(const struct mm_usage *u)
{
	return u->vm_size / (512 * PAGE_SIZE) / 8 * PAGE_SIZE;
}

/* Linux's oom_badness: what it holds, and oom_score_adj in thousandths of all memory there is (bytes). */
static int64_t badness(struct thread_group *tg, const struct mm_usage *u, uint64_t all)
{
	int64_t adj = atomic_load(&tg->oom_score_adj), total = (int64_t)(all / PAGE_SIZE);

	if (adj == -1000)
		return INT64_MIN;
	return (int64_t)((u->rss + page_tables(u)) / PAGE_SIZE) + adj * (total / 1000);
}

int64_t oom_badness(struct thread_group *tg)
{
	struct mm_usage u = { 0 };
	struct mm *mm = mm_of(tg);

	if (mm) {
		mm_usage(mm, &u);
		mm_put(mm);
	}
	return badness(tg, &u, tg->k->memory_total);
}

void oom_victim_drop(struct victim *v)
{
	if (v->tg)
		tg_put(v->tg);
	if (v->mm)
		mm_put(v->mm);
	*v = (struct victim){ 0 };
}

bool oom_choose(const struct oom_domain *d, struct victim *worst)
{
	struct kernel *k = d->o->k;
	const uint64_t limit = oom_limit(d), all = limit ? limit : k->memory_total;
	struct thread_group *tg;
	pid_t after = 0;
	bool dying = false;

	while (!dying && (tg = tg_next(k->root_pids, after, &after))) {
		struct victim v = { .tg = tg, .mm = !d->members || tg->quota == d->members ? mm_of(tg) : NULL };

		if (!v.mm) {
			oom_victim_drop(&v);
			continue;
		}
		dying = tg->exiting;
		mm_usage(v.mm, &v.usage);
		v.points = badness(tg, &v.usage, all);
		if (dying || v.points == INT64_MIN || (worst->tg && v.points <= worst->points)) {
			oom_victim_drop(&v);
			continue;
		}
		oom_victim_drop(worst);
		*worst = v;
	}
	return !dying;
}

static void tell(const struct oom_domain *d, const struct victim *v, const char *name, unsigned uid)
{
	struct kernel *k = d->o->k;
	const struct mm_usage *u = &v->usage;

	klog(k, KLOG_ERR, "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/,task_memcg=/,task=%s,pid=%d,uid=%u", name,
		v->tg->own_tgid, uid);
	klog(k, KLOG_ERR,
		"Memory cgroup out of memory: Killed process %d (%s) total-vm:%" PRIu64 "kB, anon-rss:%" PRIu64 "kB, file-rss:%" PRIu64 "kB, shmem-rss:%" PRIu64
		"kB, UID:%u pgtables:%" PRIu64 "kB oom_score_adj:%d",
		v->tg->own_tgid, name, u->vm_size >> 10, u->rss_anon >> 10, u->rss_file >> 10, u->rss_shmem >> 10, uid, page_tables(u) >> 10,
		atomic_load(&v->tg->oom_score_adj));
	log_warning("out of memory (limit %" PRIu64 " kB): killed process %d (%s), which held %" PRIu64 " kB", oom_limit(d) >> 10, v->tg->own_tgid, name,
		u->rss >> 10);
}

static void kill_locked(struct thread_group *tg)
{
	signal_continue_locked(tg);
	tg_begin_exit_locked(tg, LINUX_SIGKILL);
}

void oom_kill(struct oom_domain *d, const struct victim *v)
{
	struct kernel *k = d->o->k;
	struct thread_group *tg;
	char name[16] = "";
	unsigned uid = 0;
	struct task *t;

	/* first: who sees the end may ask at once what it was for */
	atomic_fetch_add(&d->kills, 1);
	atomic_fetch_add(&d->o->kills, 1);
	tasks_lock(k);
	if ((t = v->tg->leader)) {
		memcpy(name, t->comm, sizeof(name));
		uid = t->cred->ruid;
	}
	kill_locked(v->tg);
	LIST_FOREACH(tg, &k->tasks->all, all_link) {
		t = TAILQ_FIRST(&tg->tasks);
		if (tg != v->tg && t && t->mm == v->mm && atomic_load(&tg->oom_score_adj) != -1000)
			kill_locked(tg);
	}
	tasks_unlock(k);
	tell(d, v, name, uid);
}
