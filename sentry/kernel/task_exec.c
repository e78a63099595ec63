/*
 * task_exec.c - execve's point of no return: the other threads end, the caller
 * takes the leader's number, and what Linux resets is reset.  Own thread.
 */
#include "abi/resource.h"
#include "kernel/completion.h"
#include "kernel/exec.h"
#include "kernel/futex.h"
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "kernel/posix_timer.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"
#include "kernel/trace.h"
#include "kernel/user_count.h"
#include "lib/counters.h"
#include "mm/text.h"
#include "vfs/idle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Others have left: only t, and the leader's remains if t was not the leader. */
static bool alone_locked(const struct task *t)
{
	const struct task *o;

	TAILQ_FOREACH(o, &t->tg->tasks, tg_link)
		if (o != t && !(o == t->tg->leader && o->exited))
			return false;
	return true;
}

static void take_leadership_locked(struct task *t)
{
	struct thread_group *tg = t->tg;
	struct task *old = tg->leader;
	struct pid *mine = t->pid;

	if (old == t)
		return;
	task_unlink_locked(old);
	mine->task = NULL;
	pid_drop_if_unused_locked(mine);
	pid_put(mine);
	ref_get(&tg->pid->ref);
	t->pid = tg->pid;
	t->pid->task = t;
	t->tid = tg->tgid;
	t->own_tid = tg->own_tgid;
	tg->leader = t;
}

/* Ends the other threads. -EAGAIN: this one is to end. */
static int become_single(struct task *t)
{
	struct thread_group *tg = t->tg;
	struct sighand *own = NULL;
	struct waiter w;
	struct task *o;
	int r = 0;

	wait_begin(&w, &tg->thread_wq, EVENT_IN);
	tasks_lock(t->k);
	if (tg->exiting || tg->exec_task) {
		r = -EAGAIN;
	} else {
		tg->exec_task = t;
		TAILQ_FOREACH(o, &tg->tasks, tg_link) {
			if (o == t)
				continue;
			task_kick_locked(o);
		}
		while (!alone_locked(t) && !tg->exiting) {
			tasks_unlock(t->k);
			wait_sleep_uninterruptible(WAIT_FOREVER);
			tasks_lock(t->k);
		}
		r = tg->exiting ? -EAGAIN : 0;
		if (!r)
			take_leadership_locked(t);
		tg->exec_task = NULL;
	}
	/* dispositions shared with another group (CLONE_SIGHAND without THREAD) are left behind */
	if (!r && ref_count(&tg->sighand->ref) > 1) {
		own = sighand_new(tg->sighand);
		if (own) {
			sighand_put(tg->sighand);
			tg->sighand = own;
		} else {
			r = -ENOMEM;
		}
	}
	tasks_unlock(t->k);
	wait_end(&w);
	return r;
}

static void reset_signals_locked(struct task *t)
{
	struct sighand *h = t->tg->sighand;

	for (int i = 0; i < LINUX_NSIG; i++) {
		uint64_t keep = h->action[i].handler == LINUX_SIG_IGN ? LINUX_SIG_IGN : LINUX_SIG_DFL;

		h->action[i] = (struct linux_sigaction){ .handler = keep };
	}
	t->altstack = (struct linux_stack){ .ss_flags = LINUX_SS_DISABLE };
}

static void commit_locked(struct task *t, struct exec_image *img, struct mm **old_mm, struct cred **old_cred)
{
	bool changed = img->cred->euid != t->cred->euid || img->cred->egid != t->cred->egid;

	*old_mm = t->mm;
	if (t->mm)
		mm_set_core_filter(img->mm, mm_core_filter(t->mm));
	*old_cred = t->cred;
	t->mm = img->mm;
	t->cred = img->cred;
	user_count_task(t);
	img->mm = NULL;
	img->cred = NULL;
	if (changed || img->secure)
		t->pdeathsig = 0;
	memcpy(t->comm, img->comm, sizeof(t->comm));
	t->tg->exit_signal = LINUX_SIGCHLD;
	t->tg->did_exec = true;
	count(COUNT_EXECS);
	t->clear_child_tid = t->rseq = UADDR_NULL;
	atomic_store_explicit(&t->robust_list, UADDR_NULL, memory_order_relaxed);
	t->restart_fn = NULL;
	t->user_dispatch.on = false;
	reset_signals_locked(t);
}

static void fresh_registers(struct task *t, const struct exec_image *img)
{
	struct fpstate *fp = task_fp(t);
	uint64_t nr = t->regs.orig_rax; /* a tracer sees the call's */

	task_complete_regs(t);
	atomic_store(&t->work, true); /* its number and its credentials may be others */
	regs_exec(&t->regs, img->entry, img->sp);
	t->regs.orig_rax = nr;
	t->regs.rax = (uint64_t)-ENOSYS; /* until the call ends */
	if (!fp)
		return;
	fpstate_init(fp);
	platform_fpstate_set(t->ctx, fp);
}

/* What the old program might do to the new one, it may do. */
static bool no_new_rights(const struct task *t, const struct exec_image *img)
{
	return !img->secure && mm_dumpable(img->mm) && img->cred->euid == t->cred->euid && img->cred->egid == t->cred->egid;
}

static void unshare_files(struct task *t)
{
	struct fdtable *own, *old;

	(void)platform_records_use(t->ctx, NULL);
	if (!fdtable_is_shared(t->files)) {
		fdtable_idle_end(t->files);
		return;
	}
	own = fdtable_dup(t->files);
	if (!own)
		return; /* shared still; only close-on-exec is seen by the sharer */
	tasks_lock(t->k);
	old = t->files;
	t->files = own;
	tasks_unlock(t->k);
	fdtable_put_table(old);
}

int task_exec(struct task *t, struct exec_request *q)
{
	struct exec_image img;
	struct completion *done;
	struct mm *old_mm;
	struct cred *old_cred;
	bool same_rights;
	pid_t was = t->own_tid;
	int r = exec_load(q, &img);

	if (r)
		return r;
	r = task_fp(t) ? become_single(t) : -ENOMEM;
	if (r) {
		exec_image_free(&img);
		return r;
	}
	same_rights = no_new_rights(t, &img);
	if (task_traced(t))
		mm_text_hold(img.mm);
	posix_timers_exec(t->tg);
	futex_task_exit(t);
	unshare_files(t);
	tasks_lock(t->k);
	tg_cpu_leaves_locked(t->tg);
	commit_locked(t, &img, &old_mm, &old_cred);
	done = t->vfork_done;
	t->vfork_done = NULL;
	tasks_unlock(t->k);
	if (t->ns->time != t->ns->time_for_children)
		(void)nsproxy_enter_time(t); /* no memory: it stays where it is, with the new clock page */
	fresh_registers(t, &img);
	if (same_rights)
		mm_inherit_stub(t->mm, old_mm, t->ctx);
	completion_done(done);
	fdtable_exec(t->files);
	cred_put(old_cred);
	mm_put(old_mm);
	ipc_shm_sweep(t->ns->ipc);
	exec_image_free(&img);
	trace_execed(t);
	ptrace_event(t, LINUX_PTRACE_EVENT_EXEC, (uint64_t)was);
	return 0;
}
