/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory blocks of Linux that are not as they were: the ways block and remove.
 *
 *   (online) -> RESERVED -> TAKEN -> OFFLINE -> (online)
 *                                 -> REMOVED -> OFFLINE
 *
 * Each of them holds this module until Linux has it online again.
 */
#ifndef PISCES_KMOD_BLOCK_H
#define PISCES_KMOD_BLOCK_H

#include <linux/list.h>
#include <linux/types.h>
#include <pisces/ioctl.h>

int blocks_init(void);
void blocks_exit(void);

/*
 * PISCES_IOC_RESERVE_BLOCK for enclave number ENCLAVE. What it has reserved before and
 * not taken offline is forgotten by this. -ENOMEM: Linux needs that memory itself.
 */
int block_reserve(u32 enclave, const struct pisces_reserve_block *request);

/*
 * PISCES_IOC_ADD_MEMORY, ways block and remove: appends the one range to *RANGES and
 * shows it in /proc/iomem as NAME, which stays the caller's.
 */
int block_take(struct list_head *ranges, struct pisces_add_memory *request, u32 enclave,
	       const char *name);

/* The enclave ends: what it has reserved and not taken is Linux's again. */
void blocks_forget(u32 enclave);

/* Way remove: adds the taken blocks of [BASE, BASE + SIZE) to Linux, still not to be used. */
void blocks_add(u64 base, u64 size);

/* False for a taken block of way remove that Linux does not have in its direct map. */
bool block_is_added(u64 address);

/* The taken blocks of [BASE, BASE + SIZE), scrubbed, may go online. */
void blocks_return(u64 base, u64 size);

/* True if there are blocks that user space should bring online. */
bool blocks_wait(void);

/* PISCES_IOC_BLOCKS and PISCES_IOC_RECLAIM. */
int blocks_list(struct pisces_blocks *request);
int blocks_reclaim(void);

#endif
