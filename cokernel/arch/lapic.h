/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC, in xAPIC or x2APIC mode as Linux left it. */
#ifndef CK_ARCH_LAPIC_H
#define CK_ARCH_LAPIC_H

#include "lib/types.h"

#define LAPIC_TIMER_VECTOR 0x41u
#define LAPIC_KICK_VECTOR 0x42u /* cpu_kick() and TLB shootdown */
#define LAPIC_SPURIOUS_VECTOR 0xffu

void lapic_map(void);	     /* once, before any other call: makes the registers reachable */
void lapic_init_cpu(void);   /* on each CPU: software enable, nothing but IPIs and NMI comes */
void lapic_calibrate(void);  /* once: how fast its timer counts; needs no interrupt */
apic_id_t lapic_id(void);
void lapic_eoi(void);

/* The same for a vector that nobody here has asked for: only if it is in service. */
void lapic_eoi_stray(uint8_t vector);

/* Sends VECTOR to a physical APIC id, of the enclave or of Linux. */
void lapic_send(apic_id_t to, uint8_t vector);

void lapic_send_nmi(apic_id_t to);

/* One interrupt of LAPIC_TIMER_VECTOR after SPAN ns, or somewhat earlier when it
 * is longer than the timer can count; the caller looks at the clock. Replaces
 * the one before. */
void lapic_timer_arm(nsec_t span);
void lapic_timer_stop(void);

#endif
