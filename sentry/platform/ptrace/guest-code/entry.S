/*
 * entry.S - the stub's entry points, at the offsets that stub.h names.
 *
 * This runs in stub threads only when the sentry has set the registers and
 * resumed them here; it uses no stack and believes nothing it reads.  Program
 * code may jump here too: its thread runs under PTRACE_SYSEMU then, so that the
 * system calls below are the program's own and go to the sentry.
 *
 * The *_end labels are the return addresses that the seccomp filter
 * (zygote.c) compares with.
 */
#include "stub.h"

	.section .entry, "ax", @progbits
	.globl stub_syscall_end, stub_clone_end, stub_park_end, stub_park
	.globl stub_recv_end, stub_mmap_end, stub_close_end, zygote_syscall_end, zygote_syscall, stub_first

	.org STUB_SYSCALL - STUB_TEXT
	syscall
stub_syscall_end:
	int3

	.org STUB_CLONE - STUB_TEXT
	mov $56, %eax /* clone */
	syscall
stub_clone_end:
	test %rax, %rax
	jz stub_park
	int3

	.org STUB_PARK - STUB_TEXT
stub_park:
	mov $34, %eax /* pause */
	syscall
stub_park_end:
	jmp stub_park

	/* mmap's arguments in rdi rsi rdx r10 r9. */
	.org STUB_MAP_FILE - STUB_TEXT
	mov %rdi, %r12
	mov %rsi, %r13
	mov %rdx, %r14
	lea stub_scratch(%rip), %rsi /* struct msghdr, iovec at +64, byte at +96, control at +128 */
	xor %eax, %eax
	mov %rax, (%rsi)
	mov %rax, 8(%rsi)
	lea 64(%rsi), %rdi
	mov %rdi, 16(%rsi)
	movq $1, 24(%rsi)
	lea 128(%rsi), %rdi
	mov %rdi, 32(%rsi)
	movq $24, 40(%rsi)
	mov %rax, 48(%rsi)
	lea 96(%rsi), %rdi
	mov %rdi, 64(%rsi)
	movq $8, 72(%rsi)
	mov $STUB_FD_CHANNEL, %edi
	mov $0x40, %edx /* MSG_DONTWAIT */
	mov $47, %eax /* recvmsg */
	syscall
stub_recv_end:
	test %rax, %rax
	js 1f
	mov %r12, %rdi
	mov %r13, %rsi
	mov %r14, %rdx
	mov $STUB_FD_FILE, %r8d
	mov $9, %eax /* mmap */
	syscall
stub_mmap_end:
	mov %rax, %rbx
	mov $STUB_FD_FILE, %edi
	mov $3, %eax /* close */
	syscall
stub_close_end:
	mov %rbx, %rax
1:	int3

	.org STUB_ZYGOTE - STUB_TEXT
	.globl _start
_start:
	lea zygote_stack_end(%rip), %rsp
	xor %ebp, %ebp
	call zygote_main
	ud2

	/* int64_t zygote_syscall(nr, a, b, c, d, e) */
zygote_syscall:
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %r10
	mov %r9, %r8
	syscall
zygote_syscall_end:
	ret

	.section .scratch, "aw", @nobits
	.globl stub_scratch
stub_scratch:
	.skip 4096
	.skip 4096
zygote_stack_end:

	.section .note.GNU-stack, "", @progbits
