/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pisces dump: the core file, in ELF as gdb reads it. Each CPU is a thread of it, whose
 * number is that which Linux gives the CPU.
 */
#include "dump.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#define PAGE  4096u
#define CHUNK 0x100000u

static int no_write(struct pisces_error *error)
{
	snprintf(error->text, sizeof(error->text), "the dump cannot be written: %s",
		 strerror(errno));
	return -1;
}

/* ---- notes ---- */

/* Appends a note with SIZE bytes, and the padding of all its parts. */
static void put_note(FILE *to, const char *name, uint32_t type, const void *what, size_t size)
{
	static const char zeros[4];
	Elf64_Nhdr header = {
		.n_namesz = (uint32_t)strlen(name) + 1,
		.n_descsz = (uint32_t)size,
		.n_type = type,
	};

	fwrite(&header, sizeof(header), 1, to);
	fwrite(name, header.n_namesz, 1, to);
	fwrite(zeros, (4 - header.n_namesz % 4) % 4, 1, to);
	fwrite(what, size, 1, to);
	fwrite(zeros, (4 - size % 4) % 4, 1, to);
}

static void put_process(FILE *to, const struct dump *dump)
{
	prpsinfo_t info = {.pr_sname = 'R', .pr_pid = (int)dump->info.enclave};

	/* The name of the file with the symbols, or gdb wonders. */
	snprintf(info.pr_fname, sizeof(info.pr_fname), "cokernel.elf");
	snprintf(info.pr_psargs, sizeof(info.pr_psargs), "co-kernel of enclave %" PRIu32 " %.40s",
		 dump->info.enclave, dump->info.name);
	put_note(to, "CORE", NT_PRPSINFO, &info, sizeof(info));
}

static void put_cpu(FILE *to, const struct dump *dump, unsigned int index)
{
	const struct pisces_registers *from = &dump->registers[index];
	struct user_regs_struct regs = {
		.r15 = from->r15,
		.r14 = from->r14,
		.r13 = from->r13,
		.r12 = from->r12,
		.rbp = from->rbp,
		.rbx = from->rbx,
		.r11 = from->r11,
		.r10 = from->r10,
		.r9 = from->r9,
		.r8 = from->r8,
		.rax = from->rax,
		.rcx = from->rcx,
		.rdx = from->rdx,
		.rsi = from->rsi,
		.rdi = from->rdi,
		.orig_rax = UINT64_MAX,
		.rip = from->rip,
		.cs = from->cs,
		.eflags = from->rflags,
		.rsp = from->rsp,
		.ss = from->ss,
		.fs_base = from->fs_base,
		.gs_base = from->gs_base,
	};
	prstatus_t status = {.pr_ppid = (int)dump->info.enclave};

	/* A thread 0 is none for gdb; and Linux never gives its CPU 0 away. */
	status.pr_pid = (int)(dump->boot ? dump->boot->cpus[index].linux_cpu : index + 1);
	_Static_assert(sizeof(status.pr_reg) == sizeof(regs), "of the same kind");
	memcpy(&status.pr_reg, &regs, sizeof(regs));
	put_note(to, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* For people and scripts: strings(1) finds it. */
static void put_facts(FILE *to, const struct dump *dump)
{
	char text[1024];
	int length;

	length = snprintf(text, sizeof(text),
			  "ENCLAVE=%" PRIu32 "\nNAME=%.63s\nJOB=%" PRIu32 ".%" PRIu32
			  "\nREASON=%.127s\nBUILD=%.39s\nDIRECT_BASE=%" PRIx64
			  "\nIMAGE_VIRTUAL=%" PRIx64 "\nIMAGE_PHYSICAL=%" PRIx64 "\n",
			  dump->info.enclave, dump->info.name, dump->info.job, dump->info.step,
			  dump->info.reason, dump->boot ? dump->boot->build_id : "",
			  (uint64_t)PISCES_DIRECT_BASE, dump->layout.image_virtual,
			  dump->layout.image_base);
	put_note(to, "PISCES", 1, text, (size_t)length + 1);
}

static char *make_notes(const struct dump *dump, size_t *size)
{
	char *notes = NULL;
	FILE *to = open_memstream(&notes, size);

	if (!to)
		return NULL;
	put_process(to, dump);
	for (unsigned int i = 0; i < dump->cpu_count; i++)
		if (dump->registers[i].snapshot)
			put_cpu(to, dump, i);
	put_facts(to, dump);
	if (fclose(to) != 0) {
		free(notes);
		return NULL;
	}
	return notes;
}

/* ---- headers ---- */

static uint64_t file_offset(const struct dump *dump, uint64_t base)
{
	for (unsigned int i = 0; i < dump->piece_count; i++) {
		const struct dump_piece *piece = &dump->pieces[i];

		if (base >= piece->base && base - piece->base < piece->size)
			return piece->offset + (base - piece->base);
	}
	return 0; /* not reached: segments lie in pieces */
}

static int write_all(int file, const void *bytes, size_t size, uint64_t offset)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t done = pwrite(file, at, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		at += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

static int write_headers(struct dump *dump, int file, const char *notes, size_t notes_size)
{
	unsigned int count = dump->segment_count + 1;
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)count,
	};
	Elf64_Phdr *programs = calloc(count, sizeof(*programs));
	uint64_t notes_at = sizeof(header) + count * sizeof(*programs);
	uint64_t end = notes_at + notes_size;
	int result;

	if (!programs)
		return -1;
	for (unsigned int i = 0; i < dump->piece_count; i++) {
		end = (end + PAGE - 1) / PAGE * PAGE;
		dump->pieces[i].offset = end;
		end += dump->pieces[i].size;
	}
	programs[0] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = notes_at,
		.p_filesz = notes_size,
		.p_align = 4,
	};
	for (unsigned int i = 0; i < dump->segment_count; i++) {
		const struct dump_segment *segment = &dump->segments[i];

		programs[1 + i] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = file_offset(dump, segment->base),
			.p_vaddr = segment->virtual_base,
			.p_paddr = segment->base,
			.p_filesz = segment->size,
			.p_memsz = segment->size,
			.p_align = PAGE,
		};
	}
	result = write_all(file, &header, sizeof(header), 0);
	if (result == 0)
		result = write_all(file, programs, count * sizeof(*programs), sizeof(header));
	if (result == 0)
		result = write_all(file, notes, notes_size, notes_at);
	/* What is not written below is a hole, and reads as zeros. */
	if (result == 0)
		result = ftruncate(file, (off_t)end);
	free(programs);
	return result;
}

/* ---- memory ---- */

static bool is_zero(const unsigned char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0;
}

/* Writes the pages of BYTES that are not zero; SIZE is a multiple of a page. */
static int write_pages(int file, const unsigned char *bytes, size_t size, uint64_t offset)
{
	size_t at = 0, end;

	while (at < size) {
		if (is_zero(bytes + at)) {
			at += PAGE;
			continue;
		}
		end = at + PAGE;
		while (end < size && !is_zero(bytes + end))
			end += PAGE;
		if (write_all(file, bytes + at, end - at, offset + at) < 0)
			return -1;
		at = end;
	}
	return 0;
}

/* Fills BYTES from physical address BASE on; what cannot be read is zero and counted. */
static void read_memory(int fd, unsigned char *bytes, size_t size, uint64_t base, uint64_t *lost)
{
	size_t at = 0;

	while (at < size) {
		ssize_t got = pread(fd, bytes + at, size - at, (off_t)(base + at));
		size_t page;

		if (got < 0 && errno == EINTR)
			continue;
		if (got > 0) {
			at += (size_t)got;
			continue;
		}
		/* Given back to Linux meanwhile: the rest of this page, and on behind it. */
		page = PAGE - at % PAGE;
		memset(bytes + at, 0, page);
		at += page;
		*lost += page;
	}
}

static int write_piece(const struct dump *dump, int file, const struct dump_piece *piece,
		       unsigned char *buffer, uint64_t *lost)
{
	for (uint64_t done = 0; done < piece->size; done += CHUNK) {
		size_t size = piece->size - done < CHUNK ? (size_t)(piece->size - done) : CHUNK;

		read_memory(dump->fd, buffer, size, piece->base + done, lost);
		if (write_pages(file, buffer, size, piece->offset + done) < 0)
			return -1;
	}
	return 0;
}

int dump_write(struct dump *dump, int file, uint64_t *lost, struct pisces_error *error)
{
	unsigned char *buffer = malloc(CHUNK);
	size_t notes_size;
	char *notes = make_notes(dump, &notes_size);
	int result = -1;

	*lost = 0;
	if (!buffer || !notes)
		errno = ENOMEM;
	else
		result = write_headers(dump, file, notes, notes_size);
	for (unsigned int i = 0; result == 0 && i < dump->piece_count; i++)
		result = write_piece(dump, file, &dump->pieces[i], buffer, lost);
	if (result < 0)
		no_write(error);
	free(notes);
	free(buffer);
	return result;
}
