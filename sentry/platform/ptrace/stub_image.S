/* stub_image.S - the stub's executable (guest-code/), as bytes. */
	.section .rodata
	.globl pt_stub_image, pt_stub_image_end
	.balign 16
pt_stub_image:
	.incbin "platform/ptrace/stub.elf"
pt_stub_image_end:
	.section .note.GNU-stack, "", @progbits
