/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/exception.h"

extern const struct exception_entry exception_table_start[], exception_table_end[];

uint64_t exception_fixup(uint64_t instruction)
{
	const struct exception_entry *entry;

	for (entry = exception_table_start; entry < exception_table_end; entry++) {
		if (entry->instruction == instruction)
			return entry->fixup;
	}
	return 0;
}

bool exception_safe_read(const void *from, uint64_t *value)
{
	bool failed = true;
	uint64_t word = 0;

	__asm__ volatile("1:\tmovq %2, %1\n\t"
			 "movb $0, %0\n"
			 "2:\n\t" EXCEPTION_ENTRY(1b, 2b)
			 : "+r"(failed), "+r"(word)
			 : "m"(*(const uint64_t *)from));
	*value = word;
	return !failed;
}
