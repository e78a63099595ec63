/*
 * ptrace.h - tasks that trace others (ptrace(2)).
 *
 * A tracee stops on its own thread (ptrace_stop.c): it tells its tracer, and
 * sleeps until that lets it go on.  While it stands in a stop (stopped, under the
 * task list lock) its registers are the tracer's to read and change; what only
 * its own thread may touch, as its floating-point state, it does for the tracer
 * (ptrace_ask).  The relation belongs to two threads, not to processes; whoever
 * ends lets go of its tracees (ptrace_tracer_exit_locked).
 *
 * A traced task asks the sentry for each call (task_must_ask), and its program's
 * text is unpatched: what the tracer sees and steps through is the program's own.
 */
#ifndef SENTRY_KERNEL_PTRACE_H
#define SENTRY_KERNEL_PTRACE_H

#include "abi/ptrace.h"
#include "abi/signal.h"
#include "kernel/task.h"

struct wait_request;
struct wait_result;

enum trace_mode { TRACE_CONT, TRACE_SYSCALL, TRACE_STEP, TRACE_EMULATE, TRACE_EMULATE_STEP };

#define N_WATCHES 4
/* The debug registers, which are emulated: ptrace_watch.c. */
struct watches {
	uint64_t addr[N_WATCHES], status, control; /* DR0..DR3, DR6, DR7 */
	uint64_t old[N_WATCHES]; /* [t] what lay there */
};

/* Made when a task is traced for the first time, and goes with it. [T] */
struct tracing {
	LIST_ENTRY(tracing) link; /* the tracer's tracees */
	struct task *tracee; /* [I] */
	struct task *tracer; /* borrowed: one that ends lets go first; NULL: not traced */
	/* the tracee's own thread reads these three without the lock, though one that runs may be let go and seized again */
	_Atomic uint32_t options; /* LINUX_PTRACE_O_* */
	_Atomic enum trace_mode mode; /* how it was let go last */
	atomic_bool seized;
	bool stopped; /* it waits for the tracer */
	bool listening; /* as in a group stop of an untraced process: PTRACE_LISTEN */
	bool trap_stop, trap_notify; /* it is to stop (an event stop, if seized); ... as its group has stopped or gone on */
	bool at_end; /* it stops on its way out: only another SIGKILL ends that */
	int code; /* of the stop, for wait; 0: it has been told */
	int why; /* LINUX_CLD_TRAPPED, _STOPPED */
	int signo; /* what it is to go on with */
	uint64_t message; /* PTRACE_GETEVENTMSG */
	bool has_info;
	struct linux_siginfo info; /* of the stop */
	void (*ask)(struct task *t, void *arg); /* NULL: nothing is asked */
	void *ask_arg;
	struct watches watches;
};

/* --- the relation (ptrace.c) --- */
#define PTRACE_ACCESS_FSCREDS 1u /* by file system ids and effective capabilities, as /proc; else by real ids and permitted ones */
/* Whether a process with credentials `mine` may look into another with target's and the memory mm (NULL: none any more). */
bool ptrace_creds_may_access(const struct cred *mine, const struct cred *target, struct mm *mm, unsigned flags);
/* Whether t may trace target or reach into its memory: by the real ids. t: the calling thread's. */
bool ptrace_may_access(struct task *t, struct task *target);
int ptrace_traceme(struct task *t);
int ptrace_attach(struct task *t, struct task *target, bool seize, uint32_t options);
/* Of one that stands in a stop, or has ended. */
void ptrace_detach_locked(struct task *target, int signo);
bool ptrace_holds_rights(struct task *t); /* own thread: its tracer may not trace a program with more rights */
/* t's tracee, which must stand in a stop (running: need not); 0 or -ESRCH. */
int ptrace_check_locked(struct task *t, struct task *target, bool running);
int ptrace_clone_event(uint64_t clone_flags, int exit_signal); /* which kind of clone that is: LINUX_PTRACE_EVENT_* */
void ptrace_inherit_locked(struct task *parent, struct task *child, uint64_t clone_flags, int exit_signal); /* clone */
void ptrace_tracer_exit_locked(struct task *t);
void ptrace_forget_locked(struct task *t); /* exec takes its place: no tracer is told */
void ptrace_free(struct task *t);
/* Who finds it so without the lock may use t->tracing, which was made before. */
static inline bool task_traced(const struct task *t) { return atomic_load_explicit(&t->traced, memory_order_acquire); }
/* Traced by another process than its parent, which is not to know of it meanwhile. */
bool ptrace_reparented_locked(const struct task *t);

/* --- waiting (ptrace_wait.c) --- */
int ptrace_look_locked(struct task *t, const struct wait_request *q, struct wait_result *out); /* 0 or -ECHILD, as task_wait's */
void ptrace_tell_end_locked(struct task *t); /* an exited tracee: a zombie for its tracer */
int task_end_status(const struct task *t); /* [T] a wait status */

/* --- stops: own thread (ptrace_stop.c) --- */
bool ptrace_call_begins(struct task *t); /* before a system call; false: it is not to be made */
void ptrace_call_ends(struct task *t);
/* A signal was taken: the tracer may change it.  0: it is gone. */
int ptrace_signal(struct task *t, int signo, struct linux_siginfo *info);
bool ptrace_event_wanted(struct task *t, int event);
void ptrace_event(struct task *t, int event, uint64_t message); /* if wanted; exec is told otherwise, too */
void ptrace_stepped_into_handler(struct task *t);
void ptrace_exiting(struct task *t);
bool ptrace_trap_pending_locked(const struct task *t);
void ptrace_job_stop(struct task *t); /* what is pending: of its group, or asked for */
bool ptrace_seccomp(struct task *t, uint16_t data); /* SECCOMP_RET_TRACE: false, nobody wants to know */
/* A single step's trap that is none of the program's. */
bool ptrace_step_trap(struct task *t, const struct platform_trap *trap, struct linux_siginfo *info);

/* --- from other threads --- */
void ptrace_notify_locked(struct task *t); /* a seized one: its group stops or continues */
void ptrace_killed_locked(struct thread_group *tg); /* once more */
/* Has a stopped tracee run fn on its own thread. [T] held, and let go meanwhile. -ESRCH: it went away */
int ptrace_ask_locked(struct task *t, void (*fn)(struct task *t, void *arg), void *arg);

/* --- debug registers (ptrace_watch.c) --- */
uint64_t watch_get_locked(const struct task *t, unsigned reg);
int watch_set_locked(struct task *t, unsigned reg, uint64_t value); /* -EIO, -EINVAL, as POKEUSR has it */
bool watch_active(const struct tracing *p);
void watch_begin(struct task *t); /* own thread, before its program runs: what lies there now */
bool watch_hit(struct task *t); /* own thread, after a step: the status register tells which */

#endif
