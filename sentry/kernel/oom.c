/*
 * oom.c - see oom.h: domains, their limits, and the tasks that wait.  Any thread.
 * `mu` is about which domains there are.
 */
#include "kernel/oom_internal.h"

#include "kernel/task_table.h"
#include "lib/threads.h"
#include "mm/huge.h"
#include "mm/memfile.h"

#include <errno.h>
#include <stdlib.h>

#define STACK_SIZE (128 * 1024)
/* The host keeps the same limit for the sandbox as a whole: the programs get what the
 * sentry, the gofer and what is touched while somebody is being killed leave of it. */
#define OWN_MEMORY (UINT64_C(8) << 20)
#define OWN_PART 16
#define HARD_PART 4 /* of that: so far beyond, what is handed out fails, or waits */

struct oom *oom_new(struct kernel *k)
{
	struct oom *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->k = k;
	mutex_init(&o->mu, RANK_LEAF);
	sleeper_init(&o->sleeper);
	waitq_init(&o->wq);
	o->all.o = o;
	LIST_INSERT_HEAD(&o->domains, &o->all, link);
	return o;
}

/* --- how much it is ------------------------------------------------------------------------- */

uint64_t oom_limit(const struct oom_domain *d)
{
	return atomic_load(&d->limit);
}

uint64_t oom_used(const struct oom_domain *d)
{
	const struct memfile *m = d->o->k->memfile;

	return d->charges ? charge_used(d->charges, d->account, m) : memfile_committed(m);
}

/* What programs may use of the sandbox's limit; of none, none. */
uint64_t oom_line_below(uint64_t limit)
{
	uint64_t own = OWN_MEMORY + limit / OWN_PART;

	return limit - (own < limit / 2 ? own : limit / 2);
}

uint64_t oom_line_of(const struct oom_domain *d)
{
	return d->charges ? oom_limit(d) : oom_line_below(oom_limit(d));
}

bool oom_has_room(const struct oom_domain *d, uint64_t n)
{
	/* what is asked for may come as a huge page */
	return !oom_limit(d) || oom_used(d) + n + HUGE_SIZE <= oom_line_of(d);
}

/* The allocator's lock is held. */
static void handed_out(void *arg, bool beyond)
{
	struct oom_domain *d = arg;

	if (beyond || !atomic_load(&d->watched))
		sleeper_wake(&d->o->sleeper);
}

static void charged(void *arg)
{
	handed_out(arg, false);
}

struct oom_domain *oom_sandbox(struct kernel *k)
{
	return &k->oom->all;
}

struct oom_domain *oom_domain_of(const struct thread_group *tg)
{
	return tg->quota->memory ? tg->quota->memory : &tg->k->oom->all;
}

int oom_domain_new(struct kernel *k, const struct task_quota *members, struct oom_domain **out)
{
	struct oom_domain *d = calloc(1, sizeof(*d));
	int r = -ENOMEM;

	if (d && (d->charges = memfile_charges(k->memfile))) {
		d->o = k->oom;
		d->members = members;
		r = charge_open(d->charges, charged, d, &d->account);
	}
	if (r) {
		free(d);
		return r;
	}
	mutex_lock(&k->oom->mu);
	LIST_INSERT_HEAD(&k->oom->domains, d, link);
	mutex_unlock(&k->oom->mu);
	*out = d;
	return 0;
}

void oom_domain_free(struct oom_domain *d)
{
	struct oom *o = d ? d->o : NULL;
	bool started;

	if (!d)
		return;
	mutex_lock(&o->mu);
	started = o->started;
	mutex_unlock(&o->mu);
	if (!started) {
		oom_bury(d);
		return;
	}
	atomic_store(&d->limit, 0);
	atomic_store(&d->gone, true);
	sleeper_wake(&o->sleeper);
}

void oom_charge(const struct task_quota *q)
{
	charge_to(q && q->memory ? q->memory->account : CHARGE_NOBODY);
}

static int start_locked(struct oom *o)
{
	int r;

	if (o->started)
		return 0;
	r = thread_start(STACK_SIZE, oom_watch, o);
	o->started = !r;
	return -r;
}

/* The memory file is told of the sandbox's. */
static void set_sandbox(struct oom_domain *d, uint64_t bytes)
{
	struct kernel *k = d->o->k;
	uint64_t line = oom_line_below(bytes);

	k->memory_total = bytes ? bytes : k->memory_host;
	if (bytes)
		memfile_set_limit(k->memfile, line, line + (bytes - line) / HARD_PART, handed_out, d);
	else
		memfile_set_limit(k->memfile, k->memory_host, k->memory_host, NULL, NULL);
}

int oom_set_limit(struct oom_domain *d, uint64_t bytes)
{
	struct oom *o = d->o;
	int r;

	if (bytes >= o->k->memory_host)
		bytes = 0;
	mutex_lock(&o->mu);
	r = bytes ? start_locked(o) : 0;
	if (!r)
		atomic_store(&d->limit, bytes);
	mutex_unlock(&o->mu);
	if (r)
		return r;
	if (d->charges)
		charge_set_line(d->charges, d->account, bytes ? bytes : UINT64_MAX);
	else
		set_sandbox(d, bytes);
	sleeper_wake(&o->sleeper);
	return 0;
}

void oom_events(const struct oom_domain *d, struct oom_events *out)
{
	*out = (struct oom_events){ atomic_load(&d->max), atomic_load(&d->ooms), atomic_load(&d->kills) };
}

uint64_t oom_kills(const struct kernel *k)
{
	return atomic_load(&k->oom->kills);
}

bool oom_pressing(const struct kernel *k)
{
	return atomic_load_explicit(&k->oom->holding, memory_order_relaxed);
}

static bool kept(const struct oom_domain *d)
{
	return oom_limit(d) && !atomic_load(&d->hopeless);
}

bool oom_may_retry(struct task *t)
{
	struct oom *o = t->k->oom;

	if (!kept(&o->all) && !kept(oom_domain_of(t->tg)))
		return false;
	sleeper_wake(&o->sleeper);
	(void)wait_sleep(now_monotonic() + OOM_LOOK_MIN);
	return true;
}

bool oom_wait(struct task *t)
{
	struct oom *o = t->k->oom;
	const struct oom_domain *own = oom_domain_of(t->tg);
	struct waiter w;

	if (atomic_load(&o->resting)) {
		oom_end_rest(o);
		sleeper_wake(&o->sleeper);
	}
	if (!atomic_load(&o->all.pressing) && !atomic_load(&own->pressing))
		return false;
	wait_begin(&w, &o->wq, EVENT_IN);
	while ((atomic_load(&o->all.pressing) || atomic_load(&own->pressing)) && !wait_sleep(WAIT_FOREVER))
		;
	wait_end(&w);
	return true;
}
