/*
 * signal_mask.c - tasks' signal masks: changed by calls, or by the program itself
 * while its mask is lent to it (platform_mask_lend); other masks for the time of
 * a wait.  Runs on the task's own thread, but for what is marked _locked.
 *
 * A mask is lent when the task has just asked for a change of it, or made another or
 * been made (C libraries change it around that), and no signal waits that it would let in.  Those that wait and
 * are blocked stay so: a change that lets one in is asked for.  Whoever sends a signal, or wants to know the mask for another reason, takes it back, by
 * signal_blocked_locked; so that t->blocked is right whenever mask_lent is false.
 */
#include "kernel/task_table.h"

uint64_t signal_blocked_locked(struct task *t)
{
	if (t->mask_lent) {
		t->blocked = platform_mask_take(t->ctx) & ~SIG_UNBLOCKABLE;
		t->mask_lent = false;
	}
	return t->blocked;
}

void signal_set_blocked_locked(struct task *t, uint64_t mask)
{
	uint64_t newly = mask & ~signal_blocked_locked(t) & t->tg->pending->set;
	struct task *o;

	t->blocked = mask & ~SIG_UNBLOCKABLE;
	signal_recalc_locked(t);
	if (!newly)
		return;
	/* what was shared and meant for this one must find another taker */
	TAILQ_FOREACH(o, &t->tg->tasks, tg_link)
		if (o != t && !o->exiting && (newly & ~signal_blocked_locked(o)))
			task_kick_locked(o);
}

static bool changed(int how, uint64_t set, uint64_t *mask)
{
	switch (how) {
	case SIGNAL_BLOCK:
		*mask |= set;
		return true;
	case SIGNAL_UNBLOCK:
		*mask &= ~set;
		return true;
	case SIGNAL_SETMASK:
		*mask = set;
		return true;
	default:
		return false;
	}
}

void signal_lend_mask_locked(struct task *t)
{
	uint64_t pending = signal_pending_locked(t);

	if (!(pending & ~t->blocked) && !task_must_ask(t))
		t->mask_lent = platform_mask_lend(t->ctx, t->blocked, pending);
}

bool signal_change_mask(struct task *t, int how, const uint64_t *set, uint64_t *old)
{
	uint64_t mask;
	bool ok;

	tasks_lock(t->k);
	*old = mask = signal_blocked_locked(t);
	ok = !set || changed(how, *set, &mask);
	if (ok && set)
		signal_set_blocked_locked(t, mask);
	signal_lend_mask_locked(t);
	tasks_unlock(t->k);
	return ok;
}

void signal_take_mask(struct task *t)
{
	tasks_lock(t->k);
	(void)signal_blocked_locked(t);
	tasks_unlock(t->k);
}

void signal_set_temp_mask(struct task *t, uint64_t mask)
{
	tasks_lock(t->k);
	t->saved_mask = signal_blocked_locked(t);
	t->restore_mask = true;
	signal_set_blocked_locked(t, mask);
	tasks_unlock(t->k);
}

void signal_restore_temp_mask(struct task *t, bool interrupted)
{
	if (!t->restore_mask || interrupted)
		return; /* the task loop puts it back, after the handler has seen the temporary one */
	t->restore_mask = false;
	tasks_lock(t->k);
	signal_set_blocked_locked(t, t->saved_mask);
	tasks_unlock(t->k);
}
