/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/string.h"

/*
 * String instructions: short code, and all CPUs that matter make them fast. They
 * are also the only form that the compiler does not turn into a call of itself.
 * Words first: as good as bytes on real CPUs, and better on emulated ones.
 */
void *memcpy(void *to, const void *from, size_t size)
{
	void *d = to;
	size_t words = size / 8;
	size_t rest = size % 8;

	__asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(rest) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if ((uint64_t)d - (uint64_t)s >= size) {
		/* Forward is right here, also if they overlap: bytes that are read come later. */
		return memcpy(to, from, size);
	}
	d += size - 1;
	s += size - 1;
	__asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(d), "+S"(s), "+c"(size) : : "memory");
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *d = to;
	uint64_t pattern = (uint8_t)byte * 0x0101010101010101ull;
	size_t words = size / 8;
	size_t rest = size % 8;

	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; size != 0; size--, x++, y++) {
		if (*x != *y)
			return *x < *y ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

size_t strnlen(const char *text, size_t most)
{
	size_t length = 0;

	while (length < most && text[length] != '\0')
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (; most != 0; most--, a++, b++) {
		if (*a != *b)
			return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
		if (*a == '\0')
			break;
	}
	return 0;
}

char *strchr(const char *text, int c)
{
	for (;; text++) {
		if (*text == (char)c)
			return (char *)(uint64_t)text;
		if (*text == '\0')
			return NULL;
	}
}

size_t strlcpy(char *to, const char *from, size_t size)
{
	size_t length = strlen(from);
	size_t copied;

	if (size == 0)
		return length;
	copied = length < size ? length : size - 1;
	memcpy(to, from, copied);
	to[copied] = '\0';
	return length;
}
