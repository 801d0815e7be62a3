/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `pisces top` shows: two looks at the enclaves, and what lies between them. */
#ifndef PISCES_TOP_H
#define PISCES_TOP_H

#include "tool.h"

#include <stdio.h>

struct top_enclave {
	struct pisces_info info;
	struct pisces_status *status; /* NULL: it has not been booted yet */
	unsigned int cpu_count;	      /* in status and places */
	struct pisces_place *places;  /* where the CPUs are; NULL if that is not to be had */
	int place_count;
};

struct top_sample {
	uint64_t when_ns;
	unsigned int count;
	struct top_enclave *enclaves;
};

/* What grows, of one CPU or of all. */
struct top_counters {
	uint64_t calls;
	uint64_t forwarded;
	uint64_t interrupts;
	uint64_t faults;
	uint64_t beats; /* signs of life */
};

/* How much it grew in a second; `known` is false for what was not there before. */
struct top_rates {
	bool known;
	struct top_counters per_second;
};

/* Looks at all enclaves, or at ENCLAVE only if it is not 0. Returns 0 or -1. */
int top_look(uint32_t enclave, struct top_sample *sample, struct pisces_error *error);
void top_forget(struct top_sample *sample);

/* Rates of enclave INDEX of NOW, in all or (CPU >= 0) of one CPU in its order. */
struct top_rates top_rates(const struct top_sample *before, const struct top_sample *now,
			   unsigned int index, int cpu);

/* Linux's number of CPU INDEX of the enclave; -1 if it is not known. */
int top_linux_cpu(const struct top_enclave *enclave, unsigned int index);

/* Text of it, a line for each enclave and, with CPUS, one for each CPU; JSON to stdout. */
void top_print(FILE *to, const struct top_sample *before, const struct top_sample *now, bool cpus);
void top_print_json(const struct top_sample *before, const struct top_sample *now);

#endif
