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
 * What a thread answers itself, answers.S does, and names.S, window.S and lent.S.
 *
 * Signals are not blocked here, and program code may jump to any instruction: it
 * gets no further than it would with a handler of its own.
 */
#include "stub.h"

#define FLAGS_ARITHMETIC 0x8d5 /* OF SF ZF AF PF CF */
#define FLAGS_USUAL 0x202 /* the others, as they mostly are */

	/* All but rsp; no flag changes. */
	.macro load_registers
	mov ST_R15(%r12), %r15
	mov ST_R14(%r12), %r14
	mov ST_R13(%r12), %r13
	mov ST_RBP(%r12), %rbp
	mov ST_RBX(%r12), %rbx
	mov ST_R11(%r12), %r11
	mov ST_R10(%r12), %r10
	mov ST_R9(%r12), %r9
	mov ST_R8(%r12), %r8
	mov ST_RESULT(%r12), %rax
	mov ST_RCX(%r12), %rcx
	mov ST_RDX(%r12), %rdx
	mov ST_RSI(%r12), %rsi
	mov ST_RDI(%r12), %rdi
	mov ST_R12(%r12), %r12
	.endm

	.section .patch, "ax", @progbits
	.globl stub_stopped, stub_wait, stub_futex, stub_futex_end, stub_yield_end
patch:
	mov ST_SITE_RETURN(%r11), %rcx
	.org ST_PATCH_SLOW
	ud2

	.org ST_PATCH_ENTER
	mov %gs:ST_MAGIC, %rcx
	lea -ST_MAGIC_VALUE(%rcx), %rcx /* no flag may change yet */
	jrcxz 1f
	jmp patch
1:	mov %rsp, %gs:ST_RSP
	mov %gs:ST_PUSH, %rsp
	pushfq
	mov %r12, %gs:ST_R12
	mov %gs:ST_SELF, %r12
	mov %r15, ST_R15(%r12)
	mov %r14, ST_R14(%r12)
	mov %r13, ST_R13(%r12)
	mov %rbp, ST_RBP(%r12)
	mov %rbx, ST_RBX(%r12)
	mov ST_EFLAGS(%r12), %rcx
	mov %rcx, ST_R11(%r12)
	mov ST_SITE_RETURN(%r11), %rcx
	mov %rcx, ST_RCX(%r12)
	mov %rcx, ST_RIP(%r12)
	mov ST_SITE_CMP(%r11), %rcx
	mov %rcx, ST_CMP(%r12)
	mov ST_SITE_AFTER(%r11), %rcx
	mov %rcx, ST_AFTER(%r12)
	testl $ST_HAS_FSGSBASE, ST_FLAGS(%r12)
	jz 2f
	rdfsbase %rcx
	mov %rcx, ST_FS(%r12)
2:	mov %rdx, %r14
	testl $FLAG_TF, ST_EFLAGS(%r12)
	jnz stop_stepping
stepping_stopped:

	jmp answer

	/* All at once, while the line is ours: the sentry looks at it all the time. */
call:
	mov $ST_BY_CALL, %ebx
call_by:
	lea go(%rip), %r15
	mov %rax, ST_RAX(%r12)
	mov %rdi, ST_RDI(%r12)
	mov %rsi, ST_RSI(%r12)
	mov %r14, ST_RDX(%r12)
	mov %r10, ST_R10(%r12)
	mov %r8, ST_R8(%r12)
	mov %r9, ST_R9(%r12)
	mov %ebx, ST_KIND(%r12)

	/* For entry.S too: r12 the slot, r15 where to go on. */
stub_stopped:
	incl ST_EVENT(%r12)
	mfence
	cmpl $0, ST_SENTRY_SLEEPS(%r12)
	je stub_wait
	movl $0, ST_SENTRY_SLEEPS(%r12)
	lea ST_SENTRY_SLEEPS(%r12), %rdi
	mov $1, %esi /* FUTEX_WAKE */
	mov $1, %edx
	lea stub_wait(%rip), %rbx
	jmp stub_futex

stub_wait:
	mov ST_SEEN(%r12), %r14d
	rdtsc
	shl $32, %rdx
	or %rax, %rdx
	mov %rdx, %r13
1:	cmp %r14d, ST_GO(%r12)
	jne 3f
	rdtsc
	shl $32, %rdx
	or %rax, %rdx
	sub %r13, %rdx
	cmp ST_SPIN(%r12), %rdx /* it may grow meanwhile: st_handover_soon */
	jb 1b
	xor %r13d, %r13d
5:	inc %r13d
	cmp ST_YIELD(%r12), %r13d
	ja 6f
	mov $24, %eax /* sched_yield */
	syscall
stub_yield_end:
	cmp %r14d, ST_GO(%r12)
	jne 3f
	jmp 5b
6:	testl $ST_HAS_RDTSCP, ST_FLAGS(%r12)
	jz 4f
	rdtscp
	mov %ecx, ST_CPU(%r12)
4:	movl $1, ST_STUB_SLEEPS(%r12)
	mfence
	cmp %r14d, ST_GO(%r12)
	jne 2f
	lea ST_STUB_SLEEPS(%r12), %rdi
	xor %esi, %esi /* FUTEX_WAIT */
	mov $1, %edx
	lea 2f(%rip), %rbx
stub_futex:
	xor %r10d, %r10d
	mov $202, %eax
	syscall
stub_futex_end:
	jmp *%rbx
2:	movl $0, ST_STUB_SLEEPS(%r12)
	jmp stub_wait
3:	mov ST_GO(%r12), %eax
	mov %eax, ST_SEEN(%r12)
	jmp *%r15

go:
	mov ST_OP(%r12), %eax
	test %eax, %eax
	jz stub_patch_exit
	cmp $ST_OP_SAVE_FP, %eax
	je 1f
	cmp $ST_OP_NEAR, %eax
	je near
	ud2 /* ST_OP_CONVERT */
1:	mov ST_FP_MASK(%r12), %eax
	mov ST_FP_MASK + 4(%r12), %edx
	xsave64 ST_FP(%r12)
	jmp stub_stopped

	/* The mapper sleeps on this processor, or will when we do. An interruption waits: nobody else wakes it. */
near:
	testl $ST_HAS_RDTSCP, ST_FLAGS(%r12)
	jz 1f
	rdtscp
	mov %ecx, ST_CPU(%r12)
1:	movabs $(ST_ORDERS + ST_NEAR_SEQ), %rdi
	mov $1, %esi /* FUTEX_WAKE */
	mov $1, %edx
	lea 2f(%rip), %rbx
	jmp stub_futex
2:	lea ST_NEAR(%r12), %rdi
	xor %esi, %esi /* FUTEX_WAIT */
	mov (%rdi), %edx
	cmp $ST_NEAR_FAILED, %edx
	ja stub_futex
	je kicked
	jmp stub_patch_exit

stop_stepping:
	pushq ST_EFLAGS(%r12)
	andl $~FLAG_TF, (%rsp)
	popfq
	jmp stepping_stopped

kicked:
	movl $0, ST_KICKED(%r12)
	movl $ST_BY_KICK, ST_KIND(%r12)
	lea go(%rip), %r15
	jmp stub_stopped

#include "answers.S"
#include "names.S"
#include "window.S"
#include "lent.S"

	.org ST_PATCH_EXIT
stub_patch_exit:
	cmpl $0, ST_KICKED(%r12)
	jne kicked
	cmpl $0, ST_LOAD(%r12)
	jne load
loaded:
	mov ST_EFLAGS(%r12), %eax
	mov %eax, %ecx
	and $~FLAGS_ARITHMETIC, %ecx
	cmpq $0, ST_CMP(%r12)
	jne compare
	cmp $FLAGS_USUAL, %ecx
	jne unusual
	mov %eax, %ecx
	shr $11, %ecx /* OF */
	mov %al, %ah
	mov %cl, %al
	add $0x7f, %al
	sahf
	load_registers
	mov %gs:ST_RSP, %rsp
	jmp *%gs:ST_RIP

	/* The comparison sets all flags but the unusual ones. */
compare:
	cmp $FLAGS_USUAL, %ecx
	jne unusual_compare
	load_registers
	mov %gs:ST_RSP, %rsp
	cmp %gs:ST_CMP, %rax
	jmp *%gs:ST_AFTER

	/* popfq takes its time. */
unusual:
	lea ST_EFLAGS(%r12), %rsp
	load_registers
	popfq
	mov %gs:ST_RSP, %rsp
	jmp *%gs:ST_RIP
unusual_compare:
	lea ST_EFLAGS(%r12), %rsp
	load_registers
	popfq
	mov %gs:ST_RSP, %rsp
	cmp %gs:ST_CMP, %rax
	jmp *%gs:ST_AFTER

load:
	testl $ST_LOAD_FP, ST_LOAD(%r12)
	jz 1f
	mov ST_FP_MASK(%r12), %eax
	mov ST_FP_MASK + 4(%r12), %edx
	xrstor64 ST_FP(%r12)
1:	testl $ST_LOAD_FS, ST_LOAD(%r12)
	jz 2f
	mov ST_FS(%r12), %rax
	wrfsbase %rax
2:	movl $0, ST_LOAD(%r12)
	jmp loaded

	.section .note.GNU-stack, "", @progbits
