/*
 * task_table.h - the task list: numbers, groups, sessions.  Inside kernel/ and
 * for the file systems that look at tasks.  One lock (RANK_TASKS) guards all of
 * it; nothing sleeps or touches program memory under it.
 *
 * References: a task in its group's list and a group in the table each own one
 * ("the table's"), given up by task_unlink_locked and tg_release_locked.  A task
 * owns one of its group.  Process groups and sessions live as long as they have
 * members.
 */
#ifndef SENTRY_KERNEL_TASK_TABLE_H
#define SENTRY_KERNEL_TASK_TABLE_H

#include "kernel/burial.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/task.h"

#define TASKS_MAX 16384 /* host threads we are willing to have */

#define USER_COUNTS 64
struct task_table {
	struct mutex mu; /* RANK_TASKS */
	unsigned n_tasks; /* [mu] */
	uint64_t n_forks; /* [mu] since boot, for /proc/stat */
	LIST_HEAD(, thread_group) all; /* [mu] groups, zombies too */
	LIST_HEAD(, user_count) users[USER_COUNTS]; /* [mu] by uid: kernel/user_count.h */
	struct waitq signalfd_wq; /* a signal was queued somewhere: signalfds look */
	struct waitq ended_wq; /* a group became a zombie */
	LIST_HEAD(, freeze) freezes; /* [mu] under way: kernel/freeze.h */
	SLIST_HEAD(, task_host) idle; /* [mu] host threads that wait for a task */
	unsigned n_idle; /* [mu] */
	struct burials burials;
};

struct task_table *task_table_new(void);

static inline struct task_table *tt_of(const struct thread_group *tg) { return tg->k->tasks; }
/* By a number of ns; borrowed, or NULL. */
struct task *task_find_locked(const struct pid_ns *ns, pid_t tid);
struct thread_group *tg_find_locked(const struct pid_ns *ns, pid_t tgid);
/* Numbers as ns counts them, 0 where it cannot see. */
static inline pid_t tg_nr(const struct thread_group *tg, const struct pid_ns *ns) { return pid_nr(tg->pid, ns); }
static inline pid_t pgrp_nr(const struct pgrp *pg, const struct pid_ns *ns) { return pid_nr(pg->pid, ns); }
static inline pid_t session_nr(const struct session *s, const struct pid_ns *ns) { return pid_nr(s->pid, ns); }

/* --- process groups and sessions (session.c) --- */
/* Makes a session with one process group, both numbered like tg, and moves tg there. -ENOMEM */
int session_create_locked(struct thread_group *tg);
int pgrp_create_locked(struct thread_group *tg); /* in its session, numbered like tg; moves it there */
void pgrp_move_locked(struct thread_group *tg, struct pgrp *to);
void pgrp_join_locked(struct thread_group *tg, struct pgrp *to); /* a new group */
void pgrp_leave_locked(struct thread_group *tg);
void session_put_locked(struct kernel *k, struct session *s);
bool pgrp_is_orphaned_locked(struct pgrp *pg, const struct thread_group *ignored);
bool pgrp_has_stopped_locked(const struct pgrp *pg);

/* --- tasks and groups (task.c) --- */
struct task *task_alloc(struct kernel *k);
struct thread_group *tg_alloc(struct kernel *k);
/* Gives numbers and puts them into the lists: tg NULL-parented or below parent. */
void task_link_locked(struct task *t, struct pid *p);
void task_unlink_locked(struct task *t); /* an exited task leaves its group */
void tg_release_locked(struct thread_group *tg); /* a zombie leaves the table */
/* A read or write of t's own, which moved n bytes, or failed. */
static inline void task_count_ios(struct task *t, bool write, uint64_t n, uint64_t n_calls)
{
	_Atomic uint64_t *bytes = write ? &t->wchar : &t->rchar, *calls = write ? &t->syscw : &t->syscr;

	atomic_store_explicit(bytes, atomic_load_explicit(bytes, memory_order_relaxed) + n, memory_order_relaxed);
	atomic_store_explicit(calls, atomic_load_explicit(calls, memory_order_relaxed) + n_calls, memory_order_relaxed);
}
static inline void task_count_io(struct task *t, bool write, int64_t n)
{
	task_count_ios(t, write, n > 0 ? (uint64_t)n : 0, 1);
}

/* The work flag, and ends the sleep of or interrupts the program of t. */
void task_kick_locked(struct task *t);
/* Makes all tasks find out again what their programs may know without asking: task_must_ask has changed. */
void tasks_tell_again(struct kernel *k);
static inline bool tg_single(const struct thread_group *tg) { return tg->n_live <= 1; }
struct fpstate *task_fp(struct task *t); /* own thread: scratch floating-point area, NULL: no memory */

/* --- life --- */
bool task_must_ask(const struct task *t); /* own thread: its calls are not to be answered without the sentry */
void task_run(struct task *t); /* task_run.c: the whole life of a task, on its host thread; puts a reference */
/* The beginning of a new task c on the thread of its maker t, until it stops, or for a while; task_run goes on with it
 * unless it has ended.  It shares all that threads of a process do. */
enum task_begun {
	TASK_NOT_BEGUN,
	TASK_RUNS_ON, /* its program was interrupted */
	TASK_STOPPED, /* by something that it is to handle */
	TASK_ENDED, /* task_run must not be called */
};
enum task_begun task_run_here(struct task *t, struct task *c);
struct task_host;
/* task_host.c: has it run on a host thread, which is to be woken once tasks_lock is free; -EAGAIN.  Takes a reference. */
int task_spawn_locked(struct task *t, struct task_host **wake);
void task_host_wake(struct task_host *h); /* NULL: nobody */
void task_host_spare(struct task_host *h, struct task *t); /* not woken: t, which it was to run, has ended */
bool task_host_awake(const struct task_host *h); /* it need not be woken */
void task_exit(struct task *t); /* own thread, task loop only: everything but the host thread's end */
void task_set_current(struct task *t); /* the host thread's own, once */
void signal_stop_leave_locked(struct task *t); /* a task that exits no longer takes part in a stop */
void task_abort_unstarted(struct task *t); /* a linked task that never got a thread: ends, killed. Any thread */
void tg_begin_exit_locked(struct thread_group *tg, int wait_status);
void tg_notify_parent_locked(struct thread_group *tg, int code, int status);
void tg_tell_end_locked(struct thread_group *tg); /* notifies the parent of a zombie; reaps it if the parent does not wait for it */
void tg_end_if_empty_locked(struct thread_group *tg); /* after a task has left */
void tg_leave_family_locked(struct thread_group *tg); /* task_orphans.c: tg's last task exits: its children and their process groups */

#endif
