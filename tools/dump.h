/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces dump: what its files share. */
#ifndef PISCES_DUMP_H
#define PISCES_DUMP_H

#include "tool.h"

#include <pisces/boot.h>
#include <pisces/status.h>
#include <stdio.h>

/* Memory of the enclave that is one piece in the file, at physical address BASE. */
struct dump_piece {
	uint64_t base;
	uint64_t size;
	uint64_t offset; /* in the file */
};

/* A piece of memory, or a part of one, as the co-kernel sees it. */
struct dump_segment {
	uint64_t virtual_base;
	uint64_t base; /* physical */
	uint64_t size;
};

struct dump {
	int fd; /* handle of the enclave */
	struct pisces_info info;
	struct pisces_layout layout; /* all 0 if the memory is gone */
	struct pisces_range_info *ranges;
	struct pisces_boot_block *boot; /* NULL if the memory is gone */
	struct pisces_registers *registers;
	unsigned int cpu_count; /* entries of registers */

	struct dump_piece *pieces;
	unsigned int piece_count;
	struct dump_segment *segments;
	unsigned int segment_count;
};

/*
 * Writes the core of ENCLAVE to FILE, and to TO how to look at it. Returns 0; -1 with *ERROR,
 * and no file. Needs root.
 */
int dump_enclave(uint32_t enclave, const char *file, FILE *to, struct pisces_error *error);

/*
 * What the co-kernel maps besides its direct map and its image, such as the stacks of
 * its threads: appends it to the segments, from the page tables at physical address
 * ROOT. What does not lie in a piece is left out.
 */
void dump_walk(struct dump *dump, uint64_t root);

/* Appends a segment. What is too much is left out: false. */
bool dump_add_segment(struct dump *dump, uint64_t virtual_base, uint64_t base, uint64_t size);

/*
 * Writes the core to FILE, which is empty. Returns 0; -1 with *ERROR. *LOST: bytes that
 * were in a piece when it was looked at, and could not be read any more.
 */
int dump_write(struct dump *dump, int file, uint64_t *lost, struct pisces_error *error);

#endif
