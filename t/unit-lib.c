/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The co-kernel's own C library and its command line, held against the host's libc:
 * thousands of random formats, copies and lines.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tap.h"

/* The functions under other names, so that both can be called. */
#define memcpy ck_memcpy
#define memmove ck_memmove
#define memset ck_memset
#define memcmp ck_memcmp
#define strlen ck_strlen
#define strnlen ck_strnlen
#define strcmp ck_strcmp
#define strncmp ck_strncmp
#define strchr ck_strchr
#define strlcpy ck_strlcpy
#include "lib/string.c"
#include "lib/format.c"
#include "boot/option.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strlcpy

#define ROUNDS 20000

static uint64_t random64(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Few bits, many bits, the ends: where conversions go wrong. */
static uint64_t random_value(void)
{
	uint64_t value = random64() >> (random64() % 64);

	switch (random64() % 8) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return 1ull << (random64() % 64);
	case 3:
		return 0 - value;
	default:
		return value;
	}
}

static const char *random_flags(char *text, bool zero)
{
	sprintf(text, "%s%s", random64() % 3 == 0 ? "-" : "",
		zero && random64() % 3 == 0 ? "0" : "");
	if (random64() % 2)
		sprintf(text + strlen(text), "%d", (int)(random64() % 30));
	return text;
}

static bool same(const char *format, uint64_t value, size_t size)
{
	char ours[64], theirs[64];
	int n, m;

	memset(ours, 'x', sizeof(ours));
	memset(theirs, 'x', sizeof(theirs));
	n = format_text(ours, size, format, value);
	m = snprintf(theirs, size, format, value);
	if (n == m && memcmp(ours, theirs, sizeof(ours)) == 0)
		return true;
	printf("# \"%s\" of %llx in %zu bytes: \"%.60s\" (%d), not \"%.60s\" (%d)\n", format,
	       (unsigned long long)value, size, ours, n, theirs, m);
	return false;
}

static void test_numbers(void)
{
	static const char *const types[] = { "d",  "u",  "x",  "ld", "lu", "lx", "zu", "llx",
					     "hd", "hu", "hx", "hhd", "hhu", "hhx", "lld", "zx" };
	int wrong = 0;

	for (int i = 0; i < ROUNDS && wrong < 5; i++) {
		char flags[16], format[64];

		sprintf(format, "<%%%s%s>", random_flags(flags, true),
			types[random64() % (sizeof(types) / sizeof(*types))]);
		wrong += !same(format, random_value(), 1 + random64() % 60);
	}
	is_number(wrong, 0, "numbers, with widths and in buffers of any size, are those of libc");
}

static void test_texts(void)
{
	char ours[64], theirs[64];
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		char flags[16], format[64], text[20];
		size_t length = random64() % sizeof(text);
		size_t size = random64() % 60;

		memset(text, 'a' + (int)(random64() % 26), sizeof(text));
		text[length] = '\0';
		sprintf(format, "%%%s.%ds|%%c|%%%%|%%-*.*s", random_flags(flags, false),
			(int)(random64() % 25));
		memset(ours, 'x', sizeof(ours));
		memset(theirs, 'x', sizeof(theirs));
		if (format_text(ours, size, format, text, 'Q', 9, 3, text) !=
			    snprintf(theirs, size, format, text, 'Q', 9, 3, text) ||
		    memcmp(ours, theirs, sizeof(ours)) != 0)
			wrong++;
	}
	is_number(wrong, 0, "texts with precision and width are those of libc");
	format_text(ours, sizeof(ours), "%p", (void *)0x1234abcdul);
	ok(strcmp(ours, "000000001234abcd") == 0, "a pointer has 16 digits");
	format_text(ours, sizeof(ours), "%s", (const char *)NULL);
	ok(strcmp(ours, "(null)") == 0, "a text that is not there does not kill");
	format_text(ours, sizeof(ours), "100%");
	ok(strcmp(ours, "100") == 0, "a lone %% at the end is left out");
}

static void test_copies(void)
{
	static uint8_t ours[512], theirs[512];
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		size_t from = random64() % 256, to = random64() % 256, size = random64() % 257;

		for (size_t k = 0; k < sizeof(ours); k++)
			ours[k] = theirs[k] = (uint8_t)random64();
		ck_memmove(ours + to, ours + from, size);
		memmove(theirs + to, theirs + from, size);
		ck_memset(ours + from, (int)i, size / 3);
		memset(theirs + from, (int)i, size / 3);
		wrong += memcmp(ours, theirs, sizeof(ours)) != 0;
	}
	is_number(wrong, 0, "memmove and memset, overlapping or not, are those of libc");
}

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

static void test_comparisons(void)
{
	int wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		char a[12], b[12], copy[8];
		size_t most = random64() % 12, room = random64() % sizeof(copy);

		for (size_t k = 0; k < sizeof(a); k++) {
			a[k] = "ab\xff"[random64() % 3];
			b[k] = "ab\xff"[random64() % 3];
		}
		a[random64() % sizeof(a)] = '\0';
		b[random64() % sizeof(b)] = '\0';
		a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
		wrong += sign(ck_strcmp(a, b)) != sign(strcmp(a, b));
		wrong += sign(ck_strncmp(a, b, most)) != sign(strncmp(a, b, most));
		wrong += sign(ck_memcmp(a, b, most)) != sign(memcmp(a, b, most));
		wrong += ck_strnlen(a, most) != strnlen(a, most) || ck_strlen(b) != strlen(b);
		wrong += ck_strchr(a, 'b') != strchr(a, 'b') || ck_strchr(a, 0) != strchr(a, 0);
		wrong += ck_strlcpy(copy, a, room) != strlen(a);
		if (room > 0)
			wrong += strlen(copy) != (strlen(a) < room ? strlen(a) : room - 1) ||
				 strncmp(copy, a, strlen(copy)) != 0;
	}
	is_number(wrong, 0, "comparisons, lengths and strlcpy agree with libc, bytes over 127 too");
}

static void is_option(const char *line, const char *name, const char *expected)
{
	char value[8];
	const char *got = option_find(line, name, value, sizeof(value));

	ok(expected ? got && strcmp(got, expected) == 0 : !got, "\"%s\": %s is %s", line, name,
	   expected ? expected : "not there");
}

static void test_options(void)
{
	is_option("", "crash", NULL);
	is_option("debugcon", "debugcon", "");
	is_option("  a=1  crash=panic\tdebugcon", "crash", "panic");
	is_option("  a=1  crash=panic\tdebugcon", "debugcon", "");
	is_option("crashes=1 xcrash=2", "crash", NULL);
	is_option("crash= b", "crash", "");
	is_option("crash=a=b crash=c", "crash", "a=b");
	is_option("crash=hang-irqs-off", "crash", "hang-ir");
	is_option("cras", "crash", NULL);
}

int main(void)
{
	test_numbers();
	test_texts();
	test_copies();
	test_comparisons();
	test_options();
	return done();
}
