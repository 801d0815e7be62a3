/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in the names of /proc and /sys. */
#ifndef CK_FS_PATH_NUMBER_H
#define CK_FS_PATH_NUMBER_H

#include "lib/types.h"

/* The number that *TEXT begins with, as it would be written; *TEXT goes behind it. */
static inline bool path_number(const char **text, uint32_t *number)
{
	const char *at = *text;
	uint64_t value = 0;

	if (*at < '0' || *at > '9' || (*at == '0' && at[1] >= '0' && at[1] <= '9'))
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (uint64_t)(*at - '0');
		if (value > INT32_MAX)
			return false;
	}
	*number = (uint32_t)value;
	*text = at;
	return true;
}

#endif
