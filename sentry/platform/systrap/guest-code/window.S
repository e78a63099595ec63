/*
 * window.S - read and pread64 of the file that the thread was told of, from the part of it
 * that the sentry has put where this stub alone can look (../window.c).  A part of patch.S,
 * behind answers.S, whose terms hold here too; edi is that file's descriptor, and rbx what
 * ST_TOLD was, which must be the same in the end.
 *
 * A read is answered if all that it wants is there, or all that the file has: as Linux gives
 * less than was asked for at the file's end only.  The position is ST_WINDOW_MOVES, valid
 * and moved as a ring's word is (lent.S), as it may be taken back: then the call is asked.
 *
 * The program can write all of this, the part of the file too: it so deceives itself.
 */

	/* read(edi, rsi buffer, r14 n) */
window_read:
	mov ST_WINDOW_MOVES(%r12), %rax
	test %rax, %rax
	jns stub_ask
	mov %eax, %edx
	jmp 1f

	/* pread64(edi, rsi buffer, r14 n, r10 offset), but at the end of what is there */
window_pread:
	mov %r10, %rdx
	sub ST_WINDOW_FROM(%r12), %rdx
	mov ST_WINDOW_LEN(%r12), %ecx
	cmp %rcx, %rdx
	jae stub_ask

	/* From rdx on, which is behind the window if the program has written there.  rbx and r13 keep
	 * rdi and rsi while it copies, r15 ST_TOLD, ST_RESULT how many bytes. */
1:	mov ST_WINDOW_LEN(%r12), %ecx
	sub %rdx, %rcx
	jb stub_ask
	cmp %rcx, %r14
	jbe 2f
	cmpl $0, ST_WINDOW_ENDS(%r12)
	jne 3f
	jmp stub_ask
2:	mov %r14, %rcx
3:	lea (%rsi, %r14), %r15
	or %rsi, %r15
	or %r14, %r15
	shr $47, %r15
	jnz stub_ask
	mov %rcx, ST_RESULT(%r12)
	mov %rbx, %r15
	mov %rdi, %rbx
	mov %rsi, %r13
	mov %rsi, %rdi
	mov ST_WINDOW(%r12), %rsi
	add %rdx, %rsi
	cld
	jmp copy_window
copied_window:
	mov %rbx, %rdi
	mov %r13, %rsi
	cmp %r15, ST_TOLD(%r12)
	jne stub_ask
	mov ST_RESULT(%r12), %rcx
	test %ebp, %ebp
	jnz 4f /* pread64 */
	lea (%rax, %rcx), %rdx
	lock cmpxchg %rdx, ST_WINDOW_MOVES(%r12)
	jne stub_ask
4:	add %rcx, ST_LENT_READ_MOVED(%r12)
	incq ST_LENT_READ_CALLS(%r12)
	jmp answer_is
