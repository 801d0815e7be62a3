/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of this CPU for Linux: when it asks, by an NMI that has no other effect,
 * and when the co-kernel dies. See <pisces/status.h>.
 */
#ifndef CK_ARCH_SNAPSHOT_H
#define CK_ARCH_SNAPSHOT_H

#include "lib/types.h"

struct frame;

/* Finds the place for them. Before it all others do nothing. */
void snapshot_init(void);

/* In an NMI: stores FRAME if Linux has asked. True if it had. GS_BASE: as it was found. */
bool snapshot_answer(const struct frame *frame, uint64_t gs_base);

/* This CPU will not run any more. GS_BASE: as it was found, or that of the co-kernel. */
void snapshot_last(const struct frame *frame, uint64_t gs_base);

#endif
