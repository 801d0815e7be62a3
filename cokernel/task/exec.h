/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the first instruction of a program finds. */
#ifndef CK_TASK_EXEC_H
#define CK_TASK_EXEC_H

#include <pisces/channel.h>

#include "lib/types.h"
#include "mm/elf.h"

struct process;

struct program_start {
	/* On the heap until it begins, or does not. */
	struct pisces_exec *exec;
	struct elf_image *image;
	user_addr_t entry; /* of the interpreter if there is one */
	user_addr_t interpreter_base; /* 0: none */
	user_addr_t vdso; /* 0: none */
};

/*
 * Makes the stack of PROCESS, whose address space is loaded: arguments,
 * environment, auxiliary vector, as the System V ABI says. Returns RSP or -errno.
 */
int64_t exec_build_stack(struct process *process, const struct program_start *start);

#endif
