/*
 * child_first.c - see child_first.h.  The child refers to its maker as long as that
 * waits; whoever of the two takes the reference out ends the wait.  No locks.
 */
#include "kernel/child_first.h"

#include "kernel/ptrace.h"
#include "kernel/task_table.h"

/* Whether c's maker was waiting. */
static bool take_back(struct task *c)
{
	struct task *maker = atomic_exchange(&c->waited_by, NULL);

	if (!maker)
		return false;
	if (maker != task_current())
		sleeper_wake(&maker->sleeper);
	task_put(maker);
	return true;
}

static bool may_go_first(struct task *t)
{
	if (task_traced(t) || !child_first_pays(&t->first, atomic_load_explicit(&t->tg->ended_soon, memory_order_relaxed)))
		return false;
	platform_rests_soon(t->ctx);
	return true;
}

/* Until c, which t waits for, sleeps or ends; soon: it runs when t sleeps, and not before on another processor. */
static void wait_for(struct task *t, struct task *c, bool soon)
{
	int64_t until;

	if (!soon) {
		(void)take_back(c);
		return;
	}
	until = now_monotonic() + FIRST_NS;
	while (atomic_load(&c->waited_by) && !wait_sleep_uninterruptible(until))
		;
	child_first_learn(&t->first, !take_back(c));
}

void child_first_start(struct task *t, struct task *c, struct task_host *h)
{
	bool first = may_go_first(t), awake;
	enum task_begun begun = first ? task_run_here(t, c) : TASK_NOT_BEGUN;

	if (begun == TASK_ENDED || begun == TASK_RUNS_ON) {
		first = false;
		child_first_learn(&t->first, begun == TASK_ENDED);
	}
	if (begun == TASK_ENDED) {
		task_host_spare(h, c);
		return;
	}
	if (first) {
		task_get(t);
		atomic_store(&c->waited_by, t);
	}
	awake = task_host_awake(h);
	task_host_wake(h);
	if (first)
		wait_for(t, c, awake || lock_state.owes_later);
}

void child_first_over(struct task *c)
{
	if (atomic_load_explicit(&c->waited_by, memory_order_relaxed))
		(void)take_back(c);
}

/* Two that end at once may undo one another's count: it is a guess all the same. */
void child_first_ended(struct task *c)
{
	_Atomic unsigned *soon = &c->tg->ended_soon;
	unsigned n = atomic_load_explicit(soon, memory_order_relaxed);

	if (now_monotonic() - c->start_time > FIRST_SOON_NS)
		atomic_store_explicit(soon, 0, memory_order_relaxed);
	else if (n < FIRST_SURE)
		atomic_store_explicit(soon, n + 1, memory_order_relaxed);
	child_first_over(c);
}
