/*
 * child_first.c - see child_first.h.  The child refers to its maker as long as that
 * waits; whoever of the two takes the reference out ends the wait.  No locks.
 */
#include "kernel/child_first.h"

#include "kernel/task.h"

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

void child_first_offer(struct task *t, struct task *c)
{
	if (!child_first_pays(&t->first, atomic_load_explicit(&t->tg->ended_soon, memory_order_relaxed)))
		return;
	platform_rests_soon(t->ctx);
	task_get(t);
	atomic_store(&c->waited_by, t);
}

void child_first_wait(struct task *t, struct task *c, bool soon)
{
	int64_t until;

	if (!atomic_load(&c->waited_by))
		return;
	if (!soon) {
		(void)take_back(c);
		return;
	}
	until = now_monotonic() + FIRST_NS;
	while (atomic_load(&c->waited_by) && !wait_sleep_uninterruptible(until))
		;
	child_first_learn(&t->first, !take_back(c));
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
