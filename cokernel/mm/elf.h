/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading an ELF program. Built for user space too, where it is fuzzed: it
 * believes nothing of the file, and reaches file and memory only through the
 * two interfaces below.
 */
#ifndef CK_MM_ELF_H
#define CK_MM_ELF_H

#include "lib/types.h"

/* Where the bytes come from. Returns bytes read (fewer only at the end), or -errno. */
struct elf_source {
	int64_t (*read)(void *context, uint64_t offset, void *to, uint64_t size);
	/* The same straight into the new program's memory. */
	int64_t (*read_user)(void *context, uint64_t offset, user_addr_t to, uint64_t size);
	void *context;
};

struct elf_image;

/* Where they go. 0 or -errno. */
struct elf_memory {
	/*
	 * The file is sound, as far as can be seen, and the image has the name of its interpreter:
	 * now there has to be memory for it. NULL: there is.
	 */
	int (*begin)(void *context);
	/*
	 * Reserve SIZE bytes anywhere (at 0) or there, for an image: all or nothing.
	 * What is only reserved and gets a protection reads as zero.
	 */
	int64_t (*reserve)(void *context, user_addr_t at, uint64_t size);
	/* Make [at, at + size) zeroed memory that can be written now. Page aligned. */
	int (*map)(void *context, user_addr_t at, uint64_t size);
	/*
	 * The same with the file's bytes from OFFSET on, of which [0, USED) of the range are
	 * wanted; what follows is zero if CLEAR. NULL: all is read by read_user().
	 */
	int (*map_file)(void *context, user_addr_t at, uint64_t size, uint64_t offset,
			uint64_t used, bool clear);
	/* Its final protection. */
	int (*protect)(void *context, user_addr_t at, uint64_t size, unsigned int prot);
	void *context;
};

#define ELF_INTERP_MAX 256u

struct elf_image {
	user_addr_t base;	    /* load bias: 0 for ET_EXEC */
	user_addr_t start, end;	    /* of all segments */
	user_addr_t entry;
	user_addr_t program_headers; /* address in memory, for AT_PHDR */
	uint16_t program_header_count;
	uint16_t program_header_size;
	bool executable_stack;
	char interpreter[ELF_INTERP_MAX]; /* "" for a static program */
};

/*
 * Checks the whole file, then loads all PT_LOAD segments. Returns 0; -ENOEXEC with
 * *WHY set to a sentence for the user ("it is for another machine: aarch64"), or
 * the error of source or memory. On failure the caller destroys the aspace.
 */
int elf_load(const struct elf_source *source, const struct elf_memory *memory,
	     struct elf_image *image, const char **why);

#endif
