/*
 * process.c - who a task is: ids, process groups, sessions; kcmp, pidfds.
 */
#include "syscalls/syscall.h"

#include "abi/fcntl.h"
#include "abi/sched.h"
#include "fs/pidfd.h"
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "kernel/ptrace.h"
#include "kernel/task_table.h"

#include <errno.h>

int64_t sys_getpid(struct task *t, const uint64_t a[6])
{
	return t->tg->own_tgid;
}

int64_t sys_gettid(struct task *t, const uint64_t a[6])
{
	return t->own_tid;
}

int64_t sys_getppid(struct task *t, const uint64_t a[6])
{
	pid_t r;

	tasks_lock(t->k);
	r = t->tg->parent ? tg_nr(t->tg->parent, task_pid_ns(t)) : 0;
	tasks_unlock(t->k);
	return r;
}

int64_t sys_set_tid_address(struct task *t, const uint64_t a[6])
{
	t->clear_child_tid = UADDR(a[0]);
	return t->own_tid;
}

int64_t sys_getpgrp(struct task *t, const uint64_t a[6])
{
	int64_t r;

	tasks_lock(t->k);
	r = pgrp_nr(t->tg->pgrp, task_pid_ns(t));
	tasks_unlock(t->k);
	return r;
}

/* pid's group of tasks, 0 the caller's; the lock is held. */
static struct thread_group *group_of_locked(struct task *t, pid_t pid)
{
	struct task *o = pid ? task_find_locked(task_pid_ns(t), pid) : t;

	return o ? o->tg : NULL;
}

int64_t sys_getpgid(struct task *t, const uint64_t a[6])
{
	struct thread_group *tg;
	int64_t r = -ESRCH;

	tasks_lock(t->k);
	tg = group_of_locked(t, (pid_t)a[0]);
	if (tg && tg->pgrp)
		r = pgrp_nr(tg->pgrp, task_pid_ns(t));
	tasks_unlock(t->k);
	return r;
}

int64_t sys_getsid(struct task *t, const uint64_t a[6])
{
	struct thread_group *tg;
	int64_t r = -ESRCH;

	tasks_lock(t->k);
	tg = group_of_locked(t, (pid_t)a[0]);
	if (tg && tg->pgrp)
		r = session_nr(tg->pgrp->session, task_pid_ns(t));
	tasks_unlock(t->k);
	return r;
}

static int setpgid_locked(struct task *t, pid_t pid, pid_t pgid)
{
	struct thread_group *tg = tg_find_locked(task_pid_ns(t), pid);
	struct pgrp *pg;

	if (!tg || !tg->pgrp)
		return -ESRCH;
	if (tg->parent == t->tg) {
		if (tg->pgrp->session != t->tg->pgrp->session)
			return -EPERM;
		if (tg->did_exec)
			return -EACCES;
	} else if (tg != t->tg) {
		return -ESRCH;
	}
	if (tg->pgrp->session->sid == tg->tgid)
		return -EPERM; /* a session leader */
	pg = pgrp_find_locked(task_pid_ns(t), pgid);
	if (pg == tg->pgrp)
		return 0;
	if (pgid == tg_nr(tg, task_pid_ns(t))) {
		if (pg)
			pgrp_move_locked(tg, pg);
		else
			return pgrp_create_locked(tg);
		return 0;
	}
	if (!pg || pg->session != t->tg->pgrp->session)
		return -EPERM;
	pgrp_move_locked(tg, pg);
	return 0;
}

int64_t sys_setpgid(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0], pgid = (pid_t)a[1];
	int r;

	if (pgid < 0)
		return -EINVAL;
	if (!pid)
		pid = t->tg->own_tgid;
	tasks_lock(t->k);
	r = setpgid_locked(t, pid, pgid ? pgid : pid);
	tasks_unlock(t->k);
	return r;
}

int64_t sys_setsid(struct task *t, const uint64_t a[6])
{
	struct thread_group *tg = t->tg;
	int64_t r;

	tasks_lock(t->k);
	if (tg->pgrp->session->sid == tg->tgid || tg->pid->pgrp)
		r = -EPERM;
	else
		r = session_create_locked(tg);
	tasks_unlock(t->k);
	return r ? r : tg->own_tgid;
}

/* --- comparing two tasks ------------------------------------------------------------ */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM };

static int64_t order(const void *x, const void *y)
{
	return x == y ? 0 : (uintptr_t)x < (uintptr_t)y ? 1 : 2;
}

static int64_t compare_files(struct task *x, struct task *y, int fx, int fy)
{
	struct fdtable *tx = task_get_files(x), *ty = task_get_files(y);
	struct file *a = tx ? fd_get(tx, fx) : NULL, *b = ty ? fd_get(ty, fy) : NULL;
	int64_t r = a && b ? order(a, b) : -EBADF;

	if (a)
		file_put(a);
	if (b)
		file_put(b);
	if (tx)
		fdtable_put_table(tx);
	if (ty)
		fdtable_put_table(ty);
	return r;
}

/* The process, if its end is to undo semaphore operations: only its own threads do the same. */
static const void *undoer(struct task *t)
{
	struct nsproxy *ns = task_get_ns(t);
	const void *tg = ns && ipc_sem_undoes(ns->ipc, t->tg) ? t->tg : NULL;

	if (ns)
		nsproxy_put(ns);
	return tg;
}

static int64_t compare(struct task *x, struct task *y, const uint64_t a[6])
{
	switch ((int)a[2]) {
	case KCMP_FILE:
		return compare_files(x, y, (int)a[3], (int)a[4]);
	case KCMP_VM:
		return order(x->mm, y->mm);
	case KCMP_FILES:
		return order(x->files, y->files);
	case KCMP_FS:
		return order(x->fs, y->fs);
	case KCMP_SIGHAND:
		return order(x->tg->sighand, y->tg->sighand);
	case KCMP_IO:
		return 0; /* no task has an I/O context of its own */
	case KCMP_SYSVSEM:
		return order(undoer(x), undoer(y));
	default:
		return -EINVAL;
	}
}

int64_t sys_kcmp(struct task *t, const uint64_t a[6])
{
	struct task *x = task_find(task_pid_ns(t), (pid_t)a[0]), *y = task_find(task_pid_ns(t), (pid_t)a[1]);
	int64_t r = x && y ? 0 : -ESRCH;

	if (!r && (!ptrace_may_access(t, x) || !ptrace_may_access(t, y)))
		r = -EPERM;
	r = r ? r : compare(x, y, a);
	task_put(x);
	task_put(y);
	return r;
}

/* --- descriptors of processes --------------------------------------------------------- */

int64_t sys_pidfd_open(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0];
	unsigned flags = (unsigned)a[1];
	struct thread_group *tg;
	struct task *o;
	struct file *f;
	int r, fd;

	if (flags & ~(unsigned)LINUX_O_NONBLOCK || pid <= 0)
		return -EINVAL;
	tg = tg_find(task_pid_ns(t), pid);
	if (!tg) {
		o = task_find(task_pid_ns(t), pid);
		task_put(o);
		return o ? -EINVAL : -ESRCH;
	}
	r = pidfd_file_new(t->k, tg, t->cred, (int)flags, &f);
	tg_put(tg);
	if (r)
		return r;
	fd = fd_install(t->files, f, 0, true, rlimit_get(t, 7));
	if (fd < 0)
		file_put(f);
	return fd;
}

int64_t sys_pidfd_getfd(struct task *t, const uint64_t a[6])
{
	struct file *pf = fd_get(t->files, (int)a[0]), *f = NULL;
	struct thread_group *tg = pf ? pidfd_group(pf) : NULL;
	struct task *o = NULL;
	struct fdtable *files = NULL;
	int64_t r = 0;

	if ((unsigned)a[2])
		r = -EINVAL;
	else if (!tg)
		r = -EBADF;
	if (!r) {
		o = tg_any_task(tg);
		r = o ? 0 : -ESRCH;
	}
	if (!r && !ptrace_may_access(t, o))
		r = -EPERM;
	if (!r) {
		files = task_get_files(o);
		f = files ? fd_get(files, (int)a[1]) : NULL;
		if (f) {
			inode_changed(f->inode); /* not so, but its position is no more the other's alone: */
			window_settle_other(&o->told.window, f);
		}
		r = f ? fd_install(t->files, f, 0, true, rlimit_get(t, 7)) : files ? -EBADF : -ESRCH;
		if (f && r < 0)
			file_put(f);
	}
	if (files)
		fdtable_put_table(files);
	task_put(o);
	if (pf)
		file_put(pf);
	return r;
}
