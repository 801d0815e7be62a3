/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/option.h"
#include "lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static void copy(char *to, const char *from, size_t length, size_t size)
{
	if (size == 0)
		return;
	length = min_u64(length, size - 1);
	memcpy(to, from, length);
	to[length] = '\0';
}

const char *option_find(const char *line, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	for (;;) {
		const char *end;

		while (is_blank(*line))
			line++;
		if (*line == '\0')
			return NULL;
		for (end = line; *end != '\0' && !is_blank(*end); end++)
			;
		if (strncmp(line, name, length) == 0 && line + length <= end) {
			const char *rest = line + length;

			if (rest == end || *rest == '=') {
				rest += rest < end;
				copy(value, rest, (size_t)(end - rest), size);
				return value;
			}
		}
		line = end;
	}
}
