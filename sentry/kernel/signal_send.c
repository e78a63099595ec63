/*
 * signal_send.c - sending signals: who takes it, what it stops or continues,
 * which end a group at once.  Any thread; all under the task list lock.
 */
#include "kernel/ptrace.h"
#include "kernel/task_table.h"

#include "abi/resource.h"

#include <errno.h>

uint64_t signal_pending_locked(const struct task *t)
{
	return t->pending->set | t->tg->pending->set;
}

bool signal_due_locked(struct task *t)
{
	const struct thread_group *tg = t->tg;
	uint64_t pending = signal_pending_locked(t);

	return (pending && (pending & ~signal_blocked_locked(t))) || t->stop_todo || tg->exiting || t->leaving ||
	       (tg->exec_task && tg->exec_task != t) || ptrace_trap_pending_locked(t);
}

void signal_recalc_locked(struct task *t)
{
	if (signal_due_locked(t)) {
		task_kick_locked(t);
		return;
	}
	atomic_store(&t->work, false);
	sleeper_clear(&t->sleeper);
}

void tg_begin_exit_locked(struct thread_group *tg, int wait_status)
{
	struct task *t;

	if (tg->exiting) {
		if (wait_status == LINUX_SIGKILL)
			ptrace_killed_locked(tg);
		return;
	}
	tg->exiting = true;
	tg->exit_status = wait_status;
	tg->stopping = tg->stopped = false;
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		t->stop_todo = false;
		task_kick_locked(t);
	}
	waitq_wake(&tg->thread_wq, EVENT_IN);
}

/* The group runs on: SIGCONT or SIGKILL. */
void signal_continue_locked(struct thread_group *tg)
{
	struct task *t;

	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		if (task_traced(t))
			ptrace_notify_locked(t);
	if (!tg->stopping && !tg->stopped)
		return;
	/* a stop that was not complete is reported as stopped and continued at once */
	tg->stopping = false;
	tg->stop_left = 0;
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		t->stop_todo = false;
		sleeper_wake(&t->sleeper);
	}
	tg->stopped = false;
	tg->stop_reported = false;
	tg->cont_pending = true;
	tg_notify_parent_locked(tg, LINUX_CLD_CONTINUED, LINUX_SIGCONT);
}

static void flush_everywhere(struct thread_group *tg, uint64_t set)
{
	struct task *t;

	sigpending_flush(tg->pending, set);
	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		sigpending_flush(t->pending, set);
}

/* Whether the signal is dropped before it is queued. */
static bool dropped(struct thread_group *tg, struct task *target, int signo, unsigned flags)
{
	bool kernel_only = SIG_UNBLOCKABLE & SIGBIT(signo);
	bool forced = flags & SEND_FORCED && kernel_only;

	if (task_traced(target) && signo != LINUX_SIGKILL)
		return false; /* its tracer wants to know */
	if ((signal_blocked_locked(target) | target->real_blocked) & SIGBIT(signo))
		return false;
	if (tg->unkillable && !forced && (kernel_only || tg->sighand->action[signo - 1].handler == LINUX_SIG_DFL))
		return true;
	return sighand_ignores(tg->sighand, signo);
}

static bool wants(struct task *t, int signo)
{
	if (t->exiting)
		return false;
	if (signo == LINUX_SIGKILL)
		return true;
	return !(signal_blocked_locked(t) & SIGBIT(signo)) && !t->parked;
}

static struct task *choose(struct thread_group *tg, struct task *to, int signo)
{
	struct task *t, *busy = NULL;

	if (to)
		return wants(to, signo) ? to : NULL;
	if (tg->leader && wants(tg->leader, signo))
		return tg->leader;
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		if (!wants(t, signo))
			continue;
		if (!atomic_load(&t->work))
			return t;
		busy = t;
	}
	return busy;
}

static bool is_fatal(const struct thread_group *tg, const struct task *t, int signo)
{
	if (signo == LINUX_SIGKILL)
		return true;
	if (task_traced(t))
		return false;
	return tg->sighand->action[signo - 1].handler == LINUX_SIG_DFL &&
		!((SIG_IGNORED_BY_DEFAULT | SIG_STOPS | SIG_DUMPS) & SIGBIT(signo)) && !tg->unkillable;
}

static void wake_taker(struct thread_group *tg, struct task *to, int signo)
{
	struct task *t = choose(tg, to, signo);

	waitq_wake(&tt_of(tg)->signalfd_wq, EVENT_IN | EVENT_RDNORM);
	if (signo == LINUX_SIGKILL) {
		tg_begin_exit_locked(tg, signo);
		return;
	}
	if (!t)
		return;
	if (is_fatal(tg, t, signo) && !(t->real_blocked & SIGBIT(signo))) {
		tg_begin_exit_locked(tg, signo);
		return;
	}
	task_kick_locked(t);
}

static struct task *representative(struct thread_group *tg)
{
	return tg->leader ? tg->leader : TAILQ_FIRST(&tg->tasks);
}

static bool from_program(const struct linux_siginfo *info)
{
	return info->code == LINUX_SI_USER || info->code == LINUX_SI_TKILL || info->code == LINUX_SI_QUEUE;
}

/* Sent by a program that has no number in the receiver's pid namespace. */
static bool from_above(const struct thread_group *tg, const struct linux_siginfo *info)
{
	const struct task *from = task_current();

	if (!from_program(info))
		return false;
	return from && from->tg->pid_ns != tg->pid_ns && !pid_nr(from->tg->pid, tg->pid_ns);
}

/* A sender's number of a user, as the receiver's user namespace has it. */
static uint32_t uid_for(struct task *to, uint32_t uid)
{
	struct task *from = task_current();

	if (!from || !to->cred || from->cred->user_ns == to->cred->user_ns)
		return uid;
	uid = user_ns_kernel_id(from->cred->user_ns, false, uid);
	return uid == ID_NONE ? ID_OVERFLOW : uid_shown(to->cred->user_ns, uid);
}

/* Who has taken a signal that stops, and not stopped yet, will not. */
static void forget_stops_locked(struct thread_group *tg)
{
	struct task *t;

	TAILQ_FOREACH(t, &tg->tasks, tg_link)
		t->stop_taken = false;
}

int signal_send_locked(struct thread_group *tg, struct task *to, int signo, const struct linux_siginfo *info, unsigned flags)
{
	struct sigpending *p = to ? to->pending : tg->pending;
	struct task *target = to ? to : representative(tg);
	struct sigqueue *q;

	if (signo == LINUX_SIGKILL && tg->exiting)
		ptrace_killed_locked(tg);
	if (!signo || !target || tg->zombie || tg->exiting || (to && to->exited))
		return 0;
	if (!info || from_above(tg, info))
		flags |= SEND_FORCED;
	if (signo == LINUX_SIGCONT) { /* it continues, even if it ignores the signal itself */
		flush_everywhere(tg, SIG_STOPS);
		forget_stops_locked(tg);
		signal_continue_locked(tg);
	}
	if (dropped(tg, target, signo, flags))
		return 0;
	if (SIG_STOPS & SIGBIT(signo))
		flush_everywhere(tg, SIGBIT(LINUX_SIGCONT));
	if (signo < LINUX_SIGRTMIN && p->set & SIGBIT(signo))
		return 0;
	q = sigqueue_new(tg->k->tasks, target->cred ? target->cred->ruid : 0, tg->rlimits[LINUX_RLIMIT_SIGPENDING].cur,
		signo < LINUX_SIGRTMIN && (!info || info->code >= 0));
	if (!q && signo >= LINUX_SIGRTMIN && info && info->code != LINUX_SI_USER)
		return -EAGAIN;
	if (q) {
		q->info = info ? *info : (struct linux_siginfo){ .code = LINUX_SI_KERNEL };
		q->info.signo = signo;
		if (info && from_above(tg, info))
			q->info.rt.pid = 0;
		if (info && from_program(info))
			q->info.rt.uid = uid_for(target, info->rt.uid);
	}
	sigpending_push(p, signo, q);
	wake_taker(tg, to, signo);
	return 0;
}

int signal_send_timer_locked(struct thread_group *tg, struct task *to, struct sigqueue *q)
{
	struct sigpending *p = to ? to->pending : tg->pending;
	struct task *target = to ? to : representative(tg);
	int signo = q->info.signo;

	if (q->queued)
		return 1;
	if (!target || tg->zombie || tg->exiting || (to && to->exited) || dropped(tg, target, signo, 0))
		return 0;
	sigpending_push(p, signo, q);
	wake_taker(tg, to, signo);
	return 0;
}

void signal_info_user(struct linux_siginfo *info, struct task *from, int signo, int code)
{
	*info = (struct linux_siginfo){ .signo = signo, .code = code };
	info->rt.pid = from->tg->own_tgid;
	info->rt.uid = uid_shown(from->cred->user_ns, from->cred->ruid);
}

int signal_send_task(struct task *t, int signo, const struct linux_siginfo *info)
{
	int r;

	tasks_lock(t->k);
	r = signal_send_locked(t->tg, t, signo, info, 0);
	tasks_unlock(t->k);
	return r;
}

int signal_send_group(struct thread_group *tg, int signo, const struct linux_siginfo *info)
{
	int r;

	tasks_lock(tg->k);
	r = signal_send_locked(tg, NULL, signo, info, 0);
	tasks_unlock(tg->k);
	return r;
}

static int signal_send_pgrp_locked(struct kernel *k, pid_t pgid, int signo, const struct linux_siginfo *info)
{
	struct pgrp *pg = pgrp_find_locked(k->root_pids, pgid);
	struct thread_group *tg;
	int r = -ESRCH;

	if (!pg)
		return -ESRCH;
	LIST_FOREACH(tg, &pg->members, pgrp_link) {
		int one = signal_send_locked(tg, NULL, signo, info, 0);

		r = r == 0 ? 0 : one;
	}
	return r;
}

int signal_send_pgrp(struct kernel *k, pid_t pgid, int signo, const struct linux_siginfo *info)
{
	int r;

	tasks_lock(k);
	r = signal_send_pgrp_locked(k, pgid, signo, info);
	tasks_unlock(k);
	return r;
}

int signal_send_container(struct kernel *k, struct container *c, int signo)
{
	struct thread_group *tg;
	int n = 0;

	tasks_lock(k);
	LIST_FOREACH(tg, &k->tasks->all, all_link) {
		if (tg->container != c || tg->zombie)
			continue;
		signal_send_locked(tg, NULL, signo, NULL, SEND_FORCED);
		n++;
	}
	tasks_unlock(k);
	return n ? 0 : -ESRCH;
}

void signal_force(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct linux_sigaction *a;
	struct sigqueue *q;

	tasks_lock(t->k);
	a = sighand_action(t->tg->sighand, signo);
	if (signal_blocked_locked(t) & SIGBIT(signo) || a->handler == LINUX_SIG_IGN) {
		a->handler = LINUX_SIG_DFL;
		t->blocked &= ~SIGBIT(signo);
	}
	if (a->handler == LINUX_SIG_DFL && !task_traced(t))
		t->tg->unkillable = false;
	if (!(t->pending->set & SIGBIT(signo))) {
		q = sigqueue_new(t->k->tasks, t->cred->ruid, 0, true);
		if (q) {
			q->info = info ? *info : (struct linux_siginfo){ .code = LINUX_SI_KERNEL };
			q->info.signo = signo;
		}
		sigpending_push(t->pending, signo, q);
	}
	signal_recalc_locked(t);
	tasks_unlock(t->k);
}

bool signal_is_ignored_or_blocked(struct task *t, int signo)
{
	bool r;

	if (!signo_valid(signo))
		return false;
	tasks_lock(t->k);
	r = signal_blocked_locked(t) & SIGBIT(signo) || sighand_action(t->tg->sighand, signo)->handler == LINUX_SIG_IGN;
	tasks_unlock(t->k);
	return r;
}
