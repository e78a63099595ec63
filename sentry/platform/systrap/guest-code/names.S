/*
 * names.S - stat of paths, from the board that a process has
 * mapped at ST_BOARD.  A part of patch.S, behind answers.S, whose terms hold here too: which
 * registers are free, and that whatever is not simple is asked at stub_ask.
 *
 * The sentry writes the board and the page of words before it (../names.c); here both can only
 * be read.  An entry holds while it has the number that is in ST_NAMES_CHANGES, which whoever
 * changes anything that a path may lead to counts up, and the clock is below ST_NAMES_UNTIL; the
 * thread may use it while its slot has the number in ST_NAMES_WHOSE.  All three are looked at
 * after the attributes have been copied: then they held when the entry was found.
 *
 * The path is read twice, for its hash and to compare it; where a read goes beyond its end into
 * memory that is not there, the call is asked.
 */
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_NO_AUTOMOUNT 0x800
#define NR_STAT 4
#define NR_NEWFSTATAT 262
#define ENOENT 2
#define LOW_BITS 0xfefefefefefefeff /* -0x0101010101010101 */
#define HIGH_BITS 0x8080808080808080

	/* stat and lstat(rdi path, rsi buffer). */
answer_stat:
	mov %rdi, %rbx
	xor %ecx, %ecx
	cmp $NR_STAT, %ebp
	je named
	mov $AT_SYMLINK_NOFOLLOW, %ecx
	jmp named

	/* newfstatat(edi, rsi path, r14 buffer, r10d flags); of no path: answer_told. */
answer_fstatat:
	cmp $AT_EMPTY_PATH, %r10d
	je not_lent
	mov %rsi, %rbx
	mov %r10d, %ecx
	and $~AT_NO_AUTOMOUNT, %ecx
	test $~AT_SYMLINK_NOFOLLOW, %ecx
	jnz stub_ask

	/* The path rbx; ecx: AT_SYMLINK_NOFOLLOW or 0, as its hash begins. */
named:
	mov ST_NAMES_ROOTS(%r12), %rax
	test %rax, %rax
	jz stub_ask
	cmpq $0, ST_ANSWERS + 8(%r12) /* somebody wants to see the calls */
	jl stub_ask
	cmpb $'/', (%rbx)
	jne stub_ask
	movabs $HIGH_BITS, %r13
	xor %edx, %edx
1:	mov (%rbx, %rdx), %rax
	movabs $LOW_BITS, %r15
	add %rax, %r15
	not %rax
	and %rax, %r15
	not %rax
	and %r13, %r15
	jnz 2f
	xor %rax, %rcx
	imul $ST_HASH_FACTOR, %rcx, %rcx
	rol $ST_HASH_ROTATE, %rcx
	add $8, %edx
	cmp $ST_PATH_MAX, %edx
	jb 1b
	jmp stub_ask
2:	lea -1(%r15), %r13 /* of the last word, what is before the path's end */
	xor %r13, %r15
	and %r15, %rax
	xor %rax, %rcx
	imul $ST_HASH_FACTOR, %rcx, %rcx
	rol $ST_HASH_ROTATE, %rcx

	mov %rcx, %rax
	shr $ST_ENTRY_PLACE_SHIFT, %rax
	shl $9, %eax
	movabs $ST_BOARD, %r13
	add %rax, %r13
	cmp %rcx, ST_ENTRY_HASH(%r13)
	je 3f
	add $ST_ENTRY_SIZE, %r13
	cmp %rcx, ST_ENTRY_HASH(%r13)
	jne stub_ask
3:	mov ST_ENTRY_CHANGES(%r13), %rcx
	cmp %edx, ST_ENTRY_LAST(%r13)
	jne stub_ask
	mov (%rbx, %rdx), %rax
	and %r15, %rax
	jmp 5f
4:	sub $8, %edx
	mov (%rbx, %rdx), %rax
5:	cmp ST_ENTRY_PATH(%r13, %rdx), %rax
	jne stub_ask
	test %edx, %edx
	jnz 4b

	cmpl $0, ST_ENTRY_MISSING(%r13)
	jne named_missing
	mov %rsi, %r15
	cmp $NR_NEWFSTATAT, %ebp
	cmove %r14, %r15
6:	mov ST_ENTRY_STAT(%r13, %rdx), %rax
	mov %rax, (%r15, %rdx)
	add $8, %edx
	cmp $ST_TOLD_STAT_SIZE, %edx
	jb 6b
	xor %ebx, %ebx
	jmp named_holds
named_missing:
	mov $-ENOENT, %rbx
named_holds:
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	movabs $ST_NAMES, %r15
	cmp ST_NAMES_UNTIL(%r15), %rax
	jae stub_ask
	mov ST_NAMES_ROOTS(%r12), %rax
	cmp ST_NAMES_WHOSE(%r15), %rax
	jne stub_ask
	cmp %rcx, ST_ENTRY_CHANGES(%r13)
	jne stub_ask
	cmp %rcx, ST_NAMES_CHANGES(%r15)
	jne stub_ask
	mov %rbx, %rcx
	jmp answer_is
