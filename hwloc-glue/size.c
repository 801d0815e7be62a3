/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes of memory as people write and read them. */
#include "internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	char letter;
	const char *name;
	uint64_t bytes;
} units[] = {
	{'T', "TiB", 1ull << 40},
	{'G', "GiB", 1ull << 30},
	{'M', "MiB", 1ull << 20},
	{'K', "KiB", 1ull << 10},
};

#define UNITS (sizeof(units) / sizeof(units[0]))

/* Digits behind the point that count; below a byte of any unit. */
#define FRACTION_DIGITS 12

static int not_a_size(const char *text, struct pisces_error *error)
{
	return pisces_fail(error,
			   "'%.64s' is not a size of memory: write a number with K, M, G or T, as "
			   "512M or 1.5G (without a letter it is MiB)",
			   text);
}

/* The unit at *AT, which is moved behind it; 0 if there is none of that name. */
static uint64_t read_unit(const char **at)
{
	uint64_t unit = 0;

	if (**at == '\0')
		return 1ull << 20;
	for (size_t i = 0; i < UNITS; i++) {
		if (toupper((unsigned char)**at) == units[i].letter)
			unit = units[i].bytes;
	}
	if (unit != 0) {
		(*at)++;
		if (strcasecmp(*at, "iB") == 0)
			*at += 2;
	}
	return unit;
}

int pisces_size_parse(const char *text, uint64_t *bytes, struct pisces_error *error)
{
	const char *at = text;
	uint64_t whole = 0, fraction = 0, scale = 1, unit, part, size;

	if (!isdigit((unsigned char)*at))
		return not_a_size(text, error);
	for (; isdigit((unsigned char)*at); at++) {
		if (__builtin_mul_overflow(whole, 10u, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole))
			return pisces_fail(error, "'%.64s' is more memory than there can be", text);
	}
	if (*at == '.') {
		at++;
		if (!isdigit((unsigned char)*at))
			return not_a_size(text, error);
		for (int digits = 0; isdigit((unsigned char)*at); at++, digits++) {
			if (digits >= FRACTION_DIGITS)
				continue;
			fraction = fraction * 10 + (uint64_t)(*at - '0');
			scale *= 10;
		}
	}
	unit = read_unit(&at);
	if (unit == 0 || *at != '\0')
		return not_a_size(text, error);

	part = (uint64_t)((unsigned __int128)fraction * unit / scale);
	if (__builtin_mul_overflow(whole, unit, &size) ||
	    __builtin_add_overflow(size, part, &size) || size > INT64_MAX)
		return pisces_fail(error, "'%.64s' is more memory than there can be", text);
	if (size == 0)
		return pisces_fail(error, "'%.64s' is no memory at all: ask for more than 0", text);
	*bytes = size;
	return 0;
}

char *pisces_size_format(uint64_t bytes, char *text, size_t size)
{
	/* Exactly, in the largest unit that can with one digit behind the point ... */
	for (size_t i = 0; i < UNITS; i++) {
		uint64_t unit = units[i].bytes;
		uint64_t whole = bytes / unit, rest = bytes % unit;

		if (whole == 0 || whole > 99999 || rest * 10 % unit != 0)
			continue;
		if (rest == 0)
			snprintf(text, size, "%" PRIu64 " %s", whole, units[i].name);
		else
			snprintf(text, size, "%" PRIu64 ".%" PRIu64 " %s", whole, rest * 10 / unit,
				 units[i].name);
		return text;
	}
	/* ... or rounded down. */
	for (size_t i = 0; i < UNITS; i++) {
		uint64_t unit = units[i].bytes;

		if (bytes / unit == 0)
			continue;
		snprintf(text, size, "%" PRIu64 ".%" PRIu64 " %s", bytes / unit,
			 (uint64_t)((unsigned __int128)(bytes % unit) * 10 / unit), units[i].name);
		return text;
	}
	snprintf(text, size, "%" PRIu64 " bytes", bytes);
	return text;
}
