/*
 * signal_deliver.c - taking signals: before a task goes back to its program it
 * stops, dies, or gets a frame for a handler; waiting for signals instead.
 * Runs on the task's own thread.
 */
#include "kernel/core.h"
#include "kernel/posix_timer.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <string.h>

#define RED_ZONE 128
#define FRAME_ROOM 1024 /* registers, siginfo and ucontext of a frame, beside the floating-point state */

int signal_dequeue_locked(struct task *t, uint64_t blocked, struct linux_siginfo *info)
{
	struct sigpending *p = t->pending;
	int signo = sigpending_first(p->set, blocked);

	if (!signo) {
		p = t->tg->pending;
		signo = sigpending_first(p->set, blocked);
	}
	if (!signo)
		return 0;
	sigpending_take(p, signo, info);
	posix_timer_taken_locked(t->tg, info);
	return signo;
}

/* --- alternate stacks -------------------------------------------------------- */

static bool on_altstack(const struct task *t, uint64_t sp)
{
	const struct linux_stack *s = &t->altstack;

	if ((uint32_t)s->ss_flags & LINUX_SS_AUTODISARM)
		return false;
	return sp > s->ss_sp && sp - s->ss_sp <= s->ss_size;
}

static void altstack_reset(struct task *t)
{
	t->altstack = (struct linux_stack){ .ss_flags = LINUX_SS_DISABLE };
}

void signal_get_altstack(const struct task *t, uint64_t sp, struct linux_stack *out)
{
	*out = t->altstack;
	out->ss_flags = !t->altstack.ss_size ? LINUX_SS_DISABLE : on_altstack(t, sp) ? LINUX_SS_ONSTACK : 0;
	out->ss_flags |= (int32_t)((uint32_t)t->altstack.ss_flags & LINUX_SS_AUTODISARM);
	out->pad = 0;
}

int signal_set_altstack(struct task *t, const struct linux_stack *ss, uint64_t sp, uint64_t min_size)
{
	uint32_t flags = (uint32_t)ss->ss_flags, mode = flags & ~LINUX_SS_AUTODISARM;

	if (on_altstack(t, sp))
		return -EPERM;
	if (mode != LINUX_SS_DISABLE && mode != LINUX_SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == LINUX_SS_DISABLE) {
		t->altstack = (struct linux_stack){ .ss_flags = (int32_t)flags };
		return 0;
	}
	if (ss->ss_size < min_size)
		return -ENOMEM;
	t->altstack = *ss;
	t->altstack.pad = 0;
	return 0;
}

/* --- frames ------------------------------------------------------------------ */

/* Where the frame begins; 0 when an alternate stack would overflow. */
static uint64_t frame_top(struct task *t, const struct linux_sigaction *sa)
{
	const struct linux_stack *s = &t->altstack;
	uint64_t sp = t->regs.rsp - RED_ZONE;
	bool nested = on_altstack(t, t->regs.rsp);

	if (sa->flags & LINUX_SA_ONSTACK && s->ss_size && !nested) {
		sp = s->ss_sp + s->ss_size;
		nested = true;
	} else {
		nested = nested && s->ss_size;
	}
	if (nested && (sp - s->ss_sp > s->ss_size || sp - s->ss_sp < fpstate_size() + FRAME_ROOM))
		return 0;
	return sp;
}

static int push_frame(struct task *t, int signo, const struct linux_siginfo *info, const struct linux_sigaction *sa, uint64_t oldmask)
{
	struct fpstate *fp = task_fp(t);
	uint64_t top = frame_top(t, sa);

	if (!fp || !top)
		return -EFAULT;
	platform_fpstate_get(t->ctx, fp);
	if (sigframe_push(t->mm, &t->regs, fp, top, signo, info, sa, oldmask, &t->altstack))
		return -EFAULT;
	fpstate_init(fp);
	platform_fpstate_set(t->ctx, fp);
	if ((uint32_t)t->altstack.ss_flags & LINUX_SS_AUTODISARM)
		altstack_reset(t);
	return 0;
}

static void run_handler(struct task *t, int signo, const struct linux_siginfo *info, const struct linux_sigaction *sa)
{
	uint64_t oldmask = t->restore_mask ? t->saved_mask : t->blocked;
	uint64_t add = sa->mask | (sa->flags & LINUX_SA_NODEFER ? 0 : SIGBIT(signo));

	restart_apply(&t->regs, sa->flags & LINUX_SA_RESTART ? RESTART_HANDLER_SA_RESTART : RESTART_HANDLER);
	if (push_frame(t, signo, info, sa, oldmask)) {
		if (signo == LINUX_SIGSEGV) { /* its own handler cannot run: no way out */
			tasks_lock(t->k);
			t->tg->sighand->action[signo - 1].handler = LINUX_SIG_DFL;
			tasks_unlock(t->k);
		}
		signal_force(t, LINUX_SIGSEGV, NULL);
		return;
	}
	t->restore_mask = false;
	tasks_lock(t->k);
	signal_set_blocked_locked(t, t->blocked | add);
	tasks_unlock(t->k);
	ptrace_stepped_into_handler(t);
}

int64_t signal_return(struct task *t)
{
	struct fpstate *fp = task_fp(t);
	struct linux_stack ss;
	uint64_t mask;

	task_complete_regs(t);
	if (!fp || sigframe_pop(t->mm, &t->regs, fp, &mask, &ss)) {
		signal_force(t, LINUX_SIGSEGV, NULL);
		return 0;
	}
	platform_fpstate_set(t->ctx, fp);
	tasks_lock(t->k);
	signal_set_blocked_locked(t, mask);
	tasks_unlock(t->k);
	(void)signal_set_altstack(t, &ss, t->regs.rsp, 0);
	t->regs.orig_rax = UINT64_MAX; /* no restart after this one */
	return (int64_t)t->regs.rax;
}

/* --- stops ------------------------------------------------------------------- */

/* A traced task may run though its group has stopped, and stop again. */
static void stop_again_locked(struct task *t)
{
	if (!task_traced(t) || t->stop_todo)
		return;
	t->stop_todo = true;
	if (!t->tg->stopped)
		t->tg->stop_left++;
}

static void stop_begin_locked(struct task *by, int signo)
{
	struct thread_group *tg = by->tg;
	struct task *t;

	if (tg->stopping) {
		stop_again_locked(by);
		return;
	}
	tg->stopping = true;
	tg->stop_signal = signo;
	tg->stop_left = 0;
	tg->cont_pending = false;
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		if (t->exiting)
			continue;
		t->stop_todo = true;
		tg->stop_left++;
		task_kick_locked(t);
		if (task_traced(t))
			ptrace_notify_locked(t);
	}
}

/* A task that stops, or leaves while others stop, counts itself down. */
static void stop_count_locked(struct thread_group *tg)
{
	if (tg->stop_left && --tg->stop_left == 0 && tg->stopping && !tg->stopped) {
		tg->stopped = true;
		tg->stop_reported = false;
		tg_notify_parent_locked(tg, LINUX_CLD_STOPPED, tg->stop_signal);
	}
}

void signal_stop_leave_locked(struct task *t)
{
	if (t->stop_todo) {
		t->stop_todo = false;
		stop_count_locked(t->tg);
	}
}

/* Sleeps until the group continues or ends. */
static void stop_here(struct task *t)
{
	struct thread_group *tg = t->tg;

	if (task_traced(t)) {
		ptrace_job_stop(t);
		return;
	}
	tasks_lock(t->k);
	if (!t->stop_todo) {
		tasks_unlock(t->k);
		return;
	}
	t->parked = true;
	t->state = 'T';
	signal_stop_leave_locked(t);
	while (tg->stopping && !tg->exiting && !(tg->exec_task && tg->exec_task != t) && !ptrace_trap_pending_locked(t)) {
		tasks_unlock(t->k);
		wait_sleep_uninterruptible(WAIT_FOREVER);
		tasks_lock(t->k);
		signal_stop_leave_locked(t); /* where the group was continued, and stops again before this one has run */
	}
	t->parked = false;
	t->state = 'R';
	tasks_unlock(t->k);
}

/* --- the work before the program ---------------------------------------------- */

/* Applies the default action of signo; the lock is held. */
static void default_action_locked(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct thread_group *tg = t->tg;

	if (signal_default_ignores(signo))
		return;
	if (tg->unkillable && !(SIG_UNBLOCKABLE & SIGBIT(signo)))
		return;
	if (SIG_STOPS & SIGBIT(signo)) {
		if (signo != LINUX_SIGSTOP && (!tg->pgrp || pgrp_is_orphaned_locked(tg->pgrp, NULL)))
			return;
		if (t->stop_taken)
			stop_begin_locked(t, signo);
		return;
	}
	if (SIG_DUMPS & SIGBIT(signo))
		core_begin_locked(t, info);
	tg_begin_exit_locked(tg, signo);
}

enum taken { TAKEN_NOTHING, TAKEN_DONE, TAKEN_SIGNAL, TAKEN_HANDLER, TAKEN_EXIT };

/* Takes one thing to do; *signo: a signal, if that is it. */
static enum taken take_one(struct task *t, int *signo, struct linux_siginfo *info)
{
	struct thread_group *tg = t->tg;
	enum taken r = TAKEN_DONE;

	tasks_lock(t->k);
	if (tg->exiting || t->leaving || (tg->exec_task && tg->exec_task != t)) {
		r = TAKEN_EXIT;
	} else if (!t->stop_todo && !ptrace_trap_pending_locked(t)) {
		*signo = signal_dequeue_locked(t, signal_blocked_locked(t), info);
		r = *signo ? TAKEN_SIGNAL : TAKEN_NOTHING;
		t->stop_taken = *signo;
		if (!*signo)
			signal_recalc_locked(t);
	}
	tasks_unlock(t->k);
	return r;
}

/* What the program has said is to be done about a signal that was taken. */
static enum taken act_on(struct task *t, int signo, const struct linux_siginfo *info, struct linux_sigaction *sa)
{
	enum taken r = TAKEN_DONE;
	struct linux_sigaction *a;

	tasks_lock(t->k);
	a = &t->tg->sighand->action[signo - 1];
	*sa = *a;
	if (a->handler == LINUX_SIG_DFL) {
		default_action_locked(t, signo, info);
	} else if (a->handler != LINUX_SIG_IGN) {
		r = TAKEN_HANDLER;
		if (a->flags & LINUX_SA_RESETHAND)
			a->handler = LINUX_SIG_DFL;
	}
	tasks_unlock(t->k);
	return r;
}

/* The next thing that is not done with; a tracer has its say in signals. */
static enum taken take(struct task *t, int *signo, struct linux_siginfo *info, struct linux_sigaction *sa)
{
	enum taken r = take_one(t, signo, info);

	if (r != TAKEN_SIGNAL)
		return r;
	if (task_traced(t) && *signo != LINUX_SIGKILL)
		*signo = ptrace_signal(t, *signo, info);
	return *signo ? act_on(t, *signo, info, sa) : TAKEN_DONE;
}

bool signal_work(struct task *t)
{
	task_complete_regs(t);
	for (;;) {
		struct linux_sigaction sa;
		struct linux_siginfo info;
		int signo = 0;

		switch (take(t, &signo, &info, &sa)) {
		case TAKEN_EXIT:
			return false;
		case TAKEN_HANDLER:
			run_handler(t, signo, &info, &sa);
			break;
		case TAKEN_SIGNAL:
		case TAKEN_DONE:
			stop_here(t);
			break;
		case TAKEN_NOTHING:
			restart_apply(&t->regs, RESTART_NO_HANDLER);
			if (!t->restore_mask)
				return true;
			t->restore_mask = false;
			tasks_lock(t->k);
			signal_set_blocked_locked(t, t->saved_mask);
			tasks_unlock(t->k);
			break; /* what the old mask lets in */
		}
	}
}

/* --- waiting for signals ------------------------------------------------------- */

int signal_wait(struct task *t, uint64_t set, int64_t deadline, struct linux_siginfo *info)
{
	uint64_t old;
	int signo, r = 0;

	set &= ~SIG_UNBLOCKABLE;
	tasks_lock(t->k);
	old = t->real_blocked = signal_blocked_locked(t);
	for (;;) {
		signo = signal_dequeue_locked(t, ~set, info);
		if (signo || r || deadline == 0)
			break;
		/* awake to the wanted ones for the time of the wait */
		signal_set_blocked_locked(t, old & ~set);
		tasks_unlock(t->k);
		r = wait_sleep(deadline);
		tasks_lock(t->k);
	}
	t->real_blocked = 0;
	signal_set_blocked_locked(t, old);
	tasks_unlock(t->k);
	if (signo)
		return signo;
	return r && r != -ETIMEDOUT ? -EINTR : -EAGAIN;
}
