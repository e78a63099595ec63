/*
 * oom.c - see oom.h.
 *
 * The watching thread is made with the first limit and stays.  Its decisions need no
 * lock but those of what it looks at; `mu` is about when it looks next.
 */
#include "kernel/oom.h"

#include "kernel/klog.h"
#include "kernel/task_table.h"
#include "lib/threads.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "mm/memfile.h"
#include "vfs/cred.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STACK_SIZE (128 * 1024)
#define MS INT64_C(1000000)
#define TOUCH_RATE 8 /* bytes a ns that programs may touch at the very most */
#define LOOK_MIN (1 * MS)
#define LOOK_MAX (100 * MS)
#define DEATH_MS 20000 /* a killed program has given its memory back by then, or another must */
/* The host keeps the same limit for the sandbox as a whole: the programs get what the
 * sentry, the gofer and what is touched while somebody is being killed leave of it. */
#define OWN_MEMORY (UINT64_C(8) << 20)
#define OWN_PART 16
#define HARD_PART 4 /* of that: so far beyond, what is handed out fails, or waits */

struct oom {
	struct kernel *k; /* [I] */
	struct mutex mu; /* RANK_LEAF */
	bool started; /* [mu] */
	_Atomic uint64_t limit; /* as programs are told; 0: none */
	_Atomic bool pressing; /* tasks wait */
	_Atomic bool hopeless; /* there was nobody to kill */
	_Atomic bool watched; /* the thread looks by itself: nobody need wake it */
	_Atomic uint64_t max, ooms, kills;
	struct sleeper sleeper; /* the thread's */
	struct waitq wq; /* EVENT_IN: no longer pressing */
};

struct oom *oom_new(struct kernel *k)
{
	struct oom *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->k = k;
	mutex_init(&o->mu, RANK_LEAF);
	sleeper_init(&o->sleeper);
	waitq_init(&o->wq);
	return o;
}

/* --- whom to kill ---------------------------------------------------------------------- */

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

/* Linux's oom_badness: what it holds, and oom_score_adj in thousandths of all memory. */
static int64_t badness(struct thread_group *tg, const struct mm_usage *u)
{
	int64_t adj = atomic_load(&tg->oom_score_adj), total = (int64_t)(tg->k->memory_total / PAGE_SIZE);

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
	return badness(tg, &u);
}

struct victim {
	struct thread_group *tg; /* referenced; NULL: nobody */
	struct mm *mm; /* referenced */
	struct mm_usage usage;
	int64_t points;
};

static void victim_drop(struct victim *v)
{
	if (v->tg)
		tg_put(v->tg);
	if (v->mm)
		mm_put(v->mm);
	*v = (struct victim){ 0 };
}

/* The worst of all programs; false: one is on its way out already, and must be waited for. */
static bool choose(struct kernel *k, struct victim *worst)
{
	struct thread_group *tg;
	pid_t after = 0;
	bool dying = false;

	while (!dying && (tg = tg_next(k->root_pids, after, &after))) {
		struct victim v = { .tg = tg, .mm = mm_of(tg) };

		if (!v.mm) {
			victim_drop(&v);
			continue;
		}
		dying = tg->exiting;
		mm_usage(v.mm, &v.usage);
		v.points = badness(tg, &v.usage);
		if (dying || v.points == INT64_MIN || (worst->tg && v.points <= worst->points)) {
			victim_drop(&v);
			continue;
		}
		victim_drop(worst);
		*worst = v;
	}
	return !dying;
}

static void tell(struct kernel *k, const struct victim *v, const char *name, unsigned uid)
{
	const struct mm_usage *u = &v->usage;

	klog(k, KLOG_ERR, "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/,task_memcg=/,task=%s,pid=%d,uid=%u", name,
		v->tg->own_tgid, uid);
	klog(k, KLOG_ERR,
		"Memory cgroup out of memory: Killed process %d (%s) total-vm:%" PRIu64 "kB, anon-rss:%" PRIu64 "kB, file-rss:%" PRIu64 "kB, shmem-rss:%" PRIu64
		"kB, UID:%u pgtables:%" PRIu64 "kB oom_score_adj:%d",
		v->tg->own_tgid, name, u->vm_size >> 10, u->rss_anon >> 10, u->rss_file >> 10, u->rss_shmem >> 10, uid, page_tables(u) >> 10,
		atomic_load(&v->tg->oom_score_adj));
	log_warning("out of memory (limit %" PRIu64 " kB): killed process %d (%s), which held %" PRIu64 " kB", atomic_load(&k->oom->limit) >> 10, v->tg->own_tgid, name,
		u->rss >> 10);
}

static void kill_locked(struct thread_group *tg)
{
	signal_continue_locked(tg);
	tg_begin_exit_locked(tg, LINUX_SIGKILL);
}

/* With all others that share its memory, as its death alone would free nothing. */
static void kill_victim(struct kernel *k, const struct victim *v)
{
	struct thread_group *tg;
	char name[16] = "";
	unsigned uid = 0;
	struct task *t;

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
	atomic_fetch_add(&k->oom->kills, 1);
	tell(k, v, name, uid);
}

/* --- watching ------------------------------------------------------------------------------ */

static uint64_t used(const struct oom *o)
{
	return memfile_committed(o->k->memfile);
}

/* What programs may use of a limit; of none, none. */
static uint64_t line_below(uint64_t limit)
{
	uint64_t own = OWN_MEMORY + limit / OWN_PART;

	return limit - (own < limit / 2 ? own : limit / 2);
}

static bool over(const struct oom *o)
{
	uint64_t limit = atomic_load(&o->limit);

	return limit && used(o) > line_below(limit);
}

/* From now on tasks wait; those in their programs leave them, and so touch no more. */
static void press(struct oom *o)
{
	struct thread_group *tg;
	struct task *t;

	atomic_store(&o->pressing, true);
	tasks_lock(o->k);
	LIST_FOREACH(tg, &o->k->tasks->all, all_link)
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			if (atomic_load(&t->program_since))
				task_kick_locked(t);
	tasks_unlock(o->k);
}

static void let_go(struct oom *o)
{
	atomic_store(&o->pressing, false);
	waitq_wake(&o->wq, EVENT_IN);
}

static bool ended(struct kernel *k, const struct thread_group *tg)
{
	bool r;

	tasks_lock(k);
	r = tg->zombie || tg->released;
	tasks_unlock(k);
	return r;
}

/* Until the killed one (or NULL) has given everything back and the limit is kept
 * again, or for ms: the next would be killed for what this one still holds. */
static void await_room(struct oom *o, const struct thread_group *killed, int ms)
{
	int64_t end = now_monotonic() + ms * MS;

	while ((over(o) || (killed && !ended(o->k, killed))) && now_monotonic() < end) {
		memfile_trim(o->k->memfile);
		wait_sleep_uninterruptible(now_monotonic() + LOOK_MIN);
	}
}

static void make_room(struct oom *o)
{
	struct victim worst = { 0 };

	atomic_fetch_add(&o->max, 1);
	memfile_trim(o->k->memfile);
	if (!over(o))
		return;
	press(o);
	atomic_fetch_add(&o->ooms, 1);
	if (!choose(o->k, &worst))
		log_debug("out of memory: a program is ending already");
	else if (worst.tg)
		kill_victim(o->k, &worst);
	else if (!atomic_exchange(&o->hopeless, true))
		klog(o->k, KLOG_ERR, "Out of memory and no killable processes...");
	if (worst.mm)
		mm_put(TAKE_PTR(worst.mm)); /* its end frees the memory */
	await_room(o, worst.tg, DEATH_MS);
	victim_drop(&worst);
}

/* When to look next: memory cannot have grown to the limit before. */
static int64_t look_again(const struct oom *o)
{
	uint64_t line = line_below(atomic_load(&o->limit)), now = used(o);
	int64_t ns = line > now ? (int64_t)((line - now) / TOUCH_RATE) : 0;

	return now_monotonic() + (ns < LOOK_MIN ? LOOK_MIN : ns > LOOK_MAX ? LOOK_MAX : ns);
}

static void *oom_main(void *arg)
{
	struct oom *o = arg;

	thread_enter("memory");
	sleeper_set_current(&o->sleeper);
	for (;;) {
		uint64_t limit;

		while (over(o))
			make_room(o);
		if (atomic_load(&o->pressing))
			let_go(o);
		atomic_store(&o->hopeless, false);
		limit = atomic_load(&o->limit);
		/* told of what is handed out from now on, unless it is more than the limit already */
		atomic_store(&o->watched, false);
		if (!limit || memfile_reach(o->k->memfile) <= line_below(limit)) {
			wait_sleep_uninterruptible(WAIT_FOREVER);
			continue;
		}
		atomic_store(&o->watched, true);
		wait_sleep_uninterruptible(look_again(o));
	}
	return NULL;
}

/* The allocator's lock is held. */
static void handed_out(void *arg, bool beyond)
{
	struct oom *o = arg;

	if (beyond || !atomic_load(&o->watched))
		sleeper_wake(&o->sleeper);
}

/* --- what others call ------------------------------------------------------------------------ */

static int start_locked(struct oom *o)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (o->started)
		return 0;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	r = pthread_create(&thread, &attr, oom_main, o);
	pthread_attr_destroy(&attr);
	o->started = !r;
	return -r;
}

int oom_set_limit(struct kernel *k, uint64_t bytes)
{
	struct oom *o = k->oom;
	int r;

	if (bytes >= k->memory_host)
		bytes = 0;
	mutex_lock(&o->mu);
	r = bytes ? start_locked(o) : 0;
	if (!r) {
		atomic_store(&o->limit, bytes);
		k->memory_total = bytes ? bytes : k->memory_host;
	}
	mutex_unlock(&o->mu);
	if (r)
		return r;
	if (bytes)
		memfile_set_limit(k->memfile, line_below(bytes), line_below(bytes) + (bytes - line_below(bytes)) / HARD_PART, handed_out, o);
	else
		memfile_set_limit(k->memfile, k->memory_host, k->memory_host, NULL, NULL);
	sleeper_wake(&o->sleeper);
	return 0;
}

uint64_t oom_limit(struct kernel *k)
{
	return atomic_load(&k->oom->limit);
}

void oom_events(struct kernel *k, struct oom_events *out)
{
	const struct oom *o = k->oom;

	*out = (struct oom_events){ atomic_load(&o->max), atomic_load(&o->ooms), atomic_load(&o->kills) };
}

bool oom_pressing(const struct kernel *k)
{
	return atomic_load_explicit(&k->oom->pressing, memory_order_relaxed);
}

bool oom_may_retry(struct task *t)
{
	struct oom *o = t->k->oom;

	if (!atomic_load(&o->limit) || atomic_load(&o->hopeless))
		return false;
	sleeper_wake(&o->sleeper);
	(void)wait_sleep(now_monotonic() + LOOK_MIN);
	return true;
}

void oom_wait(struct task *t)
{
	struct oom *o = t->k->oom;
	struct waiter w;

	wait_begin(&w, &o->wq, EVENT_IN);
	while (atomic_load(&o->pressing) && !wait_sleep(WAIT_FOREVER))
		;
	wait_end(&w);
}
