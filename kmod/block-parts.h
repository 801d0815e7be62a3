/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What block.c and block-take.c share. */
#ifndef PISCES_KMOD_BLOCK_PARTS_H
#define PISCES_KMOD_BLOCK_PARTS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "iomem.h"

enum block_phase {
	BLOCK_LEAVING,	/* Linux is asked for it (way remove), and may keep it: not guarded */
	BLOCK_RESERVED, /* user space takes it offline (way block) */
	BLOCK_TAKEN,
	BLOCK_ADDING,	/* being added to Linux again; whoever set this has the block for itself */
	BLOCK_OFFLINE,
	BLOCK_REMOVED,
};

struct block {
	struct list_head link;
	struct list_head failed; /* see blocks_add(), blocks_reclaim() */
	u64 base;
	u64 size;
	enum block_phase phase;
	u32 enclave; /* 0: none */
	u32 node;
	bool movable;
	bool removed; /* not in Linux's direct map */
	bool stuck; /* Linux has had enough time to empty it */
	struct iomem_entry shown;
};

extern spinlock_t blocks_lock;

/* The block with ADDRESS in it, or NULL. */
struct block *block_at_locked(u64 address);

/*
 * Puts a block that is online into the list. -EINVAL: it is not one; -EBUSY: it is in the
 * list already; -ENOMEM: also if Linux needs that memory itself.
 */
int block_insert(u64 base, u64 size, enum block_phase phase, u32 enclave);
void block_remove(u64 base);

/* Of [BASE, BASE + SIZE): 1 all online, 0 none, -1 some. */
int block_online(u64 base, u64 size);

#endif
