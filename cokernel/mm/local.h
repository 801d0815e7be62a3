/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mm/ asks of the machine that it runs on; in its tests, of the test. */
#ifndef CK_MM_LOCAL_H
#define CK_MM_LOCAL_H

#include "lib/types.h"

/* The node of the calling CPU. */
node_id_t mm_this_node(void);

/* A sign of life: long work goes on. */
void mm_heartbeat(void);


/* Do the CPUs have pages of 1 GiB? */
bool mm_has_huge_pages(void);

/* A number that a program cannot guess. */
uint64_t mm_entropy(void);

#endif
