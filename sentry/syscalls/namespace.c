/*
 * namespace.c - unshare and setns.
 */
#include "abi/capability.h"
#include "fs/nsfs.h"
#include "fs/pidfd.h"
#include "kernel/ipc.h"
#include "kernel/pid.h"
#include "kernel/task_table.h"
#include "kernel/time_ns.h"
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
	if (c->fs)
		atomic_store(&t->work, true); /* task_names_look */
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
	if (!r && f & NS_PROXY_FLAGS)
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
	r = prepare_unshare(t, f, &c);
	if (!r)
		change_apply(t, &c);
	change_drop(&c);
	return r;
}

/* --- setns ----------------------------------------------------------------------------- */

/* In its own user namespace, or in the one that it enters with the same call. */
static bool capable(struct task *t, const struct change *c, int cap)
{
	return c->cred ? cred_capable_in(t->cred, c->cred->user_ns, cap) : cred_capable_own(t->cred, cap);
}

static int enter_mount_ns(struct task *t, struct mount_ns *mnt, struct change *c)
{
	if (!capable(t, c, LINUX_CAP_SYS_CHROOT))
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

static int enter_time_ns(struct task *t, struct time_ns *ns, struct nsproxy *to)
{
	if (!tg_single(t->tg) || mm_is_shared(t->mm))
		return -EUSERS; /* the others would see another clock page */
	to->time = to->time_for_children = ns;
	return 0;
}

/* What is entered comes to stand in *to, borrowed, or in c. */
static int enter(struct task *t, const struct ns_ref *r, struct change *c, struct nsproxy *to)
{
	switch (r->kind) {
	case NS_UTS:
		to->uts = r->uts;
		return 0;
	case NS_IPC:
		to->ipc = r->ipc;
		return 0;
	case NS_PID: /* for children; one's own or one below it */
		to->pid_for_children = r->pid;
		return pid_ns_is_below(r->pid, task_pid_ns(t)) ? 0 : -EINVAL;
	case NS_MNT:
		return enter_mount_ns(t, r->mnt, c);
	case NS_USER:
		return enter_user_ns(t, r->user, c);
	case NS_CGROUP:
		to->cgroup = r->cgroup;
		return 0;
	case NS_NET:
		to->net = r->net;
		return 0;
	case NS_TIME:
		return enter_time_ns(t, r->time, to);
	case NS_KINDS:
		break;
	}
	return 0;
}

static bool is_same(const struct nsproxy *a, const struct nsproxy *b)
{
	return a->uts == b->uts && a->ipc == b->ipc && a->net == b->net && a->cgroup == b->cgroup && a->pid_for_children == b->pid_for_children &&
	       a->time == b->time && a->time_for_children == b->time_for_children;
}

static int finish(struct task *t, struct change *c, const struct nsproxy *to)
{
	int r = 0;

	if (is_same(to, t->ns))
		return 0;
	c->ns = nsproxy_new(to);
	if (!c->ns)
		return -ENOMEM;
	if (to->time != t->ns->time)
		r = time_ns_enter(t->k, to->time, t->mm);
	return r;
}

/* Who owns the namespace says who may enter. */
static bool may_enter(struct task *t, const struct ns_ref *r, const struct change *c)
{
	return cred_capable_in(t->cred, nsfs_owner(r), LINUX_CAP_SYS_ADMIN) && capable(t, c, LINUX_CAP_SYS_ADMIN);
}

/* One namespace, by its file. */
static int enter_file(struct task *t, const struct ns_ref *r, uint64_t type, struct change *c)
{
	struct nsproxy to = *t->ns;
	int ret;

	if (type && type != ns_clone_flag(r->kind))
		return -EINVAL;
	if (r->kind != NS_USER && !may_enter(t, r, c))
		return -EPERM;
	ret = enter(t, r, c, &to);
	return ret ? ret : finish(t, c, &to);
}

/* What a task has of each kind; referenced, as it may leave them meanwhile. */
struct holdings {
	struct nsproxy *ns;
	struct mount_ns *mnt;
	struct cred *cred;
};

static bool holdings_get(struct thread_group *tg, struct holdings *h)
{
	struct task *o = tg_any_task(tg);
	struct fs_context *fs;

	*h = (struct holdings){ 0 };
	if (o) {
		h->ns = task_get_ns(o);
		fs = task_get_fs(o);
		if (fs) {
			h->mnt = fs_context_get_ns(fs);
			fs_context_put(fs);
		}
		h->cred = task_get_cred(o);
	}
	task_put(o);
	return h->ns && h->mnt && h->cred;
}

static void holdings_put(struct holdings *h)
{
	mount_ns_put(h->mnt);
	nsproxy_put(h->ns);
	cred_put(h->cred);
}

/* Those of `types`, its user namespace first, for that gives the right to the others. */
static int enter_holdings(struct task *t, const struct holdings *h, struct pid_ns *pid, uint64_t types, struct change *c, struct nsproxy *to)
{
	const struct ns_ref all[] = {
		{ .kind = NS_USER, .user = h->cred->user_ns },
		{ .kind = NS_MNT, .mnt = h->mnt },
		{ .kind = NS_UTS, .uts = h->ns->uts },
		{ .kind = NS_IPC, .ipc = h->ns->ipc },
		{ .kind = NS_PID, .pid = pid },
		{ .kind = NS_CGROUP, .cgroup = h->ns->cgroup },
		{ .kind = NS_NET, .net = h->ns->net },
		{ .kind = NS_TIME, .time = h->ns->time },
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(all) / sizeof(all[0]); i++) {
		if (!(types & ns_clone_flag(all[i].kind)))
			continue;
		r = all[i].kind == NS_USER || may_enter(t, &all[i], c) ? enter(t, &all[i], c, to) : -EPERM;
	}
	return r;
}

/* Several of a process's, by its pidfd. */
static int enter_process(struct task *t, struct thread_group *tg, uint64_t types, struct change *c)
{
	struct nsproxy to = *t->ns;
	struct holdings h;
	int r;

	if (!types || types & ~LINUX_CLONE_NS_FLAGS)
		return -EINVAL;
	r = holdings_get(tg, &h) ? enter_holdings(t, &h, tg->pid_ns, types, c, &to) : -ESRCH;
	if (!r)
		r = finish(t, c, &to);
	holdings_put(&h);
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
