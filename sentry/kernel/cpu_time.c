/*
 * cpu_time.c - the processor time of tasks and thread groups (see cpu_time.h).  Any thread that holds the
 * task list lock.
 *
 * The host tells one thread of another process's clock, but not of the clocks of that one's threads: what the
 * tasks of a group have waited is known of all together, and shared out by how long each has had the word.
 *
 * What it tells of threads that run is as old as its last tick.  So the word may be ahead of it for a tick a
 * processor, and only what exceeds that was waited.  Time that a stub runs without the word (it waits awake
 * for the sentry) is no program's: it makes up for no waiting that is known of already.
 *
 * Two groups in one address space (vfork) have each what the host says of both: they may seem to have waited
 * less than they did, never more.
 */
#include "kernel/cpu_time.h"

#include "abi/time.h"
#include "kernel/task_table.h"

#include <pthread.h>
#include <x86intrin.h>

#define ASK_NS 1000000 /* not more often */
#define LEAST_NS 100000 /* who has had the word for less is believed */

static uint64_t ticks_at(const struct task_cpu *c, uint64_t now)
{
	int64_t v = (int64_t)atomic_load_explicit(&c->program, memory_order_relaxed);
	uint64_t ticks = (uint64_t)(v >> 1) + (v & 1 ? now : 0);

	/* another processor's counter may be a little behind */
	return (int64_t)(ticks - c->seen) < 0 ? c->seen : ticks;
}

/* With the word, of all of its tasks; and of each in its `now`. */
static uint64_t all_ticks_locked(struct thread_group *tg, uint64_t now)
{
	uint64_t all = tg->cpu.dead;
	struct task *t;

	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		if (t->exited)
			continue;
		t->cpu.now = ticks_at(&t->cpu, now);
		all += t->cpu.now;
	}
	return all;
}

/* --- what was waited -------------------------------------------------------------- */

static struct task *any_in_host_locked(struct thread_group *tg)
{
	struct task *t;

	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (!t->exited && t->ctx)
			return t;
	return NULL;
}

static void share_out_locked(struct thread_group *tg, int64_t waited, uint64_t ticks)
{
	struct task *t;

	tg->cpu.waited += waited;
	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (!t->exited)
			t->cpu.waited += (int64_t)((unsigned __int128)waited * (t->cpu.now - t->cpu.seen) / ticks);
}

/* The host has run the group's stub process for as long as it says, since it was asked last, while all with
 * the word were told so many ticks. */
static void compare_locked(struct thread_group *tg, uint64_t all, const struct platform_cpu_time *host, int64_t lag)
{
	struct group_cpu *g = &tg->cpu;
	bool same = host->process == g->process && host->ns >= g->host;
	int64_t ahead = g->ahead + ticks_to_ns(all - g->seen) - (same ? host->ns - g->host : host->ns);
	struct task *t;

	if (ahead > lag && all != g->seen) {
		share_out_locked(tg, ahead - lag, all - g->seen);
		ahead = lag;
	}
	g->ahead = ahead > 0 ? ahead : 0;
	g->process = host->process;
	g->host = host->ns;
	g->seen = all;
	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (!t->exited)
			t->cpu.seen = t->cpu.now;
}

/* Both clocks at one moment, as far as one can.  False: the host does not say. */
static bool ask(struct task *t, struct platform_cpu_time *host, uint64_t *now)
{
	uint64_t before;
	unsigned tries = 0;

	do {
		before = __rdtsc();
		if (!platform_cpu_time(t->ctx, host))
			return false;
		*now = __rdtsc();
	} while (ticks_to_ns(*now - before) > LEAST_NS && ++tries < 4); /* this thread has waited itself */
	return true;
}

/* ns that what the host says may be old.  (A kernel without ticks on busy processors may say what is older.) */
static int64_t lag_locked(const struct thread_group *tg)
{
	unsigned n = tg->n_live ? tg->n_live : 1;

	return tg->k->host_tick * (n < tg->k->host_cpus ? n : tg->k->host_cpus);
}

/* The group's ticks with the word until now; compared with what the host says, if it was not asked just before. */
static uint64_t look_locked(struct thread_group *tg)
{
	uint64_t now = __rdtsc(), all = all_ticks_locked(tg, now);
	struct platform_cpu_time host;
	struct task *t;

	if (all == tg->cpu.seen || ticks_to_ns(now - tg->cpu.asked) < ASK_NS)
		return all;
	t = any_in_host_locked(tg);
	if (!t || !ask(t, &host, &now))
		return all;
	tg->cpu.asked = now;
	all = all_ticks_locked(tg, now);
	compare_locked(tg, all, &host, lag_locked(tg));
	return all;
}

/* Its stub's thread sleeps, as a rule: then what the host says is exact, if no other was there. */
void tg_cpu_leaves_locked(struct thread_group *tg)
{
	struct task *t = any_in_host_locked(tg);
	struct platform_cpu_time host;
	uint64_t now, all = all_ticks_locked(tg, __rdtsc());
	bool alone;

	if (!t || ticks_to_ns(all - tg->cpu.seen) < LEAST_NS || !ask(t, &host, &now))
		return;
	all = all_ticks_locked(tg, now);
	alone = t == task_current() && all - tg->cpu.seen == t->cpu.now - t->cpu.seen;
	compare_locked(tg, all, &host, alone && host.exact ? 0 : lag_locked(tg));
}

/* --- tasks ------------------------------------------------------------------------- */

static int64_t host_time(clockid_t clock)
{
	struct timespec ts;

	return clock_gettime(clock, &ts) ? -1 : ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

void task_cpu_begin(struct task *t)
{
	clockid_t clock;
	int64_t ns;

	pthread_getcpuclockid(pthread_self(), &clock);
	ns = host_time(clock); /* the thread may have run another task before */
	t->cpu.before = ns > 0 ? ns : 0;
	atomic_store_explicit(&t->cpu.awake, 0, memory_order_relaxed); /* what its maker's thread was, is none of its own */
	atomic_store_explicit(&t->cpu.clock, clock, memory_order_release);
}

static void keep_most(int64_t *told, int64_t now)
{
	if (now > *told)
		*told = now;
}

static int64_t system_time_locked(struct task *t)
{
	clockid_t clock = atomic_load_explicit(&t->cpu.clock, memory_order_acquire);
	int64_t ns;

	if (clock && !t->exited && (ns = host_time(clock)) >= 0)
		keep_most(&t->cpu.stime, ns - t->cpu.before - ticks_to_ns(atomic_load_explicit(&t->cpu.awake, memory_order_relaxed)));
	return t->cpu.stime;
}

static int64_t user_time_locked(struct task *t)
{
	if (!t->exited) {
		(void)look_locked(t->tg);
		keep_most(&t->cpu.utime, ticks_to_ns(t->cpu.now) - t->cpu.waited);
	}
	return t->cpu.utime;
}

void task_times_locked(struct task *t, int64_t *utime, int64_t *stime)
{
	*utime = user_time_locked(t);
	*stime = system_time_locked(t);
}

/* All but its times. */
static void counts(const struct task *t, struct usage_sum *out)
{
	*out = (struct usage_sum){ .nvcsw = t->nvcsw, .nivcsw = t->nivcsw, .minflt = t->minflt, .majflt = t->majflt,
		.rchar = t->rchar, .wchar = t->wchar, .syscr = t->syscr, .syscw = t->syscw };
}

void task_usage(struct task *t, struct usage_sum *out)
{
	tasks_lock(t->k);
	counts(t, out);
	task_times_locked(t, &out->utime, &out->stime);
	tasks_unlock(t->k);
}

void task_cpu_fold_locked(struct task *t)
{
	struct usage_sum u;

	counts(t, &u);
	u.stime = system_time_locked(t);
	usage_add(&t->tg->dead, &u);
	t->cpu.now = ticks_at(&t->cpu, __rdtsc());
	t->tg->cpu.dead += t->cpu.now;
	keep_most(&t->cpu.utime, ticks_to_ns(t->cpu.now) - t->cpu.waited);
}

/* --- sums -------------------------------------------------------------------------- */

void usage_add(struct usage_sum *to, const struct usage_sum *from)
{
	to->utime += from->utime;
	to->stime += from->stime;
	to->nvcsw += from->nvcsw;
	to->nivcsw += from->nivcsw;
	to->minflt += from->minflt;
	to->majflt += from->majflt;
	to->rchar += from->rchar;
	to->wchar += from->wchar;
	to->syscr += from->syscr;
	to->syscw += from->syscw;
	if (from->maxrss > to->maxrss)
		to->maxrss = from->maxrss;
}

void tg_usage_locked(struct thread_group *tg, struct usage_sum *out)
{
	struct task *t;

	*out = tg->dead;
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		struct usage_sum one;

		if (t->exited)
			continue;
		counts(t, &one);
		one.stime = system_time_locked(t);
		usage_add(out, &one);
	}
	keep_most(&tg->cpu.utime, ticks_to_ns(look_locked(tg)) - tg->cpu.waited);
	out->utime = tg->cpu.utime;
}
