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

static bool has(const uint64_t *set, unsigned int words, unsigned int bit)
{
	return bit < words * 64 && (set[bit / 64] >> (bit % 64) & 1);
}

void text_add_list(struct text *text, const uint64_t *set, unsigned int words)
{
	const char *separator = "";
	unsigned int first, last;

	for (first = 0; first < words * 64; first = last + 1) {
		last = first;
		if (!has(set, words, first))
			continue;
		while (has(set, words, last + 1))
			last++;
		text_add(text, "%s%u", separator, first);
		if (last > first)
			text_add(text, "-%u", last);
		separator = ",";
	}
	text_add(text, "\n");
}

void text_add_mask(struct text *text, const uint64_t *set, unsigned int words)
{
	while (words > 1 && set[words - 1] == 0)
		words--;
	for (unsigned int i = words; i > 0; i--)
		text_add(text, "%08x,%08x%s", (uint32_t)(set[i - 1] >> 32), (uint32_t)set[i - 1],
			 i > 1 ? "," : "\n");
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
