/*
 * sigframe.c - signal frames: the registers a handler interrupts, on the
 * program's stack, laid out as Linux lays out struct rt_sigframe on x86_64
 * (arch/x86/include/asm/sigframe.h, uapi sigcontext.h), as libraries, debuggers
 * and JITs know it:
 *
 *	fpstate, 64-byte aligned: XSAVE area, its size and magic in bytes 464-511, magic2 behind it
 *	rt_sigframe: return address, ucontext, siginfo; 8 mod 16
 *
 * Runs on the task's own thread. All that comes back is the program's: read
 * once, then made safe.
 */
#include "abi/signal.h"
#include "arch/x86_64/arch.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UC_FP_XSTATE 1u
#define UC_SIGCONTEXT_SS 2u
#define UC_STRICT_RESTORE_SS 4u
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
#define FX_SW_OFFSET 464
#define XSTATE_BV 512
#define XHEADER_END 576
#define LEGACY_SIZE 512
#define XFEATURES_LEGACY 3u /* x87, SSE */

struct sigcontext_x86 {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
};

struct ucontext_x86 {
	uint64_t flags, link;
	struct linux_stack stack;
	struct sigcontext_x86 mc;
	uint64_t sigmask;
};

struct rt_sigframe_x86 {
	uint64_t pretcode;
	struct ucontext_x86 uc;
	struct linux_siginfo info;
};

struct fx_sw_bytes {
	uint32_t magic1, extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size, padding[7];
};

_Static_assert(sizeof(struct sigcontext_x86) == 256, "sigcontext");
_Static_assert(sizeof(struct ucontext_x86) == 304, "ucontext");
_Static_assert(sizeof(struct rt_sigframe_x86) == 440, "rt_sigframe");
_Static_assert(sizeof(struct fx_sw_bytes) == 48, "fx_sw_bytes");

/* --- pushing ---------------------------------------------------------------------- */

static void save_regs(struct sigcontext_x86 *mc, const struct regs *r)
{
	*mc = (struct sigcontext_x86){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.eflags = r->eflags,
		.cs = (uint16_t)r->cs,
		.ss = (uint16_t)r->ss,
	};
}

enum { TRAP_DE = 0, TRAP_DB = 1, TRAP_BP = 3, TRAP_UD = 6, TRAP_GP = 13, TRAP_PF = 14, TRAP_AC = 17, TRAP_XF = 19 };
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

/* The error code of a page fault is not told by ptrace; collectors with write
 * barriers look at the write bit: an access that was refused and no fetch is
 * taken for a write. */
static uint64_t page_fault_error(const struct linux_siginfo *info, uint64_t rip)
{
	uint64_t err = PF_USER;

	if (info->fault.addr == rip)
		err |= PF_FETCH;
	if (info->signo == LINUX_SIGSEGV && info->code == LINUX_SEGV_ACCERR)
		err |= PF_PRESENT | (info->fault.addr == rip ? 0 : PF_WRITE);
	return err;
}

/* What the processor said of an exception, as far as the signal tells it. */
static void save_trap(struct sigcontext_x86 *mc, int signo, const struct linux_siginfo *info)
{
	const int intdiv = 1, adraln = 1; /* FPE_INTDIV, BUS_ADRALN */

	if (info->code <= 0)
		return;
	if (signo == LINUX_SIGSEGV && info->code == LINUX_SI_KERNEL) {
		mc->trapno = TRAP_GP;
	} else if (signo == LINUX_SIGBUS && info->code == adraln) {
		mc->trapno = TRAP_AC;
	} else if (signo == LINUX_SIGSEGV || signo == LINUX_SIGBUS) {
		mc->trapno = TRAP_PF;
		mc->err = page_fault_error(info, mc->rip);
		mc->cr2 = info->fault.addr;
	} else if (signo == LINUX_SIGILL) {
		mc->trapno = TRAP_UD;
	} else if (signo == LINUX_SIGFPE) {
		mc->trapno = info->code == intdiv ? TRAP_DE : TRAP_XF;
	} else if (signo == LINUX_SIGTRAP) {
		mc->trapno = info->code == LINUX_SI_KERNEL ? TRAP_BP : TRAP_DB;
	}
}

/* The floating-point part at `at`, with what tells its reader the size. */
static int push_fpstate(struct mm *mm, uint64_t at, const struct fpstate *fp)
{
	uint64_t header[(XHEADER_END - XSTATE_BV) / 8];
	size_t size = fpstate_size();
	const uint32_t magic2 = FP_XSTATE_MAGIC2;
	struct fx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = (uint32_t)(size + sizeof(magic2)),
		.xfeatures = fpstate_features(),
		.xstate_size = (uint32_t)size,
	};

	/* The x87 and SSE parts are there whether in use or not (GETREGSET fills
	 * them in): marked so, as by Linux, else a handler's changes to them
	 * would not be loaded. */
	memcpy(header, fp->area + XSTATE_BV, sizeof(header));
	header[0] |= XFEATURES_LEGACY;
	if (copy_to_user(mm, UADDR(at), fp->area, FX_SW_OFFSET) || copy_to_user(mm, UADDR(at + FX_SW_OFFSET), &sw, sizeof(sw)) ||
		copy_to_user(mm, UADDR(at + XSTATE_BV), header, sizeof(header)) ||
		copy_to_user(mm, UADDR(at + XHEADER_END), fp->area + XHEADER_END, size - XHEADER_END) ||
		copy_to_user(mm, UADDR(at + size), &magic2, sizeof(magic2)))
		return -EFAULT;
	return 0;
}

static void enter_handler(struct regs *r, const struct linux_sigaction *sa, int signo, uint64_t frame)
{
	const uint64_t df = 0x400, rf = 0x10000, tf = 0x100;

	r->rdi = (uint64_t)signo;
	r->rax = 0;
	r->rsi = frame + offsetof(struct rt_sigframe_x86, info);
	r->rdx = frame + offsetof(struct rt_sigframe_x86, uc);
	r->rip = sa->handler;
	r->rsp = frame;
	r->cs = 0x33;
	r->ss = 0x2b;
	r->eflags &= ~(df | rf | tf);
	r->orig_rax = UINT64_MAX;
}

int sigframe_push(struct mm *mm, struct regs *r, const struct fpstate *fp, uint64_t stack_top, int signo, const struct linux_siginfo *info,
	const struct linux_sigaction *sa, uint64_t oldmask, const struct linux_stack *ss)
{
	struct rt_sigframe_x86 f = { 0 };
	uint64_t fp_at, at;

	if (!(sa->flags & LINUX_SA_RESTORER))
		return -EFAULT; /* as Linux: there is no other way back */
	fp_at = (stack_top - fpstate_size() - sizeof(uint32_t)) & ~63ul;
	at = ((fp_at - sizeof(f)) & ~15ul) - 8;
	if (stack_top >= TASK_SIZE || at > stack_top)
		return -EFAULT;
	f.pretcode = sa->restorer;
	f.uc.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	f.uc.stack = *ss;
	save_regs(&f.uc.mc, r);
	save_trap(&f.uc.mc, signo, info);
	f.uc.mc.oldmask = oldmask;
	f.uc.mc.fpstate = fp_at;
	f.uc.sigmask = oldmask;
	f.info = *info;
	if (push_fpstate(mm, fp_at, fp) || copy_to_user(mm, UADDR(at), &f, sizeof(f)))
		return -EFAULT;
	enter_handler(r, sa, signo, at);
	return 0;
}

/* --- popping ------------------------------------------------------------------------ */

static void restore_regs(struct regs *r, const struct sigcontext_x86 *mc)
{
	r->r8 = mc->r8;
	r->r9 = mc->r9;
	r->r10 = mc->r10;
	r->r11 = mc->r11;
	r->r12 = mc->r12;
	r->r13 = mc->r13;
	r->r14 = mc->r14;
	r->r15 = mc->r15;
	r->rdi = mc->rdi;
	r->rsi = mc->rsi;
	r->rbp = mc->rbp;
	r->rbx = mc->rbx;
	r->rdx = mc->rdx;
	r->rax = mc->rax;
	r->rcx = mc->rcx;
	r->rsp = mc->rsp;
	r->rip = mc->rip;
	r->eflags = mc->eflags;
	r->cs = mc->cs;
	r->orig_rax = UINT64_MAX;
	regs_sanitize(r);
}

/* Bytes of an extended area that the frame says it has, or the legacy size. */
static size_t fpstate_len(struct mm *mm, uint64_t at, const struct fx_sw_bytes *sw)
{
	uint32_t magic2;

	if (sw->magic1 != FP_XSTATE_MAGIC1 || sw->xstate_size < XHEADER_END || sw->xstate_size > fpstate_size() ||
		sw->xstate_size > sw->extended_size)
		return LEGACY_SIZE;
	if (copy_from_user(mm, &magic2, UADDR(at + sw->xstate_size), sizeof(magic2)) || magic2 != FP_XSTATE_MAGIC2)
		return LEGACY_SIZE;
	return sw->xstate_size;
}

static int pop_fpstate(struct mm *mm, uint64_t at, struct fpstate *fp)
{
	struct fx_sw_bytes sw;
	uint64_t bv;
	size_t len;

	fpstate_init(fp);
	if (!at)
		return 0;
	if (copy_from_user(mm, &sw, UADDR(at + FX_SW_OFFSET), sizeof(sw)))
		return -EFAULT;
	len = fpstate_len(mm, at, &sw);
	if (copy_from_user(mm, fp->area, UADDR(at), len))
		return -EFAULT;
	if (len > LEGACY_SIZE) {
		memcpy(&bv, fp->area + XSTATE_BV, sizeof(bv));
		bv &= sw.xfeatures;
		memcpy(fp->area + XSTATE_BV, &bv, sizeof(bv));
	}
	return fpstate_sanitize(fp, len) ? 0 : -EFAULT;
}

int sigframe_pop(struct mm *mm, struct regs *r, struct fpstate *fp, uint64_t *mask, struct linux_stack *ss)
{
	struct ucontext_x86 uc;

	/* The handler's return has taken the return address off. */
	if (copy_from_user(mm, &uc, UADDR(r->rsp), sizeof(uc)) || pop_fpstate(mm, uc.mc.fpstate, fp))
		return -EFAULT;
	restore_regs(r, &uc.mc);
	*mask = uc.sigmask;
	*ss = uc.stack;
	return 0;
}
