/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/text.h"

#include <stdarg.h>

#include "lib/print.h"
#include "mm/heap.h"

void text_init(struct text *text, size_t room)
{
	text->bytes = heap_alloc(room);
	text->used = 0;
	text->room = room;
}

void text_add(struct text *text, const char *format, ...)
{
	size_t left = text->room - text->used;
	va_list args;
	int length;

	if (!text->bytes || left == 0)
		return;
	va_start(args, format);
	length = format_text_args(text->bytes + text->used, left, format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= left)
		text->used = text->room;
	else
		text->used += (size_t)length;
}

bool text_is_whole(const struct text *text)
{
	return text->bytes && text->used < text->room;
}

void text_free(struct text *text)
{
	heap_free(text->bytes);
	text->bytes = NULL;
}
