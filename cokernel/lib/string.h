/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and string functions as in C; the compiler calls the first four by itself. */
#ifndef CK_LIB_STRING_H
#define CK_LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *text, int c);

/* Copies at most size - 1 characters and terminates. Returns strlen(from). */
size_t strlcpy(char *to, const char *from, size_t size);

#endif
