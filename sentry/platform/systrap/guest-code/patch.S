/*
 * patch.S - where patched call sites lead: hands a system call over without a
 * signal.
 *
 * A site's entry (site.c) comes here with its own address in r11 and the call's
 * number in rax; a system call clobbers rcx and r11 anyway.  The GS base tells
 * the slot: if the program has one of its own, the magic is missing or the load
 * faults, and the thread comes back by an illegal instruction instead.
 *
 * Everything is saved in the slot; then the thread answers the call itself or
 * waits for the sentry; and from stub_patch_exit on the slot alone says how it
 * goes on, whatever the registers hold: a signal in that part is a signal after
 * the call.  A signal before it that is to interrupt only leaves a mark, which
 * the exit looks at.  So each call is made once, and no interruption is lost.
 *
 * Signals are not blocked here, and program code may jump to any instruction: it
 * gets no further than it would with a handler of its own.
 */
#include "stub.h"

/* struct regs */
#define R15 (ST_REGS + 0)
#define R14 (ST_REGS + 8)
#define R13 (ST_REGS + 16)
#define R12 (ST_REGS + 24)
#define RBP (ST_REGS + 32)
#define RBX (ST_REGS + 40)
#define R11 (ST_REGS + 48)
#define R10 (ST_REGS + 56)
#define R9 (ST_REGS + 64)
#define R8 (ST_REGS + 72)
#define RAX (ST_REGS + 80)
#define RCX (ST_REGS + 88)
#define RDX (ST_REGS + 96)
#define RSI (ST_REGS + 104)
#define RDI (ST_REGS + 112)
#define RIP (ST_REGS + 128)
#define EFLAGS (ST_REGS + 144)
#define RSP (ST_REGS + 152)
#define FS_BASE (ST_REGS + 168)
#define FLAG_TF 0x100

	.section .patch, "ax", @progbits
	.globl stub_futex, stub_futex_end
patch:
	mov ST_SITE_RETURN(%r11), %rcx
	.org ST_PATCH_SLOW
	ud2

	.org ST_PATCH_ENTER
	mov %gs:ST_MAGIC, %rcx
	lea -ST_MAGIC_VALUE(%rcx), %rcx /* no flag may change yet */
	jrcxz 1f
	jmp patch
1:	mov %rsp, %gs:RSP
	mov %gs:ST_PUSH, %rsp
	pushfq
	mov %r12, %gs:R12
	mov %gs:ST_SELF, %r12
	mov %r15, R15(%r12)
	mov %r14, R14(%r12)
	mov %r13, R13(%r12)
	mov %rbp, RBP(%r12)
	mov %rbx, RBX(%r12)
	mov %r10, R10(%r12)
	mov %r9, R9(%r12)
	mov %r8, R8(%r12)
	mov %rax, RAX(%r12)
	mov %rdx, RDX(%r12)
	mov %rsi, RSI(%r12)
	mov %rdi, RDI(%r12)
	mov EFLAGS(%r12), %rcx
	mov %rcx, R11(%r12)
	mov ST_SITE_RETURN(%r11), %rcx
	mov %rcx, RCX(%r12)
	mov %rcx, RIP(%r12)
	mov ST_SITE_CMP(%r11), %rcx
	mov %rcx, ST_CMP(%r12)
	mov ST_SITE_AFTER(%r11), %rcx
	mov %rcx, ST_AFTER(%r12)
	testl $ST_HAS_FSGSBASE, ST_FLAGS(%r12)
	jz 2f
	rdfsbase %rcx
	mov %rcx, FS_BASE(%r12)
2:

	testl $FLAG_TF, EFLAGS(%r12)
	jnz stop_stepping
stepping_stopped:

	/* What the thread can say of itself. */
	cmp $answered_end - answered, %eax
	jae call
	mov %eax, %ecx
	lea answered(%rip), %rdx
	movzbl (%rdx, %rcx), %ecx
	jrcxz call
	mov ST_ANSWERS(%r12, %rcx, 8), %rax
	test %rax, %rax
	js call
	mov %rax, RAX(%r12)
	jmp stub_patch_exit

call:
	mov $ST_BY_CALL, %eax
post:
	mov %rax, ST_FRAME(%r12)
stopped:
	mov $1, %eax
	xchg %eax, ST_EVENT(%r12)
	cmp $2, %eax
	jne wait
	lea ST_EVENT(%r12), %rdi
	mov $1, %esi /* FUTEX_WAKE */
	mov $1, %edx
	lea wait(%rip), %rbx
	jmp stub_futex

wait:
	rdtsc
	shl $32, %rdx
	or %rax, %rdx
	add ST_SPIN(%r12), %rdx
	mov %rdx, %r13
1:	cmpl $1, ST_GO(%r12)
	je go
	pause
	rdtsc
	shl $32, %rdx
	or %rax, %rdx
	cmp %r13, %rdx
	jb 1b
	xor %eax, %eax
	mov $2, %ecx
	lock cmpxchg %ecx, ST_GO(%r12)
	cmp $1, %eax
	je go
	lea ST_GO(%r12), %rdi
	xor %esi, %esi /* FUTEX_WAIT */
	mov $2, %edx
	lea wait(%rip), %rbx

	/* For entry.S too: rdi, rsi and rdx the arguments, rbx where to go on. */
stub_futex:
	xor %r10d, %r10d
	mov $202, %eax
	syscall
stub_futex_end:
	jmp *%rbx

go:
	movl $0, ST_GO(%r12)
	mov ST_OP(%r12), %eax
	test %eax, %eax
	jz stub_patch_exit
	cmp $ST_OP_SAVE_FP, %eax
	je 1f
	ud2 /* ST_OP_CONVERT */
1:	mov ST_FP_MASK(%r12), %eax
	mov ST_FP_MASK + 4(%r12), %edx
	xsave64 ST_FP(%r12)
	jmp stopped

stop_stepping:
	pushq EFLAGS(%r12)
	andl $~FLAG_TF, (%rsp)
	popfq
	jmp stepping_stopped

kicked:
	movl $0, ST_KICKED(%r12)
	mov $ST_BY_KICK, %eax
	jmp post

	/* Numbers of the calls whose result is one of ST_ANSWERS. */
answered:
	.macro answer nr, index
	.org answered - patch + \nr
	.byte \index
	.endm
	answer 39, 1 /* getpid */
	answer 102, 3 /* getuid */
	answer 104, 5 /* getgid */
	answer 107, 4 /* geteuid */
	answer 108, 6 /* getegid */
	answer 186, 2 /* gettid */
answered_end:

	.org ST_PATCH_EXIT
stub_patch_exit:
	cmpl $0, ST_KICKED(%r12)
	jne kicked
	cmpl $0, ST_LOAD_FP(%r12)
	je 1f
	mov ST_FP_MASK(%r12), %eax
	mov ST_FP_MASK + 4(%r12), %edx
	xrstor64 ST_FP(%r12)
	movl $0, ST_LOAD_FP(%r12)
1:	cmpl $0, ST_LOAD_FS(%r12)
	je 2f
	mov FS_BASE(%r12), %rax
	wrfsbase %rax
	movl $0, ST_LOAD_FS(%r12)
2:	mov R15(%r12), %r15
	mov R14(%r12), %r14
	mov R13(%r12), %r13
	mov RBP(%r12), %rbp
	mov RBX(%r12), %rbx
	mov R11(%r12), %r11
	mov R10(%r12), %r10
	mov R9(%r12), %r9
	mov R8(%r12), %r8
	mov RAX(%r12), %rax
	mov RCX(%r12), %rcx
	mov RDX(%r12), %rdx
	mov RSI(%r12), %rsi
	mov RDI(%r12), %rdi
	lea EFLAGS(%r12), %rsp
	cmpq $0, ST_CMP(%r12)
	mov R12(%r12), %r12
	jne 3f
	popfq
	mov %gs:RSP, %rsp
	jmp *%gs:RIP
3:	popfq
	mov %gs:RSP, %rsp
	cmp %gs:ST_CMP, %rax
	jmp *%gs:ST_AFTER

	.section .note.GNU-stack, "", @progbits
