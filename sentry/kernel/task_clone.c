/*
 * task_clone.c - clone: a new thread or process.  Runs on the thread of the
 * caller.  The child is complete before it is linked into the lists, under the
 * task list lock, where signals can first see it.
 */
#include "kernel/clone.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "kernel/cgroup.h"
#include "kernel/completion.h"
#include "kernel/freeze.h"
#include "kernel/ns.h"
#include "kernel/posix_timer.h"
#include "kernel/ptrace.h"
#include "kernel/seccomp.h"
#include "kernel/task_table.h"
#include "kernel/trace.h"
#include "kernel/user_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linux's order of checks (kernel/fork.c copy_process). */
static int check_flags(struct task *t, const struct clone_request *q)
{
	uint64_t f = q->flags;

	if ((f & (LINUX_CLONE_NEWNS | LINUX_CLONE_FS)) == (LINUX_CLONE_NEWNS | LINUX_CLONE_FS))
		return -EINVAL;
	if ((f & (LINUX_CLONE_NEWUSER | LINUX_CLONE_FS)) == (LINUX_CLONE_NEWUSER | LINUX_CLONE_FS))
		return -EINVAL;
	if (f & LINUX_CLONE_THREAD && !(f & LINUX_CLONE_SIGHAND))
		return -EINVAL;
	if (f & LINUX_CLONE_SIGHAND && !(f & LINUX_CLONE_VM))
		return -EINVAL;
	if (f & LINUX_CLONE_PARENT && t->tg->own_tgid == 1)
		return -EINVAL;
	if (f & LINUX_CLONE_THREAD && (f & (LINUX_CLONE_NEWUSER | LINUX_CLONE_NEWPID) || t->ns->pid_for_children != task_pid_ns(t)))
		return -EINVAL;
	if (f & LINUX_CLONE_PIDFD && f & (LINUX_CLONE_DETACHED | LINUX_CLONE_THREAD))
		return -EINVAL;
	/* a new user namespace gives the right to the others */
	if (f & LINUX_CLONE_NS_FLAGS && !(f & LINUX_CLONE_NEWUSER) && !cred_capable_own(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (f & LINUX_CLONE_NEWIPC && f & LINUX_CLONE_SYSVSEM)
		return -EINVAL;
	if (f & LINUX_CLONE_SETTLS && q->tls >= TASK_SIZE)
		return -EPERM;
	return 0;
}

static int check_nproc(struct task *t)
{
	uint64_t limit = rlimit_get(t, LINUX_RLIMIT_NPROC), n;
	uint32_t uid = t->cred->ruid;

	if (limit >= TASKS_MAX || uid == 0 || ns_capable(t, LINUX_CAP_SYS_RESOURCE) || ns_capable(t, LINUX_CAP_SYS_ADMIN))
		return 0;
	tasks_lock(t->k);
	n = user_tasks(t->k->tasks, uid);
	tasks_unlock(t->k);
	return n >= limit ? -EAGAIN : 0;
}

/* --- parts of the child; undone by child_abandon ------------------------------ */

static int share_memory(struct task *t, struct task *c, uint64_t flags)
{
	if (flags & LINUX_CLONE_VM) {
		c->mm = t->mm;
		mm_get(c->mm);
		/* a vfork child goes on with the parent's stacks */
		if (flags & LINUX_CLONE_VFORK)
			c->altstack = t->altstack;
	} else {
		c->mm = mm_fork(t->mm);
		c->altstack = t->altstack;
	}
	return c->mm ? 0 : -ENOMEM;
}

static int share_files(struct task *t, struct task *c, uint64_t flags)
{
	if (flags & LINUX_CLONE_FILES) {
		c->files = t->files;
		fdtable_get_table(c->files);
	} else {
		c->files = fdtable_dup(t->files);
	}
	if (!c->files)
		return -ENOMEM;
	if (flags & LINUX_CLONE_FS) {
		c->fs = t->fs;
		ref_get(&c->fs->ref);
		return 0;
	}
	c->fs = fs_context_dup(t->fs);
	if (!c->fs)
		return -ENOMEM;
	return flags & LINUX_CLONE_NEWNS ? fs_context_unshare_ns(c->fs, c->cred->user_ns) : 0;
}

/* A process that shares no memory is in the time namespace that its parent has for children; one that does, at exec. */
static int share_namespaces(struct task *t, struct task *c, uint64_t flags)
{
	bool moves = !(flags & LINUX_CLONE_VM);
	int r = 0;

	if (flags & NS_PROXY_FLAGS) {
		r = nsproxy_unshare(t, flags, c->cred->user_ns, &c->ns);
	} else {
		c->ns = t->ns;
		nsproxy_get(c->ns);
	}
	if (r || !moves || c->ns->time == c->ns->time_for_children)
		return r;
	return nsproxy_enter_time(c);
}

static int make_group(struct task *t, struct task *c, const struct clone_request *q)
{
	struct thread_group *tg;

	if (q->flags & LINUX_CLONE_THREAD) {
		c->tg = t->tg;
		ref_get(&c->tg->ref);
		return 0;
	}
	tg = tg_alloc(t->k);
	if (!tg)
		return -ENOMEM;
	c->tg = tg;
	tg->pid_ns = c->ns->pid_for_children;
	pid_ns_get(tg->pid_ns);
	tg->container = t->tg->container;
	tg->quota = t->tg->quota;
	tg->exit_signal = q->exit_signal;
	tg->oom_score_adj = atomic_load(&t->tg->oom_score_adj);
	if (q->flags & LINUX_CLONE_SIGHAND) {
		tg->sighand = t->tg->sighand;
		ref_get(&tg->sighand->ref);
		return 0;
	}
	tasks_lock(t->k);
	tg->sighand = sighand_new(t->tg->sighand);
	tasks_unlock(t->k);
	if (!tg->sighand)
		return -ENOMEM;
	if (q->flags & LINUX_CLONE_CLEAR_SIGHAND)
		for (int i = 0; i < LINUX_NSIG; i++)
			if (tg->sighand->action[i].handler != LINUX_SIG_IGN)
				tg->sighand->action[i] = (struct linux_sigaction){ 0 };
	return 0;
}

static void copy_registers(struct task *t, struct task *c, const struct clone_request *q)
{
	task_complete_regs(t);
	c->regs = t->regs;
	c->regs.rax = 0;
	if (q->stack)
		c->regs.rsp = q->stack;
	if (q->flags & LINUX_CLONE_SETTLS)
		c->regs.fs_base = q->tls;
	if (q->flags & LINUX_CLONE_CHILD_SETTID)
		c->set_child_tid = q->child_tid;
	if (q->flags & LINUX_CLONE_CHILD_CLEARTID)
		c->clear_child_tid = q->child_tid;
}

static void copy_attributes(struct task *t, struct task *c)
{
	memcpy(c->comm, t->comm, sizeof(c->comm));
	c->cred = t->cred;
	cred_get(c->cred);
	tasks_lock(t->k);
	c->blocked = signal_blocked_locked(t);
	tasks_unlock(t->k);
	c->personality = t->personality;
	c->timer_slack = t->timer_slack;
	c->nice = t->nice;
	c->sched_policy = t->sched_policy;
	c->sched_prio = t->sched_prio;
	if (t->reset_on_fork) {
		c->sched_policy = LINUX_SCHED_OTHER;
		c->sched_prio = 0;
		c->nice = t->nice > 0 ? t->nice : 0;
	}
	memcpy(c->affinity, t->affinity, sizeof(c->affinity));
	c->loginuid = atomic_load(&t->loginuid);
	c->sessionid = atomic_load(&t->sessionid);
}

static int own_user_ns(struct task *t, struct task *c, uint64_t flags)
{
	struct cred *new;
	int r = flags & LINUX_CLONE_NEWUSER ? cred_new_user_ns(t, &new) : 0;

	if (r || !(flags & LINUX_CLONE_NEWUSER))
		return r;
	cred_put(c->cred);
	c->cred = new;
	return 0;
}

static int copy_machine(struct task *t, struct task *c)
{
	struct fpstate *fp = task_fp(c);

	if (!fp)
		return -ENOMEM;
	c->ctx = platform_ctx_new(t->k->platform, mm_as_new(c->mm));
	if (!c->ctx)
		return -EAGAIN;
	platform_fpstate_get(t->ctx, fp);
	c->fp_load = true;
	return 0;
}

/* A child that never ran. */
static void child_abandon(struct task *c)
{
	if (c->ctx)
		platform_ctx_free(c->ctx);
	c->ctx = NULL;
	completion_put(c->vfork_done);
	c->vfork_done = NULL;
	if (c->files)
		fdtable_put_table(c->files);
	if (c->fs)
		fs_context_put(c->fs);
	if (c->mm)
		mm_put(c->mm);
	c->files = NULL;
	c->fs = NULL;
	c->mm = NULL;
	task_put(c);
}

static struct task *child_build(struct task *t, const struct clone_request *q, int *err)
{
	struct task *c = task_alloc(t->k);
	int r = -ENOMEM;

	if (!c) {
		*err = r;
		return NULL;
	}
	copy_attributes(t, c);
	copy_registers(t, c, q);
	r = own_user_ns(t, c, q->flags);
	r = r ? r : share_memory(t, c, q->flags);
	r = r ? r : share_files(t, c, q->flags);
	r = r ? r : share_namespaces(t, c, q->flags);
	r = r ? r : make_group(t, c, q);
	r = r ? r : copy_machine(t, c);
	if (!r && q->flags & LINUX_CLONE_VFORK) {
		c->vfork_done = completion_new();
		r = c->vfork_done ? 0 : -ENOMEM;
	}
	if (r) {
		child_abandon(c);
		*err = r;
		return NULL;
	}
	return c;
}

/* Where a new process stands in the family. */
static void link_group_locked(struct task *t, struct thread_group *tg, const struct clone_request *q)
{
	struct thread_group *parent = t->tg;

	atomic_fetch_or(&tg->frozen, atomic_load(&parent->frozen) & FROZEN_CONTAINER);
	tg->unkillable = tg->pid_ns->init == tg; /* pid 1 of a namespace that a program made */
	memcpy(tg->rlimits, parent->rlimits, sizeof(tg->rlimits));
	if (q->flags & LINUX_CLONE_PARENT) {
		tg->exit_signal = parent->exit_signal;
		parent = parent->parent;
	}
	tg->parent = parent;
	tg->made_by = parent == t->tg ? t->tid : 0;
	if (parent)
		LIST_INSERT_HEAD(&parent->children, tg, sibling);
	pgrp_join_locked(tg, t->tg->pgrp);
}

/* The moment the child exists: number, lists, thread.  Its number as t sees it, or -errno.
 * *h: to be woken then; NULL: the thread is a new one, and runs. */
static pid_t child_publish(struct task *t, struct task *c, const struct clone_request *q, struct task_host **h)
{
	const struct pid_wanted wanted = { q->set_tid, q->n_set_tid, t->cred };
	const bool thread = q->flags & LINUX_CLONE_THREAD;
	struct cgroup *group;
	struct pid *p;
	int r;

	tasks_lock(t->k);
	group = q->cgroup && !thread ? q->cgroup : t->tg->cgroup;
	/* what was sent before must reach both or be handled first */
	if (atomic_load(&t->work) && (t->tg->exiting || t->stop_todo || t->tg->exec_task || (signal_pending_locked(t) & ~signal_blocked_locked(t)))) {
		tasks_unlock(t->k);
		return -ERESTARTNOINTR;
	}
	seccomp_inherit_locked(t, c); /* here, where no thread of the group can be adding filters for all */
	r = q->cgroup && !thread ? cgroup_may_enter_locked(group) : 0;
	if (!r)
		r = cgroup_full_locked(group) ? -EAGAIN : pid_alloc_locked(c->tg->pid_ns, &wanted, &p);
	if (r) {
		tasks_unlock(t->k);
		return r;
	}
	if (!thread)
		cgroup_enter_locked(c->tg, group);
	task_link_locked(c, p);
	if (!thread)
		link_group_locked(t, c->tg, q);
	ptrace_inherit_locked(t, c, q->flags, q->exit_signal);
	r = task_spawn_locked(c, h);
	if (r) {
		c->tg->n_live--;
		if (q->flags & LINUX_CLONE_THREAD)
			task_unlink_locked(c);
		else
			tg_release_locked(c->tg);
	} else {
		r = pid_nr(c->pid, task_pid_ns(t));
		signal_lend_mask_locked(t);
		if (!(q->flags & LINUX_CLONE_THREAD))
			cpu_limit_set_locked(c->tg);
	}
	tasks_unlock(t->k);
	return r;
}

/* c, which is there, may run. h NULL: it does already, on a thread of its own. */
static void child_start(struct task *t, struct task *c, const struct clone_request *q, pid_t nr, struct task_host *h)
{
	const uint64_t shared = LINUX_CLONE_VM | LINUX_CLONE_FS | LINUX_CLONE_FILES | LINUX_CLONE_SIGHAND | LINUX_CLONE_THREAD;
	int32_t tid = nr;

	if (q->flags & LINUX_CLONE_PARENT_SETTID) {
		(void)copy_to_user(t->mm, q->parent_tid, &tid, sizeof(tid));
		atomic_store(&c->held, false);
	}
	trace_cloned(t, c, q->flags);
	if (h && (q->flags & shared) == shared)
		child_first_start(t, c, h);
	else if (h)
		task_host_wake(h);
	else if (q->flags & LINUX_CLONE_PARENT_SETTID)
		sleeper_wake(&c->sleeper);
}

/* The descriptor of CLONE_PIDFD, made before the child is let go. */
static int make_pidfd(struct task *t, const struct clone_request *q, struct thread_group *tg)
{
	struct file *f;
	int fd, r = q->pidfd_file(t->k, tg, t->cred, 0, &f);
	int32_t value;

	if (r)
		return r;
	fd = fd_install(t->files, f, 0, true, rlimit_get(t, LINUX_RLIMIT_NOFILE));
	if (fd < 0) {
		file_put(f);
		return fd;
	}
	value = fd;
	if (copy_to_user(t->mm, q->pidfd, &value, sizeof(value))) {
		fd_close_one(t->files, fd, t->files);
		return -EFAULT;
	}
	return fd;
}

int64_t task_clone(struct task *t, const struct clone_request *q)
{
	struct completion *done = NULL;
	struct task_host *h = NULL;
	struct task *c;
	int r = check_flags(t, q), pidfd = -1;
	pid_t nr;

	r = r ? r : check_nproc(t);
	if (r)
		return r;
	c = child_build(t, q, &r);
	if (!c)
		return r;
	if (q->flags & LINUX_CLONE_PIDFD) {
		pidfd = make_pidfd(t, q, c->tg);
		if (pidfd < 0) {
			child_abandon(c);
			return pidfd;
		}
	}
	if (c->vfork_done) {
		done = c->vfork_done;
		completion_get(done);
	}
	task_get(c); /* ours, beside the allocation's */
	atomic_store(&c->held, q->flags & LINUX_CLONE_PARENT_SETTID);
	nr = child_publish(t, c, q, &h);
	if (nr < 0) {
		if (pidfd >= 0)
			fd_close_one(t->files, pidfd, t->files);
		task_put(c);
		child_abandon(c);
		completion_put(done);
		return nr;
	}
	child_start(t, c, q, nr, h);
	if (!(q->flags & LINUX_CLONE_UNTRACED))
		ptrace_event(t, ptrace_clone_event(q->flags, q->exit_signal), (uint64_t)nr);
	if (done) {
		completion_wait(t, done);
		completion_put(done);
		ptrace_event(t, LINUX_PTRACE_EVENT_VFORK_DONE, (uint64_t)nr);
	}
	task_put(c);
	task_put(c);
	return nr;
}
