/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the entry of the image to C, on each CPU. */
#ifndef CK_ARCH_START_H
#define CK_ARCH_START_H

#include <pisces/boot.h>

#include "lib/types.h"

struct percpu;

/* What a CPU that waits in boot/entry.S is given; it goes when STACK is there. */
struct start_slot {
	uint64_t stack; /* its top */
	struct percpu *percpu;
};

/*
 * Gives each other CPU its stack and its block, and lets it go. They come up while
 * the caller goes on.
 */
void start_others(void);

/* Waits until all CPUs are up; panics with the missing one's name. */
void start_wait(void);

/* The calling CPU is up. */
void start_done(void);

/* In main.c; entered from boot/entry.S. */
__noreturn void main_first(const struct pisces_boot_block *block);
__noreturn void main_other(cpu_id_t index, struct percpu *percpu);

/* In arch/entry.S: STI and HLT. */
void cpu_halt(void);

#endif
