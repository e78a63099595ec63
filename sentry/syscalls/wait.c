/*
 * wait.c - exit, exit_group, wait4, waitid.
 */
#include "syscalls/syscall.h"

#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/wait.h"
#include "fs/pidfd.h"
#include "kernel/task_table.h"
#include "kernel/task_wait.h"
#include "syscalls/rusage.h"

#include <errno.h>

int64_t sys_exit(struct task *t, const uint64_t a[6])
{
	t->exit_code = (int)a[0] & 0xff;
	tasks_lock(t->k);
	t->leaving = true;
	task_kick_locked(t);
	tasks_unlock(t->k);
	return 0;
}

int64_t sys_exit_group(struct task *t, const uint64_t a[6])
{
	t->exit_code = (int)a[0] & 0xff;
	task_exit_group(t, LINUX_W_EXIT(t->exit_code));
	return 0;
}

int64_t sys_wait4(struct task *t, const uint64_t a[6])
{
	pid_t pid = (pid_t)a[0];
	unsigned options = (unsigned)a[2];
	struct wait_request q = { .type = LINUX_P_ALL, .options = options | LINUX_WEXITED };
	struct wait_result res;
	struct linux_rusage ru;
	int32_t status;
	int r;

	if (options & ~(LINUX_WNOHANG | LINUX_WUNTRACED | LINUX_WCONTINUED | LINUX_WNOTHREAD | LINUX_WCLONE | LINUX_WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid > 0)
		q.type = LINUX_P_PID, q.id = pid;
	else if (pid < -1)
		q.type = LINUX_P_PGID, q.id = -pid;
	else if (pid == 0)
		q.type = LINUX_P_PGID, q.pgid = task_pgid(t);
	r = task_wait(t, &q, &res);
	if (r || !res.pid)
		return r;
	status = res.status;
	if (a[1] && copy_to_user(t->mm, UADDR(a[1]), &status, sizeof(status)))
		return -EFAULT;
	rusage_fill(&ru, &res.usage);
	if (a[3] && copy_to_user(t->mm, UADDR(a[3]), &ru, sizeof(ru)))
		return -EFAULT;
	return res.pid;
}

/* waitid's own status: the exit code or the signal, not the packed word. */
static int plain_status(const struct wait_result *res)
{
	switch (res->code) {
	case LINUX_CLD_EXITED:
		return LINUX_WEXITSTATUS(res->status);
	case LINUX_CLD_STOPPED:
		return LINUX_WEXITSTATUS(res->status);
	case LINUX_CLD_CONTINUED:
		return LINUX_SIGCONT;
	default:
		return LINUX_WTERMSIG(res->status);
	}
}

static int waitid_result(struct task *t, const uint64_t a[6], const struct wait_result *res)
{
	struct linux_siginfo info = { 0 };
	struct linux_rusage ru;

	if (res->pid) {
		info.signo = LINUX_SIGCHLD;
		info.code = res->code;
		info.chld.pid = res->pid;
		info.chld.uid = uid_shown(t->cred->user_ns, res->uid);
		info.chld.status = plain_status(res);
	}
	rusage_fill(&ru, &res->usage);
	if (res->pid && a[4] && copy_to_user(t->mm, UADDR(a[4]), &ru, sizeof(ru)))
		return -EFAULT;
	if (a[2] && copy_to_user(t->mm, UADDR(a[2]), &info, 28))
		return -EFAULT;
	return 0;
}

int64_t sys_waitid(struct task *t, const uint64_t a[6])
{
	unsigned options = (unsigned)a[3];
	struct wait_request q = { .type = (int)a[0], .id = (pid_t)a[1], .options = options };
	struct wait_result res = { 0 };
	struct file *f = NULL;
	bool nonblock = false;
	int r;

	if (options & ~(LINUX_WNOHANG | LINUX_WNOWAIT | LINUX_WEXITED | LINUX_WSTOPPED | LINUX_WCONTINUED | LINUX_WNOTHREAD | LINUX_WCLONE |
				LINUX_WALL))
		return -EINVAL;
	if (!(options & (LINUX_WEXITED | LINUX_WSTOPPED | LINUX_WCONTINUED)))
		return -EINVAL;
	switch (q.type) {
	case LINUX_P_ALL:
		break;
	case LINUX_P_PID:
		if (q.id <= 0)
			return -EINVAL;
		break;
	case LINUX_P_PGID:
		if (q.id < 0)
			return -EINVAL;
		if (!q.id)
			q.pgid = task_pgid(t);
		break;
	case LINUX_P_PIDFD:
		if (q.id < 0)
			return -EINVAL;
		f = fd_get(t->files, q.id);
		q.target = f ? pidfd_group(f) : NULL;
		if (!q.target) {
			if (f)
				file_put(f);
			return -EBADF;
		}
		nonblock = file_nonblock(f) && !(options & LINUX_WNOHANG);
		if (nonblock)
			q.options |= LINUX_WNOHANG;
		break;
	default:
		return -EINVAL;
	}
	r = task_wait(t, &q, &res);
	if (f)
		file_put(f);
	if (!r && !res.pid && nonblock)
		return -EAGAIN;
	return r ? r : waitid_result(t, a, &res);
}
