/* stub_image.S - the stub's executable (guest-code/), as bytes. */
	.section .rodata
	.globl st_stub_image, st_stub_image_end
	.balign 16
st_stub_image:
	.incbin "platform/systrap/stub.elf"
st_stub_image_end:
	.section .note.GNU-stack, "", @progbits
