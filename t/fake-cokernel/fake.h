/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A co-kernel that does not keep the contract. "fake=NAME" on its command line says
 * in which way: see behaviours.c. What it knows of the node is in machine.c.
 */
#ifndef FAKE_COKERNEL_H
#define FAKE_COKERNEL_H

#include <pisces/boot.h>
#include <pisces/message.h>
#include <pisces/ring.h>
#include <pisces/status.h>

struct fake {
	struct pisces_boot_block *boot; /* in shared memory, and trusted as little as needed */
	struct pisces_status *status;
	struct pisces_task_usage *usage;
	struct pisces_ring *in; /* the rings as they are in shared memory, */
	struct pisces_ring *out;
	struct pisces_ring *console;
	struct pisces_ring_end out_end; /* and, for behaviours that are decent at first, */
	struct pisces_ring_end console_end;
	struct pisces_ring_end in_end; /* the decent ends of them */
	uint32_t control_slots, console_slots;
	unsigned int cpu_count;
	char name[32]; /* of the behaviour */
};

extern struct fake fake;

/* Can interrupts be sent from now on? Maps the local APIC. */
void machine_init(void);

/* Rings Linux where the boot block says. */
void machine_ring(void);

/* TSC ticks of so many milliseconds. */
uint64_t machine_ticks(unsigned int ms);
uint64_t machine_now(void);
void machine_wait(unsigned int ms);

/* A random number; the seed is fixed, so that each run does the same. */
uint64_t machine_random(void);

/* Does what the name says: the first CPU. Returns: the CPU halts. */
void behave_first(void);

/* What the other CPUs do meanwhile. */
void behave_other(void);

/* Is this the behaviour that was asked for? */
bool behaves_as(const char *name);

#endif
