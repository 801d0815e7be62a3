/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything is read once into private memory and checked as a whole before the
 * program's memory is touched: the file may change while it is read, and then
 * other bytes are loaded, but never to another place.
 */
#include "mm/elf.h"

#include <linux/elf.h>

#include "arch/user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/heap.h"

#define MAX_HEADERS 128u

/* As Linux: what a NULL pointer with an offset may hit belongs to nobody. */
#define LOWEST 0x10000ull

/* Of a segment: no more than a huge page, which nobody can ask more for. */
#define LARGEST_ALIGNMENT HUGE_PAGE_SIZE

struct file {
	const struct elf_source *source;
	const char *why;
	Elf64_Ehdr header;
	Elf64_Phdr *segments; /* the PT_LOAD ones that are not empty, in order of address */
	unsigned int count;
	user_addr_t start, end; /* of all, whole pages; before relocation */
	uint64_t alignment;
	const Elf64_Phdr *interpreter; /* NULL: none */
	const Elf64_Phdr *own_headers; /* PT_PHDR, NULL: none */
	bool executable_stack;
	Elf64_Phdr headers[MAX_HEADERS];
};

static int refuse(struct file *file, const char *why)
{
	file->why = why;
	return -ENOEXEC;
}

/* All of it or an error. */
static int read_exactly(struct file *file, uint64_t offset, void *to, uint64_t size)
{
	const struct elf_source *source = file->source;
	int64_t got = source->read(source->context, offset, to, size);

	if (got < 0)
		return (int)got;
	return (uint64_t)got == size ? 0 : refuse(file, "it is truncated");
}

static const char *other_machine(unsigned int machine)
{
	switch (machine) {
	case EM_AARCH64:
		return "it is for another machine: aarch64";
	case EM_ARM:
		return "it is for another machine: arm";
	case EM_PPC64:
		return "it is for another machine: ppc64";
	case EM_S390:
		return "it is for another machine: s390";
	case EM_RISCV:
		return "it is for another machine: riscv";
	case EM_LOONGARCH:
		return "it is for another machine: loongarch";
	case EM_SPARCV9:
		return "it is for another machine: sparc64";
	case EM_MIPS:
		return "it is for another machine: mips";
	default:
		return "it is for another machine";
	}
}

static int read_header(struct file *file)
{
	const struct elf_source *source = file->source;
	Elf64_Ehdr *header = &file->header;
	int64_t got = source->read(source->context, 0, header, sizeof(*header));

	if (got < 0)
		return (int)got;
	if (got >= 2 && header->e_ident[0] == '#' && header->e_ident[1] == '!')
		return refuse(file, "it is a script: name its interpreter and give it the script");
	if (got < SELFMAG || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(file, "it is not an ELF file");
	/* What differs in a header of 32 bits comes after these. */
	if (got < (int64_t)offsetof(Elf64_Ehdr, e_entry))
		return refuse(file, "it is truncated");
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(file, "it is for another machine: a big-endian one");
	if (header->e_machine != EM_X86_64 && header->e_machine != EM_386)
		return refuse(file, other_machine(header->e_machine));
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine == EM_386)
		return refuse(file, "it is a 32-bit program");
	if (got < (int64_t)sizeof(*header))
		return refuse(file, "it is truncated");
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
		return refuse(file, "it is of an unknown version of ELF");
	return 0;
}

static int check_header(struct file *file)
{
	const Elf64_Ehdr *header = &file->header;

	if (header->e_type == ET_REL)
		return refuse(file, "it is an object file that is not linked yet");
	if (header->e_type == ET_CORE)
		return refuse(file, "it is a core dump");
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return refuse(file, "it is neither a program nor a shared object");
	if (header->e_phnum == 0)
		return refuse(file, "it has no program headers");
	if (header->e_phnum > MAX_HEADERS)
		return refuse(file, "it has more than 128 program headers");
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(file, "its program headers have a wrong size");
	if (header->e_phoff > INT64_MAX - sizeof(file->headers))
		return refuse(file, "it is truncated");
	return 0;
}

static user_addr_t segment_end(const Elf64_Phdr *segment)
{
	return segment->p_vaddr + segment->p_memsz;
}

/* What one segment alone can be wrong about. */
static int check_segment(struct file *file, const Elf64_Phdr *segment)
{
	user_addr_t lowest = file->header.e_type == ET_EXEC ? LOWEST : 0;

	if (segment->p_filesz > segment->p_memsz)
		return refuse(file, "a segment is larger in the file than in memory");
	if (segment->p_memsz > USER_END || segment->p_vaddr > USER_END - segment->p_memsz ||
	    segment->p_vaddr < lowest)
		return refuse(file, "a segment lies outside of user space");
	if (segment->p_filesz == 0)
		return 0;
	if (segment->p_offset > INT64_MAX - segment->p_filesz)
		return refuse(file, "it is truncated");
	if ((segment->p_vaddr - segment->p_offset) % PAGE_SIZE != 0)
		return refuse(file, "a segment is not aligned in the file as in memory");
	return 0;
}

static int check_alignment(struct file *file, const Elf64_Phdr *segment)
{
	uint64_t alignment = segment->p_align;

	/* As Linux: what is no power of two says nothing. */
	if ((alignment & (alignment - 1)) != 0)
		return 0;
	if (alignment > LARGEST_ALIGNMENT)
		return refuse(file, "a segment is to be aligned to more than 1 GiB");
	file->alignment = max_u64(file->alignment, alignment);
	return 0;
}

static int add_segment(struct file *file, const Elf64_Phdr *segment)
{
	const Elf64_Phdr *before = file->count > 0 ? &file->segments[file->count - 1] : NULL;
	int error;

	if (segment->p_memsz == 0)
		return 0;
	error = check_segment(file, segment);
	if (!error)
		error = check_alignment(file, segment);
	if (error)
		return error;
	if (before != NULL && segment->p_vaddr < before->p_vaddr)
		return refuse(file, "its segments are not in order of address");
	if (before != NULL && segment->p_vaddr < segment_end(before))
		return refuse(file, "its segments overlap");
	/* In place: a segment never moves up. */
	file->segments[file->count++] = *segment;
	return 0;
}

/* Programs that do not say otherwise get a stack without execution. */
static int sort_headers(struct file *file, Elf64_Phdr *interpreter, Elf64_Phdr *own)
{
	for (unsigned int i = 0; i < file->header.e_phnum; i++) {
		const Elf64_Phdr *header = &file->headers[i];
		int error = 0;

		if (header->p_type == PT_LOAD) {
			error = add_segment(file, header);
		} else if (header->p_type == PT_INTERP && file->interpreter == NULL) {
			*interpreter = *header;
			file->interpreter = interpreter;
		} else if (header->p_type == PT_PHDR && file->own_headers == NULL) {
			*own = *header;
			file->own_headers = own;
		} else if (header->p_type == PT_GNU_STACK) {
			file->executable_stack = header->p_flags & PF_X;
		}
		if (error)
			return error;
	}
	if (file->count == 0)
		return refuse(file, "it has nothing to load");
	return 0;
}

static const Elf64_Phdr *segment_at(const struct file *file, user_addr_t address)
{
	for (unsigned int i = 0; i < file->count; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (address >= segment->p_vaddr && address < segment_end(segment))
			return segment;
	}
	return NULL;
}

static int check_whole(struct file *file)
{
	const Elf64_Phdr *entry = segment_at(file, file->header.e_entry);
	uint64_t last = 0;
	uint8_t byte;

	if (file->header.e_entry == 0 && (entry == NULL || !(entry->p_flags & PF_X)))
		return refuse(file, "it has no entry point: it is a library");
	if (entry == NULL || !(entry->p_flags & PF_X))
		return refuse(file, "its entry point is in no executable segment");
	file->start = align_down(file->segments[0].p_vaddr, PAGE_SIZE);
	file->end = align_up(segment_end(&file->segments[file->count - 1]), PAGE_SIZE);
	for (unsigned int i = 0; i < file->count; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (segment->p_filesz != 0)
			last = max_u64(last, segment->p_offset + segment->p_filesz);
	}
	return last == 0 ? 0 : read_exactly(file, last - 1, &byte, 1);
}

static int read_interpreter(struct file *file, struct elf_image *image)
{
	const Elf64_Phdr *header = file->interpreter;
	int error;

	image->interpreter[0] = '\0';
	if (header == NULL)
		return 0;
	if (header->p_filesz < 2)
		return refuse(file, "the name of its ELF interpreter is empty");
	if (header->p_filesz > ELF_INTERP_MAX)
		return refuse(file, "the name of its ELF interpreter is too long");
	if (header->p_offset > INT64_MAX - header->p_filesz)
		return refuse(file, "it is truncated");
	error = read_exactly(file, header->p_offset, image->interpreter, header->p_filesz);
	if (error)
		return error;
	if (image->interpreter[header->p_filesz - 1] != '\0')
		return refuse(file, "the name of its ELF interpreter does not end");
	if (image->interpreter[0] == '\0')
		return refuse(file, "the name of its ELF interpreter is empty");
	return 0;
}

/* Where the program will find its own headers, before relocation; 0: nowhere. */
static user_addr_t find_headers(const struct file *file)
{
	uint64_t size = (uint64_t)file->header.e_phnum * sizeof(Elf64_Phdr);
	uint64_t offset = file->header.e_phoff;
	const Elf64_Phdr *own = file->own_headers, *segment;

	for (unsigned int i = 0; i < file->count; i++) {
		segment = &file->segments[i];
		if (offset >= segment->p_offset && size <= segment->p_filesz &&
		    offset - segment->p_offset <= segment->p_filesz - size)
			return segment->p_vaddr + (offset - segment->p_offset);
	}
	segment = own != NULL ? segment_at(file, own->p_vaddr) : NULL;
	if (segment != NULL && size <= segment_end(segment) - own->p_vaddr)
		return own->p_vaddr;
	return 0;
}

static unsigned int protection(const Elf64_Phdr *segment)
{
	return (segment->p_flags & PF_R ? ASPACE_READ : 0) |
	       (segment->p_flags & PF_W ? ASPACE_WRITE : 0) |
	       (segment->p_flags & PF_X ? ASPACE_EXEC : 0);
}

/* Finds room for the image. Returns 0 with image->base, or -errno. */
static int reserve(const struct file *file, const struct elf_memory *memory,
		   struct elf_image *image)
{
	bool anywhere = file->header.e_type == ET_DYN;
	uint64_t slack = anywhere ? file->alignment - PAGE_SIZE : 0;
	uint64_t size = file->end - file->start + slack;
	int64_t at;

	if (size > USER_END)
		return -ENOMEM;
	at = memory->reserve(memory->context, anywhere ? 0 : file->start, size);
	if (at < 0)
		return (int)at;
	/* Modulo the alignment, addresses are what the file says. */
	image->base = anywhere ? align_up((user_addr_t)at - file->start, file->alignment) : 0;
	return 0;
}

/*
 * A page that two segments have in common gets the bytes of both; what is beyond
 * the file's bytes needs no pages before it is touched.
 */
static int fill(struct file *file, const struct elf_memory *memory, user_addr_t base)
{
	const struct elf_source *source = file->source;
	user_addr_t mapped = 0;

	for (unsigned int i = 0; i < file->count; i++) {
		const Elf64_Phdr *segment = &file->segments[i];
		user_addr_t at = base + segment->p_vaddr;
		user_addr_t from = max_u64(align_down(at, PAGE_SIZE), mapped);
		user_addr_t to = align_up(at + segment->p_filesz, PAGE_SIZE);
		int64_t got;
		int error;

		if (segment->p_filesz == 0)
			continue;
		if (memory->map_file != NULL && from == align_down(at, PAGE_SIZE) &&
		    at % PAGE_SIZE == segment->p_offset % PAGE_SIZE) {
			error = memory->map_file(memory->context, from, to - from,
						 align_down(segment->p_offset, PAGE_SIZE),
						 at + segment->p_filesz - from,
						 segment->p_memsz > segment->p_filesz);
			if (error)
				return error;
			mapped = to;
			continue;
		}
		if (from < to) {
			error = memory->map(memory->context, from, to - from);
			if (error)
				return error;
			mapped = to;
		}
		got = source->read_user(source->context, segment->p_offset, at, segment->p_filesz);
		if (got < 0)
			return (int)got;
		if ((uint64_t)got != segment->p_filesz)
			return refuse(file, "it is truncated");
	}
	return 0;
}

/* In order: as on Linux, a page that two segments have in common is as the later one says. */
static int protect(const struct file *file, const struct elf_memory *memory, user_addr_t base)
{
	for (unsigned int i = 0; i < file->count; i++) {
		const Elf64_Phdr *segment = &file->segments[i];
		user_addr_t at = align_down(base + segment->p_vaddr, PAGE_SIZE);
		user_addr_t to = align_up(base + segment_end(segment), PAGE_SIZE);
		int error = memory->protect(memory->context, at, to - at, protection(segment));

		if (error)
			return error;
	}
	return 0;
}

static void describe(const struct file *file, struct elf_image *image)
{
	user_addr_t headers = find_headers(file);

	image->start = image->base + file->segments[0].p_vaddr;
	image->end = image->base + segment_end(&file->segments[file->count - 1]);
	image->entry = image->base + file->header.e_entry;
	image->program_headers = headers != 0 ? image->base + headers : 0;
	image->program_header_count = file->header.e_phnum;
	image->program_header_size = sizeof(Elf64_Phdr);
	image->executable_stack = file->executable_stack;
}

static int load(struct file *file, const struct elf_memory *memory, struct elf_image *image)
{
	Elf64_Phdr interpreter, own;
	int error = read_header(file);

	if (!error)
		error = check_header(file);
	if (!error)
		error = read_exactly(file, file->header.e_phoff, file->headers,
				     file->header.e_phnum * sizeof(Elf64_Phdr));
	if (!error)
		error = sort_headers(file, &interpreter, &own);
	if (!error)
		error = check_whole(file);
	if (!error)
		error = read_interpreter(file, image);
	if (!error && memory->begin != NULL)
		error = memory->begin(memory->context);
	if (!error)
		error = reserve(file, memory, image);
	if (!error)
		error = fill(file, memory, image->base);
	if (!error)
		error = protect(file, memory, image->base);
	if (!error)
		describe(file, image);
	return error;
}

int elf_load(const struct elf_source *source, const struct elf_memory *memory,
	     struct elf_image *image, const char **why)
{
	struct file *file = heap_alloc_zero(sizeof(*file));
	int error;

	*why = NULL;
	if (file == NULL)
		return -ENOMEM;
	file->source = source;
	file->segments = file->headers;
	file->alignment = PAGE_SIZE;
	error = load(file, memory, image);
	*why = file->why;
	heap_free(file);
	return error;
}
