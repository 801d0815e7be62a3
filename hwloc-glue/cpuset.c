/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs by Linux's number, and the lists that Linux writes of them. */
#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void pisces_cpuset_add(struct pisces_cpuset *set, unsigned int cpu)
{
	if (cpu < PISCES_MAX_CPUS)
		set->word[cpu / 64] |= 1ull << (cpu % 64);
}

bool pisces_cpuset_has(const struct pisces_cpuset *set, unsigned int cpu)
{
	return cpu < PISCES_MAX_CPUS && (set->word[cpu / 64] >> (cpu % 64) & 1) != 0;
}

unsigned int pisces_cpuset_count(const struct pisces_cpuset *set)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++)
		count += (unsigned int)__builtin_popcountll(set->word[i]);
	return count;
}

bool pisces_cpuset_intersects(const struct pisces_cpuset *a, const struct pisces_cpuset *b)
{
	for (unsigned int i = 0; i < PISCES_CPU_WORDS; i++) {
		if (a->word[i] & b->word[i])
			return true;
	}
	return false;
}

/* The CPU number at *AT, which is moved behind it; -1 if there is none below the limit. */
static int read_cpu(const char **at)
{
	int cpu = 0;

	if (!isdigit((unsigned char)**at))
		return -1;
	for (; isdigit((unsigned char)**at); (*at)++) {
		cpu = cpu * 10 + (**at - '0');
		if (cpu >= (int)PISCES_MAX_CPUS)
			return -1;
	}
	return cpu;
}

int pisces_cpuset_parse(const char *list, struct pisces_cpuset *set)
{
	struct pisces_cpuset read = {0};
	const char *at = list;

	for (;;) {
		int first = read_cpu(&at), last = first;

		if (first < 0)
			return -1;
		if (*at == '-') {
			at++;
			last = read_cpu(&at);
			if (last < first)
				return -1;
		}
		for (int cpu = first; cpu <= last; cpu++)
			pisces_cpuset_add(&read, (unsigned int)cpu);
		if (*at == ',')
			at++;
		else
			break;
	}
	if (*at == '\n')
		at++;
	if (*at != '\0')
		return -1;
	*set = read;
	return 0;
}

char *pisces_cpuset_format(const struct pisces_cpuset *set, char *text, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return text;
	text[0] = '\0';
	for (unsigned int first = 0; first < PISCES_MAX_CPUS; first++) {
		unsigned int last = first;
		char piece[32];
		int length;

		if (!pisces_cpuset_has(set, first))
			continue;
		while (pisces_cpuset_has(set, last + 1))
			last++;
		length = snprintf(piece, sizeof(piece), first == last ? "%s%u" : "%s%u-%u",
				  used ? "," : "", first, last);
		/* A list that does not fit ends in dots: it must not look like a shorter one. */
		if (used + (size_t)length >= size) {
			if (size >= 4)
				strcpy(text + (used + 4 <= size ? used : size - 4), "...");
			return text;
		}
		memcpy(text + used, piece, (size_t)length + 1);
		used += (size_t)length;
		first = last;
	}
	return text;
}
