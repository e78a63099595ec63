/*
 * ns.h - the namespaces that a task is in: its struct nsproxy, beside the mount
 * namespace (its fs_context's) and its own pid namespace (its group's).
 *
 * A proxy is immutable; a task that leaves a namespace gets another proxy.  User
 * namespaces are in credentials (vfs/user_ns.h); a network namespace is a stack of
 * its own (net/stack.h); a cgroup namespace is the group that its programs see as the root.
 */
#ifndef SENTRY_KERNEL_NS_H
#define SENTRY_KERNEL_NS_H

#include "abi/sched.h"
#include "kernel/kernel.h"
#include "lib/ref.h"
#include "lib/wait.h"

struct ipc_ns;
struct net_stack;
struct pid_ns;
struct task;
struct cred;
struct user_ns;
struct time_ns;

/* Kinds, as /proc/PID/ns names them, in that order. */
enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_KINDS };

struct cgroup;
struct uts_ns {
	struct ref ref;
	uint64_t ino; /* [I] */
	struct user_ns *owner; /* [I] whose capabilities count; referenced; NULL: the container's */
	struct mutex mu; /* RANK_LEAF */
	char nodename[65], domainname[65]; /* [mu] */
	_Atomic unsigned changes[2]; /* of nodename, of domainname */
	struct waitq wq; /* EVENT_PRI: one has changed */
};

struct cgroup_ns {
	struct ref ref;
	uint64_t ino; /* [I] */
	struct user_ns *owner; /* [I] referenced */
	struct cgroup *root; /* [I] referenced */
};

struct nsproxy {
	struct ref ref;
	struct uts_ns *uts; /* [I] referenced, as the others */
	struct ipc_ns *ipc;
	struct net_stack *net;
	struct cgroup_ns *cgroup; /* NULL: the container's */
	struct pid_ns *pid_for_children;
	struct time_ns *time, *time_for_children; /* NULL: the first one */
};

/* Those that are in a task's proxy. */
#define NS_PROXY_FLAGS (LINUX_CLONE_NS_FLAGS & ~(LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUSER))

uint64_t ns_new_ino(struct kernel *k); /* a number for /proc/PID/ns */
uint64_t ns_fixed_ino(enum ns_kind kind); /* of those that there is one of */

struct uts_ns *uts_ns_new(struct kernel *k, struct uts_ns *copy_of /* NULL: default names */, struct user_ns *owner);
void uts_ns_get(struct uts_ns *ns);
void uts_ns_put(struct uts_ns *ns); /* NULL is fine */
void uts_ns_changed(struct uts_ns *ns, bool domain); /* after a change; who watches it is told */
void uts_ns_set(struct uts_ns *ns, const char *nodename, const char *domainname); /* NULL, "" or too long: left as it is */

void cgroup_ns_get(struct cgroup_ns *ns); /* NULL is fine for both */
void cgroup_ns_put(struct cgroup_ns *ns);

/* One of the namespaces that `of` names; takes references of its own. NULL: no memory. */
struct nsproxy *nsproxy_new(const struct nsproxy *of);
void nsproxy_get(struct nsproxy *ns);
void nsproxy_put(struct nsproxy *ns); /* NULL is fine */
/* A copy with new namespaces, owner's, for those of flags (NS_PROXY_FLAGS): 0 or -errno. */
int nsproxy_unshare(struct task *t, uint64_t flags, struct user_ns *owner, struct nsproxy **out);
/* t, which nobody else sees yet or whose own thread this is, enters the time namespace that it has for children, with
 * its address space. -ENOMEM */
int nsproxy_enter_time(struct task *t);
/* Credentials with a new user namespace, in which they have all capabilities: 0 or -errno (-EPERM: its ids
 * have no numbers here, or it is in a chroot). */
int cred_new_user_ns(struct task *t, struct cred **out);
/* The same in one that there is. -ENOMEM */
int cred_in_user_ns(const struct cred *old, struct user_ns *ns, struct cred **out);
struct nsproxy *task_get_ns(struct task *t); /* a new reference; NULL: it has let go */
void task_set_ns(struct task *t, struct nsproxy *ns); /* own thread; takes the reference */

#endif
