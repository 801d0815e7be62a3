/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts from Linux to an enclave's CPU. */
#ifndef PISCES_KMOD_APIC_H
#define PISCES_KMOD_APIC_H

#include <linux/irqflags.h>
#include "compat.h"

static inline void apic_send(u32 apic_id, u32 command)
{
	unsigned long flags;

	local_irq_save(flags);
	compat_icr_write(command, apic_id);
	local_irq_restore(flags);
}

/* Whatever runs on that CPU stops; it waits for apic_send_startup(). */
static inline void apic_send_init(u32 apic_id)
{
	apic_send(apic_id, APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT);
}

static inline void apic_send_init_deassert(u32 apic_id)
{
	apic_send(apic_id, APIC_INT_LEVELTRIG | APIC_DM_INIT);
}

/* Starts a CPU that waits after INIT, in real mode at PAGE, below 1 MiB. */
static inline void apic_send_startup(u32 apic_id, phys_addr_t page)
{
	apic_send(apic_id, APIC_DM_STARTUP | (u32)(page >> PAGE_SHIFT));
}

static inline void apic_send_nmi(u32 apic_id)
{
	apic_send(apic_id, APIC_DM_NMI);
}

static inline void apic_send_vector(u32 apic_id, u32 vector)
{
	apic_send(apic_id, APIC_DM_FIXED | vector);
}

#endif
