/*
 * kill.c - sending signals: to a process, a group, a thread, by descriptor; with data.
 */
#include "syscalls/syscall.h"

#include "abi/capability.h"
#include "fs/pidfd.h"
#include "fs/proc/proc.h"
#include "kernel/task_table.h"

#include <errno.h>

/* kill(2)'s rule; the lock is held. */
static bool may_signal(struct task *t, struct thread_group *tg, int signo)
{
	const struct cred *c = t->cred, *o = tg->leader ? tg->leader->cred : NULL;

	if (tg == t->tg || cred_capable_in(c, o ? o->user_ns : NULL, LINUX_CAP_KILL))
		return true;
	if (o && (c->euid == o->suid || c->euid == o->ruid || c->ruid == o->suid || c->ruid == o->ruid))
		return true;
	return signo == LINUX_SIGCONT && tg->pgrp && t->tg->pgrp && tg->pgrp->session == t->tg->pgrp->session;
}

static int send_checked_locked(struct task *t, struct thread_group *tg, struct task *to, int signo, const struct linux_siginfo *info)
{
	if (!may_signal(t, tg, signo))
		return -EPERM;
	return signo ? signal_send_locked(tg, to, signo, info, 0) : 0;
}

/* All of a process group: success if one got it, else the last error. */
static int kill_group_locked(struct task *t, struct pgrp *pg, int signo, const struct linux_siginfo *info)
{
	struct thread_group *tg;
	int r = -ESRCH;
	bool one = false;

	if (!pg)
		return -ESRCH;
	LIST_FOREACH(tg, &pg->members, pgrp_link) {
		int e = send_checked_locked(t, tg, NULL, signo, info);

		one |= !e;
		r = e;
	}
	return one ? 0 : r;
}

/* Everybody who can be seen but pid 1 and oneself. */
static int kill_all_locked(struct task *t, int signo, const struct linux_siginfo *info)
{
	struct thread_group *tg;
	int r = 0, n = 0;

	LIST_FOREACH(tg, &t->k->tasks->all, all_link) {
		int e;

		if (tg == t->tg || tg_nr(tg, task_pid_ns(t)) <= 1)
			continue;
		e = send_checked_locked(t, tg, NULL, signo, info);
		n++;
		if (e != -EPERM)
			r = e;
	}
	return n ? r : -ESRCH;
}

int64_t sys_kill(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0];
	int signo = (int)a[1], r;
	struct linux_siginfo info;
	struct thread_group *tg;
	struct task *o;

	if (signo < 0 || signo > LINUX_NSIG)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	signal_info_user(&info, t, signo, LINUX_SI_USER);
	tasks_lock(t->k);
	if (pid > 0) {
		tg = tg_find_locked(task_pid_ns(t), pid);
		if (!tg && (o = task_find_locked(task_pid_ns(t), pid)))
			tg = o->tg;
		r = tg ? send_checked_locked(t, tg, NULL, signo, &info) : -ESRCH;
	} else if (pid == -1) {
		r = kill_all_locked(t, signo, &info);
	} else {
		r = kill_group_locked(t, pid ? pgrp_find_locked(task_pid_ns(t), -pid) : t->tg->pgrp, signo, &info);
	}
	tasks_unlock(t->k);
	return r;
}

static int send_thread(struct task *t, pid_t tgid, pid_t tid, int signo, const struct linux_siginfo *info)
{
	struct task *o;
	int r = -ESRCH;

	tasks_lock(t->k);
	o = task_find_locked(task_pid_ns(t), tid);
	if (o && (tgid <= 0 || tg_nr(o->tg, task_pid_ns(t)) == tgid))
		r = send_checked_locked(t, o->tg, o, signo, info);
	tasks_unlock(t->k);
	return r;
}

int64_t sys_tgkill(struct task *t, const uint64_t a[6])
{
	pid_t tgid = (pid_t)a[0], tid = (pid_t)a[1];
	int signo = (int)a[2];
	struct linux_siginfo info;

	if (tgid <= 0 || tid <= 0 || signo < 0 || signo > LINUX_NSIG)
		return -EINVAL;
	signal_info_user(&info, t, signo, LINUX_SI_TKILL);
	return send_thread(t, tgid, tid, signo, &info);
}

int64_t sys_tkill(struct task *t, const uint64_t a[6])
{
	pid_t tid = (pid_t)a[0];
	int signo = (int)a[1];
	struct linux_siginfo info;

	if (tid <= 0 || signo < 0 || signo > LINUX_NSIG)
		return -EINVAL;
	signal_info_user(&info, t, signo, LINUX_SI_TKILL);
	return send_thread(t, 0, tid, signo, &info);
}

/* A siginfo made by the program may not look like the kernel's or kill's. */
static int copy_siginfo(struct task *t, uaddr a, int signo, bool self, struct linux_siginfo *info)
{
	if (copy_from_user(t->mm, info, a, sizeof(*info)))
		return -EFAULT;
	info->signo = signo;
	if ((info->code >= 0 || info->code == LINUX_SI_TKILL) && !self)
		return -EPERM;
	if (signo < 0 || signo > LINUX_NSIG)
		return -EINVAL;
	return 0;
}

int64_t sys_rt_sigqueueinfo(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0];
	int signo = (int)a[1];
	struct linux_siginfo info;
	struct thread_group *tg;
	int r = copy_siginfo(t, UADDR(a[2]), signo, pid == t->tg->own_tgid, &info);

	if (r)
		return r;
	tasks_lock(t->k);
	tg = tg_find_locked(task_pid_ns(t), pid);
	r = tg ? send_checked_locked(t, tg, NULL, signo, &info) : -ESRCH;
	tasks_unlock(t->k);
	return r;
}

int64_t sys_rt_tgsigqueueinfo(struct task *t, const uint64_t a[6])
{
	pid_t tgid = (pid_t)a[0], tid = (pid_t)a[1];
	int signo = (int)a[2];
	struct linux_siginfo info;
	int r = copy_siginfo(t, UADDR(a[3]), signo, tid == t->own_tid, &info);

	if (r)
		return r;
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return send_thread(t, tgid, tid, signo, &info);
}

/* A pidfd's process, or that of an open /proc/PID: new reference. */
static int group_of_fd(struct task *t, int fd, struct thread_group **out)
{
	struct file *f = fd_get(t->files, fd);
	bool gone = false;

	*out = f ? pidfd_group(f) : NULL;
	if (*out)
		ref_get(&(*out)->ref);
	else if (f)
		*out = proc_dir_group(f, &gone);
	if (f)
		file_put(f);
	return *out ? 0 : gone ? -ESRCH : -EBADF;
}

int64_t sys_pidfd_send_signal(struct task *t, const uint64_t a[6])
{
	int signo = (int)a[1], r;
	struct linux_siginfo info;
	struct thread_group *tg;

	if ((unsigned)a[3])
		return -EINVAL;
	r = group_of_fd(t, (int)a[0], &tg);
	if (r)
		return r;
	if (a[2]) {
		r = copy_from_user(t->mm, &info, UADDR(a[2]), sizeof(info));
		if (!r && info.signo != signo)
			r = -EINVAL;
		if (!r && tg != t->tg && (info.code >= 0 || info.code == LINUX_SI_TKILL))
			r = -EPERM;
	} else {
		signal_info_user(&info, t, signo, LINUX_SI_USER);
	}
	if (!r && (signo < 0 || signo > LINUX_NSIG))
		r = -EINVAL;
	if (!r) {
		tasks_lock(t->k);
		r = tg->released ? -ESRCH : send_checked_locked(t, tg, NULL, signo, &info);
		tasks_unlock(t->k);
	}
	tg_put(tg);
	return r;
}
