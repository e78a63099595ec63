/*
 * answers.S - the system calls that a program's thread answers itself, from what
 * the sentry has put into its slot.  A part of patch.S.
 *
 * What is not there is known by the records of descriptors, which the sentry
 * withdraws before anybody can know better; so does it with what the slot says of
 * one file.
 *
 * Here come calls with everything saved but the arguments: rdi, rsi, r14 (for
 * rdx), r10, r8, r9, and the number in ebp, stay as they are; rax, rbx, rcx, rdx,
 * r13 and r15 are free.  Whatever is not simple is asked of the sentry: at stub_ask,
 * where no trace of an attempt may be left.
 *
 * Between stub_answers and stub_answers_end (in lent.S) the program's memory is
 * touched, by its own rights: where that faults, the handler has the thread go on
 * at stub_ask.
 * (A pointer to the stub's own pages may succeed, where Linux has nothing: the
 * program can do the same by a plain access.)
 */

	/* Which calls, and how: by ST_ANSWERS, or a number of */
#define ANSWER_MASK ST_N_ANSWERS
#define ANSWER_POLL (ST_N_ANSWERS + 1)
#define ANSWER_SET (ST_N_ANSWERS + 2)
#define ANSWER_NOSYS (ST_N_ANSWERS + 3)
#define ANSWER_ROBUST (ST_N_ANSWERS + 4)
#define ASK_CLONE (ST_N_ANSWERS + 5) /* not answered, but asked with more */
	/* of a descriptor, in edi: */
#define ANSWER_READ (ST_N_ANSWERS + 6)
#define ANSWER_LSEEK (ST_N_ANSWERS + 7)
#define ANSWER_IOCTL (ST_N_ANSWERS + 8)
#define ANSWER_FSTAT (ST_N_ANSWERS + 9)
#define ANSWER_FSTATAT (ST_N_ANSWERS + 10)
#define ANSWER_PREAD (ST_N_ANSWERS + 11)
#define ANSWER_CLOSE (ST_N_ANSWERS + 12)
#define ANSWER_FCNTL (ST_N_ANSWERS + 13)
#define ANSWER_GETDENTS (ST_N_ANSWERS + 14)
#define ANSWER_WRITE (ST_N_ANSWERS + 15)
	/* of a path (names.S): */
#define ANSWER_STAT (ST_N_ANSWERS + 16)
#define ANSWER_NOTHING 255 /* of memory */

#define MADV_DONTNEED 4
#define AT_EMPTY_PATH 0x1000
#define TCGETS 0x5401
#define ENOTTY 25
#define SEEK_CUR 1
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define FD_CLOEXEC 1

	.macro how nr, answer
	.org answered - patch + \nr
	.byte \answer
	.endm
answered:
	how 0, ANSWER_READ
	how 1, ANSWER_WRITE
	how 3, ANSWER_CLOSE
	how 4, ANSWER_STAT
	how 5, ANSWER_FSTAT
	how 6, ANSWER_STAT /* lstat */
	how 7, ANSWER_POLL /* poll */
	how 8, ANSWER_LSEEK
	how 14, ANSWER_MASK /* rt_sigprocmask */
	how 16, ANSWER_IOCTL
	how 17, ANSWER_PREAD
	how 28, ANSWER_NOTHING /* madvise */
	how 39, 1 /* getpid */
	how 56, ASK_CLONE /* clone */
	how 57, ASK_CLONE /* fork */
	how 58, ASK_CLONE /* vfork */
	how 72, ANSWER_FCNTL
	how 102, 3 /* getuid */
	how 104, 5 /* getgid */
	how 107, 4 /* geteuid */
	how 108, 6 /* getegid */
	how 186, 2 /* gettid */
	how 217, ANSWER_GETDENTS
	how 232, ANSWER_SET /* epoll_wait */
	how 262, ANSWER_FSTATAT /* newfstatat */
	how 273, ANSWER_ROBUST /* set_robust_list */
	how 281, ANSWER_SET /* epoll_pwait */
	how 334, ANSWER_NOSYS /* rseq */
	how 435, ASK_CLONE /* clone3 */
answered_end:

	.globl stub_answers, stub_answers_end, stub_ask, stub_copies_end, stub_copy_faulted
answer:
	mov %eax, %ebp
	cmp $answered_end - answered, %eax
	jae call
	lea answered(%rip), %rdx
	movzbl (%rdx, %rbp), %ecx
	cmp $ANSWER_MASK, %ecx
	jae answer_more
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

answer_more:
	je answer_mask
	cmp $ANSWER_SET, %ecx
	jb answer_poll
	je answer_set
	cmp $ANSWER_STAT, %ecx
	je answer_stat
	cmp $ANSWER_NOTHING, %ecx
	je answer_nothing
	cmp $ANSWER_READ, %ecx
	jae answer_told
	cmp $ANSWER_ROBUST, %ecx
	jb answer_nosys
	je answer_robust
	mov ST_FP_MASK(%r12), %eax
	mov ST_FP_MASK + 4(%r12), %edx
	xsave64 ST_FP(%r12)
	mov %ebp, %eax
	mov $ST_BY_CLONE, %ebx
	jmp call_by

	/* (rdi head, rsi its size): the sentry looks there when it wants to know. */
answer_robust:
	cmpq $0, ST_ANSWERS + 8(%r12)
	jl stub_ask
	cmp $24, %rsi
	jne stub_ask
	mov %rdi, ST_ROBUST(%r12)
	xor %ecx, %ecx
	jmp answer_is

	/* madvise(rdi start, rsi length, r14d advice): nothing is to be done where nothing is. */
answer_nothing:
	cmp $MADV_DONTNEED, %r14d
	jne stub_ask
	test $0xfff, %edi
	jnz stub_ask
	cmpq $0, ST_ANSWERS + 8(%r12)
	jl stub_ask
	movabs $ST_NOTHING, %rax
	mov (%rax), %rbx
	mov %rbx, %rcx
	shr $ST_NOTHING_BITS, %rcx
	and $ST_NOTHING_PAGES, %ebx
	mov %rdi, %rax
	shr $12, %rax
	sub %rcx, %rax
	jb stub_ask
	sub %rax, %rbx /* pages from there on */
	jbe stub_ask
	shl $12, %rbx
	cmp %rbx, %rsi
	ja stub_ask
	xor %ecx, %ecx
	jmp answer_is

	/* Who may know his process's number may know that. */
answer_nosys:
	cmpq $0, ST_ANSWERS + 8(%r12)
	jl stub_ask
	mov $-38, %rcx
	jmp answer_is

stub_ask:
	mov %ebp, %eax
	jmp call

stub_answers:
	/*
	 * rt_sigprocmask(edi how, rsi set, r14 oldset, r10 size).  The sentry takes
	 * the mask back by setting ST_MASK_ASK in it, whose bit no mask has: so that
	 * a change of a mask that was taken back fails.  oldset is written before,
	 * while nothing is done that could not be asked for again; but what lies
	 * across set and oldset is for the sentry to sort out, and what lets in a
	 * signal that waits.
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
3:	mov %rbx, %rdx
	not %rdx
	test %rdx, ST_MASK_HELD(%r12)
	jnz stub_ask
	test %r14, %r14
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

	/*
	 * poll(rdi fds, esi n, r14d timeout) of a few descriptors, without waiting:
	 * nothing is there if the record of each says so.
	 */
answer_poll:
	test %r14d, %r14d
	jnz stub_ask
	cmp $ST_POLL_MAX, %esi
	ja stub_ask
	mov ST_N_RECORDS(%r12), %r15d
	test %r15d, %r15d
	jz stub_ask
	movabs $ST_RECORDS, %r13
	mov %rdi, %rbx
	mov %esi, %ecx
	test %ecx, %ecx
	jz nothing
1:	mov (%rbx), %eax /* fd */
	test %eax, %eax
	js 2f
	cmp %r15d, %eax
	jae stub_ask
	movzwl (%r13, %rax, 2), %eax
	movzwl 4(%rbx), %edx /* events */
	or $0x18, %edx /* POLLERR, POLLHUP */
	not %eax
	test %edx, %eax
	jnz stub_ask
2:	movw $0, 6(%rbx) /* revents */
	add $8, %rbx
	dec %ecx
	jnz 1b
nothing:
	xor %ecx, %ecx
	jmp answer_is

	/*
	 * epoll_wait(edi set, rsi events, r14d n, r10d timeout), and epoll_pwait with
	 * no mask in r8: without waiting, of a set in which nothing is ready.
	 */
answer_set:
	test %r10d, %r10d
	jnz stub_ask
	cmp $232, %ebp
	je 1f
	test %r8, %r8
	jnz stub_ask
1:	lea -1(%r14), %eax
	cmp $0x7fffffff / 12, %eax
	jae stub_ask
	cmp ST_N_RECORDS(%r12), %edi
	jae stub_ask
	movabs $ST_RECORDS, %r13
	mov %edi, %eax
	testw $ST_RECORD_EMPTY_SET, (%r13, %rax, 2)
	jnz nothing
	jmp stub_ask

	/*
	 * What is asked of the file that the thread was told of, in edi.  In the end it must
	 * still hold: then it held when the answer was found.
	 */
answer_told:
	cmp $ANSWER_FSTATAT, %ecx
	je answer_fstatat
	cmp $ANSWER_READ, %ecx
	je read_lent
	cmp $ANSWER_WRITE, %ecx
	je write_lent
not_lent:
	cmp ST_TOLD_FD(%r12), %edi
	jne stub_ask
	mov ST_TOLD(%r12), %rbx
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	cmp %rbx, %rax
	jae stub_ask
	cmp $ANSWER_IOCTL, %ecx
	je told_ioctl
	cmp $ANSWER_PREAD, %ecx
	je window_pread
	ja told_more
	cmp $ANSWER_FSTAT, %ecx
	jae told_stat
	cmp $ANSWER_LSEEK, %ecx
	je told_lseek

	/* read(edi, rsi buffer, r14 n): at the end nothing, whatever n is if it is one at all */
	cmpl $ST_READ_ENDS, ST_TOLD_END(%r12)
	jne window_read
	lea (%rsi, %r14), %rdx
	or %rsi, %rdx
	or %r14, %rdx
	shr $47, %rdx
	jnz stub_ask
	xor %ecx, %ecx
	jmp told_holds

	/* lseek(edi, rsi offset, r14d whence) */
told_lseek:
	test %rsi, %rsi
	jnz stub_ask
	cmp $SEEK_CUR, %r14d
	jne stub_ask
	mov ST_WINDOW_MOVES(%r12), %rcx
	test %rcx, %rcx
	js 1f
	mov ST_TOLD_POS(%r12), %rcx
	jmp told_holds
1:	mov %ecx, %ecx
	add ST_WINDOW_FROM(%r12), %rcx
	jmp told_holds

	/* ioctl(edi, esi request) */
told_ioctl:
	cmp $TCGETS, %esi
	jne stub_ask
	mov $-ENOTTY, %rcx
	jmp told_holds

told_more:
	cmp $ANSWER_CLOSE, %ecx
	je told_close
	cmp $ANSWER_FCNTL, %ecx
	je told_fcntl

	/* getdents64(edi, rsi buffer, r14 n): at the end nothing, whatever there is room for */
	cmpl $ST_LIST_ENDS, ST_TOLD_END(%r12)
	jne stub_ask
	xor %ecx, %ecx
	jmp told_holds

	/* fcntl(edi, esi command, r14 argument): flags, that are not changed */
told_fcntl:
	mov ST_TOLD_FLAGS(%r12), %ecx
	cmp $F_GETFL, %esi
	je told_holds
	mov ST_TOLD_CLOEXEC(%r12), %ecx
	cmp $F_GETFD, %esi
	je told_holds
	cmp $F_SETFD, %esi
	jne stub_ask
	xor %r14d, %ecx
	and $FD_CLOEXEC, %ecx
	jz told_holds
	jmp stub_ask

	/* close(edi): that it has been, the sentry finds out when the thread comes next */
told_close:
	cmpl $ST_MAY_CLOSE, ST_TOLD_CLOSE(%r12)
	jne stub_ask
	mov %rbx, %rax
	xor %ecx, %ecx
	lock cmpxchg %rcx, ST_TOLD(%r12)
	jne stub_ask
	movl $ST_CLOSED, ST_TOLD_CLOSE(%r12)
	jmp answer_is

	/* fstat(edi, rsi buffer), newfstatat(edi, rsi name, r14 buffer, r10d flags) of no name */
told_stat:
	mov %rsi, %r15
	cmp $ANSWER_FSTAT, %ecx
	je 1f
	cmp $AT_EMPTY_PATH, %r10d
	jne stub_ask
	cmpb $0, (%rsi)
	jne stub_ask
	mov %r14, %r15
1:	xor %ecx, %ecx
2:	mov ST_TOLD_STAT(%r12, %rcx), %rax
	mov %rax, (%r15, %rcx)
	add $8, %ecx
	cmp $ST_TOLD_STAT_SIZE, %ecx
	jb 2b
	xor %ecx, %ecx
told_holds:
	cmp %rbx, ST_TOLD(%r12)
	jne stub_ask
	jmp answer_is
