/*
 * ns.h - the namespaces that a task is in: its struct nsproxy, beside the mount
 * namespace (its fs_context's) and its own pid namespace (its group's).
 *
 * A proxy is immutable; a task that leaves a namespace gets another proxy.  There
 * is one network and cgroup namespace in a sandbox; a time namespace of
 * its own has a container whose specification says so.  User namespaces are in
 * credentials (vfs/user_ns.h).
 */
#ifndef SENTRY_KERNEL_NS_H
#define SENTRY_KERNEL_NS_H

#include "abi/sched.h"
#include "kernel/kernel.h"
#include "lib/ref.h"

struct ipc_ns;
struct pid_ns;
struct task;
struct cred;
struct user_ns;
struct time_ns;

/* Kinds, as /proc/PID/ns names them, in that order. */
enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_KINDS };

struct uts_ns {
	struct ref ref;
	uint64_t ino; /* [I] */
	struct user_ns *owner; /* [I] whose capabilities count; referenced; NULL: the container's */
	struct mutex mu; /* RANK_LEAF */
	char nodename[65], domainname[65]; /* [mu] */
};

struct nsproxy {
	struct ref ref;
	struct uts_ns *uts; /* [I] referenced, as the others */
	struct ipc_ns *ipc;
	struct pid_ns *pid_for_children;
	struct time_ns *time; /* NULL: the first one */
};

/* Those that a program can make; others are refused as by a kernel built without them. */
#define NS_MADE_FLAGS (LINUX_CLONE_NEWUSER | LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWPID)

uint64_t ns_new_ino(struct kernel *k); /* a number for /proc/PID/ns */
uint64_t ns_fixed_ino(enum ns_kind kind); /* of those that there is one of */

struct uts_ns *uts_ns_new(struct kernel *k, struct uts_ns *copy_of /* NULL: default names */, struct user_ns *owner);
void uts_ns_get(struct uts_ns *ns);
void uts_ns_put(struct uts_ns *ns); /* NULL is fine */
void uts_ns_set(struct uts_ns *ns, const char *nodename, const char *domainname); /* NULL, "" or too long: left as it is */

/* Takes references of its own. NULL: no memory. */
struct nsproxy *nsproxy_new(struct uts_ns *uts, struct ipc_ns *ipc, struct pid_ns *pid_for_children, struct time_ns *time);
void nsproxy_get(struct nsproxy *ns);
void nsproxy_put(struct nsproxy *ns); /* NULL is fine */
/* A copy with new namespaces, owner's, for those of flags (LINUX_CLONE_NEWUTS, NEWIPC, NEWPID): 0 or -errno. */
int nsproxy_unshare(struct task *t, uint64_t flags, struct user_ns *owner, struct nsproxy **out);
/* Credentials with a new user namespace, in which they have all capabilities: 0 or -errno (-EPERM: its ids
 * have no numbers here, or it is in a chroot). */
int cred_new_user_ns(struct task *t, struct cred **out);
/* The same in one that there is. -ENOMEM */
int cred_in_user_ns(const struct cred *old, struct user_ns *ns, struct cred **out);
struct nsproxy *task_get_ns(struct task *t); /* a new reference; NULL: it has let go */
void task_set_ns(struct task *t, struct nsproxy *ns); /* own thread; takes the reference */

#endif
