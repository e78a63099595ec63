/*
 * lent.S - read and write of pipes whose bytes lie in a ring that was lent to the
 * thread.  A part of patch.S, behind answers.S, whose terms hold here too: which
 * registers are free, and that whatever is not simple is asked at stub_ask.
 *
 * A ring is lent to one reader and one writer, mostly of two processes; both have
 * it mapped, and so has the sentry (../rings.c, fs/pipe_lent.c).  It has the bytes,
 * and three words, each in a cache line of its own:
 *   ST_RING_READ   the reader's: how many bytes it has taken.  Who reads moves it;
 *   ST_RING_WRITE  the writer's: how many it has put in.  Who writes moves it;
 *   ST_RING_LIMIT  the sentry's: a write that would leave more bytes than that asks,
 *                  so that a reader who sleeps is woken.
 * The counts are the lower halves, modulo 2^32; the highest bit says that the word is
 * valid, and the sentry alone sets and clears it.  The slot says which rings the
 * thread was lent and for which descriptors; the sentry writes that while the thread
 * is stopped.
 *
 * A call looks at its own word, which must be valid, and at the other's count: where
 * that makes no sense (more bytes than a ring holds), or there is nothing to read, or
 * no room for the whole write, it asks.  Then it copies, and only in the end moves its
 * own word, by a compare-and-swap from what it has seen first.
 *
 * The sentry takes the ring back by clearing the valid bit of both words.  A move that
 * came before counts; one that comes later fails, and its call is asked as if nothing
 * had been tried: what it has copied lies where that call writes anyway, or behind the
 * counts.  So a slot that still names a ring that was taken back does no harm: its
 * words stay invalid, and it serves no other pipe while a slot names it.
 *
 * A read that finds nothing looks on for as long as the slot says (../look.c), and asks then, or
 * if its word is not valid any more, or if the thread is to be interrupted.  Or it rests: it sleeps
 * until the sentry wakes it, as the writer has asked for more room than ST_RING_MUCH, or sleeps, or
 * a while is over.  Where there is little then, the next one asks.
 *
 * Both programs can write all of this at any time, valid bits too.  Each may so spoil
 * what the other reads, or keep it waiting, as it can by what it writes to the pipe or
 * by not using it.  It gains no more: a copy is of as many bytes as the call asks for
 * at the most, its place in the ring is taken modulo the size and goes round at the
 * end, and the other place is the caller's own memory, touched by its own rights.  The
 * sentry takes counts for no more than a ring holds, and looks no more at one that the
 * pipe has left.  Other pipes' bytes never lie there: a ring is cleared, and neither
 * program has it mapped any more, before it serves another.
 *
 * Between stub_answers_end and stub_copies_end the bytes are copied, by rdi and rsi
 * themselves.  Where that faults, the handler has the thread go on at stub_copy_faulted:
 * the call is asked, and the sentry told, so that it maps that memory for the next time.
 */

	/* Of ecx bytes from a ring's index edx on: ecx are before its end, edx go on at its beginning. */
	.macro split
	lea -ST_RING_SIZE(%rcx, %rdx), %edx
	test %edx, %edx
	jns 1f
	xor %edx, %edx
1:	sub %edx, %ecx
	.endm

	/* The bytes are copied: moves the ring's own word from what it was, counts that in the slot, and answers. */
	.macro commit word, moved, calls
	mov ST_RESULT(%r12), %rcx
	lea (%rax, %rcx), %edx
	bts $63, %rdx
	mov %rbx, %rdi
	mov %r13, %rsi
	lock cmpxchg %rdx, \word(%r15)
	jne stub_ask
	add %rcx, \moved(%r12)
	incq \calls(%r12)
	jmp answer_is
	.endm

	/*
	 * read(edi, rsi buffer, r14 n): what there is, up to n.  rbx and r13 keep rdi and
	 * rsi while it copies, rax the word, ST_RESULT how many bytes; r15 is the ring.
	 */
read_lent:
	cmp ST_LENT_READ_FD(%r12), %edi
	jne not_lent
	mov ST_LENT_READ(%r12), %r15
	test %r15, %r15
	jz not_lent
	lea (%rsi, %r14), %rdx
	or %rsi, %rdx
	or %r14, %rdx
	shr $47, %rdx
	jnz stub_ask
	mov ST_RING_READ(%r15), %rax
	test %rax, %rax
	jns stub_ask
	mov ST_RING_WRITE(%r15), %ecx
	sub %eax, %ecx
	jz await
	cmp $ST_RING_SIZE, %ecx
	ja stub_ask
	cmp %r14, %rcx
	cmova %r14, %rcx
	test %ecx, %ecx
	jz stub_ask
	mov %rcx, ST_RESULT(%r12)
	mov %rdi, %rbx
	mov %rsi, %r13
	mov %rsi, %rdi
	mov %eax, %edx
	and $ST_RING_SIZE - 1, %edx
	lea ST_RING_DATA(%r15, %rdx), %rsi
	split
	cld
	jmp copy_out
copied_out:
	commit ST_RING_READ, ST_LENT_READ_MOVED, ST_LENT_READ_CALLS

	/* There is nothing, which eax says too: it looks on for a while, if nobody wants anything else of it. */
await:
	test %r14, %r14
	jz stub_ask
	mov ST_LENT_SPIN(%r12), %r13
	test %r13, %r13
	jz rest
	mov %eax, %ecx
	rdtsc
	shl $32, %rdx
	or %rax, %rdx
	mov %rdx, %rbx
1:	cmp %ecx, ST_RING_WRITE(%r15)
	jne 2f
	cmpq $0, ST_RING_READ(%r15)
	jns stub_ask
	cmpl $0, ST_KICKED(%r12)
	jne stub_ask
	rdtsc
	shl $32, %rdx
	or %rax, %rdx
	sub %rbx, %rdx
	cmp %r13, %rdx
	jb 1b
	incl ST_LENT_VAIN(%r12)
	jmp stub_ask
2:	incl ST_LENT_SPUN(%r12)
	jmp read_lent

	/* A mark of an interruption that comes between the look at it and the sleep waits for its end. */
rest:
	cmpl $0, ST_LENT_REST(%r12)
	je stub_ask
	mov %rdi, ST_RDI(%r12)
	mov %rsi, ST_RSI(%r12)
	mov %r10, ST_R10(%r12)
	movl $ST_RING_MUCH, ST_RING_LIMIT(%r15)
	movl $1, ST_LENT_RESTS(%r12)
	mfence
	cmp %eax, ST_RING_WRITE(%r15)
	jne 1f
	cmpq $0, ST_RING_READ(%r15)
	jns 1f
	cmpl $0, ST_KICKED(%r12)
	jne 1f
	lea ST_LENT_RESTS(%r12), %rdi
	xor %esi, %esi /* FUTEX_WAIT */
	mov $1, %edx
	lea 1f(%rip), %rbx
	jmp stub_futex
1:	movl $0, ST_LENT_RESTS(%r12)
	movl $ST_RING_SIZE, ST_RING_LIMIT(%r15)
	mov ST_RDI(%r12), %rdi
	mov ST_RSI(%r12), %rsi
	mov ST_R10(%r12), %r10
	mov ST_RING_WRITE(%r15), %ecx
	sub ST_RING_READ(%r15), %ecx
	cmp $ST_RING_LITTLE, %ecx
	jae read_lent
	movl $0, ST_LENT_REST(%r12)
	test %ecx, %ecx
	jnz read_lent
	jmp stub_ask

	/* write(edi, rsi buffer, r14 n): all, if there is room.  The same registers. */
write_lent:
	cmp ST_LENT_WRITE_FD(%r12), %edi
	jne stub_ask
	mov ST_LENT_WRITE(%r12), %r15
	test %r15, %r15
	jz stub_ask
	mov ST_RING_WRITE(%r15), %rax
	test %rax, %rax
	jns stub_ask
	lea -1(%r14), %rcx
	cmp $ST_RING_SIZE, %rcx
	jae stub_ask
	mov %eax, %ecx
	sub ST_RING_READ(%r15), %ecx
	mov ST_RING_LIMIT(%r15), %edx
	sub %rcx, %rdx
	jb stub_ask
	cmp %r14, %rdx
	jb stub_ask
	mov %r14, %rcx
	mov %rcx, ST_RESULT(%r12)
	mov %rdi, %rbx
	mov %rsi, %r13
	mov %eax, %edx
	and $ST_RING_SIZE - 1, %edx
	lea ST_RING_DATA(%r15, %rdx), %rdi
	split
	cld
	jmp copy_in
copied_in:
	commit ST_RING_WRITE, ST_LENT_WRITE_MOVED, ST_LENT_WRITE_CALLS
stub_answers_end:

	/* Up to stub_copies_end, where a fault leads to stub_copy_faulted. */
copy_out:
	rep movsb
	mov %edx, %ecx
	lea ST_RING_DATA(%r15), %rsi
	rep movsb
	jmp copied_out
copy_in:
	rep movsb
	mov %edx, %ecx
	lea ST_RING_DATA(%r15), %rdi
	rep movsb
	jmp copied_in
copy_window:
	rep movsb
	jmp copied_window
stub_copies_end:

stub_copy_faulted:
	mov %rbx, %rdi
	mov %r13, %rsi
	movl $1, ST_LENT_FAULTED(%r12)
	jmp stub_ask
