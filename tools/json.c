/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

static void quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < 0x20 || byte >= 0x7f)
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

/* What stands before a value: the comma after the last one, a new line, the key. */
static void lead_in(struct json *json, const char *key)
{
	if (json->depth > 0) {
		if (!json->first)
			putchar(',');
		printf("\n%*s", (int)json->depth * 2, "");
	}
	json->first = false;
	if (key) {
		quoted(key);
		printf(": ");
	}
}

void json_begin(struct json *json, const char *key, char bracket)
{
	lead_in(json, key);
	putchar(bracket);
	json->depth++;
	json->first = true;
}

void json_end(struct json *json, char bracket)
{
	json->depth--;
	if (!json->first)
		printf("\n%*s", (int)json->depth * 2, "");
	putchar(bracket);
	if (json->depth == 0)
		putchar('\n');
	json->first = false;
}

void json_text(struct json *json, const char *key, const char *value)
{
	lead_in(json, key);
	quoted(value);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	lead_in(json, key);
	printf("%" PRIu64, value);
}
