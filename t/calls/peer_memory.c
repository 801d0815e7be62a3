/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process_vm_readv(2) and process_vm_writev(2), of oneself: t/memory-shared.c has others. */
#include <sys/mman.h>
#include <sys/uio.h>

#include "calls.h"

#define PAGE 4096

static char text[64], other[64] = "0123456789abcdef";
static char *pages; /* to be read and written, read, nothing */
static pid_t self;

/* So many bytes from AT into text, or the other way. */
static void reads(const char *what, void *at, size_t size)
{
	struct iovec here = { text, size }, there = { at, size };

	memset(text, 0, sizeof(text));
	printf("%s: ", what);
	TRY(process_vm_readv, self, &here, 1, &there, 1, 0);
	SHOW_TEXT(text);
}

static void writes(const char *what, void *at, size_t size)
{
	struct iovec here = { other, size }, there = { at, size };

	printf("%s: ", what);
	TRY(process_vm_writev, self, &here, 1, &there, 1, 0);
}

static void places(void)
{
	part("places");
	reads("all of it", other, 16);
	reads("up to what is closed", pages + 2 * PAGE - 4, 8);
	reads("closed", pages + 2 * PAGE, 8);
	reads("nowhere", BAD, 8);
	reads("the kernel", KERNEL, 8);
	reads("around the end", (void *)~7ul, 16);
	writes("all of it", pages, 8);
	SHOW_TEXT(pages);
	writes("up to what may not be written", pages + PAGE - 4, 8);
	writes("not to be written", pages + PAGE, 8);
	writes("closed", pages + 2 * PAGE, 8);
	writes("nowhere", BAD, 8);
}

static void vectors(void)
{
	struct iovec here[3] = { { text, 3 }, { NULL, 0 }, { text + 10, 5 } };
	struct iovec there[3] = { { other, 1 }, { other + 4, 4 }, { BAD, 100 } };
	struct iovec wrong = { text, (size_t)-1 }, none = { NULL, 0 }, bad = { BAD, 8 };

	part("vectors");
	memset(text, '.', 20);
	TRY(process_vm_readv, self, here, 3, there, 2, 0);
	SHOW_TEXT(text);
	TRY(process_vm_readv, self, here, 3, there, 3, 0);
	TRY(process_vm_readv, self, here, 1, there, 0, 0);
	TRY(process_vm_readv, self, here, 0, there, 1, 0);
	TRY(process_vm_readv, self, &none, 1, there, 1, 0);
	TRY(process_vm_readv, self, here, 1, &none, 1, 0);
	TRY(process_vm_readv, self, here, 1025, there, 1, 0);
	TRY(process_vm_readv, self, here, 1, there, 1025, 0);
	TRY(process_vm_readv, self, BAD, 1, there, 1, 0);
	TRY(process_vm_readv, self, here, 1, BAD, 1, 0);
	TRY(process_vm_readv, self, &wrong, 1, there, 1, 0);
	TRY(process_vm_readv, self, here, 1, &wrong, 1, 0);
	TRY(process_vm_readv, self, &bad, 1, there, 1, 0);
	TRY(process_vm_writev, self, &bad, 1, here, 1, 0);
	TRY(process_vm_readv, self, here, 1, there, 1, 1);
	TRY(process_vm_writev, self, here, 1, there, 1, 1);
}

int main(void)
{
	struct iovec one = { text, 4 }, two = { other, 4 };

	self = getpid();
	pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(pages + 2 * PAGE - 4, "end");
	mprotect(pages + PAGE, PAGE, PROT_READ);
	mprotect(pages + 2 * PAGE, PAGE, PROT_NONE);
	places();
	vectors();
	part("whose");
	TRY(process_vm_readv, 0, &one, 1, &two, 1, 0);
	TRY(process_vm_readv, -1, &one, 1, &two, 1, 0);
	TRY(process_vm_writev, 0x7fffffff, &one, 1, &two, 1, 0);
	return 0;
}
