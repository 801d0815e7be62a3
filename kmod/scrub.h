/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clearing memory. */
#ifndef PISCES_KMOD_SCRUB_H
#define PISCES_KMOD_SCRUB_H

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/types.h>

#define SCRUB_CHUNK 0x200000ull /* bytes that one CPU clears at a time */

/* Clears BYTES bytes, a multiple of 32, past the caches. */
void memory_clear(void *at, size_t bytes);

/*
 * Clears the ranges of the list through Linux's direct map, on this CPU and, unless NULL,
 * on those of CPUS. Passes over blocks that could not be added to Linux again. Memory of
 * the way contig goes back to Linux: none of it may be reached afterwards.
 */
void scrub_and_free(struct list_head *ranges, const struct cpumask *cpus);

#endif
