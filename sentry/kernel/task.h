/*
 * task.h - tasks (threads), thread groups (processes), process groups and
 * sessions.
 *
 * A task is one host thread of the sentry running task_main: switch to program,
 * handle the event, deliver signals.  Fields marked [t] belong to that thread
 * alone; [T] need the task list lock (RANK_TASKS); [I] never change; [a] atomic.
 */
#ifndef SENTRY_KERNEL_TASK_H
#define SENTRY_KERNEL_TASK_H

#include "abi/signal.h"
#include "arch/x86_64/arch.h"
#include "kernel/child_first.h"
#include "kernel/cpu_time.h"
#include "kernel/kernel.h"
#include "lib/ref.h"
#include "lib/wait.h"
#include "mm/usercopy.h"
#include "platform/platform.h"
#include "vfs/cred.h"
#include "vfs/file.h"
#include "kernel/names.h"
#include "kernel/user_dispatch.h"
#include "vfs/told.h"

#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>
#include <time.h>

struct cgroup; /* kernel/cgroup.h */
struct container;
struct nsproxy; /* kernel/ns.h */
struct pid; /* kernel/pid.h */
struct pid_ns;
struct tty; /* fs/devpts: a terminal; sessions hold their controlling one */
struct boot_process; /* libipc: a process to start */

struct linux_rlimit {
	uint64_t cur, max;
};
#define LINUX_RLIM_NLIMITS 16

/* Numbers named tid, tgid, pgid, sid are the kernel's own, unique in the sandbox;
 * what programs see are those of a pid namespace (kernel/pid.h). */
struct session {
	struct ref ref;
	pid_t sid; /* [I] */
	struct pid *pid; /* [I] as long as the session is */
	struct tty *tty; /* [T] controlling terminal, referenced; NULL */
	LIST_ENTRY(session) link;
};

struct pgrp {
	struct ref ref;
	pid_t pgid; /* [I] */
	struct pid *pid; /* [I] as long as the group is */
	struct session *session; /* [I] referenced */
	LIST_HEAD(, thread_group) members; /* [T] */
	LIST_ENTRY(pgrp) link;
};

struct sigpending; /* kernel/signal.h */
struct sighand;
struct posix_timers; /* kernel/posix_timer.h: POSIX timers, itimers */
struct completion; /* kernel/completion.h: vfork */
struct fpstate;
struct seccomp_filter;
struct tracing; /* kernel/ptrace.h */
struct core; /* kernel/core.h */

/* What ended tasks and children used; sums, ns and counts. */
struct usage_sum {
	int64_t utime, stime;
	uint64_t nvcsw, nivcsw, minflt, majflt;
	uint64_t rchar, wchar, syscr, syscw; /* read and write: bytes, calls */
	uint64_t maxrss; /* KiB, a maximum */
};

/* What a container has, and may have; its own, and outlives its tasks. */
struct task_quota {
	struct cgroup *cgroup; /* [I] its control group, which bounds the number of its tasks; referenced */
	struct superblock *cgroup_fs; /* [containers_mu] that group's file system, once it was mounted; referenced */
	struct oom_domain *memory; /* [I] kernel/oom.h; NULL: the sandbox's */
	const char *container; /* [I] its id, which lives as long as its tasks */
};

struct thread_group {
	struct ref ref;
	struct kernel *k; /* [I] */
	pid_t tgid; /* [I] */
	pid_t own_tgid; /* [I] as its own pid namespace counts */
	struct pid *pid; /* [I] referenced */
	struct pid_ns *pid_ns; /* [I] its own; referenced */
	struct task *leader; /* [T] */
	TAILQ_HEAD(task_list, task) tasks; /* [T] all not yet reaped from the group, by number */
	unsigned n_live; /* [T] tasks that have not begun to exit */
	struct thread_group *parent; /* [T] */
	LIST_HEAD(, thread_group) children; /* [T] */
	LIST_ENTRY(thread_group) sibling, pgrp_link;
	struct pgrp *pgrp; /* [T] referenced */
	struct container *container; /* [I] */
	struct task_quota *quota; /* [I] the container's */
	struct cgroup *cgroup; /* [T] referenced, from its first task to its last reference: kernel/cgroup.h */
	bool in_cgroup; /* [T] it counts among those who live there */
	struct { int64_t utime, stime; } cgroup_before; /* [T] ns that were used before it came there */
	struct sighand *sighand; /* [T] referenced: dispositions */
	struct sigpending *pending; /* [T] shared pending signals */
	struct waitq child_wq; /* a child changed state */
	int exit_signal; /* [T] SIGCHLD usually; 0 none */
	pid_t made_by; /* [I] the number of the parent's thread */
	bool exiting; /* [T] group exit under way */
	int exit_status; /* [T] wait status, valid when exiting or exited */
	struct core *core; /* [T] a core dump that is being made; its dumper owns it */
	_Atomic bool killed_again; /* [T] to write: SIGKILL while exiting: it is to be quick */
	_Atomic unsigned ended_soon; /* threads, one after the other: kernel/child_first.h */
	bool zombie; /* [T] all tasks gone; waits to be reaped */
	bool stopped; /* [T] group stop complete */
	int stop_signal; /* [T] */
	bool stop_reported, cont_pending; /* [T] for wait: WUNTRACED, WCONTINUED */
	_Atomic unsigned frozen; /* [T] to write: tasks park before program code: kernel/freeze.h */
	bool did_exec; /* [T] for setpgid */
	bool is_subreaper; /* [T] */
	struct linux_rlimit rlimits[LINUX_RLIM_NLIMITS]; /* [T] read with rlimit_get */
	int64_t start_time; /* [I] ns, monotonic */
	int64_t start_realtime; /* [I] ns */
	struct usage_sum dead; /* [T] of exited tasks, but their user time: */
	struct group_cpu cpu;
	struct usage_sum reaped; /* [T] of waited-for children */
	_Atomic int oom_score_adj;
	struct waitq *exit_wq; /* [T] control/: woken when the process has ended; set by tg_watch_exit; may be NULL */
	struct posix_timers *timers; /* [I] owned */
	/* the container's first process */
	bool is_init; /* [I] its end ends the container */
	bool from_control; /* [I] task_create_init made it: a zombie is kept for tg_release */
	bool unkillable; /* [T] signals of its namespace without a handler are ignored, as pid 1 does */
	/* group stop */
	bool stopping; /* [T] a stop signal was taken: tasks are to stop, or have */
	unsigned stop_left; /* [T] tasks still to stop */
	/* exec of a group with other tasks: they end, the caller waits on thread_wq */
	struct task *exec_task; /* [T] */
	struct waitq thread_wq; /* a task of the group has ended */
	struct waitq end_wq; /* the group has become a zombie: pidfds */
	bool released; /* [T] reaped: gone from the tables */
	LIST_ENTRY(thread_group) all_link; /* [T] */
};

struct task {
	struct ref ref;
	struct kernel *k; /* [I] */
	struct thread_group *tg; /* [I] but for exec of a non-leader */
	pid_t tid; /* [T] changes at exec of a non-leader, with the next two */
	pid_t own_tid; /* as its own pid namespace counts */
	struct pid *pid; /* referenced */
	TAILQ_ENTRY(task) tg_link; /* [T] */
	struct sleeper sleeper;
	struct user_count *counted; /* [T] among its user's tasks: kernel/user_count.h */
	struct child_first first; /* [t] of the threads that it makes */
	_Atomic(struct task *) waited_by; /* its maker, which goes on when it sleeps or ends; a reference; NULL: nobody */
	_Atomic bool held; /* its maker still writes its number: it must not run, and so not clear it, before */
	struct platform_ctx *ctx; /* [t] */
	struct regs regs; /* [t] during a call only its number, arguments and rax: task_complete_regs */
	bool regs_partial; /* [t] */
	struct task_names names; /* [t] what paths lead to, as far as its program knows by itself */
	struct told told; /* [t] the file that its program may look at without asking */
	struct mm *mm; /* [t] to change (with T held); others: task_get_mm */
	struct fdtable *files; /* same */
	struct fs_context *fs; /* same */
	struct nsproxy *ns; /* same; NULL once it ends */
	struct cred *cred; /* [t] to read; replaced with T held; others: task_get_cred */
	/* signals */
	bool mask_lent; /* [T] the program has the mask: signal_blocked_locked takes it back */
	uint64_t blocked; /* [T] the mask, if it is not lent */
	uint64_t real_blocked; /* [T] sigtimedwait: blocked but for the wait: not to be ignored or fatal meanwhile */
	uint64_t saved_mask; /* [t] sigsuspend, ppoll ...: restored after the handler */
	bool restore_mask; /* [t] */
	struct sigpending *pending; /* [T] */
	struct linux_stack altstack; /* [t] */
	_Atomic bool work; /* [a] something to do before the program runs on */
	uint32_t rests; /* [t] how often its thread has slept in a call */
	struct lend_streak { /* [t] reads and writes of one pipe, without sleeping: syscalls/lend.c */
		const struct file *file; /* only to compare with */
		uint32_t rests;
		unsigned n, wanted;
	} lending[2];
	struct reading { /* [t] of files: syscalls/reading.c */
		const struct file *file; /* read last; only to compare with, as the next, */
		int64_t next; /* up to here, */
		uint64_t n; /* the last of which asked for so much, */
		unsigned on_end; /* so many on end that asked */
		unsigned skip, skips; /* that are to pass before it is shown more; and next time */
		const struct file *opened; /* last, and not read as yet */
		unsigned sure; /* that it reads what it opens */
		enum reading_shown { READING_NONE, READING_BEGUN, READING_NEXT } shown; /* what it is shown */
	} reading;
	bool lent; /* [t] it was lent a pipe or shown a file: what it moves by itself is to be counted */
	unsigned idle_calls; /* [t] that looked at descriptors without waiting, and found nothing */
	/* exit */
	bool leaving; /* [T] exit(2): this thread alone ends before the program runs again */
	bool leaves_no_core; /* [T] it has left what it leaves to a core dump */
	bool exiting; /* [T] */
	bool exited; /* [T] */
	int exit_code; /* [t] */
	uaddr clear_child_tid; /* [t] */
	_Atomic uaddr robust_list; /* written by its own thread */
	uaddr rseq; uint32_t rseq_len, rseq_sig; /* [t] */
	struct completion *vfork_done; /* [T] parent waits here */
	bool stop_todo; /* [T] takes part in a group stop that has begun */
	bool stop_taken; /* [T] it has taken a signal, which may be one that stops, and no SIGCONT came since */
	bool parked; /* [T] stopped */
	bool freeze_todo; /* [T] was in its program when the freeze began, and has not left it */
	struct fpstate *fp; /* [t] scratch: a child's first state, signal frames; NULL until needed */
	bool fp_load; /* [t] *fp is to be loaded when the thread starts */
	uaddr set_child_tid; /* [t] CLONE_CHILD_SETTID: written by the new thread */
	struct task_cpu cpu;
	struct { /* [t] it has run on its maker's thread before its own: */
		bool is;
		enum platform_event event; /* what it has stopped with, to be handled */
		struct platform_trap trap;
	} begun;
	char comm[16]; /* [T] */
	bool no_new_privs; /* [t] */
	struct user_dispatch user_dispatch; /* [t] */
	int pdeathsig; /* [T] */
	/* restart_syscall */
	int64_t (*restart_fn)(struct task *t, void *state); /* [t] */
	uint64_t restart_state[6]; /* [t] */
	/* accounting */
	_Atomic uint64_t nvcsw, nivcsw, minflt, majflt;
	_Atomic uint64_t rchar, wchar, syscr, syscw; /* written by its own thread only: task_count_io */
	int64_t start_time;
	_Atomic char state; /* 'R' 'S' 'D' 'T' 't' 'Z' for /proc */
	uint64_t personality; /* [t] */
	_Atomic uint64_t timer_slack; /* [a] ns; kept, of no effect */
	int nice, sched_policy, sched_prio; /* [T] */
	bool reset_on_fork; /* [T] */
	uint64_t affinity[16]; /* [T] 1024 cpus */
	_Atomic uint32_t loginuid, sessionid; /* who logged in, and the how-manieth login; AUDIT_UNSET: nobody */
	_Atomic(struct seccomp_filter *) seccomp; /* kernel/seccomp.h: replaced with T held; owned reference */
	_Atomic int seccomp_mode; /* 0: none; T to change */
	struct tracing *tracing; /* [T] as one that is traced, if it ever was: kernel/ptrace.h */
	_Atomic bool traced; /* T to write: somebody traces it */
	LIST_HEAD(, tracing) tracees; /* [T] */
};

#define AUDIT_UNSET UINT32_MAX
#define TIMER_SLACK_DEFAULT 50000u /* ns */

struct task *task_current(void); /* this host thread's, NULL on others */
void task_get(struct task *t);
void task_put(struct task *t);

/* --- finding by a number of ns ([T] taken inside; new references or NULL) --- */
struct task *task_find(const struct pid_ns *ns, pid_t tid);
struct thread_group *tg_find(const struct pid_ns *ns, pid_t tgid);
static inline struct pid_ns *task_pid_ns(const struct task *t) { return t->tg->pid_ns; }
void tg_put(struct thread_group *tg);
struct task *tg_any_task(struct thread_group *tg); /* a live one, or NULL */
void tasks_lock(struct kernel *k); /* RANK_TASKS */
void tasks_unlock(struct kernel *k);
/* [T] held: borrowed, or NULL */
struct session *session_find_locked(const struct pid_ns *ns, pid_t sid);
struct pgrp *pgrp_find_locked(const struct pid_ns *ns, pid_t pgid);
/* Thread groups in order of their number in ns, > after; *nr is that. NULL at the end (for /proc). */
struct thread_group *tg_next(const struct pid_ns *ns, pid_t after, pid_t *nr);
/* Tasks of a group in order of tid, > after; NULL at the end. */
struct task *tg_next_task(struct thread_group *tg, pid_t after);

/* Another task's resources: new references, NULL when it has let go of them. */
struct mm *task_get_mm(struct task *t);
struct fdtable *task_get_files(struct task *t);
struct fs_context *task_get_fs(struct task *t);
struct cred *task_get_cred(struct task *t);
void task_set_cred(struct task *t, struct cred *c); /* own thread; takes the reference */

/* --- life --- */
/* A container's or exec's first task: stopped until task_start.  The program is
 * already loaded into a new address space.  -errno. files: stdio installed already. */
int task_create_init(struct kernel *k, struct container *c, const struct boot_process *p, struct fs_context *fs, struct fdtable *files,
		     struct nsproxy *ns, struct task_quota *quota, struct task **out, struct err **why);
void task_start(struct task *t);
void task_exit_group(struct task *t, int wait_status); /* own thread: begins group exit; the task loop ends it */
/* True when the task has signals, a stop or an exit to handle: long kernel loops check it. */
bool task_interrupted(struct task *t);
bool ns_capable(struct task *t, int cap);

/* --- control's view of a process it waits for ---
 * A process without parent (init, control.exec) is kept after its end until
 * tg_release: wq (may be NULL) is woken with EVENT_IN when it has ended. */
void tg_watch_exit(struct thread_group *tg, struct waitq *wq);
bool tg_exit_status(struct thread_group *tg, int *wait_status); /* false: still running */
void tg_release(struct thread_group *tg); /* control has read the status: the zombie goes; the reference stays the caller's */
bool kernel_container_known(struct kernel *k, const struct container *c); /* some process of it is there, a zombie maybe */

int64_t ticks_to_ns(uint64_t ticks); /* of the processor's counter */
void task_complete_regs(struct task *t); /* own thread, before registers are looked at but for the call's, or changed */

uint64_t rlimit_get(struct task *t, unsigned resource); /* soft limit */

/* --- signals --- */
int signal_send_task(struct task *t, int signo, const struct linux_siginfo *info); /* info NULL: SI_KERNEL */
int signal_send_group(struct thread_group *tg, int signo, const struct linux_siginfo *info);
int signal_send_pgrp(struct kernel *k, pid_t pgid, int signo, const struct linux_siginfo *info);
/* A synchronous fault of the running program (not blockable). */
void signal_force(struct task *t, int signo, const struct linux_siginfo *info);
/* All processes of a container; used by control/. */
int signal_send_container(struct kernel *k, struct container *c, int signo);
bool signal_is_ignored_or_blocked(struct task *t, int signo); /* for tty job control */
bool pgrp_is_orphaned(struct kernel *k, pid_t pgid);
pid_t task_pgid(struct task *t); /* the kernel's number */

/* Replaces the mask for a wait (ppoll, epoll_pwait, pselect, sigsuspend).
 * After the call the old mask comes back, or when a handler has run. */
void signal_set_temp_mask(struct task *t, uint64_t mask);
void signal_restore_temp_mask(struct task *t, bool interrupted);

/* --- timers (kernel/timer.c): one queue, served by a thread that sleeps until the next --- */
struct ktimer {
	RB_ENTRY(ktimer) link; /* queue's */
	int64_t expires; /* ns, CLOCK_MONOTONIC */
	bool armed;
	void (*fn)(struct ktimer *t); /* on the timer thread, no locks held; may re-arm */
	void *arg;
	struct kernel *k;
};
void ktimer_init(struct ktimer *t, struct kernel *k, void (*fn)(struct ktimer *t), void *arg);
void ktimer_arm(struct ktimer *t, int64_t expires);
bool ktimer_cancel(struct ktimer *t); /* after return fn is not running (unless called from it) */

/* --- host descriptors watched by the event thread: kernel/hostwatch.c ---
 * Wakes wq with EVENT_IN/OUT/HUP when the host descriptor becomes ready (edge
 * triggered: re-armed by hostwatch_arm after the reader found nothing). Any thread. */
struct hostwatch;
struct hostwatch *hostwatch_new(struct kernel *k, int fd, struct waitq *wq);
void hostwatch_arm(struct hostwatch *h, uint32_t events);
void hostwatch_free(struct hostwatch *h);

#endif
