/*
 * process_vm.c - process_vm_readv and process_vm_writev: copies between the
 * caller's memory and another process's, through a buffer (no two address
 * spaces are locked at once).
 */
#include "kernel/ptrace.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

#define STEP (64u << 10)

static ssize_t transfer(struct task *t, struct uio *local, struct uio *remote, bool write, void *buf)
{
	struct uio *from = write ? local : remote, *to = write ? remote : local;
	ssize_t done = 0, n, r;

	for (;;) {
		uint64_t max = from->resid < to->resid ? from->resid : to->resid;

		if (!max || task_interrupted(t))
			return done;
		n = uio_copy_in(from, buf, max < STEP ? max : STEP);
		if (n <= 0)
			return done ? done : n;
		r = uio_copy_out(to, buf, (size_t)n);
		if (r < 0)
			return done ? done : r;
		done += r;
		if (r < n)
			return done;
	}
}

static ssize_t with_target(struct task *t, pid_t pid, struct uio *local, struct iovec_user *rv, uint64_t n, bool write)
{
	struct task *target = task_find(task_pid_ns(t), pid);
	struct mm *mm = target ? task_get_mm(target) : NULL;
	struct uio remote;
	ssize_t r = -ESRCH;
	void *buf;

	if (mm && mm != t->mm && !ptrace_may_access(t, target)) {
		r = -EPERM;
	} else if (mm) {
		buf = malloc(STEP);
		uio_user_iov(&remote, mm, rv, n);
		r = buf ? transfer(t, local, &remote, write, buf) : -ENOMEM;
		free(buf);
	}
	if (mm)
		mm_put(mm);
	if (target)
		task_put(target);
	return r;
}

static int64_t process_vm(struct task *t, const uint64_t a[6], bool write)
{
	struct iovec_user ls[8], rs[8], *lv = ls, *rv = rs;
	struct uio local;
	ssize_t r;

	if (a[5])
		return -EINVAL;
	r = uio_import(t->mm, UADDR(a[1]), a[2], ls, &lv);
	if (r <= 0)
		goto out;
	uio_user_iov(&local, t->mm, lv, a[2]);
	r = uio_import(t->mm, UADDR(a[3]), a[4], rs, &rv);
	if (r >= 0)
		r = with_target(t, (pid_t)a[0], &local, rv, a[4], write);
out:
	if (lv != ls)
		free(lv);
	if (rv != rs)
		free(rv);
	return r;
}

int64_t sys_process_vm_readv(struct task *t, const uint64_t a[6])
{
	return process_vm(t, a, false);
}

int64_t sys_process_vm_writev(struct task *t, const uint64_t a[6])
{
	return process_vm(t, a, true);
}
