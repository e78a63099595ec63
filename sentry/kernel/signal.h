/*
 * signal.h - pending signals, dispositions, and what the parts of signal
 * handling in kernel/ share.  All under the task list lock.
 */
#ifndef SENTRY_KERNEL_SIGNAL_H
#define SENTRY_KERNEL_SIGNAL_H

#include "abi/signal.h"
#include "lib/ref.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct kernel;
struct task;
struct task_table;
struct thread_group;

#define SIG_SYNCHRONOUS                                                                                                                              \
	(SIGBIT(LINUX_SIGSEGV) | SIGBIT(LINUX_SIGBUS) | SIGBIT(LINUX_SIGILL) | SIGBIT(LINUX_SIGTRAP) | SIGBIT(LINUX_SIGFPE) | SIGBIT(LINUX_SIGSYS))
#define SIG_STOPS (SIGBIT(LINUX_SIGSTOP) | SIGBIT(LINUX_SIGTSTP) | SIGBIT(LINUX_SIGTTIN) | SIGBIT(LINUX_SIGTTOU))
#define SIG_UNBLOCKABLE (SIGBIT(LINUX_SIGKILL) | SIGBIT(LINUX_SIGSTOP))
#define SIG_IGNORED_BY_DEFAULT (SIGBIT(LINUX_SIGCONT) | SIGBIT(LINUX_SIGCHLD) | SIGBIT(LINUX_SIGWINCH) | SIGBIT(LINUX_SIGURG))
#define SIG_DUMPS                                                                                                                                    \
	(SIGBIT(LINUX_SIGQUIT) | SIGBIT(LINUX_SIGILL) | SIGBIT(LINUX_SIGTRAP) | SIGBIT(LINUX_SIGABRT) | SIGBIT(LINUX_SIGFPE) |                       \
		SIGBIT(LINUX_SIGSEGV) | SIGBIT(LINUX_SIGBUS) | SIGBIT(LINUX_SIGSYS) | SIGBIT(LINUX_SIGXCPU) | SIGBIT(LINUX_SIGXFSZ))

static inline bool signo_valid(int n) { return n >= 1 && n <= LINUX_NSIG; }

struct sigqueue {
	TAILQ_ENTRY(sigqueue) link;
	struct linux_siginfo info;
	struct user_count *user; /* counted there; NULL: not counted */
	/* A POSIX timer's own: embedded there, never freed here; at most once in a queue. */
	bool owned, queued;
};

/* Pending signals: the bits, and for each queued one its information.  A bit
 * without an entry is a signal whose information was lost. */
struct sigpending {
	uint64_t set;
	TAILQ_HEAD(sigqueue_list, sigqueue) q;
	struct task_table *tt; /* for the users' counts; NULL in tests */
};

/* Dispositions, shared by CLONE_SIGHAND. */
struct sighand {
	struct ref ref;
	struct linux_sigaction action[LINUX_NSIG];
};

/* --- queues (signal_queue.c): pure --- */
void sigpending_init(struct sigpending *p, struct task_table *tt);
void sigpending_destroy(struct sigpending *p);
void sigpending_push(struct sigpending *p, int signo, struct sigqueue *q /* takes it; NULL: bit only */);
int sigpending_first(uint64_t pending, uint64_t blocked); /* the one to take next, or 0 */
void sigpending_take(struct sigpending *p, int signo, struct linux_siginfo *info); /* must be pending */
void sigpending_flush(struct sigpending *p, uint64_t set);
void sigqueue_free(struct sigpending *p, struct sigqueue *q);
/* An entry counted for uid unless the user has `limit` already (forced: no limit). NULL: none to be had. */
struct sigqueue *sigqueue_new(struct task_table *tt, uint32_t uid, uint64_t limit, bool forced);

/* --- dispositions --- */
struct sighand *sighand_new(const struct sighand *copy_of /* or NULL: all default */);
void sighand_put(struct sighand *h);
static inline bool signal_default_ignores(int signo) { return SIG_IGNORED_BY_DEFAULT & SIGBIT(signo); }
struct linux_sigaction *sighand_action(struct sighand *h, int signo);
bool sighand_ignores(const struct sighand *h, int signo); /* SIG_IGN, or SIG_DFL of one ignored by default */

/* --- sending (signal_send.c) --- */
#define SEND_FORCED 1u /* from outside the container, or from the kernel: SIGKILL and SIGSTOP reach init */
/* to: that task, or NULL for any of the group. 0 or -EAGAIN (queue full). */
int signal_send_locked(struct thread_group *tg, struct task *to, int signo, const struct linux_siginfo *info, unsigned flags);
/* A timer's own entry: 1 if it is still queued from the last time (an overrun). */
int signal_send_timer_locked(struct thread_group *tg, struct task *to, struct sigqueue *q);
void signal_continue_locked(struct thread_group *tg);
bool signal_due_locked(struct task *t); /* something is to be done before the program runs on */
void signal_recalc_locked(struct task *t); /* the work flag after a change of mask or queue */
void signal_info_user(struct linux_siginfo *info, struct task *from, int signo, int code); /* SI_USER, SI_TKILL */

/* --- masks (signal_mask.c) --- */
enum signal_how { SIGNAL_BLOCK, SIGNAL_UNBLOCK, SIGNAL_SETMASK }; /* rt_sigprocmask's numbers */
uint64_t signal_blocked_locked(struct task *t); /* the mask, taken back from the program if it has it */
void signal_set_blocked_locked(struct task *t, uint64_t mask);
/* rt_sigprocmask: what it was, in *old; set may be NULL.  False: no such way to change it. */
bool signal_change_mask(struct task *t, int how, const uint64_t *set, uint64_t *old);
void signal_take_mask(struct task *t); /* the program is to ask from now on */
void signal_lend_mask_locked(struct task *t); /* it need not, if that is possible. t->blocked is right; own thread */

/* --- taking (signal_deliver.c) --- */
/* The next pending one not in blocked, private before shared: number or 0. */
int signal_dequeue_locked(struct task *t, uint64_t blocked, struct linux_siginfo *info);
uint64_t signal_pending_locked(const struct task *t);
/* Handles stops, exits and signals before the program runs on; applies the
 * restart rules to regs. False: the task must exit. */
bool signal_work(struct task *t);
/* Waits for one of `set` (sigtimedwait): number, -EAGAIN, -EINTR. deadline as wait_sleep's. */
int signal_wait(struct task *t, uint64_t set, int64_t deadline, struct linux_siginfo *info);
int64_t signal_return(struct task *t); /* rt_sigreturn */
int signal_set_altstack(struct task *t, const struct linux_stack *ss, uint64_t sp, uint64_t min_size);
void signal_get_altstack(const struct task *t, uint64_t sp, struct linux_stack *out);

/* The restart rules (restart.c): pure.  rax is the call's result. */
struct regs;
enum restart_case { RESTART_NO_HANDLER, RESTART_HANDLER, RESTART_HANDLER_SA_RESTART };
void restart_apply(struct regs *r, enum restart_case c);

#endif
