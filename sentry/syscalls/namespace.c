/*
 * namespace.c - unshare and setns.  New network, cgroup and time namespaces are
 * refused as by a kernel built without them; entering the one that there is
 * changes nothing.
 */
#include "abi/capability.h"
#include "fs/nsfs.h"
#include "fs/pidfd.h"
#include "kernel/ipc.h"
#include "kernel/pid.h"
#include "kernel/task_table.h"
#include "syscalls/syscall.h"

#include <errno.h>

/* What a task is to have instead of what it has; NULL: it keeps that. */
struct change {
	struct fs_context *fs;
	struct fdtable *files;
	struct nsproxy *ns;
	struct cred *cred;
};

static void change_drop(struct change *c)
{
	if (c->fs)
		fs_context_put(c->fs);
	if (c->files)
		fdtable_put_table(c->files);
	nsproxy_put(c->ns);
	cred_put(c->cred);
}

/* Afterwards c holds what the task had. */
static void change_apply(struct task *t, struct change *c)
{
	struct change old = { t->fs, t->files, t->ns };
	struct ipc_ns *ipc = t->ns->ipc;

	if (c->ns && c->ns->ipc != ipc)
		ipc_process_exit(ipc, t->tg);
	tasks_lock(t->k);
	t->fs = c->fs ? c->fs : old.fs;
	t->files = c->files ? c->files : old.files;
	t->ns = c->ns ? c->ns : old.ns;
	tasks_unlock(t->k);
	if (c->files)
		(void)platform_records_use(t->ctx, NULL);
	if (c->cred)
		task_set_cred(t, c->cred);
	*c = (struct change){ c->fs ? old.fs : NULL, c->files ? old.files : NULL, c->ns ? old.ns : NULL };
}

/* --- unshare ------------------------------------------------------------------------ */

static int prepare_unshare(struct task *t, uint64_t f, struct change *c)
{
	int r = f & LINUX_CLONE_NEWUSER ? cred_new_user_ns(t, &c->cred) : 0;
	struct user_ns *owner;

	if (r)
		return r;
	owner = c->cred ? c->cred->user_ns : t->cred->user_ns;
	if (f & (LINUX_CLONE_FS | LINUX_CLONE_NEWNS)) {
		c->fs = fs_context_dup(t->fs);
		if (!c->fs)
			return -ENOMEM;
		if (f & LINUX_CLONE_NEWNS)
			r = fs_context_unshare_ns(c->fs, owner);
	}
	if (!r && f & LINUX_CLONE_FILES) {
		c->files = fdtable_dup(t->files);
		r = c->files ? 0 : -ENOMEM;
	}
	if (!r && f & NS_MADE_FLAGS & ~(LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUSER))
		r = nsproxy_unshare(t, f, owner, &c->ns);
	return r;
}

int64_t sys_unshare(struct task *t, const uint64_t a[6])
{
	uint64_t f = a[0];
	struct change c = { 0 };
	int r;

	if (f & ~(LINUX_CLONE_NS_FLAGS | LINUX_CLONE_THREAD | LINUX_CLONE_FS | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM | LINUX_CLONE_FILES |
			LINUX_CLONE_SYSVSEM))
		return -EINVAL;
	if (f & LINUX_CLONE_NEWUSER) /* threads and what shares its root would stay behind */
		f |= LINUX_CLONE_THREAD | LINUX_CLONE_FS;
	if (f & (LINUX_CLONE_THREAD | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM) && !tg_single(t->tg))
		return -EINVAL;
	if (f & LINUX_CLONE_NS_FLAGS && !(f & LINUX_CLONE_NEWUSER) && !cred_capable_own(t->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (f & LINUX_CLONE_NS_FLAGS & ~NS_MADE_FLAGS)
		return -EINVAL;
	r = prepare_unshare(t, f, &c);
	if (!r)
		change_apply(t, &c);
	change_drop(&c);
	return r;
}

/* --- setns ----------------------------------------------------------------------------- */

/* What the new proxy is made of; borrowed. */
struct target {
	struct uts_ns *uts;
	struct ipc_ns *ipc;
	struct pid_ns *pid;
};

static int enter_mount_ns(struct task *t, struct mount_ns *mnt, struct change *c)
{
	if (!cred_capable_own(t->cred, LINUX_CAP_SYS_CHROOT))
		return -EPERM;
	if (ref_count(&t->fs->ref) > 1)
		return -EINVAL; /* shared with another task */
	c->fs = fs_context_dup(t->fs);
	if (!c->fs)
		return -ENOMEM;
	fs_context_enter_ns(c->fs, mnt);
	return 0;
}

static int enter_user_ns(struct task *t, struct user_ns *ns, struct change *c)
{
	if (ns == t->cred->user_ns || !tg_single(t->tg) || ref_count(&t->fs->ref) > 1)
		return -EINVAL;
	return cred_capable_in(t->cred, ns, LINUX_CAP_SYS_ADMIN) ? cred_in_user_ns(t->cred, ns, &c->cred) : -EPERM;
}

static int enter(struct task *t, const struct ns_ref *r, struct change *c, struct target *to)
{
	switch (r->kind) {
	case NS_UTS:
		to->uts = r->uts;
		return 0;
	case NS_IPC:
		to->ipc = r->ipc;
		return 0;
	case NS_PID: /* for children; one's own or one below it */
		to->pid = r->pid;
		return pid_ns_is_below(r->pid, task_pid_ns(t)) ? 0 : -EINVAL;
	case NS_MNT:
		return enter_mount_ns(t, r->mnt, c);
	case NS_USER:
		return enter_user_ns(t, r->user, c);
	case NS_CGROUP:
	case NS_NET:
	case NS_TIME:
	case NS_KINDS:
		break;
	}
	return 0;
}

static int finish(struct task *t, struct change *c, const struct target *to)
{
	if (!to->uts && !to->ipc && !to->pid)
		return 0;
	c->ns = nsproxy_new(to->uts ? to->uts : t->ns->uts, to->ipc ? to->ipc : t->ns->ipc, to->pid ? to->pid : t->ns->pid_for_children, t->ns->time);
	return c->ns ? 0 : -ENOMEM;
}

/* Who owns the namespace says who may enter; pid and IPC namespaces are taken for the container's. */
static bool may_enter(struct task *t, const struct ns_ref *r)
{
	const struct user_ns *owner = r->uts ? r->uts->owner : r->mnt ? mount_ns_owner(r->mnt) : NULL;

	return cred_capable_in(t->cred, owner, LINUX_CAP_SYS_ADMIN) && cred_capable_own(t->cred, LINUX_CAP_SYS_ADMIN);
}

/* One namespace, by its file. */
static int enter_file(struct task *t, const struct ns_ref *r, uint64_t type, struct change *c)
{
	struct target to = { 0 };
	int ret;

	if (type && type != ns_clone_flag(r->kind))
		return -EINVAL;
	if (r->kind != NS_USER && !may_enter(t, r))
		return -EPERM;
	ret = enter(t, r, c, &to);
	return ret ? ret : finish(t, c, &to);
}

/* Several of a process's, by its pidfd. */
static int enter_process(struct task *t, struct thread_group *tg, uint64_t types, struct change *c)
{
	struct task *o;
	struct nsproxy *ns;
	struct fs_context *fs;
	struct target to = { 0 };
	int r = 0;

	if (!types || types & ~LINUX_CLONE_NS_FLAGS)
		return -EINVAL;
	if (types & LINUX_CLONE_NEWUSER)
		return -EINVAL;
	if (!ns_capable(t, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	o = tg_any_task(tg);
	ns = o ? task_get_ns(o) : NULL;
	fs = o ? task_get_fs(o) : NULL;
	if (!ns || !fs)
		r = -ESRCH;
	if (!r && types & LINUX_CLONE_NEWNS)
		r = enter_mount_ns(t, fs->ns, c);
	if (!r && types & LINUX_CLONE_NEWPID)
		r = enter(t, &(struct ns_ref){ .kind = NS_PID, .pid = tg->pid_ns }, c, &to);
	if (!r) {
		to.uts = types & LINUX_CLONE_NEWUTS ? ns->uts : NULL;
		to.ipc = types & LINUX_CLONE_NEWIPC ? ns->ipc : NULL;
		r = finish(t, c, &to);
	}
	if (fs)
		fs_context_put(fs);
	nsproxy_put(ns);
	task_put(o);
	return r;
}

int64_t sys_setns(struct task *t, const uint64_t a[6])
{
	struct file *f = fd_get(t->files, (int)a[0]);
	const struct ns_ref *ref = f ? nsfs_ref(f) : NULL;
	struct thread_group *tg = f ? pidfd_group(f) : NULL;
	uint64_t type = (uint32_t)a[1];
	struct change c = { 0 };
	int r;

	if (!f)
		return -EBADF;
	r = ref ? enter_file(t, ref, type, &c) : tg ? enter_process(t, tg, type, &c) : -EINVAL;
	if (!r)
		change_apply(t, &c);
	change_drop(&c);
	file_put(f);
	return r;
}
