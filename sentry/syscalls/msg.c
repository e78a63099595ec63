/*
 * msg.c - msgget, msgsnd, msgrcv, msgctl.
 */
#include "kernel/ipc.h"
#include "kernel/ns.h"
#include "syscalls/syscall.h"

#include <errno.h>

int64_t sys_msgget(struct task *t, const uint64_t a[6])
{
	return ipc_msg_get(t, (int32_t)a[0], (int)a[1]);
}

int64_t sys_msgsnd(struct task *t, const uint64_t a[6])
{
	int64_t type;

	if (copy_from_user(t->mm, &type, UADDR(a[1]), sizeof(type)))
		return -EFAULT;
	return ipc_msg_send(t, (int)a[0], type, UADDR(a[1] + sizeof(type)), a[2], (int)a[3]);
}

int64_t sys_msgrcv(struct task *t, const uint64_t a[6])
{
	return ipc_msg_recv(t, (int)a[0], UADDR(a[1]), a[2], (int64_t)a[3], (int)a[4]);
}

static int64_t ctl_info(struct task *t, bool now, uaddr buf)
{
	const struct ipc_ns *ns = t->ns->ipc;
	int mnb = (int)ipc_limit(ns, IPC_MSGMNB), mni = (int)ipc_limit(ns, IPC_MSGMNI);
	struct linux_msginfo i = { .pool = (int)((int64_t)mni * mnb / 1024), .map = mnb, .max = (int)ipc_limit(ns, IPC_MSGMAX), .mnb = mnb, .mni = mni,
		.ssz = 16, .tql = mnb, .seg = 0xffff };
	int queues, messages, bytes, max = ipc_msg_info(t, &queues, &messages, &bytes);

	if (now) {
		i.pool = queues;
		i.map = messages;
		i.tql = bytes;
	}
	return copy_to_user(t->mm, buf, &i, sizeof(i)) ? -EFAULT : max;
}

static int64_t ctl_stat(struct task *t, int id, enum ipc_by by, uaddr buf)
{
	struct linux_msqid_ds ds;
	int r = ipc_msg_stat(t, id, by, &ds);

	return r >= 0 && copy_to_user(t->mm, buf, &ds, sizeof(ds)) ? -EFAULT : r;
}

int64_t sys_msgctl(struct task *t, const uint64_t a[6])
{
	int id = (int)a[0], cmd = (int)a[1];
	uaddr buf = UADDR(a[2]);
	struct linux_msqid_ds ds;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case LINUX_IPC_INFO:
	case LINUX_MSG_INFO:
		return ctl_info(t, cmd == LINUX_MSG_INFO, buf);
	case LINUX_IPC_STAT:
		return ctl_stat(t, id, IPC_BY_ID, buf);
	case LINUX_MSG_STAT:
		return ctl_stat(t, id, IPC_BY_SLOT, buf);
	case LINUX_MSG_STAT_ANY:
		return ctl_stat(t, id, IPC_BY_SLOT_ANY, buf);
	case LINUX_IPC_SET:
		if (copy_from_user(t->mm, &ds, buf, sizeof(ds)))
			return -EFAULT;
		return ipc_msg_set(t, id, &ds.perm, ds.qbytes);
	case LINUX_IPC_RMID:
		return ipc_msg_remove(t, id);
	default:
		return -EINVAL;
	}
}
