/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file and a program's memory for the ELF loader. The memory knows what was
 * reserved, mapped and protected, and takes every access outside of that, and
 * every call out of order, for an error of the loader.
 */
#ifndef T_UNIT_ELF_MEMORY_H
#define T_UNIT_ELF_MEMORY_H

#include "mm/elf.h"

#define ELF_MEMORY_MOST (8u << 20)
#define ELF_CHUNKS 160u

struct elf_test {
	/* The file, and bytes that take the place of its first ones. */
	const uint8_t *file;
	uint64_t file_size;
	const uint8_t *head;
	uint64_t head_size;
	/* After so many reads HEAD becomes this: somebody writes to the file. */
	const uint8_t *later_head;
	unsigned int reads, later_after;
	unsigned int fail_read; /* this read fails with EIO; 0: none */
	bool map_files; /* can the memory map parts of the file? */

	user_addr_t anywhere; /* where an image goes that may go anywhere */
	user_addr_t base;     /* reserved */
	uint64_t size;
	struct {
		user_addr_t at;
		uint64_t size;
		uint8_t *memory;
	} chunks[ELF_CHUNKS];
	unsigned int chunk_count;
	uint64_t mapped;
	struct {
		user_addr_t at;
		uint64_t size;
		unsigned int prot;
	} rights[ELF_CHUNKS];
	unsigned int right_count;

	const char *wrong; /* what the loader must never do */
	struct elf_image image;
	const char *why;
};

/* Loads TEST's file. What elf_load() said. */
int elf_test_load(struct elf_test *test);

/* Frees the memory. */
void elf_test_done(struct elf_test *test);

/* Bytes of the file as they are read now; 0 beyond its end. */
uint8_t elf_test_file_byte(const struct elf_test *test, uint64_t offset);

/* A byte of the program: 0 where no page is, as the co-kernel has it. */
uint8_t elf_test_byte(const struct elf_test *test, user_addr_t address);

/* The protection of its page as it was set last; 0 where none was. */
unsigned int elf_test_prot(const struct elf_test *test, user_addr_t address);

#endif
