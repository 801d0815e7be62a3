/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/cpu.h"
#include "arch/crash.h"
#include "arch/lapic.h"
#include "arch/percpu.h"
#include "boot/boot.h"
#include "lib/print.h"
#include "lib/string.h"

/* Too deep for any stack; the volatile word keeps it from becoming a loop. */
static uint64_t dig(uint64_t depth)
{
	volatile uint64_t word[16] = { depth };

	if (depth == UINT64_MAX)
		return word[0];
	return dig(depth + 1) + word[depth % 16];
}

void crash_test(void)
{
	char how[16];

	if (boot_option("crash", how, sizeof(how)) == NULL)
		return;
	if (strcmp(how, "fault") == 0)
		*(volatile uint64_t *)0xffff900000001000ull = 1;
	if (strcmp(how, "stack") == 0)
		print("crash=stack: %lu", dig(0));
	if (strcmp(how, "hang-irqs-off") == 0)
		for (;;)
			__builtin_ia32_pause();
	if (strcmp(how, "silent") == 0) {
		cpu_stop_others(true);
		cpu_stop();
	}
	if (strcmp(how, "deaf") == 0) {
		cpu_stop_others(true);
		this_cpu()->status->state = PISCES_CPU_IDLE;
		cpu_stop();
	}
	panic("crash=%s: as the command line asked", how);
}
