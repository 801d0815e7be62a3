/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that grows. */
#ifndef CK_FS_TEXT_H
#define CK_FS_TEXT_H

#include "lib/types.h"

#define TEXT_MOST 0x40000u

struct text {
	char *bytes; /* NULL: there was no memory */
	size_t used;
	size_t room;
};

void text_init(struct text *text, size_t room);
void text_add(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets of WORDS * 64 bits as Linux writes them, a line: "0-3,7", and "00000000,0000008f". */
void text_add_list(struct text *text, const uint64_t *set, unsigned int words);
void text_add_mask(struct text *text, const uint64_t *set, unsigned int words);

/* All was added: nothing was cut off. */
bool text_is_whole(const struct text *text);
void text_free(struct text *text);

#endif
