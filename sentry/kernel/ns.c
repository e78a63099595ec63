/*
 * ns.c - UTS and cgroup namespaces, and the set of namespaces of a task.  Any thread.
 */
#include "kernel/ns.h"

#include "abi/capability.h"
#include "kernel/cgroup.h"
#include "kernel/ipc.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/time_ns.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_INO UINT64_C(4026531834) /* where Linux's own begin */

uint64_t ns_new_ino(struct kernel *k)
{
	return FIRST_INO + NS_KINDS + atomic_fetch_add(&k->ns_made, 1);
}

uint64_t ns_fixed_ino(enum ns_kind kind)
{
	return FIRST_INO + (uint64_t)kind;
}

/* --- host names ---------------------------------------------------------------- */

struct uts_ns *uts_ns_new(struct kernel *k, struct uts_ns *copy_of, struct user_ns *owner)
{
	struct uts_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	ns->ino = ns_new_ino(k);
	user_ns_get(ns->owner = owner);
	mutex_init(&ns->mu, RANK_LEAF);
	waitq_init(&ns->wq);
	strcpy(ns->nodename, "localhost");
	strcpy(ns->domainname, "(none)");
	if (copy_of) {
		mutex_lock(&copy_of->mu);
		memcpy(ns->nodename, copy_of->nodename, sizeof(ns->nodename));
		memcpy(ns->domainname, copy_of->domainname, sizeof(ns->domainname));
		mutex_unlock(&copy_of->mu);
	}
	return ns;
}

void uts_ns_get(struct uts_ns *ns)
{
	ref_get(&ns->ref);
}

void uts_ns_put(struct uts_ns *ns)
{
	if (!ns || !ref_put(&ns->ref))
		return;
	user_ns_put(ns->owner);
	waitq_destroy(&ns->wq);
	mutex_destroy(&ns->mu);
	free(ns);
}

static void set_name(char dst[65], const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (len && len < 65)
		memcpy(dst, name, len + 1);
}

void uts_ns_changed(struct uts_ns *ns, bool domain)
{
	atomic_fetch_add(&ns->changes[domain], 1);
	waitq_wake(&ns->wq, EVENT_READABLE | EVENT_PRI | EVENT_ERR);
}

void uts_ns_set(struct uts_ns *ns, const char *nodename, const char *domainname)
{
	mutex_lock(&ns->mu);
	set_name(ns->nodename, nodename);
	set_name(ns->domainname, domainname);
	mutex_unlock(&ns->mu);
	if (nodename)
		uts_ns_changed(ns, false);
	if (domainname)
		uts_ns_changed(ns, true);
}

/* --- control groups -------------------------------------------------------------- */

/* Its root is the group that t is in. */
static struct cgroup_ns *cgroup_ns_new(struct task *t, struct user_ns *owner)
{
	struct cgroup_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	ns->ino = ns_new_ino(t->k);
	user_ns_get(ns->owner = owner);
	ns->root = cgroup_of(t->tg);
	return ns;
}

void cgroup_ns_get(struct cgroup_ns *ns)
{
	if (ns)
		ref_get(&ns->ref);
}

void cgroup_ns_put(struct cgroup_ns *ns)
{
	if (!ns || !ref_put(&ns->ref))
		return;
	user_ns_put(ns->owner);
	cgroup_put(ns->root);
	free(ns);
}

/* --- the set of a task ------------------------------------------------------------ */

struct nsproxy *nsproxy_new(const struct nsproxy *of)
{
	struct nsproxy *ns = malloc(sizeof(*ns));

	if (!ns)
		return NULL;
	*ns = *of;
	ref_init(&ns->ref);
	uts_ns_get(ns->uts);
	ipc_ns_get(ns->ipc);
	net_stack_get(ns->net);
	cgroup_ns_get(ns->cgroup);
	pid_ns_get(ns->pid_for_children);
	time_ns_get(ns->time);
	time_ns_get(ns->time_for_children);
	return ns;
}

void nsproxy_get(struct nsproxy *ns)
{
	ref_get(&ns->ref);
}

/* The references of a set, whole or in the making. */
static void drop_all(struct nsproxy *ns)
{
	uts_ns_put(ns->uts);
	ipc_ns_put(ns->ipc);
	net_stack_put(ns->net);
	cgroup_ns_put(ns->cgroup);
	pid_ns_put(ns->pid_for_children);
	time_ns_put(ns->time);
	time_ns_put(ns->time_for_children);
}

void nsproxy_put(struct nsproxy *ns)
{
	if (!ns || !ref_put(&ns->ref))
		return;
	drop_all(ns);
	free(ns);
}

static int new_pid_ns(struct task *t, struct user_ns *owner, struct pid_ns **out)
{
	struct pid_ns *own = t->tg->pid_ns;

	/* only from one's own, and not again before there is a child in it */
	if (t->ns->pid_for_children != own)
		return -EINVAL;
	if (own->level + 1 >= PID_NS_LEVEL_MAX)
		return -ENOSPC;
	*out = pid_ns_new(t->k, own, owner);
	return *out ? 0 : -ENOMEM;
}

/* The new ones of flags in *made, the rest of it stays NULL. */
static int make_new(struct task *t, uint64_t flags, struct user_ns *owner, struct nsproxy *made)
{
	int r = flags & LINUX_CLONE_NEWPID ? new_pid_ns(t, owner, &made->pid_for_children) : 0;

	if (!r && flags & LINUX_CLONE_NEWTIME)
		r = time_ns_copy(t->k, t->ns->time_for_children, owner, &made->time_for_children);
	if (!r && flags & LINUX_CLONE_NEWUTS && !(made->uts = uts_ns_new(t->k, t->ns->uts, owner)))
		r = -ENOMEM;
	if (!r && flags & LINUX_CLONE_NEWIPC && !(made->ipc = ipc_ns_new(t->k, owner)))
		r = -ENOMEM;
	if (!r && flags & LINUX_CLONE_NEWCGROUP && !(made->cgroup = cgroup_ns_new(t, owner)))
		r = -ENOMEM;
	if (!r && flags & LINUX_CLONE_NEWNET && !(made->net = net_stack_new_in(t->k->net, ns_new_ino(t->k), owner)))
		r = -ENOMEM;
	return r;
}

#define OVERLAY(set, made, member) (set).member = (made).member ? (made).member : (set).member

int nsproxy_unshare(struct task *t, uint64_t flags, struct user_ns *owner, struct nsproxy **out)
{
	struct nsproxy made = { 0 }, all = *t->ns;
	int r = make_new(t, flags, owner, &made);

	if (!r) {
		OVERLAY(all, made, uts);
		OVERLAY(all, made, ipc);
		OVERLAY(all, made, net);
		OVERLAY(all, made, cgroup);
		OVERLAY(all, made, pid_for_children);
		OVERLAY(all, made, time_for_children);
		*out = nsproxy_new(&all);
		r = *out ? 0 : -ENOMEM;
	}
	drop_all(&made);
	return r;
}

int nsproxy_enter_time(struct task *t)
{
	struct nsproxy all = *t->ns, *ns;
	int r;

	all.time = all.time_for_children;
	if (!(ns = nsproxy_new(&all)))
		return -ENOMEM;
	r = time_ns_enter(t->k, all.time, t->mm);
	if (r)
		nsproxy_put(ns);
	else
		task_set_ns(t, ns);
	return r;
}

int cred_in_user_ns(const struct cred *old, struct user_ns *ns, struct cred **out)
{
	struct cred *c = cred_dup(old);

	if (!c)
		return -ENOMEM;
	user_ns_get(ns);
	user_ns_put(c->user_ns);
	c->user_ns = ns;
	c->securebits = 0;
	c->keep_caps = false;
	c->cap_inheritable = c->cap_ambient = 0;
	c->cap_permitted = c->cap_effective = c->cap_bounding = LINUX_CAP_ALL;
	*out = c;
	return 0;
}

/* Whether its root is not that of its mount namespace. */
static bool in_chroot(struct task *t)
{
	struct path root, top;
	bool differs;

	mount_ns_root(t->fs->ns, &top);
	mutex_lock(&t->fs->mu);
	root = t->fs->root;
	differs = root.mnt != top.mnt || root.dentry != top.dentry;
	mutex_unlock(&t->fs->mu);
	path_put(&top);
	return differs;
}

int cred_new_user_ns(struct task *t, struct cred **out)
{
	const struct cred *c = t->cred;
	struct user_ns *ns;
	int r;

	if (user_ns_level(c->user_ns) >= USER_NS_LEVEL_MAX)
		return -ENOSPC;
	if (in_chroot(t) || user_ns_number(c->user_ns, false, c->euid) == ID_NONE || user_ns_number(c->user_ns, true, c->egid) == ID_NONE)
		return -EPERM;
	if ((r = user_ns_new(c, ns_new_ino(t->k), &ns)))
		return r;
	r = cred_in_user_ns(c, ns, out);
	user_ns_put(ns);
	return r;
}

struct nsproxy *task_get_ns(struct task *t)
{
	struct nsproxy *ns;

	tasks_lock(t->k);
	ns = t->ns;
	if (ns)
		nsproxy_get(ns);
	tasks_unlock(t->k);
	return ns;
}

void task_set_ns(struct task *t, struct nsproxy *ns)
{
	struct nsproxy *old;

	tasks_lock(t->k);
	old = t->ns;
	t->ns = ns;
	tasks_unlock(t->k);
	nsproxy_put(old);
}
