/*
 * switch.c - running program code: hand over, wait, say what happened.
 *
 * Runs on the task's host thread with no locks held.  What is told here of the
 * program was written where the program can write: it decides about that
 * program's own task only.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <linux/audit.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif
#define TRAPNO_GP 13
#define TRAPNO_PF 14
#define INT80_LENGTH 2
#define AROUND_SPIN 8 /* this part of spin_max a hand-over takes at most, beside the spinning */

struct event {
	siginfo_t si;
	uint64_t error, trapno;
};

static enum platform_event dead(struct st_ctx *c)
{
	if (c->as) {
		mutex_lock(&c->as->mu);
		st_as_kill_locked(c->as);
		mutex_unlock(&c->as->mu);
	}
	return PLATFORM_DEAD;
}

/* A patched site whose thread could not find its slot: the number is in rax, the
 * address of return in rcx. */
static enum platform_event on_slow_site(struct regs *r)
{
	r->rip = r->rcx;
	r->r11 = r->eflags;
	r->orig_rax = r->rax;
	r->rax = (uint64_t)-ENOSYS;
	regs_sanitize(r);
	return PLATFORM_SYSCALL;
}

static enum platform_event on_syscall(const struct event *e, struct regs *r, struct platform_trap *trap)
{
	int64_t nr = e->si.si_syscall;

	if (e->si.si_arch == AUDIT_ARCH_X86_64) {
		r->orig_rax = (uint64_t)nr;
		r->rax = (uint64_t)-ENOSYS;
		trap->call_site = true;
		return PLATFORM_SYSCALL;
	}
	/* As a kernel without 32-bit emulation: general protection at the instruction. */
	r->rip -= INT80_LENGTH;
	r->rax = (uint64_t)(uint32_t)nr;
	*trap = (struct platform_trap){ .signo = SIGSEGV, .code = SI_KERNEL, .trapno = TRAPNO_GP, .error = 0x80 * 8 + 2, .error_known = true };
	return PLATFORM_TRAP;
}

static bool is_page_fault(const siginfo_t *si)
{
	if (si->si_signo == SIGSEGV)
		return si->si_code == SEGV_MAPERR || si->si_code == SEGV_ACCERR;
	return si->si_signo == SIGBUS && si->si_code != BUS_ADRALN;
}

/* PLATFORM_INTERRUPTED: nothing that the program did. */
static enum platform_event classify(const struct event *e, struct regs *r, struct platform_trap *trap)
{
	int signo = e->si.si_signo;

	if (e->si.si_code <= 0)
		return PLATFORM_INTERRUPTED; /* sent by us, or by somebody outside */
	if (signo == SIGSYS && e->si.si_code == SYS_SECCOMP)
		return on_syscall(e, r, trap);
	if (signo == SIGILL && r->rip == ST_PATCH + ST_PATCH_SLOW)
		return on_slow_site(r);
	if (signo != SIGSEGV && signo != SIGBUS && signo != SIGFPE && signo != SIGILL && signo != SIGTRAP)
		return PLATFORM_INTERRUPTED;
	*trap = (struct platform_trap){ .signo = signo, .code = e->si.si_code, .addr = (uint64_t)e->si.si_addr, .trapno = e->trapno };
	if (!is_page_fault(&e->si))
		return PLATFORM_TRAP;
	trap->error = (uint32_t)e->error;
	trap->error_known = e->trapno == TRAPNO_PF;
	return PLATFORM_FAULT;
}

/* Single steps in code that the program does not know of are none of its own. */
static bool steps_in_stub(const struct event *e, const struct regs *r)
{
	if (e->si.si_signo != SIGTRAP || e->si.si_code != TRAP_TRACE)
		return false;
	return r->rip - ST_PATCH < ST_PATCH_SIZE || r->rip - ST_SITES < ST_SITES_END - ST_SITES;
}

static enum platform_event at_patch(struct st_ctx *c, uint32_t by, struct regs *r, bool own_step)
{
	if (c->singlestep) {
		st_patch_complete(&c->base, r);
		if (!own_step)
			r->eflags &= ~EFLAGS_TF;
	}
	if (by == ST_BY_KICK)
		return PLATFORM_INTERRUPTED;
	r->orig_rax = r->rax;
	r->rax = (uint64_t)-ENOSYS;
	return PLATFORM_SYSCALL;
}

/* Until c has no order to be interrupted any more, or something has happened. */
static enum platform_event run_once(struct st_ctx *c, struct regs *r, struct platform_trap *trap)
{
	bool own_step = r->eflags & EFLAGS_TF;
	struct event e;
	uint32_t by;

	do {
		if (c->in_patch)
			st_patch_write(c, r);
		else
			st_frame_write(c, r);
		if (!st_handover(c))
			return PLATFORM_DEAD;
		c->near = false;
		if (st_patch_read(c, r, &by))
			return at_patch(c, by, r, own_step);
		if (!st_frame_read(c, r, &e.si, &e.error, &e.trapno))
			return PLATFORM_DEAD;
	} while (steps_in_stub(&e, r));
	return classify(&e, r, trap);
}

enum platform_event st_run(struct platform_ctx *base, struct platform_as *as_base, struct regs *r, struct platform_trap *trap)
{
	struct st_ctx *c = (struct st_ctx *)base;
	enum platform_event e = PLATFORM_INTERRUPTED;

	trap->call_site = trap->partial = false;
	if (st_ctx_enter(c, (struct st_as *)as_base) || (c->in_patch && !st_patch_convert(c, r)))
		return dead(c);
	if (c->near && !c->in_patch && !st_near_leave(c))
		return PLATFORM_INTERRUPTED;
	do {
		atomic_store_explicit(&c->running, true, memory_order_relaxed); /* seen by others before the thread goes: let_go */
		if (atomic_load_explicit(&c->interrupt, memory_order_relaxed) && atomic_exchange(&c->interrupt, false))
			e = PLATFORM_INTERRUPTED;
		else
			e = run_once(c, r, trap);
		atomic_store_explicit(&c->running, false, memory_order_release);
	} while (e == PLATFORM_INTERRUPTED && atomic_load(&c->interrupt));
	trap->partial = c->partial;
	trap->awake = c->spins ? c->spins + c->p->spin_max / AROUND_SPIN : 0;
	return e == PLATFORM_DEAD ? dead(c) : e;
}
