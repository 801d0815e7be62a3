/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/text.h"

#include <stdarg.h>

#include "lib/print.h"
#include "lib/string.h"
#include "mm/heap.h"

#define TEXT_FIRST 0x4000u

void text_init(struct text *text)
{
	text->bytes = heap_alloc(TEXT_FIRST);
	text->used = 0;
	text->room = TEXT_FIRST;
	text->cut = !text->bytes;
}

/* Room for MORE bytes and a NUL. */
static bool grow(struct text *text, size_t more)
{
	size_t room = text->room;
	char *bytes;

	if (text->cut)
		return false;
	if (text->used + more < room)
		return true;
	while (room <= text->used + more)
		room *= 2;
	bytes = room <= TEXT_MOST ? heap_alloc(room) : NULL;
	if (!bytes) {
		text->cut = true;
		return false;
	}
	memcpy(bytes, text->bytes, text->used);
	heap_free(text->bytes);
	text->bytes = bytes;
	text->room = room;
	return true;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	if (text->cut)
		return;
	va_start(args, format);
	length = format_text_args(text->bytes + text->used, text->room - text->used, format, args);
	va_end(args);
	if (length < 0 || !grow(text, (size_t)length))
		return;
	va_start(args, format);
	format_text_args(text->bytes + text->used, text->room - text->used, format, args);
	va_end(args);
	text->used += (size_t)length;
}

void text_add_bytes(struct text *text, const void *bytes, size_t size)
{
	if (!grow(text, size))
		return;
	memcpy(text->bytes + text->used, bytes, size);
	text->used += size;
}

bool text_is_whole(const struct text *text)
{
	return !text->cut;
}

void text_free(struct text *text)
{
	heap_free(text->bytes);
	text->bytes = NULL;
	text->cut = true;
}
