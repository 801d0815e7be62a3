/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restartable sequences: a thread has a structure in its memory that says on which
 * CPU it runs, and maybe a piece of code that is begun anew whenever the thread has
 * lost its CPU, or got a signal, in the middle of it.
 */
#ifndef CK_TASK_RSEQ_H
#define CK_TASK_RSEQ_H

#include "lib/types.h"

struct frame;
struct process;
struct thread;

/* struct rseq of the ABI, as Linux 6.1 knows it. */
#define RSEQ_SIZE 32u

/* What rseq(2) does: 0 or -errno. */
int rseq_register(user_addr_t at, uint32_t size, uint32_t signature);
int rseq_unregister(user_addr_t at, uint32_t size, uint32_t signature);

/*
 * On the way to user mode, of a thread that is registered and has lost its CPU, or
 * before a handler runs: FRAME goes to where the sequence says if it was in one.
 * What cannot be read or written is SIGSEGV, and false.
 */
bool rseq_resume(struct frame *frame);

/* Every thread of PROCESS begins its sequence anew when it comes through the co-kernel. */
void rseq_disturb(struct process *process);

#endif
