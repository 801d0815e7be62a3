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

/*
 * What CPU INDEX, whose entry in the boot block is there, needs to run; that of the CPU
 * that was there before, if one was. NULL: out of memory. start_release() lets the CPU
 * go, which by now waits in boot/entry.S; start_cancel() undoes start_prepare().
 */
struct percpu *start_prepare(cpu_id_t index);
void start_cancel(cpu_id_t index, struct percpu *percpu);
void start_release(cpu_id_t index, struct percpu *percpu);

/* The calling CPU is up and online. */
void start_done(void);

/* It is about to park, while others go on. Returns how many are still up. */
unsigned int start_undone(void);

/* CPUs that are up: that have come and have not parked. */
unsigned int start_count(void);

/* In main.c; entered from boot/entry.S. */
__noreturn void main_first(const struct pisces_boot_block *block);
__noreturn void main_other(cpu_id_t index, struct percpu *percpu);

/* In arch/entry.S: STI and HLT. */
void cpu_halt(void);

#endif
