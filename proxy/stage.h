/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staged I/O: which files a co-kernel is to copy in before the program begins. Only the
 * names are found here; it reads them through calls like any.
 */
#ifndef PROXY_STAGE_H
#define PROXY_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

struct stage_list {
	char **paths;
	unsigned int count;
};

struct stage {
	bool wanted; /* staged I/O */
	struct stage_list named;  /* by the user */
	struct stage_list needed; /* by the program, absolute */
};

/*
 * Fills STAGE: what the skin said in the environment, and for PROGRAM its interpreters
 * and libraries, which the program's own ld.so names (as ldd(1) has it do), here, with
 * the user's rights and environment. Does not return if there is no memory. Before there
 * are threads.
 */
void stage_open(struct stage *stage, const struct program *program);

#endif
