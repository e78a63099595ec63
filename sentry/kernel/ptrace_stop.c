/*
 * ptrace_stop.c - the stops of a traced task: at system calls, signals, events,
 * steps, and with its group.  Runs on the tracee's own thread, but for what is
 * marked otherwise in ptrace.h; the state of a stop is under the task list lock.
 */
#include "kernel/ptrace.h"

#include "abi/seccomp.h"
#include "kernel/task_table.h"

#include <errno.h>

#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_HWBKPT 4
#define SYSGOOD 0x80

struct stop {
	int code, why; /* as wait tells it; LINUX_CLD_* */
	uint64_t message;
	struct linux_siginfo *info; /* what the tracer makes of it comes back; NULL: there is none */
};

/* The task is to end, whatever its tracer does. */
static bool must_leave_locked(const struct task *t)
{
	return t->tg->exiting || t->leaving || (t->tg->exec_task && t->tg->exec_task != t);
}

static void tell_tracer_locked(struct task *t)
{
	const struct tracing *p = t->tracing;
	struct thread_group *to = p->tracer->tg;
	const struct linux_sigaction *a = &to->sighand->action[LINUX_SIGCHLD - 1];
	struct linux_siginfo info = { .signo = LINUX_SIGCHLD, .code = p->why };

	info.chld.pid = pid_nr(t->pid, to->pid_ns);
	info.chld.uid = t->cred ? t->cred->ruid : 0;
	info.chld.status = p->code & 0x7f;
	if (a->handler != LINUX_SIG_IGN && !(a->flags & LINUX_SA_NOCLDSTOP))
		signal_send_locked(to, NULL, LINUX_SIGCHLD, &info, 0);
	waitq_wake(&to->child_wq, EVENT_IN);
}

/* What the tracer wants this thread to do. */
static void do_asked_locked(struct task *t)
{
	struct tracing *p = t->tracing;
	struct task *tracer = p->tracer;

	tasks_unlock(t->k);
	p->ask(t, p->ask_arg);
	tasks_lock(t->k);
	p->ask = NULL;
	sleeper_wake(&tracer->sleeper); /* it waits for this, and so has not ended */
}

int ptrace_ask_locked(struct task *t, void (*fn)(struct task *t, void *arg), void *arg)
{
	struct tracing *p = t->tracing;

	p->ask_arg = arg;
	p->ask = fn;
	sleeper_wake(&t->sleeper);
	while (p->ask) {
		tasks_unlock(t->k);
		wait_sleep_uninterruptible(WAIT_FOREVER);
		tasks_lock(t->k);
	}
	return p->stopped && p->tracer == task_current() ? 0 : -ESRCH;
}

static void sync_step(struct task *t)
{
	const struct tracing *p = t->tracing;
	bool on = task_traced(t) && (p->mode == TRACE_STEP || p->mode == TRACE_EMULATE_STEP || watch_active(p));

	platform_set_singlestep(t->ctx, on);
	if (on)
		watch_begin(t);
}

/* Until the tracer has it go on: the signal that comes along; -1: there was no stop. */
static int stop_locked(struct task *t, const struct stop *s)
{
	struct tracing *p = t->tracing;

	if (!task_traced(t) || (!p->at_end && must_leave_locked(t)))
		return -1;
	p->code = s->code;
	p->why = s->why;
	p->message = s->message;
	p->has_info = s->info;
	if (s->info)
		p->info = *s->info;
	p->signo = 0;
	p->trap_stop = p->listening = false;
	if (s->code >> 8 == LINUX_PTRACE_EVENT_STOP)
		p->trap_notify = false;
	p->stopped = t->parked = true;
	t->state = 't';
	if (s->why == LINUX_CLD_STOPPED)
		signal_stop_leave_locked(t);
	tell_tracer_locked(t);
	while (p->stopped && (p->at_end || !must_leave_locked(t)) && !(p->listening && p->trap_notify)) {
		if (p->ask) {
			do_asked_locked(t);
			continue;
		}
		tasks_unlock(t->k);
		wait_sleep_uninterruptible(WAIT_FOREVER);
		tasks_lock(t->k);
	}
	if (p->ask)
		do_asked_locked(t);
	p->stopped = t->parked = p->has_info = false;
	t->state = 'R';
	if (s->info)
		*s->info = p->info;
	if (signal_due_locked(t)) /* what came meanwhile was not told to one that stood */
		task_kick_locked(t);
	return p->signo;
}

static int stop_here(struct task *t, const struct stop *s)
{
	int signo;

	task_complete_regs(t);
	tasks_lock(t->k);
	signo = stop_locked(t, s);
	tasks_unlock(t->k);
	sync_step(t);
	return signo;
}

/* Linux's ptrace_notify. */
static int notify(struct task *t, int code, uint64_t message)
{
	struct linux_siginfo info = { .signo = LINUX_SIGTRAP, .code = code };
	const struct stop s = { .code = code, .why = LINUX_CLD_TRAPPED, .message = message, .info = &info };

	info.rt.pid = t->own_tid;
	info.rt.uid = t->cred->ruid;
	return stop_here(t, &s);
}

/* --- system calls ------------------------------------------------------------------- */

static void call_stop(struct task *t, uint64_t which)
{
	int good = t->tracing->options & LINUX_PTRACE_O_TRACESYSGOOD ? SYSGOOD : 0, signo = notify(t, LINUX_SIGTRAP | good, which);

	if (signo > 0)
		signal_send_task(t, signo, NULL);
}

bool ptrace_call_begins(struct task *t)
{
	enum trace_mode mode = t->tracing->mode;

	task_complete_regs(t);
	if (mode == TRACE_SYSCALL || mode == TRACE_EMULATE || mode == TRACE_EMULATE_STEP)
		call_stop(t, LINUX_PTRACE_SYSCALL_INFO_ENTRY);
	if (mode == TRACE_EMULATE || mode == TRACE_EMULATE_STEP)
		return false;
	return (int32_t)t->regs.orig_rax != -1 && !t->tg->exiting;
}

void ptrace_call_ends(struct task *t)
{
	struct linux_siginfo info = { .code = TRAP_BRKPT };

	task_complete_regs(t);
	if (t->tracing->mode == TRACE_SYSCALL) {
		call_stop(t, LINUX_PTRACE_SYSCALL_INFO_EXIT);
	} else if (t->tracing->mode == TRACE_STEP) {
		info.fault.addr = t->regs.rip;
		signal_force(t, LINUX_SIGTRAP, &info);
	} else if (watch_active(t->tracing)) {
		watch_begin(t);
	}
}

bool ptrace_seccomp(struct task *t, uint16_t data)
{
	if (!task_traced(t) || !ptrace_event_wanted(t, LINUX_PTRACE_EVENT_SECCOMP))
		return false;
	ptrace_event(t, LINUX_PTRACE_EVENT_SECCOMP, data);
	return true;
}

/* --- signals and events --------------------------------------------------------------- */

int ptrace_signal(struct task *t, int signo, struct linux_siginfo *info)
{
	const struct stop s = { .code = signo, .why = LINUX_CLD_TRAPPED, .info = info };
	int now = stop_here(t, &s);
	struct task *tracer;

	if (now < 0)
		return signo;
	if (!now)
		return 0;
	tasks_lock(t->k);
	if (now != info->signo) {
		*info = (struct linux_siginfo){ .signo = now, .code = LINUX_SI_USER };
		tracer = task_traced(t) ? t->tracing->tracer : NULL;
		info->rt.pid = tracer ? tg_nr(tracer->tg, task_pid_ns(t)) : 0;
		info->rt.uid = tracer ? tracer->cred->ruid : 0;
	}
	if (signal_blocked_locked(t) & SIGBIT(now)) {
		signal_send_locked(t->tg, t, now, info, 0);
		now = 0;
	}
	tasks_unlock(t->k);
	return now;
}

bool ptrace_event_wanted(struct task *t, int event)
{
	bool r;

	if (!task_traced(t))
		return false;
	tasks_lock(t->k);
	r = task_traced(t) && t->tracing->options & 1u << event;
	tasks_unlock(t->k);
	return r;
}

void ptrace_event(struct task *t, int event, uint64_t message)
{
	struct linux_siginfo info;

	if (!task_traced(t))
		return;
	if (ptrace_event_wanted(t, event)) {
		(void)notify(t, event << 8 | LINUX_SIGTRAP, message);
	} else if (event == LINUX_PTRACE_EVENT_EXEC && !t->tracing->seized) {
		signal_info_user(&info, t, LINUX_SIGTRAP, LINUX_SI_USER);
		signal_send_task(t, LINUX_SIGTRAP, &info);
	}
}

void ptrace_stepped_into_handler(struct task *t)
{
	if (task_traced(t) && t->tracing->mode == TRACE_STEP)
		(void)notify(t, LINUX_SIGTRAP, 0);
}

void ptrace_exiting(struct task *t)
{
	uint64_t status;

	if (!ptrace_event_wanted(t, LINUX_PTRACE_EVENT_EXIT))
		return;
	tasks_lock(t->k);
	status = (uint64_t)task_end_status(t);
	t->tracing->at_end = true;
	tasks_unlock(t->k);
	(void)notify(t, LINUX_PTRACE_EVENT_EXIT << 8 | LINUX_SIGTRAP, status);
}

void ptrace_killed_locked(struct thread_group *tg)
{
	struct task *t;

	atomic_store(&tg->killed_again, true);
	TAILQ_FOREACH(t, &tg->tasks, tg_link) {
		if (!task_traced(t) || !t->tracing->at_end)
			continue;
		t->tracing->at_end = false;
		sleeper_wake(&t->sleeper);
	}
}

bool ptrace_step_trap(struct task *t, const struct platform_trap *trap, struct linux_siginfo *info)
{
	bool stepping = task_traced(t) && (t->tracing->mode == TRACE_STEP || t->tracing->mode == TRACE_EMULATE_STEP);
	bool own = t->regs.eflags & EFLAGS_TF;

	if (trap->signo != LINUX_SIGTRAP || trap->code != TRAP_TRACE)
		return false;
	if (task_traced(t) && watch_active(t->tracing)) {
		if (watch_hit(t)) {
			info->code = TRAP_HWBKPT;
			info->fault.addr = t->regs.rip;
			return false;
		}
		return !stepping && !own;
	}
	if (stepping || own)
		return false;
	platform_set_singlestep(t->ctx, false); /* the tracer has gone meanwhile */
	return true;
}

/* --- with the group ------------------------------------------------------------------- */

bool ptrace_trap_pending_locked(const struct task *t)
{
	return task_traced(t) && (t->tracing->trap_stop || t->tracing->trap_notify);
}

void ptrace_job_stop(struct task *t)
{
	struct linux_siginfo info = { 0 };
	struct stop s = { .why = LINUX_CLD_STOPPED };
	bool due;

	tasks_lock(t->k);
	due = t->stop_todo || ptrace_trap_pending_locked(t);
	if (task_traced(t) && t->tracing->seized) {
		s.info = &info;
		info.signo = t->tg->stopping ? t->tg->stop_signal : LINUX_SIGTRAP;
		info.code = s.code = LINUX_PTRACE_EVENT_STOP << 8 | info.signo;
		info.rt.pid = t->own_tid;
		info.rt.uid = t->cred->ruid;
	} else if (task_traced(t)) {
		s.code = t->tg->stopping ? t->tg->stop_signal : 0;
		t->tracing->trap_stop = t->tracing->trap_notify = false;
	}
	if (due && s.code)
		(void)stop_locked(t, &s);
	tasks_unlock(t->k);
	sync_step(t);
}

void ptrace_notify_locked(struct task *t)
{
	struct tracing *p = t->tracing;

	if (!task_traced(t) || !p->seized || t->exiting)
		return;
	p->trap_notify = true;
	if (p->listening)
		sleeper_wake(&t->sleeper);
	else
		task_kick_locked(t);
}
