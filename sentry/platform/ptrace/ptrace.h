/*
 * ptrace.h - the ptrace platform's own types.
 *
 * A stub process is an address space, a stub thread an execution context.  The
 * host thread of the task is the tracer of its stub thread and alone stops,
 * resumes and reads it.  Stub threads not yet taken over by a task, and the
 * first one of a process with several, are untraced and asleep in pause() in the stub's own text.
 *
 * Files: call.c (system calls made in a stopped stub thread), as.c (address
 * spaces and their orders), ctx.c (contexts: taking stub threads over and
 * leaving them), switch.c (running program code).  guest-code/ is what runs in stubs.
 *
 * Locks: an address space's mu, then the platform's mu (both RANK_PLATFORM),
 * then a context's mu (RANK_LEAF).
 */
#ifndef SENTRY_PLATFORM_PTRACE_PTRACE_H
#define SENTRY_PLATFORM_PTRACE_PTRACE_H

#include "lib/lock.h"
#include "lib/ref.h"
#include "platform/ops.h"
#include "platform/stub_zygote.h"

#include <signal.h>
#include <sys/queue.h>
#include <sys/types.h>

/* Interrupts a running stub thread.  Ignored by default, so that it does
 * nothing to a thread that is not traced; never reaches the program. */
#define PT_INTERRUPT_SIGNAL SIGCHLD

struct pt_platform {
	struct platform base;
	int mem_fd; /* [I] borrowed */
	struct mutex mu; /* one user at a time of the following */
	struct stub_zygote zygote; /* [mu] its channel too */
};

struct pt_order {
	STAILQ_ENTRY(pt_order) link;
	struct platform_order o; /* fd: the memory file (borrowed), or a duplicate that the order owns */
};

struct pt_ctx;
struct pt_as {
	struct platform_as base;
	struct pt_platform *p; /* [I] */
	struct ref ref; /* the user's, and one a context in ctxs */
	struct mutex mu;
	pthread_cond_t drained; /* [mu] n_done has grown, or dead */
	pid_t pid; /* [mu] the stub process; 0: not made yet */
	bool dead; /* [mu] it has been killed; orders are void */
	bool reaped; /* [mu] */
	LIST_HEAD(, pt_ctx) ctxs; /* [mu] contexts that have a thread here */
	STAILQ_HEAD(, pt_order) orders; /* [mu] not carried out yet */
	uint64_t n_queued, n_done; /* [mu] orders ever queued, done */
	_Atomic bool pending; /* orders is not empty: looked at before and after program code runs */
};

struct pt_ctx {
	struct platform_ctx base;
	struct pt_platform *p; /* [I] */
	struct pt_as *as; /* [t] whose thread we have; NULL: none */
	LIST_ENTRY(pt_ctx) link; /* [as->mu] */
	struct mutex mu; /* RANK_LEAF */
	pid_t tgid, tid; /* [t] to read, [mu] to write: whom to interrupt; 0: none */
	bool attached; /* [t] we are its tracer, and it is stopped unless running */
	bool reaped; /* [t] its thread was found dead, and waited for */
	bool singlestep; /* [t] */
	_Atomic bool running; /* program code may run */
	_Atomic bool interrupt; /* platform_interrupt was called */
	bool fp_pending; /* [t] fp is to be loaded at the next switch */
	struct fpstate *fp; /* [t] owned */
};

extern _Thread_local struct pt_ctx *pt_current; /* this host thread's, or NULL */

/* --- call.c: c is attached and stopped, c->as->mu is held; its registers are lost --- */
/* The system call nr in the stub: 0 and its result, or -ESRCH: the stub is dead. */
int pt_call(struct pt_ctx *c, long nr, const uint64_t args[6], int64_t *result);
int pt_call_at(struct pt_ctx *c, uint64_t entry, long nr, const uint64_t args[6], int64_t *result);
/* Waits for c's thread to stop: its wait status, or -1 when it is gone (reaped). */
int pt_wait(struct pt_ctx *c);

/* --- as.c --- */
struct platform_as *pt_as_new(struct platform *p);
void pt_as_free(struct platform_as *as);
int pt_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n);
void pt_as_drain(struct pt_as *as, struct pt_ctx *c); /* carries out what is queued, in c's thread */
void pt_as_kill_locked(struct pt_as *as); /* kills and reaps the process and all its traced threads */
void pt_as_put(struct pt_as *as);

/* --- ctx.c --- */
struct platform_ctx *pt_ctx_new(struct platform *p, struct platform_as *as);
void pt_ctx_free(struct platform_ctx *c);
void pt_ctx_bind(struct platform_ctx *c);
int pt_ctx_enter(struct pt_ctx *c, struct pt_as *as); /* c has a stopped thread in as; 0 or -errno */
void pt_ctx_lost_locked(struct pt_ctx *c); /* its thread is gone and reaped; c->as->mu held */
void pt_ctx_interrupt(struct platform_ctx *c);
void pt_ctx_kick(struct pt_ctx *c); /* stops c's thread if it runs */
void pt_ctx_set_thread(struct pt_ctx *c, pid_t tgid, pid_t tid);
void pt_fpstate_get(struct platform_ctx *c, struct fpstate *fp);
void pt_fpstate_set(struct platform_ctx *c, const struct fpstate *fp);
bool pt_ctx_cpu_time(struct platform_ctx *c, struct platform_cpu_time *out);
void pt_set_singlestep(struct platform_ctx *c, bool on);

/* --- switch.c --- */

#endif
