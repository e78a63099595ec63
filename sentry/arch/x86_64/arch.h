/*
 * arch.h - the x86_64 machine: registers, floating-point state, signal frames.
 */
#ifndef SENTRY_ARCH_ARCH_H
#define SENTRY_ARCH_ARCH_H

#include "lib/uaddr.h"

#include <stdbool.h>
#include <stdint.h>

/* A program thread's general registers.  The layout is Linux's
 * user_regs_struct (PTRACE_GETREGS), so that platforms need not translate. */
struct regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base, ds, es, fs, gs;
};

/* XSAVE area in the standard (not compacted) format.  size is the machine's
 * (from CPUID leaf 0xd), at most this. */
#define FPSTATE_MAX 16384
struct fpstate {
	_Alignas(64) uint8_t area[FPSTATE_MAX];
};
size_t fpstate_size(void); /* bytes of area in use by programs on this machine: what a signal frame holds */
size_t fpstate_host_size(void); /* bytes of area that the host's ptrace transfers: dynamic features (AMX) too */
uint64_t fpstate_features(void); /* the XSTATE bits that programs have */
void fpstate_init(struct fpstate *fp); /* as after execve */
/* Makes an area that came from the program's memory safe to load (reserved
 * bits of MXCSR, XSTATE_BV, XCOMP_BV); false if it cannot be. */
bool fpstate_sanitize(struct fpstate *fp, size_t len);

/* Registers at the first instruction after exec. */
void regs_exec(struct regs *r, uint64_t entry, uint64_t sp);

/* Checks and corrects values that came from the program (sigreturn, ptrace):
 * canonical rip and bases, user cs/ss, permitted flags. */
void regs_sanitize(struct regs *r);

/* Those registers as a debugger reads and changes them (regview.c).  offset: of a
 * member.  put: 0, or -EIO: no program may have that value. */
uint64_t regs_get(const struct regs *r, size_t offset);
int regs_put(struct regs *r, size_t offset, uint64_t v);
void regs_put_flags(struct regs *r, uint64_t eflags); /* those of them that a program may change */
/* The area as the register set NT_X86_XSTATE has it, from what the platform gave. */
void fpstate_show(struct fpstate *fp);
int fpstate_put(struct fpstate *fp, const uint8_t *area, size_t len); /* -EFAULT: not all of it; -EINVAL */
int fpstate_put_legacy(struct fpstate *fp, const uint8_t area[512]); /* what FXSAVE knows of it */

/* System call argument access.  Linux order: rdi rsi rdx r10 r8 r9. */
static inline uint64_t regs_syscall_nr(const struct regs *r) { return r->orig_rax; }

/* lea disp32(%base), %dest: what it puts there.  Only some of its forms are known. */
#define LEA_LEN 7
#define LEA_RIP 16 /* as a base: the address of the next instruction */
struct lea {
	uint8_t dest, base; /* numbers of registers, as in instructions */
	int32_t disp;
};
bool lea_decode(const uint8_t code[LEA_LEN], struct lea *l);
uint64_t lea_value(const struct lea *l, const struct regs *r, uint64_t next);
uint64_t *regs_numbered(struct regs *r, unsigned n); /* n < 16 */

/* The length of the instruction at p, if it is one of those, in n bytes, that set a register from another one (mov,
 * movslq, xor) or to a constant, and have nothing to do with rax and rsp: they never fault; 0: it is none. */
unsigned move_length(const uint8_t *p, unsigned n);
#define MOVE_MAX 6 /* bytes of the longest */
void move_do(const uint8_t *p, struct regs *r); /* of MOVE_MAX bytes at p: what it does, but for rip */
#define EFLAGS_TF 0x100ul
#define FLAGS_ARITHMETIC 0x8d5ul /* OF SF ZF AF PF CF */
uint64_t flags_compared(uint64_t a, int64_t b); /* those of cmp */

/* Signal frames, as Linux's rt_sigframe.  mm is the program's memory. */
struct mm;
struct linux_siginfo; /* abi/signal.h */
struct linux_sigaction;
struct linux_stack;
/* Builds the frame on sp's stack (altstack chosen by the caller: `stack_top`
 * is where to begin, below the red zone already skipped if it is the current
 * stack), and sets r up to enter the handler.  oldmask is saved in uc_sigmask,
 * ss in uc_stack. -EFAULT if the stack is bad, or sa has no restorer (as Linux). */
int sigframe_push(struct mm *mm, struct regs *r, const struct fpstate *fp, uint64_t stack_top, int signo, const struct linux_siginfo *info,
		  const struct linux_sigaction *sa, uint64_t oldmask, const struct linux_stack *ss);
/* rt_sigreturn: reads the frame at r->rsp - 8. */
int sigframe_pop(struct mm *mm, struct regs *r, struct fpstate *fp, uint64_t *mask, struct linux_stack *ss);

/* The vDSO image that is mapped into every program: a complete ELF object,
 * vdso_image[0..vdso_image_size), page aligned.  vvar_page precedes it. */
extern const uint8_t vdso_image[];
extern const size_t vdso_image_size;

#endif
