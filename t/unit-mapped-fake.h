/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the test of files that are mapped shared: two processes whose proxy is the test
 * itself, so that their calls reach files of this machine.
 */
#ifndef T_UNIT_MAPPED_FAKE_H
#define T_UNIT_MAPPED_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/aspace.h"

#define PROCESSES 2u

/* A new life for both; then process N is the running one, and its address space loaded. */
void fake_begin(void);
void fake_run(unsigned int n);

struct aspace *fake_aspace(void);

/* Process N ends, as its last thread sees it. */
void fake_end(unsigned int n);

/* Nothing of the two is there any more. */
void fake_close(void);

/* What process N can call is answered with this, if it is not 0. */
extern int fake_pwrite_error, fake_error[PROCESSES];

/* pwrite64() calls, and the largest number that they had of a byte behind what they wrote. */
extern unsigned int fake_pwrites;
extern uint64_t fake_highest;

/* What process_report() has said last. */
extern char fake_report[512];

/* What page_cache_map() returns. */
#define FAKE_CACHED 0x12345000

#endif
