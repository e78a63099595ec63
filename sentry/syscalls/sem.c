/*
 * sem.c - semget, semop, semtimedop, semctl.
 */
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "syscalls/syscall.h"

#include <errno.h>
#include <stdlib.h>

int64_t sys_semget(struct task *t, const uint64_t a[6])
{
	return ipc_sem_get(t, (int32_t)a[0], (int)a[1], (int)a[2]);
}

#define FEW 16 /* operations of a call that need no allocation */

static int64_t do_semop(struct task *t, int id, uaddr at, uint64_t n, int64_t deadline)
{
	struct linux_sembuf few[FEW], *ops = few;
	int64_t r;

	if (n < 1 || id < 0)
		return -EINVAL;
	if (n > ipc_limit(t->ns->ipc, IPC_SEMOPM))
		return -E2BIG;
	if (n > FEW) {
		ops = malloc(n * sizeof(*ops));
		if (!ops)
			return -ENOMEM;
	}
	r = copy_from_user(t->mm, ops, at, n * sizeof(*ops)) ? -EFAULT : ipc_sem_op(t, id, ops, n, deadline);
	if (ops != few)
		free(ops);
	return r;
}

int64_t sys_semop(struct task *t, const uint64_t a[6])
{
	return do_semop(t, (int)a[0], UADDR(a[1]), (unsigned)a[2], WAIT_FOREVER);
}

int64_t sys_semtimedop(struct task *t, const uint64_t a[6])
{
	int64_t ns, deadline = WAIT_FOREVER;
	int r;

	if (a[3]) {
		r = copy_timespec_from_user(t, UADDR(a[3]), &ns);
		if (r)
			return r;
		if (__builtin_add_overflow(now_monotonic(), ns, &deadline))
			deadline = WAIT_FOREVER;
	}
	return do_semop(t, (int)a[0], UADDR(a[1]), (unsigned)a[2], deadline);
}

/* --- semctl ----------------------------------------------------------------------- */

static int64_t ctl_info(struct task *t, bool now, uaddr buf)
{
	const struct ipc_ns *ns = t->ns->ipc;
	int mns = (int)ipc_limit(ns, IPC_SEMMNS), opm = (int)ipc_limit(ns, IPC_SEMOPM);
	struct linux_seminfo i = { .map = mns, .mni = (int)ipc_limit(ns, IPC_SEMMNI), .mns = mns, .mnu = mns, .msl = (int)ipc_limit(ns, IPC_SEMMSL),
		.opm = opm, .ume = opm, .usz = 20, .vmx = IPC_SEMVMX, .aem = IPC_SEMVMX };
	int sets, sems, max = ipc_sem_info(t, &sets, &sems);

	if (now) {
		i.usz = sets;
		i.aem = sems;
	}
	return copy_to_user(t->mm, buf, &i, sizeof(i)) ? -EFAULT : max;
}

static int64_t ctl_stat(struct task *t, int id, enum ipc_by by, uaddr buf)
{
	struct linux_semid_ds ds;
	int r = ipc_sem_stat(t, id, by, &ds);

	return r >= 0 && copy_to_user(t->mm, buf, &ds, sizeof(ds)) ? -EFAULT : r;
}

static int64_t ctl_all(struct task *t, int id, bool set, uaddr buf)
{
	int n = ipc_sem_count(t, id, set), r;
	uint16_t *v;

	if (n < 0)
		return n;
	v = malloc((size_t)n * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (set) {
		r = copy_from_user(t->mm, v, buf, (size_t)n * sizeof(*v));
		r = r ? r : ipc_sem_setall(t, id, v, (size_t)n);
	} else {
		r = ipc_sem_getall(t, id, v, (size_t)n);
		r = r ? r : copy_to_user(t->mm, buf, v, (size_t)n * sizeof(*v));
	}
	free(v);
	return r;
}

static int64_t ctl_set(struct task *t, int id, uaddr buf)
{
	struct linux_semid_ds ds;

	if (copy_from_user(t->mm, &ds, buf, sizeof(ds)))
		return -EFAULT;
	return ipc_sem_set(t, id, &ds.perm);
}

int64_t sys_semctl(struct task *t, const uint64_t a[6])
{
	int id = (int)a[0], num = (int)a[1], cmd = (int)a[2];
	uaddr buf = UADDR(a[3]);

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case LINUX_IPC_INFO:
	case LINUX_SEM_INFO:
		return ctl_info(t, cmd == LINUX_SEM_INFO, buf);
	case LINUX_IPC_STAT:
		return ctl_stat(t, id, IPC_BY_ID, buf);
	case LINUX_SEM_STAT:
		return ctl_stat(t, id, IPC_BY_SLOT, buf);
	case LINUX_SEM_STAT_ANY:
		return ctl_stat(t, id, IPC_BY_SLOT_ANY, buf);
	case LINUX_GETALL:
	case LINUX_SETALL:
		return ctl_all(t, id, cmd == LINUX_SETALL, buf);
	case LINUX_GETVAL:
	case LINUX_GETPID:
	case LINUX_GETNCNT:
	case LINUX_GETZCNT:
		return ipc_sem_query(t, id, num, cmd);
	case LINUX_SETVAL:
		return ipc_sem_setval(t, id, num, (int)a[3]);
	case LINUX_IPC_SET:
		return ctl_set(t, id, buf);
	case LINUX_IPC_RMID:
		return ipc_sem_remove(t, id);
	default:
		return -EINVAL;
	}
}
