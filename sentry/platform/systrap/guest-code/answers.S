/*
 * answers.S - the system calls that a program's thread answers itself, from what
 * the sentry has put into its slot.  A part of patch.S.
 *
 * Here come calls with everything saved but the arguments: rdi, rsi, r14 (for
 * rdx), r10, r8, r9, and the number in ebp, stay as they are; rax, rbx, rcx, rdx,
 * r13 and r15 are free.  Whatever is not simple is asked of the sentry: at `ask`,
 * where no trace of an attempt may be left.
 *
 * Between stub_answers and stub_answers_end the program's memory is touched, by
 * its own rights: where that faults, the handler has the thread go on at `ask`.
 * (A pointer to the stub's own pages may succeed, where Linux has nothing: the
 * program can do the same by a plain access.)
 */

	/* Which calls, and how: by ST_ANSWERS, or a number of */
#define ANSWER_MASK ST_N_ANSWERS

	.macro how nr, answer
	.org answered - patch + \nr
	.byte \answer
	.endm
answered:
	how 14, ANSWER_MASK /* rt_sigprocmask */
	how 39, 1 /* getpid */
	how 102, 3 /* getuid */
	how 104, 5 /* getgid */
	how 107, 4 /* geteuid */
	how 108, 6 /* getegid */
	how 186, 2 /* gettid */
answered_end:

	.globl stub_answers, stub_answers_end, stub_ask
answer:
	mov %eax, %ebp
	cmp $answered_end - answered, %eax
	jae call
	lea answered(%rip), %rdx
	movzbl (%rdx, %rbp), %ecx
	cmp $ANSWER_MASK, %ecx
	je answer_mask
	test %ecx, %ecx
	jz call
	mov ST_ANSWERS(%r12, %rcx, 8), %rcx
	test %rcx, %rcx
	js call

	/* With the result in rcx. */
answer_is:
	mov %rcx, ST_RESULT(%r12)
	mov %r14, ST_RDX(%r12)
	mov %rsi, ST_RSI(%r12)
	mov %rdi, ST_RDI(%r12)
	mov %r10, ST_R10(%r12)
	mov %r8, ST_R8(%r12)
	mov %r9, ST_R9(%r12)
	jmp stub_patch_exit

stub_ask:
	mov %ebp, %eax
	jmp call

stub_answers:
	/*
	 * rt_sigprocmask(edi how, rsi set, r14 oldset, r10 size).  The sentry takes
	 * the mask back by setting ST_MASK_ASK in it, whose bit no mask has: so that
	 * a change of a mask that was taken back fails.  oldset is written before,
	 * while nothing is done that could not be asked for again; but what lies
	 * across set and oldset is for the sentry to sort out.
	 */
answer_mask:
	cmp $8, %r10
	jne stub_ask
	mov ST_MASK(%r12), %r15
	test $ST_MASK_ASK, %r15d
	jnz stub_ask
	test %rsi, %rsi
	jz mask_only_read
	lea 7(%r14), %rdx
	sub %rsi, %rdx
	cmp $14, %rdx
	jbe stub_ask
	mov (%rsi), %rbx
	and $~ST_MASK_NEVER, %rbx
	cmp $1, %edi
	ja 1f
	je 2f
	or %r15, %rbx /* SIG_BLOCK */
	jmp 3f
1:	cmp $2, %edi /* SIG_SETMASK */
	je 3f
	jmp stub_ask
2:	not %rbx /* SIG_UNBLOCK */
	and %r15, %rbx
3:	test %r14, %r14
	jz 4f
	mov %r15, (%r14)
4:	mov %r15, %rax
	lock cmpxchg %rbx, ST_MASK(%r12)
	jne stub_ask
	xor %ecx, %ecx
	jmp answer_is
mask_only_read:
	test %r14, %r14
	jz 5f
	mov %r15, (%r14)
5:	xor %ecx, %ecx
	jmp answer_is
stub_answers_end:
