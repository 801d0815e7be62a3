/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /sys/devices/system/node: which NUMA nodes there are, and what of them is the enclave's. */
#ifndef CK_FS_OWN_NODES_H
#define CK_FS_OWN_NODES_H

#include "lib/types.h"

struct text;

/* Is PATH one of these files? */
bool own_is_node_file(const char *path);

/* What is in it. */
void own_write_node_file(const char *path, struct text *text);

#endif
