/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mutated programs for the ELF loader: fields of the headers set to what is
 * interesting, bits flipped, files cut off, files that change while they are read.
 * The loader may refuse or load; it may never touch memory that it has not got.
 * The same files on every machine; ends after a time limit if the machine is slow.
 *
 *	fuzz-elf [first [count]]	one case: fuzz-elf N 1
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit-elf-memory.h"
#include "unit-mm.h"

#define CASES 100000u
#define LIMIT_NS 40000000000ull
#define HEAD 4096u
#define SEEDS_MOST 8u

static struct seed {
	uint8_t *bytes;
	uint64_t size;
} seeds[SEEDS_MOST];
static unsigned int seed_count;

static void add_file(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY);
	struct seed *seed = &seeds[seed_count];

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_size > (off_t)HEAD && status.st_size < 1 << 19) {
		seed->size = (uint64_t)status.st_size;
		seed->bytes = malloc(seed->size);
		if (read(fd, seed->bytes, seed->size) == status.st_size)
			seed_count++;
	}
	close(fd);
}

/* TYPE with COUNT segments, an interpreter and all else that the loader looks at. */
static void add_made(uint16_t type, unsigned int count, uint64_t size)
{
	struct seed *seed = &seeds[seed_count++];
	uint8_t *bytes = calloc(1, size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	Elf64_Phdr *p = (Elf64_Phdr *)(header + 1);
	uint64_t base = type == ET_EXEC ? 0x400000 : 0, step = size / count & ~0xfffull;

	memcpy(header->e_ident, ELFMAG "\2\1\1", 7);
	header->e_type = type;
	header->e_machine = EM_X86_64;
	header->e_version = EV_CURRENT;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*p);
	header->e_entry = base + step + 64;
	for (unsigned int i = 0; i < count; i++, p++)
		*p = (Elf64_Phdr){ PT_LOAD,  (i % 2 ? PF_X : PF_W) | PF_R, i * step, base + i * step,
				   0,	     step - 256,		   step,     4096 };
	*p++ = (Elf64_Phdr){ .p_type = PT_PHDR, .p_vaddr = base + 64, .p_offset = 64 };
	*p++ = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 3000, .p_filesz = 9 };
	*p++ = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	header->e_phnum = (uint16_t)(count + 3);
	strcpy((char *)bytes + 3000, "/lib/ld1");
	seed->bytes = bytes;
	seed->size = size;
}

static uint64_t load_field(const uint8_t *head, unsigned int offset, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, head + offset, size);
	return value;
}

static uint64_t interesting(struct random *random, uint64_t now, const uint8_t *head)
{
	static const uint64_t values[] = { 0, 1, 2, 55, 56, 57, 64, 127, 128, 129, 4095, 4096, 4097,
					   65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 30,
					   0x7fffffffe000, 0x7ffffffff000, 0x800000000000, INT64_MAX,
					   1ull << 63, UINT64_MAX - 4095, UINT64_MAX };

	switch (random_below(random, 7)) {
	case 0:
		return now ^ 1ull << random_below(random, 64);
	case 1:
		return now + random_below(random, 8193) - 4096;
	case 2:
		return random_next(random);
	case 3:
		return now + (random_below(random, 64) << 12);
	case 4: /* what stands in another field */
		return load_field(head, (unsigned int)random_below(random, 64) * 8, 8);
	case 5:
		return values[random_below(random, sizeof(values) / sizeof(values[0]))] - now;
	default:
		return values[random_below(random, sizeof(values) / sizeof(values[0]))];
	}
}

static void mutate(struct random *random, uint8_t *head)
{
	static const struct {
		uint8_t offset, size;
	} header_fields[] = { { 4, 1 },	 { 5, 1 },  { 16, 2 }, { 18, 2 }, { 20, 4 },
			      { 24, 8 }, { 32, 8 }, { 54, 2 }, { 56, 2 } },
	  segment_fields[] = { { 0, 4 },  { 4, 4 },  { 8, 8 },	{ 16, 8 },
			       { 32, 8 }, { 40, 8 }, { 48, 8 }, { 16, 8 } };
	unsigned int offset, size, i;
	uint64_t value;

	if (random_below(random, 10) == 0) {
		head[random_below(random, HEAD)] = (uint8_t)random_next(random);
		return;
	}
	if (random_below(random, 6) == 0) {
		i = (unsigned int)random_below(random, sizeof(header_fields) / 2);
		offset = header_fields[i].offset;
		size = header_fields[i].size;
	} else {
		i = (unsigned int)random_below(random, sizeof(segment_fields) / 2);
		offset = 64 + 56 * (unsigned int)random_below(random, 16) + segment_fields[i].offset;
		size = segment_fields[i].size;
	}
	value = interesting(random, load_field(head, offset, size), head);
	memcpy(head + offset, &value, size);
}

/* One file, from its number alone. What must not be, or NULL. */
static const char *run(unsigned int number, bool *loaded)
{
	struct random random = { number * 0x9e3779b97f4a7c15ull + 1 };
	static uint8_t head[HEAD], later[HEAD];
	const struct seed *seed;
	struct elf_test test = { 0 };
	const char *wrong;
	int got;

	random_next(&random);
	seed = &seeds[random_below(&random, seed_count)];
	memcpy(head, seed->bytes, HEAD);
	for (uint64_t n = 1 + random_below(&random, 5); n > 0; n--)
		mutate(&random, head);
	test.file = seed->bytes;
	test.file_size = seed->size;
	test.head = head;
	test.head_size = HEAD;
	if (random_below(&random, 8) == 0)
		test.file_size = HEAD + random_below(&random, seed->size - HEAD);
	if (random_below(&random, 6) == 0) {
		memcpy(later, head, HEAD);
		for (uint64_t n = 1 + random_below(&random, 20); n > 0; n--)
			mutate(&random, later);
		test.later_head = later;
		test.later_after = (unsigned int)random_below(&random, 6);
	}
	if (random_below(&random, 16) == 0)
		test.fail_read = 1 + (unsigned int)random_below(&random, 8);
	test.map_files = random_below(&random, 2) == 0;
	test.anywhere = (1 + random_below(&random, 0x7ffffff)) * PAGE_SIZE;
	got = elf_test_load(&test);
	*loaded = got == 0;
	wrong = test.wrong;
	if (wrong == NULL && got == -ENOEXEC && test.why == NULL)
		wrong = "an error without a reason";
	if (wrong == NULL && got != 0 && got != -ENOEXEC && got != -ENOMEM && got != -EIO)
		wrong = "an error that nobody made";
	if (wrong == NULL && got == 0) {
		const struct elf_image *image = &test.image;

		if (test.why != NULL)
			wrong = "a reason without an error";
		else if (image->entry - test.base >= test.size || image->start < test.base ||
			 image->end > test.base + test.size || image->start >= image->end ||
			 !(elf_test_prot(&test, image->entry) & 4))
			wrong = "an image outside of its memory";
		else if (memchr(image->interpreter, 0, ELF_INTERP_MAX) == NULL)
			wrong = "an interpreter without an end";
		else if (image->program_headers != 0 &&
			 image->program_headers - test.base >
				 test.size - 56ull * image->program_header_count)
			wrong = "program headers outside of the image";
	}
	elf_test_done(&test);
	return wrong;
}

int main(int argc, char **argv)
{
	unsigned int first = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 0;
	unsigned int count = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : CASES;
	unsigned int done_count = 0, loaded_count = 0, wrong_count = 0;
	uint64_t start = now_ns();

	add_made(ET_EXEC, 2, 0x6000);
	add_made(ET_DYN, 4, 0x9000);
	add_made(ET_EXEC, 12, 0x20000);
	add_file("/bin/true");
	add_file("/lib64/ld-linux-x86-64.so.2");
	add_file(argv[0]);
	for (; done_count < count && now_ns() - start < LIMIT_NS; done_count++) {
		bool loaded;
		const char *wrong = run(first + done_count, &loaded);

		loaded_count += loaded;
		if (wrong != NULL && wrong_count++ < 10)
			printf("# case %u: %s\n", first + done_count, wrong);
	}
	ok(wrong_count == 0, "%u mutated files of %u seeds, %u of them loaded: all accesses in bounds",
	   done_count, seed_count, loaded_count);
	ok(count != CASES || (loaded_count > done_count / 50 && loaded_count < done_count),
	   "they are not all refused, and not all loaded");
	ok(count != CASES || done_count >= CASES / 10, "enough of them in the time there is");
	return done();
}
