/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/isolation.h"

#include "arch/features.h"
#include "arch/paging_tables.h"
#include "arch/percpu.h"
#include "arch/x86.h"
#include "boot/boot.h"
#include "boot/image.h"
#include "lib/print.h"
#include "lib/string.h"

bool isolation_on;

static bool is_wanted(void)
{
	char value[8];

	if (boot_option("pti", value, sizeof(value)) == NULL)
		return cpu_features.meltdown;
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		panic("pti=%s: on and off are possible", value);
	return strcmp(value, "on") == 0;
}

static size_t shown; /* bytes */

static void show(const void *start, size_t size, bool execute, bool write)
{
	if (!paging_show(start, size, execute, write))
		panic("no memory for the tables of programs");
	shown += size;
}

void isolation_init(void)
{
	if (!is_wanted())
		return;
	isolation_on = true;
	show(image_entry_start, (size_t)(image_entry_end - image_entry_start), true, false);
	show(segments_idt(), PAGE_SIZE, false, false);
	show(&this_percpu()->entry, sizeof(struct entry_area), false, true);
	/* What is global would stay when the tables change. */
	features_enable();
	segments_fill_idt();
	syscall_init_cpu();
	print("page table isolation: programs have %lu KiB of the co-kernel in their tables, "
	      "and %lu KiB for each other CPU",
	      shown >> 10, sizeof(struct entry_area) >> 10);
}
