/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct pollfd of the ABI, and its events. */
#ifndef CK_FS_ABI_POLL_H
#define CK_FS_ABI_POLL_H

#include "lib/types.h"

#define POLL_IN 0x0001
#define POLL_PRIORITY 0x0002
#define POLL_OUT 0x0004
#define POLL_ERROR 0x0008
#define POLL_HANG_UP 0x0010
#define POLL_INVALID 0x0020

struct poll_entry {
	int32_t fd;
	int16_t events;
	int16_t found;
};

#endif
