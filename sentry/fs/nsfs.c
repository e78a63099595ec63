/*
 * nsfs.c - namespaces as files (see nsfs.h).  An inode holds its namespace; each
 * look through /proc makes one, which goes with its last user.
 */
#include "fs/nsfs.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/ipc.h"
#include "kernel/pid.h"
#include "kernel/time_ns.h"
#include "kernel/task_table.h"
#include "net/socket.h"
#include "vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NSFS_MAGIC 0x6e736673
#define NS_GET_USERNS 0xb701u
#define NS_GET_PARENT 0xb702u
#define NS_GET_NSTYPE 0xb703u
#define NS_GET_OWNER_UID 0xb704u

static const struct {
	const char *name;
	uint64_t flag;
} kinds[NS_KINDS] = {
	[NS_CGROUP] = { "cgroup", LINUX_CLONE_NEWCGROUP }, [NS_IPC] = { "ipc", LINUX_CLONE_NEWIPC }, [NS_MNT] = { "mnt", LINUX_CLONE_NEWNS },
	[NS_NET] = { "net", LINUX_CLONE_NEWNET },	   [NS_PID] = { "pid", LINUX_CLONE_NEWPID }, [NS_TIME] = { "time", LINUX_CLONE_NEWTIME },
	[NS_USER] = { "user", LINUX_CLONE_NEWUSER },	   [NS_UTS] = { "uts", LINUX_CLONE_NEWUTS },
};

uint64_t ns_clone_flag(enum ns_kind kind)
{
	return kinds[kind].flag;
}

static void ref_drop(struct ns_ref *r)
{
	uts_ns_put(r->uts);
	ipc_ns_put(r->ipc);
	net_stack_put(r->net);
	cgroup_ns_put(r->cgroup);
	pid_ns_put(r->pid);
	mount_ns_put(r->mnt);
	user_ns_put(r->user);
	time_ns_put(r->time);
	free(r);
}

static uint64_t ino_of(const struct ns_ref *r)
{
	if (r->uts)
		return r->uts->ino;
	if (r->ipc)
		return ipc_ns_ino(r->ipc);
	if (r->net)
		return net_stack_ino(r->net);
	if (r->cgroup)
		return r->cgroup->ino;
	if (r->pid)
		return r->pid->ino;
	if (r->time)
		return r->time->ino;
	if (r->user)
		return r->user->ino;
	return r->mnt ? mount_ns_ino(r->mnt) : ns_fixed_ino(r->kind);
}

struct user_ns *nsfs_owner(const struct ns_ref *r)
{
	if (r->uts)
		return r->uts->owner;
	if (r->ipc)
		return ipc_ns_owner(r->ipc);
	if (r->net)
		return net_stack_owner(r->net);
	if (r->cgroup)
		return r->cgroup->owner;
	if (r->pid)
		return r->pid->owner;
	if (r->time)
		return r->time->owner;
	return r->mnt ? mount_ns_owner(r->mnt) : NULL;
}

/* --- files ---------------------------------------------------------------------- */

static int nsfs_open(struct inode *i, struct file *f);
static const struct inode_ops nsfs_inode_ops = { .open = nsfs_open };

/* Takes r. */
static int make_dentry(struct kernel *k, struct ns_ref *r, struct dentry **out)
{
	struct inode *i = inode_new(k->nsfs, &nsfs_inode_ops, ino_of(r), LINUX_S_IFREG | 0444);
	char name[32];

	if (!i) {
		ref_drop(r);
		return -ENOMEM;
	}
	i->priv = r;
	snprintf(name, sizeof(name), "%s:[%llu]", kinds[r->kind].name, (unsigned long long)i->ino);
	*out = dentry_new_anon(k->nsfs, name, i);
	if (*out)
		return 0;
	inode_put(i);
	return -ENOMEM;
}

/* Opens r (taken) as a new descriptor of the caller's. */
static int open_ref(struct task *t, struct ns_ref *r)
{
	struct path p = { NULL, NULL };
	struct file *f;
	int ret = make_dentry(t->k, r, &p.dentry);

	if (ret)
		return ret;
	ret = vfs_open_path(&p, LINUX_O_RDONLY, t->cred, &f);
	dentry_put(p.dentry);
	if (ret)
		return ret;
	ret = fd_install(t->files, f, 0, true, rlimit_get(t, 7));
	if (ret < 0)
		file_put(f);
	return ret;
}

static int open_user(struct task *t, struct user_ns *user)
{
	struct ns_ref *n;

	/* what lies above one's own is not shown */
	for (const struct user_ns *up = user; up != t->cred->user_ns; up = up->parent)
		if (!up)
			return -EPERM;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = (struct ns_ref){ .kind = NS_USER, .user = user };
	user_ns_get(user);
	return open_ref(t, n);
}

static int open_parent(struct task *t, const struct ns_ref *r)
{
	struct pid_ns *parent = r->pid ? r->pid->parent : NULL;
	struct ns_ref *n;

	if (r->kind == NS_USER)
		return r->user ? open_user(t, r->user->parent) : -EPERM;
	if (r->kind != NS_PID)
		return -EINVAL;
	if (!parent || !pid_ns_is_below(parent, task_pid_ns(t)))
		return -EPERM;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = (struct ns_ref){ .kind = NS_PID, .pid = parent };
	pid_ns_get(parent);
	return open_ref(t, n);
}

static int nsfs_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	const struct ns_ref *r = f->priv;
	uint32_t id;

	switch (cmd) {
	case NS_GET_USERNS:
		return r->kind == NS_USER ? open_parent(task_current(), r) : open_user(task_current(), nsfs_owner(r));
	case NS_GET_PARENT:
		return open_parent(task_current(), r);
	case NS_GET_NSTYPE:
		return (int)kinds[r->kind].flag;
	case NS_GET_OWNER_UID:
		if (r->kind != NS_USER)
			return -EINVAL;
		id = r->user ? uid_shown(task_current()->cred->user_ns, r->user->owner) : 0;
		return copy_to_user(mm, UADDR(arg), &id, sizeof(id));
	default:
		return -ENOTTY;
	}
}

static const struct file_ops nsfs_ops = { .ioctl = nsfs_ioctl };

static int nsfs_open(struct inode *i, struct file *f)
{
	f->ops = &nsfs_ops;
	f->priv = i->priv; /* the file holds the inode */
	return 0;
}

const struct ns_ref *nsfs_ref(const struct file *f)
{
	return f->ops == &nsfs_ops ? f->priv : NULL;
}

/* --- a task's --------------------------------------------------------------------- */

static int fill(struct task *t, enum ns_kind kind, bool for_children, struct ns_ref *r)
{
	struct nsproxy *ns = task_get_ns(t);
	struct cred *cred = kind == NS_USER ? task_get_cred(t) : NULL;
	struct fs_context *fs = kind == NS_MNT ? task_get_fs(t) : NULL;
	int ret = 0;

	r->kind = kind;
	if (!ns || (kind == NS_MNT && !fs)) {
		ret = -ENOENT;
	} else if (cred) {
		user_ns_get(r->user = cred->user_ns);
	} else if (kind == NS_UTS) {
		uts_ns_get(r->uts = ns->uts);
	} else if (kind == NS_IPC) {
		ipc_ns_get(r->ipc = ns->ipc);
	} else if (kind == NS_NET) {
		net_stack_get(r->net = ns->net);
	} else if (kind == NS_CGROUP) {
		cgroup_ns_get(r->cgroup = ns->cgroup);
	} else if (kind == NS_TIME) {
		time_ns_get(r->time = for_children ? ns->time_for_children : ns->time);
	} else if (kind == NS_PID) {
		/* one that was unshared is nothing before its first process is there */
		if (for_children && !ns->pid_for_children->init)
			ret = -ENOENT;
		else
			pid_ns_get(r->pid = for_children ? ns->pid_for_children : task_pid_ns(t));
	} else if (kind == NS_MNT) {
		r->mnt = fs_context_get_ns(fs);
	}
	if (fs)
		fs_context_put(fs);
	cred_put(cred);
	nsproxy_put(ns);
	return ret;
}

int nsfs_of_task(struct task *t, enum ns_kind kind, bool for_children, struct dentry **out)
{
	struct ns_ref *r = calloc(1, sizeof(*r));
	int ret = r ? fill(t, kind, for_children, r) : -ENOMEM;

	if (!ret)
		return make_dentry(t->k, r, out);
	free(r);
	return ret;
}

int nsfs_of_pid_ns(struct kernel *k, struct pid_ns *ns, struct dentry **out)
{
	struct ns_ref *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->kind = NS_PID;
	pid_ns_get(r->pid = ns);
	return make_dentry(k, r, out);
}

/* --- the file system ---------------------------------------------------------------- */

static int nsfs_statfs(struct superblock *sb, struct inode *i, struct kstatfs *out)
{
	*out = (struct kstatfs){ .type = NSFS_MAGIC, .bsize = PAGE_SIZE, .namelen = 255 };
	return 0;
}

static void nsfs_evict(struct inode *i)
{
	if (i->priv)
		ref_drop(i->priv);
}

/* Not a mount namespace, for it might come to hold itself. */
static bool nsfs_may_bind(const struct inode *i)
{
	const struct ns_ref *r = i->priv;

	return r && r->kind != NS_MNT;
}

static const struct super_ops nsfs_super_ops = { .statfs = nsfs_statfs, .evict = nsfs_evict, .may_bind = nsfs_may_bind };
static const struct fs_type nsfs_type = { .name = "nsfs" };

/* For requests that name a network namespace by a descriptor. */
static struct net_stack *net_by_fd(int fd)
{
	struct task *t = task_current();
	struct file *f = t ? fd_get(t->files, fd) : NULL;
	const struct ns_ref *r = f ? nsfs_ref(f) : NULL;
	struct net_stack *net = r ? r->net : NULL;

	if (net)
		net_stack_get(net);
	if (f)
		file_put(f);
	return net;
}

int nsfs_register(struct kernel *k)
{
	k->net_by_fd = net_by_fd;
	k->nsfs = super_new(k->vfs, &nsfs_type, &nsfs_super_ops);
	return k->nsfs ? 0 : -ENOMEM;
}
