/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <sys/mman.h>

#include "unit-mm.h"

#include "lib/print.h"
#include "mm/direct.h"
#include "mm/local.h"

uint64_t direct_base;
__thread uint32_t this_node;
bool huge_pages = true;
__thread jmp_buf *panic_wanted;
char panic_text[256];

void physical_memory(uint64_t size)
{
	/* Aligned like the largest page, so that a block is as aligned here as there. */
	char *memory = mmap(NULL, size + (1ull << 30), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		bail_out("no %llu bytes of address space", (unsigned long long)size);
	direct_base = ((uint64_t)memory + (1ull << 30) - 1) & ~((1ull << 30) - 1);
}

void bail_out(const char *format, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	abort();
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(panic_text, sizeof(panic_text), format, args);
	va_end(args);
	if (panic_wanted == NULL)
		bail_out("panic: %s", panic_text);
	longjmp(*panic_wanted, 1);
}

node_id_t mm_this_node(void)
{
	return this_node;
}

void mm_heartbeat(void)
{
}

void mm_thread_policy(struct policy *policy)
{
	*policy = (struct policy){ .mode = POLICY_DEFAULT };
}

bool mm_shrink(bool urgent)
{
	(void)urgent;
	return false;
}

bool mm_has_huge_pages(void)
{
	return huge_pages;
}

uint64_t mm_entropy(void)
{
	return 4; /* by a fair dice; tests are the same each time */
}
