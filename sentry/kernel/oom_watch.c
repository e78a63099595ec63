/*
 * oom_watch.c - see oom.h: the thread that watches, which is made with the first limit and
 * stays.  Its decisions need no lock but those of what it looks at.
 */
#include "kernel/oom_internal.h"

#include "kernel/klog.h"
#include "kernel/task_table.h"
#include "lib/threads.h"
#include "libipc/fd.h"
#include "libipc/log.h"
#include "mm/memfile.h"

#include <stdlib.h>

#define MS INT64_C(1000000)
#define TOUCH_RATE 8 /* bytes a ns that programs may touch at the very most */
#define LOOK_MAX (100 * MS)
#define BEAR_PART 16 /* of its limit: so much more than that a container may keep */
#define LOOK_PART 8 /* looking takes no more than so small a part of the thread's time */
#define DEATH_MS 20000 /* a killed program has given its memory back by then, or another must */

/* --- how much it is ------------------------------------------------------------------------- */

/* What it can be at most. */
static uint64_t reach(const struct oom_domain *d)
{
	return d->charges ? charge_handed(d->charges, d->account) : memfile_reach(d->o->k->memfile);
}

static bool over(const struct oom_domain *d)
{
	const uint64_t line = oom_line_of(d);

	return oom_limit(d) && oom_used(d) > (line > d->borne ? line : d->borne);
}

/* Somebody was killed for it.  What was touched before he was noticed may be in files, and
 * stay: as long as no more comes to that, nobody else is killed.  Of the sandbox's limit nothing
 * can be borne: the host keeps it too. */
static void bear(struct oom_domain *d)
{
	const uint64_t line = oom_line_of(d), n = oom_used(d);

	d->borne = d->charges && n > line && n - line <= line / BEAR_PART ? n : 0;
}

/* --- watching ------------------------------------------------------------------------------- */

static bool in_domain(const struct oom_domain *d, const struct thread_group *tg)
{
	return !d->members || tg->quota == d->members;
}

/* From now on its tasks wait; those in their programs leave them, and so touch no more. */
static void press(struct oom_domain *d)
{
	struct kernel *k = d->o->k;
	struct thread_group *tg;
	struct task *t;

	if (!atomic_exchange(&d->pressing, true))
		atomic_fetch_add(&d->o->holding, 1);
	tasks_lock(k);
	LIST_FOREACH(tg, &k->tasks->all, all_link)
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			if (in_domain(d, tg) && task_in_program(&t->cpu))
				task_kick_locked(t);
	tasks_unlock(k);
}

static void let_go(struct oom_domain *d)
{
	if (!atomic_exchange(&d->pressing, false))
		return;
	atomic_fetch_sub(&d->o->holding, 1);
	waitq_wake(&d->o->wq, EVENT_IN);
}

/* With nobody left to kill, who asks for more is refused (for the sandbox the memory file does). */
static void set_hopeless(struct oom_domain *d, bool hopeless)
{
	if (atomic_exchange(&d->hopeless, hopeless) == hopeless)
		return;
	if (d->charges)
		charge_refuse(d->charges, d->account, hopeless);
	if (hopeless)
		klog(d->o->k, KLOG_ERR, "Out of memory and no killable processes...");
}

static bool ended(struct kernel *k, const struct thread_group *tg)
{
	bool r;

	tasks_lock(k);
	r = tg->zombie || tg->released;
	tasks_unlock(k);
	return r;
}

/* Until the killed one (or NULL) has given everything back and the limit is kept again: the
 * next would be killed for what this one still holds.  Some time after its end it holds nothing. */
static void await_room(struct oom_domain *d, const struct thread_group *killed)
{
	struct kernel *k = d->o->k;
	int64_t end = now_monotonic() + DEATH_MS * MS;

	while ((over(d) || (killed && !ended(k, killed))) && now_monotonic() < end) {
		if (killed && ended(k, killed)) {
			killed = NULL;
			end = now_monotonic() + LOOK_MAX;
		}
		memfile_trim(k->memfile);
		wait_sleep_uninterruptible(now_monotonic() + OOM_LOOK_MIN);
	}
}

static void make_room(struct oom_domain *d)
{
	struct victim worst = { 0 };
	bool dying;

	atomic_fetch_add(&d->max, 1);
	memfile_trim(d->o->k->memfile);
	if (!over(d))
		return;
	press(d);
	atomic_fetch_add(&d->ooms, 1);
	dying = !oom_choose(d, &worst);
	if (dying)
		log_debug("out of memory: a program is ending already");
	else if (worst.tg)
		oom_kill(d, &worst);
	if (worst.mm)
		mm_put(TAKE_PTR(worst.mm)); /* its end frees the memory */
	if (dying || worst.tg)
		await_room(d, worst.tg);
	if (worst.tg)
		bear(d);
	set_hopeless(d, !dying && !worst.tg);
	oom_victim_drop(&worst);
}

/* When to look next: memory cannot have grown to the limit before. */
static int64_t look_again(uint64_t left, int64_t took)
{
	int64_t ns = (int64_t)(left / TOUCH_RATE);

	ns = ns < OOM_LOOK_MIN ? OOM_LOOK_MIN : ns > LOOK_MAX ? LOOK_MAX : ns;
	return now_monotonic() + (ns < took * LOOK_PART ? took * LOOK_PART : ns);
}

/* Keeps the domain's limit. When to look again. */
static int64_t look(struct oom_domain *d)
{
	const uint64_t limit = oom_limit(d);
	uint64_t line = oom_line_of(d);
	int64_t begin = now_monotonic();
	uint64_t n = 0;

	/* told of what is handed out from now on, unless it is more than the limit already */
	atomic_store(&d->watched, false);
	if (limit && reach(d) > line) {
		atomic_store(&d->watched, true);
		n = oom_used(d);
	}
	if (n <= line)
		d->borne = 0;
	else if (d->borne > line)
		line = d->borne;
	if (limit && n > line) {
		make_room(d);
		if (!atomic_load(&d->hopeless))
			return now_monotonic();
		let_go(d);
		return now_monotonic() + LOOK_MAX;
	}
	let_go(d);
	set_hopeless(d, false);
	return atomic_load(&d->watched) ? look_again(line - n, now_monotonic() - begin) : WAIT_FOREVER;
}

/* --- resting: while no program runs, none touches memory ------------------------------------- */

static bool any_runs(struct kernel *k)
{
	struct thread_group *tg;
	struct task *t;
	bool r = false;

	tasks_lock(k);
	LIST_FOREACH(tg, &k->tasks->all, all_link)
		TAILQ_FOREACH(t, &tg->tasks, tg_link)
			r |= task_in_program(&t->cpu);
	tasks_unlock(k);
	return r;
}

void oom_end_rest(struct oom *o)
{
	if (atomic_exchange(&o->resting, false))
		atomic_fetch_sub(&o->holding, 1);
}

static struct oom_domain *next_domain(struct oom *o, struct oom_domain *d)
{
	mutex_lock(&o->mu);
	d = d ? LIST_NEXT(d, link) : LIST_FIRST(&o->domains);
	mutex_unlock(&o->mu);
	return d;
}

/* Until when the thread may sleep: twice found that nobody runs (who began between looking and
 * being asked to call is seen the second time), for ever. */
static int64_t rest(struct oom *o, int64_t next)
{
	if (next == WAIT_FOREVER || atomic_load(&o->holding) > atomic_load(&o->resting) || any_runs(o->k)) {
		oom_end_rest(o);
		return next;
	}
	if (!atomic_exchange(&o->resting, true)) {
		atomic_fetch_add(&o->holding, 1);
		return next;
	}
	for (struct oom_domain *d = NULL; (d = next_domain(o, d));)
		atomic_store(&d->watched, false);
	return WAIT_FOREVER;
}

/* --- the thread ------------------------------------------------------------------------------- */

void oom_bury(struct oom_domain *d)
{
	let_go(d);
	mutex_lock(&d->o->mu);
	LIST_REMOVE(d, link);
	mutex_unlock(&d->o->mu);
	charge_close(d->charges, d->account);
	free(d);
}

void *oom_watch(void *arg)
{
	struct oom *o = arg;

	thread_enter("memory");
	sleeper_set_current(&o->sleeper);
	for (;;) {
		int64_t next = WAIT_FOREVER;

		for (struct oom_domain *d = next_domain(o, NULL), *after; d; d = after) {
			int64_t at = atomic_load(&d->gone) ? WAIT_FOREVER : look(d);

			after = next_domain(o, d);
			if (atomic_load(&d->gone))
				oom_bury(d);
			next = at < next ? at : next;
		}
		wait_sleep_uninterruptible(rest(o, next));
	}
	return NULL;
}
