/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CPUs can do, asked once on the first CPU; all CPUs of an enclave are
 * taken to be alike in these.
 */
#ifndef CK_ARCH_FEATURES_H
#define CK_ARCH_FEATURES_H

#include "lib/types.h"

struct cpu_features {
	bool fsgsbase;
	bool smep;
	bool smap;
	bool umip;
	bool meltdown; /* what is mapped for the co-kernel alone can be read by programs */
	bool huge_pages; /* 1 GiB */
	bool xsave;
	bool xsaveopt;
	bool xsaves;
	bool x2apic;
	bool tsc_deadline;
	bool rdtscp;
	bool rdpid;
	unsigned int phys_bits; /* of a physical address */
	uint64_t user_xstate;	/* XCR0: state components that programs have */
	uint32_t hwcap;		/* CPUID 1 EDX: AT_HWCAP */
};

extern struct cpu_features cpu_features;

void features_detect(void);

/* Control registers of the calling CPU, as the features say. */
void features_enable(void);

#endif
