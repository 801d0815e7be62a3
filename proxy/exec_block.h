/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exec block: what the co-kernel is told about the program to run.
 */
#ifndef PROXY_EXEC_BLOCK_H
#define PROXY_EXEC_BLOCK_H

#include <stdint.h>

#include "program.h"
#include "stage.h"

/*
 * Puts the exec block of PROGRAM with ENVIRONMENT and what STAGE says into the CAPACITY bytes at DATA.
 * The variables of the proxy's call interface are left out. ENCLAVE is the number
 * that the program finds in PISCES_ENCLAVE. Returns 0, or -E2BIG with the bytes
 * that would have been needed in *NEEDED.
 */
int exec_block_write(void *data, uint64_t capacity, const struct program *program,
		     const struct stage *stage, char *const environment[], uint32_t enclave,
		     uint64_t *needed);

#endif
