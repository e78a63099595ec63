/*
 * signal.c - dispositions, masks, sending, waiting for signals, signalfd.
 */
#include "syscalls/syscall.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "fs/pidfd.h"
#include "fs/proc/proc.h"
#include "fs/signalfd.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <string.h>

#define KNOWN_SA_FLAGS                                                                                                                               \
	(LINUX_SA_NOCLDSTOP | LINUX_SA_NOCLDWAIT | LINUX_SA_SIGINFO | LINUX_SA_RESTORER | LINUX_SA_ONSTACK | LINUX_SA_RESTART |                      \
		LINUX_SA_NODEFER | LINUX_SA_RESETHAND)
#define MINSIGSTKSZ 2048

/* --- dispositions ------------------------------------------------------------------ */

int64_t sys_rt_sigaction(struct task *t, const uint64_t a[6])
{
	int signo = (int)a[0];
	struct linux_sigaction new = { 0 }, old, *act;
	struct task *o;

	if (a[3] != sizeof(uint64_t))
		return -EINVAL;
	if (a[1] && copy_from_user(t->mm, &new, UADDR(a[1]), sizeof(new)))
		return -EFAULT;
	if (!signo_valid(signo) || (a[1] && SIG_UNBLOCKABLE & SIGBIT(signo)))
		return -EINVAL;
	new.flags &= KNOWN_SA_FLAGS; /* a flag that stays clear is one not supported: SA_UNSUPPORTED */
	new.mask &= ~SIG_UNBLOCKABLE;
	tasks_lock(t->k);
	act = &t->tg->sighand->action[signo - 1];
	old = *act;
	if (a[1]) {
		*act = new;
		/* POSIX: what is pending and now ignored is thrown away */
		if (sighand_ignores(t->tg->sighand, signo)) {
			sigpending_flush(t->tg->pending, SIGBIT(signo));
			TAILQ_FOREACH(o, &t->tg->tasks, tg_link)
				sigpending_flush(o->pending, SIGBIT(signo));
		}
	}
	tasks_unlock(t->k);
	return a[2] ? copy_to_user(t->mm, UADDR(a[2]), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigprocmask(struct task *t, const uint64_t a[6])
{
	uint64_t set = 0, old;

	if (a[3] != sizeof(uint64_t))
		return -EINVAL;
	if (a[1] && copy_from_user(t->mm, &set, UADDR(a[1]), sizeof(set)))
		return -EFAULT;
	if (!signal_change_mask(t, (int)a[0], a[1] ? &set : NULL, &old))
		return -EINVAL;
	return a[2] ? copy_to_user(t->mm, UADDR(a[2]), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigpending(struct task *t, const uint64_t a[6])
{
	uint64_t set;

	if (a[1] > sizeof(set))
		return -EINVAL;
	tasks_lock(t->k);
	set = signal_pending_locked(t) & signal_blocked_locked(t);
	tasks_unlock(t->k);
	return copy_to_user(t->mm, UADDR(a[0]), &set, a[1]);
}

int64_t sys_rt_sigreturn(struct task *t, const uint64_t a[6])
{
	return signal_return(t);
}

int64_t sys_sigaltstack(struct task *t, const uint64_t a[6])
{
	struct linux_stack new, old;
	int r = 0;

	task_complete_regs(t);
	signal_get_altstack(t, t->regs.rsp, &old);
	if (a[0]) {
		if (copy_from_user(t->mm, &new, UADDR(a[0]), sizeof(new)))
			return -EFAULT;
		r = signal_set_altstack(t, &new, t->regs.rsp, MINSIGSTKSZ);
	}
	if (!r && a[1])
		r = copy_to_user(t->mm, UADDR(a[1]), &old, sizeof(old));
	return r;
}

/* --- sending ------------------------------------------------------------------------- */

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

/* --- waiting --------------------------------------------------------------------------- */

static int sleep_for_signal(void)
{
	int r;

	do
		r = wait_sleep(WAIT_FOREVER);
	while (!r);
	return -ERESTARTNOHAND;
}

int64_t sys_pause(struct task *t, const uint64_t a[6])
{
	return sleep_for_signal();
}

int64_t sys_rt_sigsuspend(struct task *t, const uint64_t a[6])
{
	uint64_t mask;
	int r = copy_sigset_from_user(t, UADDR(a[0]), a[1], &mask);

	if (r)
		return r;
	signal_set_temp_mask(t, mask);
	return sleep_for_signal(); /* the loop restores the mask */
}

int64_t sys_rt_sigtimedwait(struct task *t, const uint64_t a[6])
{
	struct linux_siginfo info;
	int64_t timeout = WAIT_FOREVER, deadline = WAIT_FOREVER;
	uint64_t set;
	int r = copy_sigset_from_user(t, UADDR(a[0]), a[3], &set);

	if (!r && a[2])
		r = copy_timespec_from_user(t, UADDR(a[2]), &timeout);
	if (r)
		return r;
	if (timeout == 0)
		deadline = 0;
	else if (timeout != WAIT_FOREVER && __builtin_add_overflow(now_monotonic(), timeout, &deadline))
		deadline = WAIT_FOREVER;
	r = signal_wait(t, set, deadline, &info);
	if (r > 0 && a[1] && copy_to_user(t->mm, UADDR(a[1]), &info, sizeof(info)))
		return -EFAULT;
	return r;
}

/* --- signalfd --------------------------------------------------------------------------- */

static int64_t signalfd(struct task *t, int fd, uaddr mask_at, uint64_t size, int flags)
{
	struct file *f;
	uint64_t mask;
	int r = copy_sigset_from_user(t, mask_at, size, &mask);

	if (r)
		return r;
	if (flags & ~(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK))
		return -EINVAL;
	mask &= ~SIG_UNBLOCKABLE;
	if (fd != -1) {
		f = fd_get(t->files, fd);
		if (!f)
			return -EBADF;
		r = signalfd_set_mask(f, mask);
		file_put(f);
		return r ? r : fd;
	}
	r = signalfd_file_new(t->k, t->cred, mask, flags & LINUX_O_NONBLOCK, &f);
	if (r)
		return r;
	r = fd_install(t->files, f, 0, flags & LINUX_O_CLOEXEC, rlimit_get(t, 7));
	if (r < 0)
		file_put(f);
	return r;
}

int64_t sys_signalfd(struct task *t, const uint64_t a[6])
{
	return signalfd(t, (int)a[0], UADDR(a[1]), a[2], 0);
}

int64_t sys_signalfd4(struct task *t, const uint64_t a[6])
{
	return signalfd(t, (int)a[0], UADDR(a[1]), a[2], (int)a[3]);
}

/* --- restarting --------------------------------------------------------------------------- */

int64_t sys_restart_syscall(struct task *t, const uint64_t a[6])
{
	return t->restart_fn ? t->restart_fn(t, t->restart_state) : -EINTR;
}
