/*
 * switch.c - running program code: resume, wait, say what happened.
 *
 * Runs on the task's host thread, the stub thread's tracer, with no locks held.
 * The program runs under PTRACE_SYSEMU: a system call of any kind (also int
 * 0x80 and sysenter) stops at its entry and is never executed by the host.  All
 * registers are set at every resumption, so that calls made in the stub
 * (call.c) need not restore any; orig_rax is -1 then, which keeps the host
 * kernel from restarting anything.
 */
#include "platform/ptrace/ptrace.h"

#include "platform/ptrace/guest-code/stub.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif
#define VSYSCALL_PAGE 0xffffffffff600000ul
#define TRAPNO_GP 13
#define TRAPNO_PF 14
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

/* The stub is lost: what is left of its process goes too, so that all its
 * zombies are gone and others that run there notice. */
static enum platform_event dead(struct pt_ctx *c)
{
	if (c->as) {
		mutex_lock(&c->as->mu);
		if (c->reaped)
			pt_ctx_lost_locked(c);
		pt_as_kill_locked(c->as);
		if (c->tid)
			pt_ctx_lost_locked(c);
		mutex_unlock(&c->as->mu);
	}
	return PLATFORM_DEAD;
}

/* 64-bit `syscall` leaves rip in rcx and the flags in r11: all else is asked
 * for, as it may be int 0x80 or sysenter, which this kernel does not have. */
static bool is_64bit_call(struct pt_ctx *c, const struct regs *r)
{
	struct __ptrace_syscall_info info = { 0 };

	if (r->rcx == r->rip && r->r11 == r->eflags)
		return true;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, c->tid, sizeof(info), &info) <= 0)
		return false;
	return info.arch == AUDIT_ARCH_X86_64;
}

static enum platform_event on_syscall(struct pt_ctx *c, struct regs *r, struct platform_trap *trap)
{
	if (is_64bit_call(c, r)) {
		r->rax = (uint64_t)-ENOSYS;
		return PLATFORM_SYSCALL;
	}
	/* As a kernel without 32-bit emulation: general protection at the instruction. */
	r->rip -= 2;
	r->rax = (uint64_t)(uint32_t)r->orig_rax;
	r->orig_rax = UINT64_MAX;
	*trap = (struct platform_trap){ .signo = SIGSEGV, .code = SI_KERNEL, .trapno = TRAPNO_GP, .error = 0x80 * 8 + 2, .error_known = true };
	return PLATFORM_TRAP;
}

/* A call into the vsyscall page: the host kernel has the filter's answer
 * delivered as SIGSYS, and has returned to the caller already. */
static bool on_vsyscall(const siginfo_t *si, struct regs *r)
{
	uint64_t at = (uint64_t)si->si_call_addr;

	if (si->si_code != SYS_SECCOMP || (at & ~(PAGE_SIZE - 1)) != VSYSCALL_PAGE)
		return false;
	r->orig_rax = (uint64_t)(int64_t)si->si_syscall;
	r->rax = (uint64_t)-ENOSYS;
	return true;
}

static bool is_page_fault(const siginfo_t *si)
{
	if (si->si_signo == SIGSEGV)
		return si->si_code == SEGV_MAPERR || si->si_code == SEGV_ACCERR;
	return si->si_signo == SIGBUS && si->si_code != BUS_ADRALN;
}

/* ptrace does not tell the processor's error code, but: a fetch faults at rip; an
 * access that an existing mapping refuses (SEGV_ACCERR) is a write, as whatever
 * is mapped can be read.  Where nothing is mapped it is called a read: a write
 * then comes again, as a refused one.  What counts is what was mapped when the
 * fault happened: another thread may have mapped the page since. */
static uint32_t page_fault_error(const siginfo_t *si, const struct regs *r)
{
	bool fetch = (uint64_t)si->si_addr == r->rip, refused = si->si_code == SEGV_ACCERR && si->si_signo == SIGSEGV;

	return PF_USER | (refused ? PF_PRESENT : 0) | (fetch ? PF_FETCH : refused ? PF_WRITE : 0);
}

/* An exception of the program, or a signal sent to the stub by somebody outside,
 * which is dropped. */
static enum platform_event on_signal(struct pt_ctx *c, int signo, struct regs *r, struct platform_trap *trap)
{
	siginfo_t si;

	if (ptrace(PTRACE_GETSIGINFO, c->tid, NULL, &si))
		return dead(c);
	if (si.si_code <= 0 || si.si_signo != signo)
		return PLATFORM_INTERRUPTED;
	if (signo == SIGSYS) {
		if (on_vsyscall(&si, r))
			return PLATFORM_SYSCALL;
		return dead(c); /* the second wall was hit */
	}
	if (signo != SIGSEGV && signo != SIGBUS && signo != SIGFPE && signo != SIGILL && signo != SIGTRAP)
		return PLATFORM_INTERRUPTED;
	*trap = (struct platform_trap){ .signo = signo, .code = si.si_code, .addr = (uint64_t)si.si_addr };
	if (is_page_fault(&si)) {
		trap->trapno = TRAPNO_PF;
		trap->error = page_fault_error(&si, r);
		trap->error_known = true;
		return PLATFORM_FAULT;
	}
	return PLATFORM_TRAP;
}

/* What the stop means. PLATFORM_INTERRUPTED: nothing that the program did. */
static enum platform_event classify(struct pt_ctx *c, int st, struct regs *r, struct platform_trap *trap)
{
	int signo = (st >> 8) & 0xff;

	if (st >> 16) /* group stop, or seized: PTRACE_EVENT_STOP */
		return PLATFORM_INTERRUPTED;
	if (signo == (SIGTRAP | 0x80))
		return on_syscall(c, r, trap);
	if (signo == PT_INTERRUPT_SIGNAL)
		return PLATFORM_INTERRUPTED;
	return on_signal(c, signo, r, trap);
}

/* Resumes with r and waits for the next stop; r is what it stopped with. */
static int resume(struct pt_ctx *c, struct regs *r)
{
	struct regs in = *r;
	int st;

	in.orig_rax = UINT64_MAX;
	if (ptrace(PTRACE_SETREGS, c->tid, NULL, &in)) {
		if (errno == ESRCH)
			return -1;
		regs_sanitize(&in);
		if (ptrace(PTRACE_SETREGS, c->tid, NULL, &in))
			return -1;
	}
	if (ptrace(c->singlestep ? PTRACE_SYSEMU_SINGLESTEP : PTRACE_SYSEMU, c->tid, NULL, NULL))
		return -1;
	st = pt_wait(c);
	if (st >= 0 && ptrace(PTRACE_GETREGS, c->tid, NULL, r))
		return -1;
	return st;
}

static enum platform_event pt_run(struct platform_ctx *base, struct platform_as *as_base, struct regs *r, struct platform_trap *trap)
{
	struct pt_ctx *c = (struct pt_ctx *)base;
	struct pt_as *as = (struct pt_as *)as_base;
	enum platform_event e;
	int st;

	if ((c->as != as || !c->attached || c->fp_pending) && pt_ctx_enter(c, as))
		return dead(c);
	do {
		atomic_store(&c->running, true);
		if (atomic_load(&as->pending))
			pt_as_drain(as, c);
		if (atomic_exchange(&c->interrupt, false)) {
			atomic_store(&c->running, false);
			return PLATFORM_INTERRUPTED;
		}
		st = c->tid ? resume(c, r) : -1;
		atomic_store(&c->running, false);
		if (st < 0)
			return dead(c);
		e = classify(c, st, r, trap);
		if (atomic_load(&as->pending))
			pt_as_drain(as, c);
	} while (e == PLATFORM_INTERRUPTED);
	return e;
}

/* --- the platform ------------------------------------------------------------------ */

_Static_assert(STUB_BASE >= TASK_SIZE, "the stub lies above the program");

extern const uint8_t pt_stub_image[], pt_stub_image_end[];

static struct err *pt_init(int mem_fd, struct platform **out)
{
	struct pt_platform *p = calloc(1, sizeof(*p));
	struct sigaction sa = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP };
	struct err *e;

	if (!p)
		return err_new(ENOMEM, "cannot start the ptrace platform");
	p->base.ops = &platform_ptrace;
	p->mem_fd = mem_fd;
	mutex_init(&p->mu, RANK_PLATFORM);
	sigaction(SIGCHLD, &sa, NULL); /* else each stop of a stub would be signalled to us */
	e = stub_zygote_start(&p->zygote,
		&(struct stub_zygote_start){ pt_stub_image, pt_stub_image_end, .mem_fd = mem_fd, .extra_fd = { -1, -1 }, .on_channel = true });
	if (e) {
		free(p);
		return err_wrap(e, "cannot start the ptrace platform");
	}
	*out = &p->base;
	return NULL;
}

const struct platform_ops platform_ptrace = {
	.name = "ptrace",
	.init = pt_init,
	.as_new = pt_as_new,
	.as_free = pt_as_free,
	.as_orders = pt_as_orders,
	.ctx_new = pt_ctx_new,
	.ctx_free = pt_ctx_free,
	.ctx_bind = pt_ctx_bind,
	.run = pt_run,
	.interrupt = pt_ctx_interrupt,
	.cpu_time = pt_ctx_cpu_time,
	.fpstate_get = pt_fpstate_get,
	.fpstate_set = pt_fpstate_set,
	.set_singlestep = pt_set_singlestep,
};
