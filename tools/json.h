/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON to stdout, indented. KEY is NULL inside an array. Text is taken as
 * bytes: what is not ASCII is written as the code point of the same number.
 */
#ifndef PISCES_JSON_H
#define PISCES_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct json {
	unsigned int depth;
	bool first; /* nothing has been written yet inside the innermost bracket */
};

void json_begin(struct json *json, const char *key, char bracket); /* '{' or '[' */
void json_end(struct json *json, char bracket);			   /* '}' or ']' */
void json_text(struct json *json, const char *key, const char *value);
void json_number(struct json *json, const char *key, uint64_t value);

#endif
