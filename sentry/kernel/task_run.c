/*
 * task_run.c - the loop of a task's host thread: switch to the program, handle
 * what happened, deliver signals, again.  The thread's stack is small: nothing
 * below here puts large buffers on it.
 */
#include "kernel/core.h"
#include "kernel/freeze.h"
#include "kernel/oom.h"
#include "kernel/sigio.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"

#include "lib/counters.h"
#include "libipc/log.h"
#include "mm/text.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#define MORE_MOST 65536 /* bytes */
#define STEPS_MOST 16 /* that a new task makes on its maker's thread */

/* A page fault of the program: maps the page, or raises SIGSEGV or SIGBUS. */
static void handle_fault(struct task *t, const struct platform_trap *trap)
{
	struct linux_siginfo info = { .signo = LINUX_SIGSEGV };
	unsigned access = 0;
	int code = LINUX_SEGV_MAPERR, r;

	if (trap->error_known)
		access = trap->error & 16 ? ACCESS_EXEC : trap->error & 2 ? ACCESS_WRITE : ACCESS_READ;
	atomic_fetch_add(&t->minflt, 1);
	count(COUNT_FAULTS);
	r = mm_fault(t->mm, trap->addr, access, &code);
	if (!r || (r == -ENOMEM && oom_may_retry(t)))
		return;
	info.code = code;
	info.fault.addr = trap->addr;
	if (r != -EFAULT) {
		info.signo = LINUX_SIGBUS;
		info.code = LINUX_BUS_ADRERR;
	}
	log_debug("task %d (%s): fault at 0x%" PRIx64 " error 0x%x rip 0x%" PRIx64 ": signal %d", t->tid, t->comm, trap->addr, trap->error,
		t->regs.rip, info.signo);
	signal_force(t, info.signo, &info);
}

static void handle_trap(struct task *t, const struct platform_trap *trap)
{
	struct linux_siginfo info = { .signo = trap->signo, .code = trap->code };

	info.fault.addr = trap->addr;
	if (ptrace_step_trap(t, trap, &info))
		return;
	log_debug("task %d (%s): trap %d code %d rip 0x%" PRIx64, t->tid, t->comm, trap->signo, trap->code, t->regs.rip);
	signal_force(t, trap->signo, &info);
}

/* The program has closed the file that it was told of, perhaps a while ago.  Who watches the file
 * has begun to after that. */
static void close_told(struct task *t)
{
	int fd = t->told.fd;

	if (!t->told.closes || !platform_file_closed(t->ctx))
		return;
	t->told.file->mode |= FILE_QUIET;
	told_drop(&t->told);
	(void)!fd_close_one(t->files, fd, t->files);
}

/* What the program has read and written by itself. */
static void count_lent(struct task *t)
{
	struct platform_moved m[2];

	platform_rings_moved(t->ctx, m);
	for (int side = PLATFORM_READS; side <= PLATFORM_WRITES; side++)
		if (m[side].calls)
			task_count_ios(t, side == PLATFORM_WRITES, m[side].bytes, m[side].calls);
}

/* A wake-up that awaits more to come is not due yet: this call may bring it, and does not take long. */
static bool may_bring_more(const struct task *t, enum platform_event ev)
{
	return ev == PLATFORM_SYSCALL && (t->regs.orig_rax == SYS_write || t->regs.orig_rax == SYS_read) && t->regs.rdx <= MORE_MOST;
}

static enum platform_event run_program(struct task *t, struct platform_trap *trap)
{
	uint64_t start = __rdtsc();
	enum platform_event ev;

	task_cpu_enters(&t->cpu, start);
	window_open(&t->told.window);
	ev = platform_switch(t->ctx, mm_as(t->mm), &t->regs, trap);
	task_cpu_leaves(&t->cpu, start, __rdtsc(), trap->awake);
	t->regs_partial = trap->partial;
	window_settle(&t->told.window);
	if (t->told.file)
		close_told(t);
	if (t->lent)
		count_lent(t);
	if (!may_bring_more(t, ev))
		lock_wake_lazy();
	return ev;
}

void task_complete_regs(struct task *t)
{
	if (!t->regs_partial)
		return;
	t->regs_partial = false;
	platform_complete(t->ctx, &t->regs);
}

static void handle_call(struct task *t)
{
	if (__builtin_expect(t->user_dispatch.on, 0) && user_dispatch_takes(t))
		return;
	if (!__builtin_expect(task_traced(t), 0) || ptrace_call_begins(t))
		t->regs.rax = (uint64_t)t->k->dispatch(t);
	if (__builtin_expect(task_traced(t), 0))
		ptrace_call_ends(t);
}

static void handle_event(struct task *t, enum platform_event ev, const struct platform_trap *trap)
{
	if (ev != PLATFORM_SYSCALL)
		task_complete_regs(t);
	if (ev != PLATFORM_SYSCALL)
		ev = mm_text_event(t->mm, ev, trap, &t->regs);
	else if (trap->call_site)
		mm_text_trapped(t->mm, &t->regs);
	switch (ev) {
	case PLATFORM_SYSCALL:
		handle_call(t);
		return;
	case PLATFORM_FAULT:
		handle_fault(t, trap);
		break;
	case PLATFORM_TRAP:
		handle_trap(t, trap);
		break;
	case PLATFORM_INTERRUPTED:
		break;
	case PLATFORM_DEAD:
		task_exit_group(t, LINUX_SIGKILL);
		break;
	}
	t->regs.orig_rax = UINT64_MAX; /* no call to restart */
}

/* rax is -ERESTART...: signal_work() restarts the call or turns it into EINTR. */
static bool wants_restart(const struct regs *r)
{
	int64_t v = (int64_t)r->rax;

	return (int64_t)r->orig_rax >= 0 && v <= -ERESTARTSYS && v >= -ERESTART_RESTARTBLOCK;
}

bool task_must_ask(const struct task *t)
{
	return t->k->strace || atomic_load_explicit(&t->k->traces_calls, memory_order_relaxed) || atomic_load(&t->seccomp_mode) || t->user_dispatch.on || task_traced(t);
}

/* Gives the stub the values it answers calls like getpid with; none if a tracer, strace,
 * a seccomp filter or the program itself must see the task's calls. */
static void publish_answers(struct task *t)
{
	bool ask = task_must_ask(t);
	const uint64_t answers[PLATFORM_N_ANSWERS] = {
		[PLATFORM_GETPID] = (uint64_t)t->tg->own_tgid,
		[PLATFORM_GETTID] = (uint64_t)t->own_tid,
		[PLATFORM_GETUID] = uid_shown(t->cred->user_ns, t->cred->ruid),
		[PLATFORM_GETEUID] = uid_shown(t->cred->user_ns, t->cred->euid),
		[PLATFORM_GETGID] = gid_shown(t->cred->user_ns, t->cred->rgid),
		[PLATFORM_GETEGID] = gid_shown(t->cred->user_ns, t->cred->egid),
	};

	for (unsigned i = 1; i < PLATFORM_N_ANSWERS; i++)
		platform_answer(t->ctx, (enum platform_answer)i, ask ? PLATFORM_NO_ANSWER : answers[i]);
	task_names_look(t);
	told_drop(&t->told); /* a process that signals this one may have changed the file on the host */
	if (!ask)
		return;
	signal_take_mask(t);
	(void)platform_records_use(t->ctx, NULL);
	platform_rings_end(t->ctx);
}

static void loop(struct task *t)
{
	struct platform_trap trap = { 0 };

	for (;;) {
		sigio_send(t->k);
		if (atomic_load(&t->work) || t->restore_mask || wants_restart(&t->regs)) {
			if (!signal_work(t))
				return;
			publish_answers(t);
		}
		if (atomic_load(&t->tg->frozen)) {
			freeze_here(t);
			continue;
		}
		if (oom_pressing(t->k) && !atomic_load(&t->work) && oom_wait(t))
			continue;
		handle_event(t, run_program(t, &trap), &trap);
	}
}

/* What comes before its program. */
static void begin(struct task *t)
{
	tasks_lock(t->k); /* the creator holds it until the task is complete */
	signal_lend_mask_locked(t);
	tasks_unlock(t->k);
	if (t->fp_load) {
		platform_fpstate_set(t->ctx, t->fp);
		t->fp_load = false;
		free(t->fp); /* few threads handle signals */
		t->fp = NULL;
	}
	if (t->set_child_tid.v) {
		int32_t tid = t->own_tid;

		(void)copy_to_user(t->mm, t->set_child_tid, &tid, sizeof(tid));
	}
	t->regs.orig_rax = UINT64_MAX;
	publish_answers(t);
}

void task_run(struct task *t)
{
	task_set_current(t);
	sleeper_set_current(&t->sleeper);
	tasks_lock(t->k); /* the creator holds it until the task is complete */
	tasks_unlock(t->k);
	while (atomic_load(&t->held))
		wait_sleep_uninterruptible(WAIT_FOREVER);
	task_cpu_begin(t);
	oom_charge(t->tg->quota);
	platform_ctx_bind(t->ctx);
	if (t->begun.is)
		handle_event(t, t->begun.event, &t->begun.trap);
	else
		begin(t);
	loop(t);
	freeze_leave(t);
	core_leave(t);
	ptrace_exiting(t);
	task_exit(t);
	sigio_send(t->k);
	task_set_current(NULL);
	sleeper_set_current(NULL);
	task_put(t);
}

/* --- on the maker's thread ---------------------------------------------------------- */

static void take_thread(struct task *t)
{
	task_set_current(t);
	sleeper_set_current(&t->sleeper);
	platform_ctx_bind(t->ctx);
}

static bool must_stop_here(const struct task *c)
{
	return atomic_load(&c->work) || task_must_ask(c) || atomic_load(&c->tg->frozen) || oom_pressing(c->k);
}

/* Of what threads do at their begin and end: calls that wait for nobody, and change what they are told only. */
static bool is_quick(const struct regs *r)
{
	switch (r->orig_rax) {
	case SYS_rt_sigprocmask:
	case SYS_sigaltstack:
	case SYS_set_robust_list:
	case SYS_set_tid_address:
	case SYS_gettid:
	case SYS_getppid:
	case SYS_madvise:
	case SYS_munmap:
	case SYS_exit:
		return true;
	default:
		return false;
	}
}

/* Here it does not sleep: who traces it from now on has come too late to hear of it before its end. */
static enum task_begun end_here(struct task *c)
{
	task_complete_regs(c);
	freeze_leave(c);
	core_leave(c);
	task_exit(c);
	sigio_send(c->k);
	return TASK_ENDED;
}

static enum task_begun steps(struct task *c)
{
	for (unsigned n = 0; n < STEPS_MOST; n++) {
		c->begun.event = run_program(c, &c->begun.trap);
		if (c->begun.event == PLATFORM_INTERRUPTED)
			return TASK_RUNS_ON;
		if (c->begun.event != PLATFORM_SYSCALL || must_stop_here(c) || !is_quick(&c->regs))
			return TASK_STOPPED;
		handle_event(c, PLATFORM_SYSCALL, &c->begun.trap);
		c->begun.event = PLATFORM_INTERRUPTED; /* that was handled */
		if (c->regs.orig_rax == SYS_exit)
			return end_here(c);
		if (must_stop_here(c) || wants_restart(&c->regs))
			return TASK_STOPPED;
	}
	return TASK_RUNS_ON;
}

/* What the thread does for the task counts as its maker's time, as what it did to make it. */
enum task_begun task_run_here(struct task *t, struct task *c)
{
	enum task_begun r;

	if (must_stop_here(c) || !platform_brief(c->ctx, true))
		return TASK_NOT_BEGUN;
	platform_rest(t->ctx);
	take_thread(c);
	begin(c);
	c->begun.is = true;
	r = steps(c);
	if (r != TASK_ENDED)
		platform_brief(c->ctx, false);
	take_thread(t);
	if (r == TASK_ENDED) /* its maker makes the next one, most of the time */
		platform_soon(t->ctx);
	return r;
}
