/*
 * entry.S - what runs in stubs beside the program.
 *
 * The mapper is the process's first thread.  It carries out the orders in the
 * read-only page and uses neither stack nor writable memory for anything it
 * believes: program threads share its memory.  It reports and waits with a
 * system call that the sentry receives as a seccomp notification, so that the
 * result travels in registers.  Or, where the sentry has answered so, it sleeps until
 * any thread wakes it, looks in that page for what is new, and tells by a pipe that
 * only it may write to (../near.c).
 *
 * A program thread is cloned by the mapper, confines itself further before
 * anything else, and from then on only waits here for the sentry's word, runs
 * the program by returning from a signal, and comes back by a signal.  Program
 * code may jump to any of these instructions: in a program thread the system
 * calls can do no more than sleep on or wake a slot's words, set the thread's
 * own bases and load the thread's own registers.
 *
 * The *_end labels are the return addresses that the filters (zygote.c)
 * compare with.
 */
#include "stub.h"

	/* In a signal frame: */
#define FRAME_R11 72
#define FRAME_RIP 176
#define FRAME_EFLAGS 184
	/* and in its siginfo: */
#define INFO_CODE 8
#define INFO_ARCH 28
#define SYS_SECCOMP 1
#define AUDIT_ARCH_X86_64 0xc000003e
#define SIGSYS 31

	.section .entry, "ax", @progbits
	.globl stub_mapper, stub_notify_end, stub_order_end, stub_done_end, stub_confine_end
	.globl stub_handler, stub_bases_end, stub_return_end
	.globl _start, zygote_syscall, zygote_syscall_end

/* --- the mapper ---------------------------------------------------------------
 * rbx the order, r14 how many are done, r15 how many there are, r13 last result */
stub_mapper:
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %ebp, %ebp
report:
	mov %r14, %rdi
	mov %r13, %rsi
	mov $ST_NOTIFY_NR, %eax
	syscall
stub_notify_end:
	mov %rax, %r15
	xor %r13d, %r13d
	xor %r14d, %r14d
	movabs $ST_ORDERS, %rbx
	cmp $ST_MAX_ORDERS, %r15
	jbe orders
	cmp $ST_ENTER_NEAR, %r15
	je near
	ud2 /* the sentry has gone */
orders:
	cmp %r15, %r14
	jae done
	mov (%rbx), %rax
	cmp $47, %rax /* recvmsg: with a header in the scratch page */
	jne 2f
	lea stub_scratch(%rip), %rsi /* struct msghdr, iovec at +64, byte at +96, control at +128 */
	xor %ecx, %ecx
	mov %rcx, (%rsi)
	mov %rcx, 8(%rsi)
	lea 64(%rsi), %rdi
	mov %rdi, 16(%rsi)
	movq $1, 24(%rsi)
	lea 128(%rsi), %rdi
	mov %rdi, 32(%rsi)
	movq $24, 40(%rsi)
	mov %rcx, 48(%rsi)
	lea 96(%rsi), %rdi
	mov %rdi, 64(%rsi)
	movq $8, 72(%rsi)
2:	mov 8(%rbx), %rdi
	mov 16(%rbx), %rsi
	mov 24(%rbx), %rdx
	mov 32(%rbx), %r10
	mov 40(%rbx), %r8
	mov 48(%rbx), %r9
	mov ST_ORDER_SLOT(%rbx), %r12
	syscall
stub_order_end:
	mov %rax, %r13
	test %r12, %r12
	jz 3f
	test %rax, %rax
	jz thread_start
3:	cmp $-4096, %rax
	ja failed
	inc %r14
	add $ST_ORDER_SIZE, %rbx
	jmp orders

	/* Where the last answer was ST_ENTER_NEAR: ebp the last ST_NEAR_SEQ seen. Else nobody is to be woken. */
near:
	movabs $ST_ORDERS, %rdi
	mov ST_NEAR_SEQ(%rdi), %eax
	cmp %ebp, %eax
	jne 4f
	add $ST_NEAR_SEQ, %rdi
	xor %esi, %esi /* FUTEX_WAIT */
	mov %ebp, %edx
	lea near(%rip), %rbx
	jmp stub_futex
4:	mov %eax, %ebp
	mov ST_NEAR_N(%rdi), %r15d
	xor %r13d, %r13d
	xor %r14d, %r14d
	mov %rdi, %rbx
	jmp orders
done:
	movabs $ST_ORDERS, %rsi
	mov ST_NEAR_WHO(%rsi), %r12 /* others may follow once the sentry knows */
	test %r12, %r12
	jz report
	mov $ST_FD_DONE, %edi
	add $ST_NEAR_TOKEN, %rsi
	mov $8, %edx
	mov $1, %eax /* write */
	syscall
stub_done_end:
	mov %rax, %r13
	cmp $8, %rax
	jne failed
	xor %ecx, %ecx /* ST_NEAR_DONE */
	lea near(%rip), %rbx
	jmp wake
failed:
	movabs $ST_ORDERS, %rsi
	mov ST_NEAR_WHO(%rsi), %r12
	test %r12, %r12
	jz report
	mov $ST_NEAR_FAILED, %ecx
	lea report(%rip), %rbx
wake: /* who waits for something else by now is not to be told */
	mov %r12, %rdi
	mov %ebp, %eax
	lock cmpxchg %ecx, (%rdi)
	mov $1, %esi /* FUTEX_WAKE */
	mov $1, %edx
	jmp stub_futex

/* --- a program thread: r12 its slot -------------------------------------------- */
thread_start:
	mov $1, %edi /* SECCOMP_SET_MODE_FILTER */
	xor %esi, %esi
	movabs $ST_FILTER, %rdx
	mov $317, %eax /* seccomp */
	syscall
stub_confine_end:
	test %rax, %rax
	jnz 1f
	lea go(%rip), %r15
	jmp stub_wait
1:	ud2

	/* Entered by the host on the slot's signal stack, all signals blocked. */
stub_handler:
	mov %rsp, %r12
	and $-ST_SLOT_SIZE, %r12
	mov FRAME_RIP(%rsp), %rax
	movabs $ST_PATCH, %rcx
	sub %rcx, %rax
	cmp $ST_PATCH_EXIT, %rax
	jb in_patch
	cmp $SIGSYS, %edi
	je trapped
report_frame:
	mov %rsp, ST_FRAME(%r12)
	testl $ST_HAS_FSGSBASE, ST_FLAGS(%r12)
	jz 1f
	rdfsbase %rax
	mov %rax, ST_FS(%r12)
	rdgsbase %rax
	mov %rax, ST_GS(%r12)
1:	movl $ST_BY_SIGNAL, ST_KIND(%r12)
	lea go(%rip), %r15
	jmp stub_stopped

	/* A call where none can be patched, as the sentry has found out, is made at patch.S all the same: there it may
	 * be answered, or handed over without the frame. */
trapped:
	cmpl $SYS_SECCOMP, INFO_CODE(%rsi)
	jne report_frame
	cmpl $AUDIT_ARCH_X86_64, INFO_ARCH(%rsi)
	jne report_frame
	testl $FLAG_TF, FRAME_EFLAGS(%rsp)
	jnz report_frame
	testl $ST_HAS_FSGSBASE, ST_FLAGS(%r12)
	jz report_frame
	rdgsbase %rax
	cmp %rax, %r12 /* patch.S is to find its slot */
	jne report_frame
	mov FRAME_RIP(%rsp), %rax
	mov %eax, %edx
	shr $ST_TRAPS_SHIFT, %edx
	xor %eax, %edx
	and $(ST_N_TRAPS - 1), %edx
	movabs $ST_TRAPS, %rcx
	cmp %rax, (%rcx, %rdx, 8)
	jne report_frame
	mov %rax, ST_TRAPPED + ST_SITE_RETURN(%r12)
	lea ST_TRAPPED(%r12), %rax
	mov %rax, FRAME_R11(%rsp)
	movabs $(ST_PATCH + ST_PATCH_ENTER), %rcx
	jmp 4f

	/* The signal came in patch.S, before its exit. */
in_patch:
	cmp $17, %edi /* SIGCHLD: to interrupt. It sees that on its way out */
	jne 1f
	movl $1, ST_KICKED(%r12)
	jmp 2f
1:	cmp $7, %edi /* SIGBUS */
	je 3f
	cmp $11, %edi /* SIGSEGV */
	jne report_frame
	cmp $ST_PATCH_ENTER, %rax /* the GS base is none of ours: the slow way is at ST_PATCH */
	je 4f
3:	mov FRAME_RIP(%rsp), %rax /* memory that the program's thread cannot touch: the sentry is to say */
	lea stub_answers(%rip), %rcx
	cmp %rcx, %rax
	jb report_frame
	lea stub_copies_end(%rip), %rcx
	cmp %rcx, %rax
	jae report_frame
	lea stub_copy_faulted(%rip), %rdx
	lea stub_answers_end(%rip), %rcx
	cmp %rcx, %rax
	lea stub_ask(%rip), %rcx
	cmovae %rdx, %rcx
4:	mov %rcx, FRAME_RIP(%rsp)
2:	lea 8(%rsp), %rsp
	jmp sigreturn

go:
	testl $ST_HAS_FSGSBASE, ST_FLAGS(%r12)
	jz 1f
	mov ST_FS(%r12), %rax
	wrfsbase %rax
	mov ST_GS(%r12), %rax
	wrgsbase %rax
	jmp return
1:	testl $ST_SET_BASES, ST_FLAGS(%r12)
	jz return
	mov $0x1002, %edi /* ARCH_SET_FS */
	mov ST_FS(%r12), %rsi
2:	mov $158, %eax /* arch_prctl */
	syscall
stub_bases_end:
	cmp $0x1001, %edi
	je return
	mov $0x1001, %edi /* ARCH_SET_GS */
	mov ST_GS(%r12), %rsi
	jmp 2b
return:
	mov ST_RESUME(%r12), %rsp
sigreturn:
	mov $15, %eax /* rt_sigreturn */
	syscall
stub_return_end:
	ud2

/* --- the zygote ----------------------------------------------------------------- */
_start:
	lea zygote_stack_end(%rip), %rsp
	xor %ebp, %ebp
	call zygote_main
	ud2

	/* int64_t zygote_syscall(nr, a, b, c, d, e, f) */
zygote_syscall:
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %r10
	mov %r9, %r8
	mov 8(%rsp), %r9
	syscall
zygote_syscall_end:
	ret

	.section .filter, "aw", @nobits
	.globl stub_filter
stub_filter:
	.skip 4096
	.section .scratch, "aw", @nobits
	.globl stub_scratch
stub_scratch:
	.skip 4096
	.skip 8192
zygote_stack_end:

	.section .note.GNU-stack, "", @progbits
