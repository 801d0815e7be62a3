/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that grows. */
#ifndef CK_FS_TEXT_H
#define CK_FS_TEXT_H

#include "lib/types.h"

#define TEXT_MOST 0x400000u

struct text {
	char *bytes;
	size_t used;
	size_t room;
	bool cut; /* there was no memory for all of it */
};

void text_init(struct text *text);
void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const void *bytes, size_t size);

/* All was added: nothing was cut off. */
bool text_is_whole(const struct text *text);
void text_free(struct text *text);

#endif
