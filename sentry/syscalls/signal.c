/*
 * signal.c - dispositions, masks, waiting for signals, signalfd.  Sending is in kill.c.
 */
#include "syscalls/syscall.h"

#include "abi/fcntl.h"
#include "fs/signalfd.h"
#include "kernel/task_table.h"

#include <errno.h>

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
