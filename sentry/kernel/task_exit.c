/*
 * task_exit.c - the end of tasks and thread groups: resources are released, the
 * parent is notified, zombies; a container or pid namespace ends with its first
 * process.  Orphans: task_orphans.c.  Runs on the exiting task's own thread, except
 * functions marked _locked, which any thread may call with the task list lock held.
 */
#include "kernel/task_table.h"

#include "abi/wait.h"
#include "kernel/cgroup.h"
#include "kernel/completion.h"
#include "kernel/futex.h"
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/posix_timer.h"
#include "kernel/ptrace.h"
#include "kernel/seccomp.h"
#include "kernel/trace.h"

#include <errno.h>

void task_exit_group(struct task *t, int wait_status)
{
	tasks_lock(t->k);
	tg_begin_exit_locked(t->tg, wait_status);
	task_kick_locked(t);
	tasks_unlock(t->k);
}

/* --- notifying the parent -------------------------------------------------------- */

static int64_t clock_ticks(int64_t ns)
{
	return ns / 10000000;
}

void tg_notify_parent_locked(struct thread_group *tg, int code, int status)
{
	struct thread_group *parent = tg->parent;
	struct linux_siginfo info = { .signo = LINUX_SIGCHLD, .code = code };
	bool stop_notice = code == LINUX_CLD_STOPPED || code == LINUX_CLD_CONTINUED;
	const struct linux_sigaction *a;
	struct user_ns *parent_ns;
	struct usage_sum u;

	if (!parent)
		return;
	parent_ns = parent->leader && parent->leader->cred ? parent->leader->cred->user_ns : NULL;
	tg_usage_locked(tg, &u);
	info.chld.pid = tg_nr(tg, parent->pid_ns);
	info.chld.uid = tg->leader && tg->leader->cred ? uid_shown(parent_ns, tg->leader->cred->ruid) : 0;
	info.chld.status = status;
	info.chld.utime = clock_ticks(u.utime);
	info.chld.stime = clock_ticks(u.stime);
	a = &parent->sighand->action[LINUX_SIGCHLD - 1];
	if (stop_notice) {
		if (a->handler != LINUX_SIG_IGN && !(a->flags & LINUX_SA_NOCLDSTOP))
			signal_send_locked(parent, NULL, LINUX_SIGCHLD, &info, 0);
	} else if (tg->exit_signal) {
		info.signo = tg->exit_signal;
		signal_send_locked(parent, NULL, tg->exit_signal, &info, 0);
	}
	waitq_wake(&parent->child_wq, EVENT_IN);
}

static bool parent_reaps_itself(const struct thread_group *tg)
{
	const struct linux_sigaction *a;

	if (tg->leader && task_traced(tg->leader))
		return false;
	a = &tg->parent->sighand->action[LINUX_SIGCHLD - 1];
	return tg->exit_signal == LINUX_SIGCHLD && (a->handler == LINUX_SIG_IGN || a->flags & LINUX_SA_NOCLDWAIT);
}

void tg_tell_end_locked(struct thread_group *tg)
{
	int status = tg->exit_status, code = LINUX_CLD_EXITED, value = LINUX_WEXITSTATUS(status);
	bool autoreap = tg->parent ? parent_reaps_itself(tg) : !tg->from_control;

	if (LINUX_WTERMSIG(status)) {
		code = status & 0x80 ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED;
		value = LINUX_WTERMSIG(status);
	}
	tg_notify_parent_locked(tg, code, value);
	if (autoreap)
		tg_release_locked(tg);
}

/* All tasks are gone: a zombie for the tracer, then for the parent; reaped at once if the parent ignores SIGCHLD. */
static void become_zombie_locked(struct thread_group *tg)
{
	tg->zombie = true;
	cgroup_leave_locked(tg);
	tg->stopped = tg->stopping = false;
	if (tg->leader)
		tg->leader->state = 'Z';
	waitq_wake(&tg->end_wq, EVENT_IN | EVENT_RDNORM);
	waitq_wake(&tt_of(tg)->ended_wq, EVENT_IN);
	if (tg->exit_wq)
		waitq_wake(tg->exit_wq, EVENT_IN);
	if (tg->leader && ptrace_reparented_locked(tg->leader))
		ptrace_tell_end_locked(tg->leader);
	else
		tg_tell_end_locked(tg);
}

/* Called by every task that leaves: the last one makes the zombie. */
void tg_end_if_empty_locked(struct thread_group *tg)
{
	if (!tg->n_live && tg->leader && tg->leader->exited && TAILQ_FIRST(&tg->tasks) == tg->leader && !TAILQ_NEXT(tg->leader, tg_link) &&
		!tg->zombie)
		become_zombie_locked(tg);
}

/* --- the end of a container, and of a pid namespace --------------------------------- */

bool kernel_container_known(struct kernel *k, const struct container *c)
{
	struct thread_group *tg;
	bool r = false;

	tasks_lock(k);
	LIST_FOREACH(tg, &k->tasks->all, all_link)
		r |= tg->container == c;
	tasks_unlock(k);
	return r;
}

/* tg does not outlive `first`: it is in the container whose first process that is, or in
 * the pid namespace (or one below) whose first process that is. */
static bool ends_with(const struct thread_group *tg, const struct thread_group *first)
{
	if (tg == first)
		return false;
	if (first->is_init && tg->container == first->container)
		return true;
	return first->pid_ns->init == first && pid_ns_is_below(tg->pid_ns, first->pid_ns);
}

/* One pass: kills those that live, reaps zombies that are first's children; true when none lives. */
static bool end_others_locked(struct thread_group *first)
{
	struct thread_group *tg, *next;
	bool quiet = true;

	for (tg = LIST_FIRST(&tt_of(first)->all); tg; tg = next) {
		next = LIST_NEXT(tg, all_link);
		if (!ends_with(tg, first))
			continue;
		if (!tg->zombie) {
			tg_begin_exit_locked(tg, LINUX_SIGKILL);
			quiet = false;
		} else if (tg->parent == first) {
			tg_release_locked(tg);
		}
	}
	return quiet;
}

/* A first process is exiting: waits until all that end with it are gone. */
static void end_others(struct task *t)
{
	struct kernel *k = t->k;
	struct waiter w;

	wait_begin(&w, &k->tasks->ended_wq, EVENT_IN);
	tasks_lock(k);
	if (t->tg->pid_ns->init == t->tg)
		t->tg->pid_ns->dying = true;
	while (!end_others_locked(t->tg)) {
		tasks_unlock(k);
		wait_sleep_uninterruptible(WAIT_FOREVER);
		tasks_lock(k);
	}
	tasks_unlock(k);
	wait_end(&w);
}

/* --- one task ---------------------------------------------------------------------- */

static void leave_terminal(struct task *t)
{
	struct session *s;
	bool leader;

	tasks_lock(t->k);
	s = t->tg->pgrp ? t->tg->pgrp->session : NULL;
	leader = s && s->sid == t->tg->tgid;
	if (leader)
		ref_get(&s->ref);
	tasks_unlock(t->k);
	if (!leader)
		return;
	if (t->k->session_exit)
		t->k->session_exit(t->k, s);
	tasks_lock(t->k);
	session_put_locked(t->k, s);
	tasks_unlock(t->k);
}

/* True when t was the last of its group that lives. */
static bool begin_exit(struct task *t)
{
	struct thread_group *tg = t->tg;
	bool last;

	tasks_lock(t->k);
	signal_stop_leave_locked(t);
	t->exiting = true;
	last = --tg->n_live == 0;
	if (last && !tg->exiting) { /* all threads called exit(2): the leader's code is the group's */
		tg->exiting = true;
		tg->exit_status = LINUX_W_EXIT(tg->leader->exit_code);
	}
	tasks_unlock(t->k);
	return last;
}

/* bury_mm: the address space may be freed later; if so, it is returned for burial(). */
static struct mm *release_resources(struct task *t, bool bury_mm)
{
	struct fdtable *files;
	struct fs_context *fs;
	struct platform_ctx *ctx;
	struct mm *mm;

	if (atomic_load(&t->seccomp))
		seccomp_leave(t);
	futex_task_exit(t); /* while the memory is there: robust list, clear_child_tid */
	child_first_ended(t);
	tasks_lock(t->k);
	files = t->files;
	fs = t->fs;
	mm = t->mm;
	ctx = t->ctx;
	(void)signal_blocked_locked(t); /* takes the mask back while the stub's copy exists */
	t->files = NULL;
	t->fs = NULL;
	t->mm = NULL;
	t->ctx = NULL;
	tasks_unlock(t->k);
	fdtable_put_table(files);
	fs_context_put(fs);
	platform_ctx_free(ctx);
	if (bury_mm)
		return mm_put_begin(mm) ? mm : NULL;
	mm_put(mm);
	return NULL;
}

static void finish(struct task *t, bool last)
{
	struct thread_group *tg = t->tg;

	tasks_lock(t->k);
	task_cpu_fold_locked(t);
	t->exited = true;
	t->state = 'Z';
	/* here, not with the last reference: the count of a user's signals is under this lock */
	sigpending_flush(t->pending, ~UINT64_C(0));
	if (last) {
		sigpending_flush(tg->pending, ~UINT64_C(0));
		tg_leave_family_locked(tg);
	}
	ptrace_tracer_exit_locked(t);
	if (t == tg->leader)
		waitq_wake(&tg->thread_wq, EVENT_IN);
	else if (task_traced(t))
		ptrace_tell_end_locked(t); /* it stays for its tracer */
	else
		task_unlink_locked(t);
	tg_end_if_empty_locked(tg);
	tasks_unlock(t->k);
}

/* The process's wait status if the whole process exits, else the thread's. */
static unsigned exit_status(struct task *t)
{
	unsigned r;

	tasks_lock(t->k);
	r = (unsigned)(t->tg->exiting ? t->tg->exit_status : LINUX_W_EXIT(t->exit_code));
	tasks_unlock(t->k);
	return r;
}

void task_exit(struct task *t)
{
	struct completion *done;
	struct nsproxy *ns;
	struct usage_sum *dead = &t->tg->dead;
	struct mm_usage mu;
	struct burials *burials = &t->k->tasks->burials;
	struct mm *remains;
	unsigned status;
	bool first = t->tg->is_init || t->tg->own_tgid == 1, small = false, last;

	atomic_store(&t->work, true);
	told_drop(&t->told);
	if (t->ctx)
		platform_rests_soon(t->ctx);
	last = begin_exit(t);
	status = exit_status(t);
	trace_exiting(t, status);
	if (last) {
		posix_timers_stop(t->tg);
		mm_usage(t->mm, &mu);
		small = mu.rss <= BURIAL_LARGEST;
		tasks_lock(t->k);
		if (mu.peak_rss / 1024 > dead->maxrss)
			dead->maxrss = mu.peak_rss / 1024;
		tg_cpu_leaves_locked(t->tg);
		tasks_unlock(t->k);
		leave_terminal(t);
	}
	if (last && !first && !oom_pressing(t->k))
		burial_leaves(burials, t->k->memfile);
	remains = release_resources(t, small && !first && !oom_pressing(t->k));
	if (last)
		ipc_process_exit(t->ns->ipc, t->tg);
	if (last && first)
		end_others(t);
	tasks_lock(t->k);
	done = t->vfork_done;
	t->vfork_done = NULL;
	ns = t->ns;
	t->ns = NULL;
	tasks_unlock(t->k);
	nsproxy_put(ns); /* here, without locks: the last reference of a namespace frees its objects */
	completion_done(done);
	if (last)
		trace_parent_is_told(t, status);
	finish(t, last);
	if (remains)
		burial(burials, remains);
}

void task_abort_unstarted(struct task *t)
{
	tasks_lock(t->k);
	tg_begin_exit_locked(t->tg, LINUX_SIGKILL);
	tasks_unlock(t->k);
	task_exit(t);
}

/* --- control ------------------------------------------------------------------------- */

void tg_watch_exit(struct thread_group *tg, struct waitq *wq)
{
	tasks_lock(tg->k);
	tg->exit_wq = wq;
	tasks_unlock(tg->k);
}

bool tg_exit_status(struct thread_group *tg, int *wait_status)
{
	bool r;

	tasks_lock(tg->k);
	r = tg->zombie;
	if (r)
		*wait_status = tg->exit_status;
	tasks_unlock(tg->k);
	return r;
}

void tg_release(struct thread_group *tg)
{
	tasks_lock(tg->k);
	tg->exit_wq = NULL;
	if (tg->zombie)
		tg_release_locked(tg);
	tasks_unlock(tg->k);
}
