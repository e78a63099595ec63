/* note.S - the kernel version note that ld.so looks for in a vDSO: Linux 6.6. */
	.section .note.Linux, "a", @note
	.balign 4
	.long 6, 4, 0
	.asciz "Linux"
	.balign 4
	.long (6 << 16) | (6 << 8)
	.section .note.GNU-stack, "", @progbits
