/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shared object that is built from user/, as it is. */
	.section .rodata
	.balign 4096
	.globl vdso_image_start, vdso_image_end
vdso_image_start:
	.incbin "vdso.so"
vdso_image_end:
	.balign 4096

	.section .note.GNU-stack, "", @progbits
