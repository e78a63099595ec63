/* vdso_image.S - the vDSO (guest-code/), as bytes: whole pages. */
	.section .rodata
	.globl vdso_image, vdso_image_size
	.balign 4096
vdso_image:
	.incbin "arch/x86_64/vdso.so"
	.balign 4096
vdso_image_end:
	.balign 8
vdso_image_size:
	.quad vdso_image_end - vdso_image
	.section .note.GNU-stack, "", @progbits
