/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/cpu.h"
#include "arch/crash.h"
#include "arch/frame.h"
#include "arch/isolation.h"
#include "arch/lapic.h"
#include "arch/percpu.h"
#include "boot/boot.h"
#include "boot/image.h"
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

enum crash_place crash_place;

static const char *const place_names[] = {
	[CRASH_BOOTING] = "booting",
	[CRASH_IDLE] = "idle",
	[CRASH_IO] = "io",
	[CRASH_TEARDOWN] = "teardown",
};

void crash_init(void)
{
	char how[40];
	const char *at;

	if (boot_option("crash", how, sizeof(how)) == NULL)
		return;
	at = strchr(how, '@');
	for (unsigned int i = CRASH_BOOTING; at != NULL && i <= CRASH_TEARDOWN; i++) {
		if (strcmp(at + 1, place_names[i]) == 0)
			crash_place = (enum crash_place)i;
	}
}

/* Errors that the CPU has to catch, as the page tables and CR4 tell it to. */
static const char constant_word[] = "constant";
static const uint64_t secret_word = 1;
static uint8_t data_word[] = { 0xc3 }; /* RET */

static void wild_access(const char *how, const struct frame *frame)
{
	void (*run)(void) = NULL;

	if (strcmp(how, "fault") == 0)
		*(volatile uint64_t *)0xffff900000001000ull = 1;
	else if (strcmp(how, "write-text") == 0)
		*(volatile uint8_t *)image_text_start = 0xc3;
	else if (strcmp(how, "write-constant") == 0)
		*(volatile char *)constant_word = 0;
	else if (strcmp(how, "run-data") == 0)
		run = (void (*)(void))data_word;
	else if (strcmp(how, "run-program") == 0 && frame != NULL)
		run = (void (*)(void))frame->rip;
	else if (strcmp(how, "read-program") == 0 && frame != NULL)
		print("crash=%s: %lx", how, *(volatile uint64_t *)frame->rsp);
	else if (strcmp(how, "read-isolated") == 0 && isolation_on)
		print("crash=%s: %lx", how, isolation_peek(&secret_word));
	if (run != NULL)
		run();
}

void crash_test(const struct frame *frame)
{
	char how[40], *at;

	if (boot_option("crash", how, sizeof(how)) == NULL)
		return;
	at = strchr(how, '@');
	if (at != NULL)
		*at = 0;
	wild_access(how, frame);
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
