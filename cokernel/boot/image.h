/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places in the image, from the linker script; all on page boundaries. */
#ifndef CK_BOOT_IMAGE_H
#define CK_BOOT_IMAGE_H

extern char image_start[]; /* header and constants */
extern char image_rodata_end[];
extern char image_text_start[];
extern char image_text_end[];
extern char image_entry_start[]; /* arch/isolated.S, in the text */
extern char image_entry_end[];
extern char image_data_start[]; /* data, then zeroed data, to the end */
extern char image_file_end[];
extern char image_end[];

/* Numbers, as the addresses of these. */
extern char image_file_size[];
extern char image_memory_size[];

/* The first CPU's stack, in the zeroed data; the page below it is its guard. */
extern char boot_stack_guard[];
extern char boot_stack_top[];

extern const char image_entry[];

#endif
