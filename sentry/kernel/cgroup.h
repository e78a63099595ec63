/*
 * cgroup.h - control groups (version 2): the tree of a container, who is in which group, and what groups
 * do to their processes: a limit of their number, an end, a stop.
 *
 * The tree's root is the container's own group, whose limits an engine sets.  Every process is in one group of its
 * container's.  A group is there until it is removed, which only one without processes and groups below can be; what
 * else refers to it (its directory, an open file, a namespace, a zombie) finds it dead from then on.
 *
 * Fields marked [T] need the task list lock.  The file system (fs/cgroup) is told of changes on the timers' thread,
 * for where they are made no inode may be touched.
 */
#ifndef SENTRY_KERNEL_CGROUP_H
#define SENTRY_KERNEL_CGROUP_H

#include "lib/ref.h"
#include "lib/wait.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/types.h>

struct cgroups;
struct dentry;
struct kernel;
struct thread_group;

/* Controllers, as bits. */
#define CGROUP_CPUSET 1u
#define CGROUP_CPU 2u
#define CGROUP_MEMORY 4u
#define CGROUP_PIDS 8u
#define CGROUP_CONTROLLERS 15u

#define CGROUP_DEPTH_MAX 64u /* groups below one another, the root not counted */
#define CGROUP_GROUPS_MAX 1024u /* below a container's: what one costs is not the program's memory */

/* Files whose readers can wait for a change. */
enum cgroup_told { CGROUP_EVENTS, CGROUP_PIDS_EVENTS, CGROUP_TOLD };

struct cgroup {
	struct ref ref; /* one of its own until it is removed */
	struct kernel *k; /* [I] */
	struct cgroup *parent; /* [I] referenced; NULL: a container's own */
	struct cgroup *root; /* [I] its container's; not referenced: it is above it */
	char *name; /* [I] in its parent */
	unsigned level; /* [I] 0: the root */
	LIST_HEAD(cgroup_list, cgroup) children; /* [T] */
	LIST_ENTRY(cgroup) link; /* [T] */
	bool removed; /* [T] */
	struct dentry *dir; /* [T] its directory, which lives as long as it has this: fs/cgroup */
	unsigned control; /* [T] controllers that its children have.  To write also the directory's mu */
	unsigned below; /* [T] groups below */
	unsigned max_below, max_depth; /* [T] of groups; UINT_MAX: none */
	unsigned procs; /* [T] processes in it that live */
	unsigned live; /* [T] ... and in those below */
	unsigned tasks; /* [T] in it and below, zombies too */
	bool has_max_tasks; /* [T] */
	unsigned max_tasks; /* [T] if so */
	uint64_t refused; /* [T] tasks that its own bound did not let be made */
	unsigned weight; /* [T] of processors; kept, of no effect */
	uint64_t cpu_quota, cpu_period; /* [T] us, UINT64_MAX: none; the same; kept, of no effect */
	bool freeze; /* [T] its processes and those below stand still */
	struct bpf_set *devices; /* [T] attached programs that are asked about devices; NULL: none.  kernel/cgroup_bpf.c */
	unsigned devices_flags; /* [T] if so, how: LINUX_BPF_F_ALLOW_* */
	struct { int64_t utime, stime; } ended; /* [T] ns: what was used here and below by who is not here any more */
	struct waitq wq; /* EVENT_PRI: a file has changed */
	_Atomic unsigned changes[CGROUP_TOLD];
	unsigned untold; /* [T] bits by enum cgroup_told: changed, and the file system not told; then in its list */
	STAILQ_ENTRY(cgroup) untold_link; /* [T] */
};

/* told: called on the timers' thread without locks.  NULL: no memory. */
struct cgroups *cgroups_new(struct kernel *k);
void cgroups_set_told(struct kernel *k, void (*told)(struct cgroup *g, unsigned what)); /* once, at boot */

/* A container's (parent NULL), or one more below parent: new references in *out.  name is copied.
 * -ENOMEM; -EAGAIN: too many, or too deep; -ENODEV: parent was removed. */
int cgroup_new(struct kernel *k, struct cgroup *parent, const char *name, struct cgroup **out);
struct cgroup *cgroup_get(struct cgroup *g); /* g; NULL is fine */
void cgroup_put(struct cgroup *g); /* NULL is fine */
/* From now on nobody can be put into it, nor a group below it. -EBUSY: somebody is, unless it must go anyway;
 * nothing, if that was before. */
int cgroup_remove(struct cgroup *g, bool anyway);
/* Its directory: a new reference, or NULL: it has none. */
struct dentry *cgroup_dir(struct cgroup *g);

static inline bool cgroup_is_below(const struct cgroup *g, const struct cgroup *top)
{
	while (g && g != top)
		g = g->parent;
	return g;
}
/* The controllers that it has files of. */
static inline unsigned cgroup_controllers_locked(const struct cgroup *g) { return g->parent ? g->parent->control : CGROUP_CONTROLLERS; }
/* As one looks at it who is in a namespace whose root is that (NULL: g's container's): "/", "/a/b", "/../c". */
void cgroup_set_max_tasks(struct cgroup *g, uint64_t max); /* UINT_MAX or more: no bound */
void cgroup_path(FILE *f, const struct cgroup *g, const struct cgroup *root);
struct cgroup *cgroup_of(struct thread_group *tg); /* a new reference */

void cgroup_changed_locked(struct cgroup *g, enum cgroup_told file); /* the file system is told, soon */

/* --- who is in it; [T] held --- */
void cgroup_enter_locked(struct thread_group *tg, struct cgroup *g); /* one that begins, and has no task yet */
void cgroup_leave_locked(struct thread_group *tg); /* its processes' end; nothing the second time */
void cgroup_count_task_locked(struct thread_group *tg, int n); /* 1: one more; -1: one less */
bool cgroup_full_locked(struct cgroup *g); /* no task more can be made there; and counts that */

/* --- what is done to it --- */
/* -EBUSY: it has groups below that share its controllers; -ENODEV: it was removed */
int cgroup_may_enter_locked(const struct cgroup *g);
int cgroup_move(struct thread_group *tg, struct cgroup *to); /* the same; one that has ended stays where it is */
int cgroup_kill(struct cgroup *g); /* all in it and below. -ENODEV */
/* Own thread: returns when none there runs its program any more. -ENODEV; -ERESTARTSYS: it is so but for waiting */
int cgroup_freeze(struct cgroup *g, bool freeze);
bool cgroup_is_frozen(struct cgroup *g);
bool cgroup_frozen_locked(const struct cgroup *g); /* it is to be, by itself or what is above it */
/* ns, of all that were ever in it. */
void cgroup_cpu(struct cgroup *g, int64_t *utime, int64_t *stime);

#endif
