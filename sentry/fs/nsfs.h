/*
 * nsfs.h - the files that /proc/PID/ns/NAME leads to: each keeps a namespace alive
 * and names it to setns(2).
 */
#ifndef SENTRY_FS_NSFS_H
#define SENTRY_FS_NSFS_H

#include "kernel/ns.h"

struct dentry;
struct file;
struct fs_context;
struct kernel;
struct mount_ns;

/* One namespace; for the kinds that there is one of, no pointer is set. */
struct ns_ref {
	enum ns_kind kind;
	struct uts_ns *uts;
	struct ipc_ns *ipc;
	struct net_stack *net;
	struct cgroup_ns *cgroup; /* NULL: the container's, or another kind */
	struct pid_ns *pid;
	struct mount_ns *mnt;
	struct user_ns *user; /* NULL: the container's, or another kind */
	struct time_ns *time; /* NULL: the first one, or another kind */
};

int nsfs_register(struct kernel *k);
/* t's namespace, for_children of NS_PID and NS_TIME: that of its next child. A new reference; -ENOENT: it has none. */
int nsfs_of_task(struct task *t, enum ns_kind kind, bool for_children, struct dentry **out);
int nsfs_of_pid_ns(struct kernel *k, struct pid_ns *ns, struct dentry **out); /* new reference */
const struct ns_ref *nsfs_ref(const struct file *f); /* borrowed; NULL: not such a file */
struct user_ns *nsfs_owner(const struct ns_ref *r); /* whose capabilities count; borrowed; NULL: the container's */
uint64_t ns_clone_flag(enum ns_kind kind); /* LINUX_CLONE_NEW* */

#endif
