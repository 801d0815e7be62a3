/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs and of NUMA nodes as Linux writes them, by its numbers. */
#include "arch/cpu.h"
#include "boot/boot.h"
#include "fs/files.h"

void numbers_add(struct numbers *set, uint32_t number)
{
	if (number < PISCES_MAX_CPUS)
		set->word[number / 64] |= 1ull << (number % 64);
}

void numbers_add_cpu(struct numbers *set, cpu_id_t cpu)
{
	numbers_add(set, boot_block->cpus[cpu].linux_cpu);
}

static bool has(const struct numbers *set, uint32_t number)
{
	return number < PISCES_MAX_CPUS && (set->word[number / 64] >> (number % 64) & 1);
}

void numbers_write_list(struct text *text, const struct numbers *set)
{
	const char *separator = "";
	uint32_t number, last;

	for (number = 0; number < PISCES_MAX_CPUS; number = last + 1) {
		last = number;
		if (!has(set, number))
			continue;
		while (has(set, last + 1))
			last++;
		text_add(text, "%s%u", separator, number);
		if (last > number)
			text_add(text, "-%u", last);
		separator = ",";
	}
	text_add(text, "\n");
}

/* Words of 32 bits, the highest first: as many as the enclave's CPUs need. */
void numbers_write_map(struct text *text, const struct numbers *set)
{
	uint32_t highest = 0, word;
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if (boot_block->cpus[cpu].linux_cpu > highest)
			highest = boot_block->cpus[cpu].linux_cpu;
	}
	if (highest >= PISCES_MAX_CPUS)
		highest = PISCES_MAX_CPUS - 1;
	for (word = highest / 32 + 1; word-- > 0;)
		text_add(text, "%08x%s", (uint32_t)(set->word[word / 2] >> (word % 2 * 32)),
			 word ? "," : "\n");
}

cpu_id_t cpu_of_number(uint32_t number)
{
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		if (boot_block->cpus[cpu].linux_cpu == number)
			return cpu;
	}
	return this_cpu()->index;
}
