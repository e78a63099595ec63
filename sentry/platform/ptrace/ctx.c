/*
 * ctx.c - contexts of the ptrace platform: how a task's host thread comes by a
 * stub thread, and gives it up.
 *
 * A new thread in an existing stub process is cloned by the task that makes the
 * context, in its own stub thread, and sleeps untraced until the new task's
 * host thread seizes it.  A stub process is made for its first context.
 *
 * The process's first thread runs program code only as long as it is alone, and
 * then sleeps until the process ends: it must not exit before the others (its
 * zombie could not be waited for, and EXITKILL would take the others with it),
 * and when somebody outside kills the process its death is reported only after
 * all the others', which those asleep in the sentry do not notice.
 */
#include "platform/ptrace/ptrace.h"

#include "platform/ptrace/guest-code/stub.h"
#include "platform/stub_clock.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

#define SEIZE_OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_UNTRACED)

_Thread_local struct pt_ctx *pt_current;

void pt_ctx_set_thread(struct pt_ctx *c, pid_t tgid, pid_t tid)
{
	mutex_lock(&c->mu);
	c->tgid = tgid;
	c->tid = tid;
	mutex_unlock(&c->mu);
}

void pt_ctx_kick(struct pt_ctx *c)
{
	mutex_lock(&c->mu);
	if (c->tid)
		syscall(SYS_tgkill, c->tgid, c->tid, PT_INTERRUPT_SIGNAL);
	mutex_unlock(&c->mu);
}

void pt_ctx_interrupt(struct platform_ctx *base)
{
	struct pt_ctx *c = (struct pt_ctx *)base;

	atomic_store(&c->interrupt, true);
	if (atomic_load(&c->running))
		pt_ctx_kick(c);
}

void pt_ctx_lost_locked(struct pt_ctx *c)
{
	struct pt_as *as = c->as;

	as->dead = true;
	if (c->tid == as->pid)
		as->reaped = true;
	pthread_cond_broadcast(&as->drained);
	pt_ctx_set_thread(c, 0, 0);
	c->attached = false;
}

/* c has tid in as from now on. as->mu held. */
static void join_locked(struct pt_ctx *c, struct pt_as *as, pid_t tid)
{
	ref_get(&as->ref);
	c->as = as;
	c->attached = c->reaped = false;
	pt_ctx_set_thread(c, as->pid, tid);
	LIST_INSERT_HEAD(&as->ctxs, c, link);
}

/* --- floating-point state -------------------------------------------------------- */

/* The state to load is kept until the next switch: exec may move the context to
 * another thread in between. */
static void fp_load(struct pt_ctx *c)
{
	struct iovec iov = { c->fp->area, fpstate_host_size() };

	ptrace(PTRACE_SETREGSET, c->tid, NT_X86_XSTATE, &iov);
	c->fp_pending = false;
}

void pt_fpstate_get(struct platform_ctx *base, struct fpstate *fp)
{
	struct pt_ctx *c = (struct pt_ctx *)base;
	struct iovec iov = { fp->area, sizeof(fp->area) };

	if (c->fp_pending)
		memcpy(fp->area, c->fp->area, fpstate_host_size());
	else if (!c->attached || !c->tid || ptrace(PTRACE_GETREGSET, c->tid, NT_X86_XSTATE, &iov))
		fpstate_init(fp);
}

void pt_fpstate_set(struct platform_ctx *base, const struct fpstate *fp)
{
	struct pt_ctx *c = (struct pt_ctx *)base;

	memcpy(c->fp->area, fp->area, fpstate_host_size());
	c->fp_pending = true;
}

bool pt_ctx_cpu_time(struct platform_ctx *base, struct platform_cpu_time *out)
{
	struct pt_ctx *c = (struct pt_ctx *)base;
	bool r;

	mutex_lock(&c->mu); /* it does not leave the process meanwhile */
	r = stub_clock(c->tgid, out);
	mutex_unlock(&c->mu);
	out->exact = c == pt_current;
	return r;
}

void pt_set_singlestep(struct platform_ctx *base, bool on)
{
	((struct pt_ctx *)base)->singlestep = on;
}

/* --- making ------------------------------------------------------------------------ */

/* A parked thread beside self's. as->mu held. 0: none could be made. */
static pid_t clone_thread_locked(struct pt_as *as, struct pt_ctx *self)
{
	const uint64_t a[6] = { THREAD_FLAGS };
	int64_t tid = 0;

	if (pt_call_at(self, STUB_CLONE, SYS_clone, a, &tid) || tid < 0)
		return 0;
	return (pid_t)tid;
}

/* Makes this host thread the tracer of c's parked thread, stopped. */
static int seize(struct pt_ctx *c)
{
	int st;

	if (ptrace(PTRACE_SEIZE, c->tid, NULL, SEIZE_OPTIONS) || ptrace(PTRACE_INTERRUPT, c->tid, NULL, NULL))
		return -errno;
	st = pt_wait(c);
	if (st < 0)
		return -ESRCH;
	c->attached = true;
	return 0;
}

/* Lets a traced, stopped thread sleep untraced. */
static int park(pid_t tid)
{
	struct regs r = { .rip = STUB_PARK, .orig_rax = UINT64_MAX, .cs = 0x33, .ss = 0x2b, .eflags = 0x202 };

	if (ptrace(PTRACE_SETREGS, tid, NULL, &r) || ptrace(PTRACE_SETOPTIONS, tid, NULL, 0) || ptrace(PTRACE_DETACH, tid, NULL, NULL))
		return -errno;
	return 0;
}

/* Moves self from the process's first thread, which sleeps from now on, to a new
 * one. as->mu held. */
static int leave_first_thread_locked(struct pt_as *as, struct pt_ctx *self)
{
	pid_t first = self->tid, tid;

	if (!self->fp_pending) {
		pt_fpstate_get(&self->base, self->fp);
		self->fp_pending = true;
	}
	tid = clone_thread_locked(as, self);
	if (!tid)
		return -EAGAIN;
	pt_ctx_set_thread(self, as->pid, tid);
	self->attached = false;
	if (park(first) || seize(self)) {
		pt_as_kill_locked(as);
		return -ESRCH;
	}
	return 0;
}

static pid_t new_process(struct pt_platform *p)
{
	pid_t pid;
	int none;

	mutex_lock_nested(&p->mu);
	pid = stub_zygote_fork(&p->zygote, 0, &none);
	mutex_unlock(&p->mu);
	if (none >= 0)
		close(none);
	return pid;
}

/* A parked thread of as, or the first one of its process: 0 or -errno. as->mu held. */
static pid_t find_thread_locked(struct pt_as *as, struct pt_ctx *self)
{
	pid_t tid = 0;

	if (as->dead)
		return -ESRCH;
	if (!as->pid) {
		tid = new_process(as->p);
		if (tid > 0)
			as->pid = tid;
	} else if (self && self->as == as && self->attached && self->tid) {
		if (self->tid == as->pid && leave_first_thread_locked(as, self))
			return -EAGAIN;
		tid = clone_thread_locked(as, self);
	}
	return tid ? tid : -EAGAIN;
}

static int join(struct pt_ctx *c, struct pt_as *as)
{
	pid_t tid;

	mutex_lock(&as->mu);
	tid = find_thread_locked(as, pt_current);
	if (tid > 0)
		join_locked(c, as, tid);
	mutex_unlock(&as->mu);
	return tid > 0 ? 0 : tid;
}

struct platform_ctx *pt_ctx_new(struct platform *p, struct platform_as *as)
{
	struct pt_ctx *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->base.ops = &platform_ptrace;
	c->p = (struct pt_platform *)p;
	mutex_init(&c->mu, RANK_LEAF);
	c->fp = aligned_alloc(64, sizeof(*c->fp));
	/* Now, not at the first switch: here the caller can still say no. */
	if (!c->fp || join(c, (struct pt_as *)as)) {
		pt_ctx_free(&c->base);
		return NULL;
	}
	return &c->base;
}

void pt_ctx_bind(struct platform_ctx *c)
{
	pt_current = (struct pt_ctx *)c;
}

/* --- entering and leaving ------------------------------------------------------------ */

static bool exit_thread(struct pt_ctx *c)
{
	struct regs r = { .rip = STUB_SYSCALL, .rax = SYS_exit, .orig_rax = UINT64_MAX, .cs = 0x33, .ss = 0x2b, .eflags = 0x202 };

	if ((!c->attached && seize(c)) || ptrace(PTRACE_SETREGS, c->tid, NULL, &r))
		return false;
	do
		if (ptrace(PTRACE_CONT, c->tid, NULL, NULL))
			return false;
	while (pt_wait(c) >= 0);
	return true;
}

/* Ends a thread that is not the process's first. */
static void exit_thread_locked(struct pt_as *as, struct pt_ctx *c)
{
	if (!exit_thread(c))
		pt_as_kill_locked(as); /* it is dying already */
}

/* c has no thread any more. Own host thread (or its maker's, if it never ran). */
static void leave(struct pt_ctx *c)
{
	struct pt_as *as = c->as;

	if (!as)
		return;
	mutex_lock(&as->mu);
	if (!as->dead && c->tid) {
		if (!LIST_NEXT(c, link) && LIST_FIRST(&as->ctxs) == c)
			pt_as_kill_locked(as); /* nobody is left to run there */
		else
			exit_thread_locked(as, c);
	} else if (c->tid && c->attached && !as->reaped) {
		pt_as_kill_locked(as);
	}
	pt_ctx_set_thread(c, 0, 0);
	c->attached = false;
	LIST_REMOVE(c, link);
	mutex_unlock(&as->mu);
	c->as = NULL;
	pt_as_put(as);
}

int pt_ctx_enter(struct pt_ctx *c, struct pt_as *as)
{
	int r = 0;

	if (c->as != as) {
		leave(c);
		r = join(c, as);
	}
	if (r)
		return r;
	if (!c->tid)
		return -ESRCH;
	if (!c->attached)
		r = seize(c);
	if (!r && c->fp_pending)
		fp_load(c);
	return r;
}

void pt_ctx_free(struct platform_ctx *base)
{
	struct pt_ctx *c = (struct pt_ctx *)base;

	leave(c);
	if (pt_current == c)
		pt_current = NULL;
	mutex_destroy(&c->mu);
	free(c->fp);
	free(c);
}
