/*
 * pid.h - process numbers and pid namespaces.
 *
 * A struct pid is what a number names: up to a task, a group, a process group and a
 * session that bear it.  It has one number in each namespace from its own up to
 * the kernel's root namespace (level 0), which no program is in: there numbers are
 * unique in the sandbox, and task->tid, tg->tgid and their like hold those.  Each
 * container's first process begins a namespace below the root, or joins another
 * container's; CLONE_NEWPID begins one below the caller's.
 *
 * All under the task list lock; numbers of a struct pid never change.
 */
#ifndef SENTRY_KERNEL_PID_H
#define SENTRY_KERNEL_PID_H

#include "lib/ref.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/tree.h>
#include <sys/types.h>

struct cred;
struct kernel;
struct pgrp;
struct session;
struct task;
struct thread_group;
struct user_ns;

#define PID_MAX 4194304 /* /proc/sys/kernel/pid_max */
#define PID_RESERVED 300 /* where numbering begins again */
#define PID_NS_LEVEL_MAX 33 /* the root's included; Linux: 32 below the first */

struct pid_number {
	RB_ENTRY(pid_number) link; /* ns's */
	struct pid_ns *ns; /* referenced */
	struct pid *of;
	pid_t nr;
};
RB_HEAD(pid_tree, pid_number);

struct pid {
	struct ref ref; /* its users, and those who look at its numbers later */
	struct task *task;
	struct thread_group *tg;
	struct pgrp *pgrp;
	struct session *session;
	unsigned level; /* of its own namespace */
	struct pid_number numbers[]; /* level + 1 */
};

struct pid_ns {
	struct ref ref;
	struct kernel *k; /* [I] */
	struct pid_ns *parent; /* [I] referenced; NULL: the root */
	unsigned level; /* [I] */
	uint64_t ino; /* [I] as /proc/PID/ns/pid shows it */
	struct user_ns *owner; /* [I] whose capabilities count; referenced; NULL: the container's */
	struct pid_tree pids; /* [T] */
	pid_t last_pid; /* [T] */
	struct thread_group *init; /* [T] its first process: orphans come to it; NULL: none yet, or none any more */
	bool dying; /* [T] its first process is ending: no new ones */
};

/* NULL: no memory.  k's root when parent is NULL. */
struct pid_ns *pid_ns_new(struct kernel *k, struct pid_ns *parent, struct user_ns *owner);
void pid_ns_get(struct pid_ns *ns);
void pid_ns_put(struct pid_ns *ns); /* NULL is fine */
bool pid_ns_is_below(const struct pid_ns *ns, const struct pid_ns *top); /* ns is top or below it */

/* The number in ns; 0: it has none there. */
pid_t pid_nr(const struct pid *p, const struct pid_ns *ns);
static inline pid_t pid_own_nr(const struct pid *p) { return p->numbers[p->level].nr; }
static inline struct pid_ns *pid_own_ns(const struct pid *p) { return p->numbers[p->level].ns; }
void pid_put(struct pid *p); /* NULL is fine */

struct pid *pid_find_locked(const struct pid_ns *ns, pid_t nr); /* borrowed or NULL */
/* The first whose number in ns is > after; *nr is that. */
struct pid *pid_next_locked(const struct pid_ns *ns, pid_t after, pid_t *nr);
/* The numbers that one wants to have (clone3's set_tid): in its own namespace first, then in those above; the others are found. */
struct pid_wanted {
	const pid_t *nr;
	unsigned n;
	const struct cred *by; /* may it? */
};
/* Numbers in ns and all above, without users yet: one reference, the users'. wanted: NULL is fine.
 * -EAGAIN, -ENOMEM (also: ns is dying); of those wanted -EINVAL, -EPERM, -EEXIST; or 0. */
int pid_alloc_locked(struct pid_ns *ns, const struct pid_wanted *wanted, struct pid **out);
void pid_drop_if_unused_locked(struct pid *p); /* the numbers are free again, the users' reference goes */

#endif
