/*
 * safe_code.S - accesses that survive a host fault: the signal handler in
 * safe_copy.c finds the faulting instruction between safe_code_start and
 * safe_code_end and continues at safe_code_fixup, where rdx is the number of
 * bytes not copied (rcx while a string instruction runs).
 */
	.text
	.globl safe_code_start, safe_code_end, safe_code_fixup, safe_copy_string
	.globl safe_copy, safe_load32, safe_cmpxchg32
	.hidden safe_code_start, safe_code_end, safe_code_fixup, safe_copy_string

safe_code_start:

/* size_t safe_copy(void *dst, const void *src, size_t n): bytes copied */
	.type safe_copy, @function
safe_copy:
	endbr64
	movq %rdx, %rax
	cmpq $128, %rdx
	jae 3f
	cmpq $8, %rdx
	jb 2f
1:	movq (%rsi), %r8
	movq %r8, (%rdi)
	addq $8, %rsi
	addq $8, %rdi
	subq $8, %rdx
	cmpq $8, %rdx
	jae 1b
2:	testq %rdx, %rdx
	je 4f
	movb (%rsi), %r8b
	movb %r8b, (%rdi)
	incq %rsi
	incq %rdi
	decq %rdx
	jmp 2b
3:	movq %rdx, %rcx
safe_copy_string:
	rep movsb
	xorl %edx, %edx
4:	ret
	.size safe_copy, . - safe_copy

/* size_t safe_load32(uint32_t *out, const uint32_t *p): 0 is success */
	.type safe_load32, @function
safe_load32:
	endbr64
	xorl %eax, %eax
	movl $1, %edx
	movl (%rsi), %ecx
	movl %ecx, (%rdi)
	ret
	.size safe_load32, . - safe_load32

/* size_t safe_cmpxchg32(uint32_t *p, uint32_t *expected, uint32_t desired): 0 done, 1 differs
 * (*expected is what was there), -1 fault */
	.type safe_cmpxchg32, @function
safe_cmpxchg32:
	endbr64
	movl %edx, %r8d
	movl $1, %edx
	movl (%rsi), %eax
	lock cmpxchgl %r8d, (%rdi)
	jne 1f
	xorl %eax, %eax
	ret
1:	movl %eax, (%rsi)
	movl $1, %eax
	ret
	.size safe_cmpxchg32, . - safe_cmpxchg32

safe_code_end:

/* safe_copy: rax is n, rdx what is left.  The others: rax := 0 or old, rdx is 1. The
 * handler tells them apart by setting rcx to 1 for safe_copy. */
	.type safe_code_fixup, @function
safe_code_fixup:
	testq %rcx, %rcx
	je 1f
	subq %rdx, %rax
	ret
1:	movq $-1, %rax
	ret
	.size safe_code_fixup, . - safe_code_fixup
	.section .note.GNU-stack, "", @progbits
