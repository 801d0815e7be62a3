/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit-elf-memory.h"

#include "mm/heap.h"

void *heap_alloc(size_t size)
{
	return malloc(size);
}

void *heap_alloc_zero(size_t size)
{
	return calloc(1, size);
}

void heap_free(void *memory)
{
	free(memory);
}

uint8_t elf_test_file_byte(const struct elf_test *test, uint64_t offset)
{
	if (offset >= test->file_size)
		return 0;
	return offset < test->head_size ? test->head[offset] : test->file[offset];
}

static int64_t read_file(struct elf_test *test, uint64_t offset, uint8_t *to, uint64_t size)
{
	uint64_t from_head = 0;

	test->reads++;
	if (test->reads == test->fail_read)
		return -EIO;
	if (test->later_head != NULL && test->reads > test->later_after)
		test->head = test->later_head;
	if (offset >= test->file_size)
		return 0;
	if (size > test->file_size - offset)
		size = test->file_size - offset;
	if (offset < test->head_size) {
		from_head = test->head_size - offset < size ? test->head_size - offset : size;
		memcpy(to, test->head + offset, from_head);
	}
	memcpy(to + from_head, test->file + offset + from_head, size - from_head);
	return (int64_t)size;
}

static int64_t source_read(void *context, uint64_t offset, void *to, uint64_t size)
{
	struct elf_test *test = context;

	if (test->base != 0)
		test->wrong = "it reads headers after it has started to load";
	if (offset > INT64_MAX || size > INT64_MAX - offset)
		test->wrong = "it reads at an impossible offset";
	return read_file(test, offset, to, size);
}

static uint8_t *chunk_at(const struct elf_test *test, user_addr_t address, uint64_t *left)
{
	for (unsigned int i = 0; i < test->chunk_count; i++) {
		if (address - test->chunks[i].at < test->chunks[i].size) {
			*left = test->chunks[i].size - (address - test->chunks[i].at);
			return test->chunks[i].memory + (address - test->chunks[i].at);
		}
	}
	return NULL;
}

static int64_t source_read_user(void *context, uint64_t offset, user_addr_t to, uint64_t size)
{
	struct elf_test *test = context;
	uint8_t *bytes = malloc(size);
	int64_t got;

	if (offset > INT64_MAX || size > INT64_MAX - offset)
		test->wrong = "it reads at an impossible offset";
	if (test->right_count > 0)
		test->wrong = "it writes to memory that has its final protection";
	got = bytes != NULL ? read_file(test, offset, bytes, size) : -ENOMEM;
	for (int64_t done = 0; done < got;) {
		uint64_t left;
		uint8_t *memory = chunk_at(test, to + (uint64_t)done, &left);

		if (memory == NULL) {
			test->wrong = "it loads to where no memory is";
			break;
		}
		if (left > (uint64_t)(got - done))
			left = (uint64_t)(got - done);
		memcpy(memory, bytes + done, left);
		done += (int64_t)left;
	}
	free(bytes);
	return got;
}

static int64_t memory_reserve(void *context, user_addr_t at, uint64_t size)
{
	struct elf_test *test = context;

	if (test->base != 0)
		test->wrong = "it reserves twice";
	if (at % PAGE_SIZE != 0 || size == 0 || size % PAGE_SIZE != 0)
		test->wrong = "it reserves parts of pages";
	if (at == 0)
		at = test->anywhere;
	if (size > 0x7ffffffff000 || at > 0x7ffffffff000 - size)
		return -ENOMEM;
	test->base = at;
	test->size = size;
	return (int64_t)at;
}

static bool is_reserved(const struct elf_test *test, user_addr_t at, uint64_t size)
{
	return size != 0 && at >= test->base && size <= test->size &&
	       at - test->base <= test->size - size && (at | size) % PAGE_SIZE == 0;
}

static int memory_map(void *context, user_addr_t at, uint64_t size)
{
	struct elf_test *test = context;
	unsigned int i;

	if (!is_reserved(test, at, size))
		test->wrong = "it maps what it has not reserved";
	for (i = 0; i < test->chunk_count; i++) {
		if (at < test->chunks[i].at + test->chunks[i].size && test->chunks[i].at < at + size)
			test->wrong = "it maps something twice";
	}
	if (test->wrong != NULL || i == ELF_CHUNKS || size > ELF_MEMORY_MOST - test->mapped)
		return -ENOMEM;
	test->mapped += size;
	test->chunks[i].at = at;
	test->chunks[i].size = size;
	test->chunks[i].memory = calloc(1, size);
	test->chunk_count++;
	return 0;
}

/* As a private mapping of the file: also what no segment has in its first and last page. */
static int memory_map_file(void *context, user_addr_t at, uint64_t size, uint64_t offset,
			   uint64_t used, bool clear)
{
	struct elf_test *test = context;
	int error = memory_map(context, at, size);
	int64_t got;

	if (error)
		return error;
	if (offset % PAGE_SIZE != 0 || used > size || used <= size - PAGE_SIZE)
		test->wrong = "it maps more of the file than there is in the segment";
	got = source_read_user(context, offset, at, size);
	if (got < 0)
		return (int)got;
	if (clear)
		memset(test->chunks[test->chunk_count - 1].memory + used, 0, size - used);
	return 0;
}

static int memory_protect(void *context, user_addr_t at, uint64_t size, unsigned int prot)
{
	struct elf_test *test = context;

	if (!is_reserved(test, at, size) || prot > 7)
		test->wrong = "it protects what it has not reserved";
	if (test->right_count == ELF_CHUNKS)
		return -ENOMEM;
	test->rights[test->right_count].at = at;
	test->rights[test->right_count].size = size;
	test->rights[test->right_count++].prot = prot;
	return 0;
}

uint8_t elf_test_byte(const struct elf_test *test, user_addr_t address)
{
	uint64_t left;
	const uint8_t *memory = chunk_at(test, address, &left);

	return memory != NULL ? *memory : 0;
}

unsigned int elf_test_prot(const struct elf_test *test, user_addr_t address)
{
	for (unsigned int i = test->right_count; i > 0; i--) {
		if (address - test->rights[i - 1].at < test->rights[i - 1].size)
			return test->rights[i - 1].prot;
	}
	return 0;
}

int elf_test_load(struct elf_test *test)
{
	struct elf_source source = { source_read, source_read_user, test };
	struct elf_memory memory = {
		.reserve = memory_reserve,
		.map = memory_map,
		.map_file = test->map_files ? memory_map_file : NULL,
		.protect = memory_protect,
		.context = test,
	};

	if (test->anywhere == 0)
		test->anywhere = 0x7f0000001000;
	test->why = "not set";
	return elf_load(&source, &memory, &test->image, &test->why);
}

void elf_test_done(struct elf_test *test)
{
	for (unsigned int i = 0; i < test->chunk_count; i++)
		free(test->chunks[i].memory);
	test->chunk_count = 0;
}
