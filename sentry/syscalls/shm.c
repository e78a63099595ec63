/*
 * shm.c - shmget, shmat, shmdt, shmctl.
 */
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "syscalls/syscall.h"

#include <errno.h>

int64_t sys_shmget(struct task *t, const uint64_t a[6])
{
	return ipc_shm_get(t, (int32_t)a[0], a[1], (int)a[2]);
}

int64_t sys_shmat(struct task *t, const uint64_t a[6])
{
	return ipc_shm_attach(t, (int)a[0], a[1], (int)a[2]);
}

int64_t sys_shmdt(struct task *t, const uint64_t a[6])
{
	return ipc_shm_detach(t, a[0]);
}

static int64_t ctl_info(struct task *t, uaddr buf)
{
	const struct ipc_ns *ns = t->ns->ipc;
	const struct linux_shminfo i = { .shmmax = ipc_limit(ns, IPC_SHMMAX), .shmmin = 1, .shmmni = ipc_limit(ns, IPC_SHMMNI),
		.shmseg = ipc_limit(ns, IPC_SHMMNI), .shmall = ipc_limit(ns, IPC_SHMALL) };
	struct linux_shm_info now;
	int max = ipc_shm_info(t, &now);

	return copy_to_user(t->mm, buf, &i, sizeof(i)) ? -EFAULT : max;
}

static int64_t ctl_shm_info(struct task *t, uaddr buf)
{
	struct linux_shm_info i;
	int max = ipc_shm_info(t, &i);

	return copy_to_user(t->mm, buf, &i, sizeof(i)) ? -EFAULT : max;
}

static int64_t ctl_stat(struct task *t, int id, enum ipc_by by, uaddr buf)
{
	struct linux_shmid_ds ds;
	int r = ipc_shm_stat(t, id, by, &ds);

	return r >= 0 && copy_to_user(t->mm, buf, &ds, sizeof(ds)) ? -EFAULT : r;
}

int64_t sys_shmctl(struct task *t, const uint64_t a[6])
{
	int id = (int)a[0], cmd = (int)a[1];
	uaddr buf = UADDR(a[2]);
	struct linux_shmid_ds ds;

	if (cmd < 0 || id < 0)
		return -EINVAL;
	switch (cmd) {
	case LINUX_IPC_INFO:
		return ctl_info(t, buf);
	case LINUX_SHM_INFO:
		return ctl_shm_info(t, buf);
	case LINUX_IPC_STAT:
		return ctl_stat(t, id, IPC_BY_ID, buf);
	case LINUX_SHM_STAT:
		return ctl_stat(t, id, IPC_BY_SLOT, buf);
	case LINUX_SHM_STAT_ANY:
		return ctl_stat(t, id, IPC_BY_SLOT_ANY, buf);
	case LINUX_IPC_SET:
		if (copy_from_user(t->mm, &ds, buf, sizeof(ds)))
			return -EFAULT;
		return ipc_shm_set(t, id, &ds.perm);
	case LINUX_IPC_RMID:
		return ipc_shm_remove(t, id);
	case LINUX_SHM_LOCK:
	case LINUX_SHM_UNLOCK:
		return ipc_shm_lock(t, id, cmd == LINUX_SHM_LOCK);
	default:
		return -EINVAL;
	}
}
