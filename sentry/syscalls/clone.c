/*
 * clone.c - clone, clone3, fork, vfork: argument checks.
 */
#include "syscalls/syscall.h"

#include "abi/sched.h"
#include "abi/signal.h"
#include "fs/cgroup/cgroup.h"
#include "fs/pidfd.h"
#include "kernel/cgroup.h"
#include "kernel/clone.h"
#include "kernel/pid.h"

#include <errno.h>
#include <string.h>

int64_t sys_clone(struct task *t, const uint64_t a[6])
{
	uint64_t flags = a[0] & UINT32_MAX;
	struct clone_request q = {
		.flags = flags & ~LINUX_CSIGNAL,
		.exit_signal = (int)(flags & LINUX_CSIGNAL),
		.stack = a[1],
		.parent_tid = UADDR(a[2]),
		.child_tid = UADDR(a[3]),
		.tls = a[4],
		.pidfd = UADDR(a[2]), /* the same argument: not both */
		.pidfd_file = pidfd_file_new,
	};

	if (flags & LINUX_CLONE_PIDFD && flags & LINUX_CLONE_PARENT_SETTID)
		return -EINVAL;
	return task_clone(t, &q);
}

int64_t sys_fork(struct task *t, const uint64_t a[6])
{
	const struct clone_request q = { .exit_signal = LINUX_SIGCHLD };

	return task_clone(t, &q);
}

int64_t sys_vfork(struct task *t, const uint64_t a[6])
{
	const struct clone_request q = { .flags = LINUX_CLONE_VFORK | LINUX_CLONE_VM, .exit_signal = LINUX_SIGCHLD };

	return task_clone(t, &q);
}

int64_t sys_clone3(struct task *t, const uint64_t a[6])
{
	const uint64_t known = 0xffffffffull | LINUX_CLONE_CLEAR_SIGHAND | LINUX_CLONE_INTO_CGROUP;
	pid_t numbers[PID_NS_LEVEL_MAX - 1];
	struct linux_clone_args c;
	struct clone_request q;
	int64_t ret;
	int r = a[1] < LINUX_CLONE_ARGS_SIZE_VER0 ? -EINVAL : copy_struct_from_user(t->mm, &c, sizeof(c), UADDR(a[0]), a[1]);

	if (r)
		return r;
	if (c.set_tid_size > sizeof(numbers) / sizeof(numbers[0]) || (!c.set_tid && c.set_tid_size) || (c.set_tid && !c.set_tid_size))
		return -EINVAL;
	if (c.exit_signal & ~LINUX_CSIGNAL || c.exit_signal > LINUX_NSIG)
		return -EINVAL;
	if (c.flags & ~known || c.flags & (LINUX_CLONE_DETACHED | (LINUX_CSIGNAL & ~LINUX_CLONE_NEWTIME)))
		return -EINVAL;
	if ((c.flags & (LINUX_CLONE_SIGHAND | LINUX_CLONE_CLEAR_SIGHAND)) == (LINUX_CLONE_SIGHAND | LINUX_CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if (c.flags & (LINUX_CLONE_THREAD | LINUX_CLONE_PARENT) && c.exit_signal)
		return -EINVAL;
	if (!c.stack != !c.stack_size)
		return -EINVAL;
	if (c.flags & LINUX_CLONE_INTO_CGROUP && c.cgroup > INT32_MAX)
		return -EINVAL;
	if (c.set_tid_size && copy_from_user(t->mm, numbers, UADDR(c.set_tid), c.set_tid_size * sizeof(numbers[0])))
		return -EFAULT;
	q = (struct clone_request){
		.flags = c.flags,
		.exit_signal = (int)c.exit_signal,
		.stack = c.stack ? c.stack + c.stack_size : 0,
		.tls = c.tls,
		.parent_tid = UADDR(c.parent_tid),
		.child_tid = UADDR(c.child_tid),
		.pidfd = UADDR(c.pidfd),
		.set_tid = numbers,
		.n_set_tid = (unsigned)c.set_tid_size,
		.pidfd_file = pidfd_file_new,
	};
	if (c.flags & LINUX_CLONE_INTO_CGROUP && (r = cgroup_by_fd(t, (int)c.cgroup, &q.cgroup)))
		return r;
	ret = task_clone(t, &q);
	cgroup_put(q.cgroup);
	return ret;
}
