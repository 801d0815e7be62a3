/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ELF loader: programs as compilers and linkers make them, and files that are none. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit-elf-memory.h"
#include "unit-mm.h"

#define R PF_R
#define W PF_W
#define X PF_X

/* ---- real files ---- */

static uint8_t *read_whole(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat status;
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &status) != 0) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*size = (uint64_t)status.st_size;
	bytes = malloc(*size + 1);
	if (read(fd, bytes, *size) != status.st_size)
		bail_out("%s cannot be read", path);
	close(fd);
	return bytes;
}

/* Is the program in memory what the file says? Looks at each byte of each segment. */
static const char *compare(const struct elf_test *test)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)test->file;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(test->file + header->e_phoff);
	user_addr_t base = test->image.base;
	const char *interpreter = "";

	if (header->e_type == ET_EXEC && base != 0)
		return "a fixed program has a base";
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		if (p[i].p_type == PT_INTERP)
			interpreter = (const char *)test->file + p[i].p_offset;
		if (p[i].p_type != PT_LOAD)
			continue;
		if ((p[i].p_align & (p[i].p_align - 1)) == 0 && p[i].p_align > 1 &&
		    base % p[i].p_align != 0)
			return "it is not aligned as a segment asks";
		for (uint64_t j = 0; j < p[i].p_memsz; j++) {
			uint8_t expected = j < p[i].p_filesz ? test->file[p[i].p_offset + j] : 0;

			if (elf_test_byte(test, base + p[i].p_vaddr + j) != expected)
				return "a byte is not that of the file";
			if (j % 512 == 0 && elf_test_prot(test, base + p[i].p_vaddr + j) !=
						    ((p[i].p_flags & PF_R ? 1u : 0u) |
						     (p[i].p_flags & PF_W ? 2u : 0u) |
						     (p[i].p_flags & PF_X ? 4u : 0u)))
				return "a segment has another protection";
		}
	}
	if (test->image.entry != base + header->e_entry)
		return "another entry point";
	if (strcmp(test->image.interpreter, interpreter) != 0)
		return "another interpreter";
	if (test->image.program_header_count != header->e_phnum)
		return "another number of program headers";
	for (uint64_t j = 0; j < header->e_phnum * sizeof(*p); j++) {
		if (elf_test_byte(test, test->image.program_headers + j) !=
		    test->file[header->e_phoff + j])
			return "the program headers are not where the program is told";
	}
	return test->wrong;
}

static void test_file(const char *path, const char *what, bool dynamic)
{
	struct elf_test test = { 0 };
	const char *wrong;
	int got;

	test.file = read_whole(path, &test.file_size);
	if (test.file == NULL) {
		ok(true, "%s # SKIP no %s here", what, path);
		return;
	}
	got = elf_test_load(&test);
	wrong = got != 0 ? test.why : compare(&test);
	if (!ok(got == 0 && wrong == NULL && (test.image.interpreter[0] != '\0') == dynamic,
		"%s: loaded byte for byte", what))
		printf("# %d: %s; %s\n", got, wrong != NULL ? wrong : "-", test.image.interpreter);
	/* A file that ends early must be noticed, wherever. */
	if (got == 0) {
		uint64_t whole = test.file_size, end = 0;
		const Elf64_Ehdr *header = (const Elf64_Ehdr *)test.file;
		const Elf64_Phdr *p = (const Elf64_Phdr *)(test.file + header->e_phoff);
		unsigned int missed = 0;

		for (unsigned int i = 0; i < header->e_phnum; i++) {
			if (p[i].p_type == PT_LOAD && p[i].p_offset + p[i].p_filesz > end)
				end = p[i].p_offset + p[i].p_filesz;
		}
		elf_test_done(&test);
		for (uint64_t size = 0; size < whole; size += size < 300 ? 1 : whole / 97) {
			struct elf_test cut = { .file = test.file, .file_size = size };

			got = elf_test_load(&cut);
			missed += size < end && (got != -ENOEXEC || cut.why == NULL || cut.base != 0);
			elf_test_done(&cut);
		}
		ok(missed == 0, "%s: cut off anywhere it is refused before anything is loaded", what);
	}
	elf_test_done(&test);
	free((void *)test.file);
}

static void compile(const char *directory, const char *compiler, const char *flags, const char *what,
		    bool dynamic)
{
	char command[1024], path[512];

	snprintf(path, sizeof(path), "%s/program", directory);
	unlink(path);
	snprintf(command, sizeof(command), "%s -O1 %s -o %s %s/program.c >%s/log 2>&1", compiler, flags,
		 path, directory, directory);
	if (system(command) != 0) {
		ok(true, "%s # SKIP '%s %s' does not compile here", what, compiler, flags);
		return;
	}
	test_file(path, what, dynamic);
}

static void test_real(void)
{
	const char *cc = getenv("CC") != NULL && *getenv("CC") ? getenv("CC") : "cc";
	char directory[] = "/tmp/unit-elf.XXXXXX", path[512], command[600];
	FILE *source;

	if (mkdtemp(directory) == NULL)
		bail_out("no directory in /tmp");
	snprintf(path, sizeof(path), "%s/program.c", directory);
	source = fopen(path, "w");
	if (source == NULL)
		bail_out("%s cannot be written", path);
	fputs("#include <stdio.h>\n"
	      "static char zero[100000]; static __thread int own = 5; int data[3000] = { 1, 2 };\n"
	      "int main(int argc, char **argv)\n"
	      "{ zero[argc] = argv[0][0]; return printf(\"%d %d %d\\n\", zero[7], own, data[1]); }\n",
	      source);
	fclose(source);
	compile(directory, cc, "-static -no-pie", "static", false);
	compile(directory, cc, "-static-pie", "static and position-independent", false);
	compile(directory, cc, "-no-pie", "dynamic at a fixed address", true);
	compile(directory, cc, "-pie -fPIE", "dynamic and position-independent", true);
	compile(directory, cc, "-static -no-pie -Wl,-z,noseparate-code", "text and headers together",
		false);
	compile(directory, cc, "-static-pie -Wl,-z,max-page-size=0x200000",
		"segments aligned to 2 MiB", false);
	compile(directory, cc, "-pie -fPIE -Wl,-z,execstack", "with an executable stack", true);
	compile(directory, "musl-gcc", "-static -no-pie", "musl, static", false);
	compile(directory, "musl-gcc", "-pie -fPIE", "musl, dynamic", true);
	test_file("/bin/busybox", "busybox", false);
	test_file("/bin/true", "/bin/true", true);
	test_file("/lib64/ld-linux-x86-64.so.2", "the ELF interpreter itself", false);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	if (system(command) != 0)
		printf("# %s stays\n", directory);
}

/* ---- files made by hand ---- */

#define FILE_SIZE 0x6000u

struct made {
	Elf64_Ehdr header;
	Elf64_Phdr p[130];
};

static uint8_t bytes[FILE_SIZE];
static struct made *const made = (struct made *)bytes;

static void segment(unsigned int i, uint32_t type, uint64_t offset, uint64_t address,
		    uint64_t file_size, uint64_t size, uint32_t flags)
{
	made->p[i] = (Elf64_Phdr){ type, flags, offset, address, address, file_size, size, 4096 };
	if (made->header.e_phnum <= i)
		made->header.e_phnum = (uint16_t)(i + 1);
}

/* A good static program of text and data; cases change one thing of it. */
static void make(void)
{
	for (unsigned int i = 0; i < FILE_SIZE; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256);
	memset(made, 0, sizeof(*made));
	memcpy(made->header.e_ident, ELFMAG, SELFMAG);
	made->header.e_ident[EI_CLASS] = ELFCLASS64;
	made->header.e_ident[EI_DATA] = ELFDATA2LSB;
	made->header.e_ident[EI_VERSION] = EV_CURRENT;
	made->header.e_version = EV_CURRENT;
	made->header.e_type = ET_EXEC;
	made->header.e_machine = EM_X86_64;
	made->header.e_phoff = sizeof(Elf64_Ehdr);
	made->header.e_phentsize = sizeof(Elf64_Phdr);
	made->header.e_ehsize = sizeof(Elf64_Ehdr);
	made->header.e_entry = 0x400000 + 0x2100;
	segment(0, PT_LOAD, 0, 0x400000, 0x3000, 0x3000, R | X);
	segment(1, PT_LOAD, 0x3800, 0x404800, 0x1000, 0x5000, R | W);
}

static struct elf_test load_made(void)
{
	struct elf_test test = { .file = bytes, .file_size = FILE_SIZE };
	int got = elf_test_load(&test);

	if (got == 0 && test.why != NULL)
		test.wrong = "a reason without an error";
	if (got == -ENOEXEC && test.why == NULL)
		test.wrong = "an error without a reason";
	if (got != 0 && got != -ENOEXEC)
		test.why = strerror(-got);
	return test;
}

static void refused(const char *why)
{
	struct elf_test test = load_made();

	if (!ok(test.why != NULL && strcmp(test.why, why) == 0 && test.wrong == NULL, "refused: %s",
		why))
		printf("# got: %s; %s\n", test.why ? test.why : "(loaded)",
		       test.wrong ? test.wrong : "-");
	elf_test_done(&test);
	make();
}

static void accepted(const char *what)
{
	struct elf_test test = load_made();
	const char *wrong = test.why != NULL ? test.why : compare(&test);

	if (!ok(wrong == NULL, "loaded: %s", what))
		printf("# %s\n", wrong);
	elf_test_done(&test);
	make();
}

static void test_header(void)
{
	made->header.e_ident[1] = 'x';
	refused("it is not an ELF file");
	memcpy(bytes, "#!/bin/sh\n", 10);
	refused("it is a script: name its interpreter and give it the script");
	made->header.e_machine = EM_AARCH64;
	refused("it is for another machine: aarch64");
	made->header.e_machine = EM_RISCV;
	refused("it is for another machine: riscv");
	made->header.e_machine = 0x7777;
	refused("it is for another machine");
	made->header.e_ident[EI_DATA] = ELFDATA2MSB;
	refused("it is for another machine: a big-endian one");
	made->header.e_ident[EI_CLASS] = ELFCLASS32;
	made->header.e_machine = EM_386;
	refused("it is a 32-bit program");
	made->header.e_ident[EI_CLASS] = ELFCLASS32; /* x32 */
	refused("it is a 32-bit program");
	made->header.e_version = 2;
	refused("it is of an unknown version of ELF");
	made->header.e_type = ET_REL;
	refused("it is an object file that is not linked yet");
	made->header.e_type = ET_CORE;
	refused("it is a core dump");
	made->header.e_type = 0xfe00;
	refused("it is neither a program nor a shared object");
	made->header.e_phnum = 0;
	refused("it has no program headers");
	made->header.e_phnum = 129;
	refused("it has more than 128 program headers");
	made->header.e_phentsize = 32;
	refused("its program headers have a wrong size");
	made->header.e_phoff = FILE_SIZE - 8;
	refused("it is truncated");
	made->header.e_phoff = UINT64_MAX - 50;
	refused("it is truncated");
	made->header.e_phoff = INT64_MAX - 50;
	refused("it is truncated");
	made->header.e_entry = 0x404900;
	refused("its entry point is in no executable segment");
	made->header.e_entry = 0x500000;
	refused("its entry point is in no executable segment");
	made->header.e_entry = 0;
	refused("it has no entry point: it is a library");
}

static void test_segments(void)
{
	made->p[0].p_type = made->p[1].p_type = PT_NOTE;
	refused("it has nothing to load");
	made->p[0].p_memsz = made->p[0].p_filesz - 1;
	refused("a segment is larger in the file than in memory");
	made->p[1].p_memsz = UINT64_MAX;
	refused("a segment lies outside of user space");
	made->p[1].p_vaddr = 0x7fffffffe800;
	refused("a segment lies outside of user space");
	made->p[1].p_vaddr = 0xffffffff80000800;
	refused("a segment lies outside of user space");
	made->p[0].p_vaddr = 0x1000;
	refused("a segment lies outside of user space");
	made->p[0].p_offset = 0x10;
	refused("a segment is not aligned in the file as in memory");
	made->p[1].p_vaddr = 0x402800;
	refused("its segments overlap");
	made->p[0].p_memsz = 0x4801;
	refused("its segments overlap");
	made->p[1].p_vaddr = 0x300800;
	refused("its segments are not in order of address");
	made->p[1].p_filesz = made->p[1].p_memsz = FILE_SIZE;
	refused("it is truncated");
	made->p[1].p_offset = 0x7ffffffffffff800;
	refused("it is truncated");
	made->p[1].p_offset = 0xfffffffffffff800;
	refused("it is truncated");
	made->p[1].p_align = 1ull << 31;
	refused("a segment is to be aligned to more than 1 GiB");
	made->p[1].p_align = 12345;
	accepted("an alignment that is no power of two says nothing, as on Linux");
	made->p[0].p_memsz = 0x4000;
	accepted("a segment that ends where the next begins, zeros in between");
}

static void test_interpreter(void)
{
	segment(2, PT_INTERP, 0x3000, 0, 20, 20, R);
	strcpy((char *)bytes + 0x3000, "/lib/ld-interpreter");
	accepted("with the name of an ELF interpreter");
	segment(2, PT_INTERP, 0x3000, 0, 20, 20, R);
	memset(bytes + 0x3000, 'x', 20);
	refused("the name of its ELF interpreter does not end");
	segment(2, PT_INTERP, 0x3000, 0, 257, 257, R);
	refused("the name of its ELF interpreter is too long");
	segment(2, PT_INTERP, 0x3000, 0, 1, 1, R);
	refused("the name of its ELF interpreter is empty");
	segment(2, PT_INTERP, 0x3000, 0, 5, 5, R);
	memset(bytes + 0x3000, 0, 5);
	refused("the name of its ELF interpreter is empty");
	segment(2, PT_INTERP, FILE_SIZE - 3, 0, 20, 20, R);
	refused("it is truncated");
	segment(2, PT_INTERP, UINT64_MAX - 3, 0, 20, 20, R);
	refused("it is truncated");
}

static void test_shapes(void)
{
	struct elf_test test;

	accepted("a program of two segments and zeros");

	/* The end of the text and the beginning of the data in one page, of file and memory. */
	segment(0, PT_LOAD, 0, 0x400000, 0x2f00, 0x2f00, R | X);
	segment(1, PT_LOAD, 0x2f00, 0x402f00, 0x1000, 0x3000, R | W);
	test = load_made();
	ok(test.why == NULL && elf_test_byte(&test, 0x402eff) == bytes[0x2eff] &&
		   elf_test_byte(&test, 0x402f00) == bytes[0x2f00],
	   "two segments in one page: both have their bytes");
	ok(elf_test_prot(&test, 0x402e00) == 3 && elf_test_prot(&test, 0x401fff) == 5,
	   "the page is as the later one says, as on Linux");
	elf_test_done(&test);
	make();

	/* Zeros of the first and bytes of the second in one page. */
	segment(0, PT_LOAD, 0, 0x400000, 0x2f00, 0x3800, R | X);
	segment(1, PT_LOAD, 0x3900, 0x403900, 0x100, 0x100, R | W);
	test = load_made();
	ok(test.why == NULL && elf_test_byte(&test, 0x402f00) == 0 &&
		   elf_test_byte(&test, 0x4037ff) == 0 &&
		   elf_test_byte(&test, 0x403900) == bytes[0x3900],
	   "zeros and bytes in one page");
	elf_test_done(&test);
	make();

	segment(1, PT_LOAD, 0, 0x404000, 0, 1ull << 40, R | W);
	test = load_made();
	ok(test.why == NULL && test.mapped == 0x3000 && elf_test_prot(&test, 1ull << 39) == 3,
	   "a TiB of zeros takes no pages before it is touched");
	elf_test_done(&test);
	make();

	made->header.e_type = ET_DYN;
	made->p[0].p_align = 1 << 30;
	test = load_made();
	ok(test.why == NULL && test.image.base % (1 << 30) == 0 && compare(&test) == NULL,
	   "an alignment of 1 GiB is given");
	elf_test_done(&test);
	make();

	/* As prelinked libraries have them: addresses that are high already. */
	made->header.e_type = ET_DYN;
	made->header.e_entry = 0x7ffff0002100;
	segment(0, PT_LOAD, 0, 0x7ffff0000000, 0x3000, 0x3000, R | X);
	segment(1, PT_LOAD, 0x3800, 0x7ffff0004800, 0x1000, 0x5000, R | W);
	test = load_made();
	ok(test.why == NULL && compare(&test) == NULL && test.image.start == test.base,
	   "a position-independent program that is linked high goes low");
	elf_test_done(&test);
	make();

	test = load_made();
	ok(!test.image.executable_stack && test.image.start == 0x400000 &&
		   test.image.end == 0x409800,
	   "bounds are exact, and the stack is not executable unless it is asked for");
	elf_test_done(&test);
	segment(2, PT_GNU_STACK, 0, 0, 0, 0, R | W | X);
	test = load_made();
	ok(test.image.executable_stack, "PT_GNU_STACK asks");
	elf_test_done(&test);
	make();

	segment(0, PT_LOAD, 0, 0x400000, 0x50, 0x3000, R | X);
	test = load_made();
	ok(test.why == NULL && test.image.program_headers == 0,
	   "headers that are only partly in a segment are nowhere");
	elf_test_done(&test);
	make();

	/* Headers at the end of the file, in no segment; a PT_PHDR points into the data. */
	memcpy(bytes + 0x5000, made->p, 3 * sizeof(Elf64_Phdr));
	made->header.e_phoff = 0x5000;
	test = load_made();
	ok(test.why == NULL && test.image.program_headers == 0,
	   "headers that are in no segment are nowhere");
	elf_test_done(&test);
	((Elf64_Phdr *)(bytes + 0x5000))[2] = (Elf64_Phdr){ .p_type = PT_PHDR, .p_vaddr = 0x404900 };
	made->header.e_phnum = 3;
	test = load_made();
	ok(test.image.program_headers == 0x404900, "unless PT_PHDR says where");
	elf_test_done(&test);
	((Elf64_Phdr *)(bytes + 0x5000))[2].p_vaddr = 0x409790;
	test = load_made();
	ok(test.image.program_headers == 0, "and they can be there");
	elf_test_done(&test);
	make();
}

static void test_errors(void)
{
	unsigned int wrong = 0, reads = 0;

	for (unsigned int i = 1; i < 20; i++) {
		struct elf_test test = { .file = bytes, .file_size = FILE_SIZE, .fail_read = i };
		int got = elf_test_load(&test);

		elf_test_done(&test);
		if (got == 0)
			break;
		reads++;
		wrong += got != -EIO || test.why != NULL || test.wrong != NULL;
	}
	ok(wrong == 0 && reads >= 4, "an error of any of the %u reads comes through", reads);
}

int main(void)
{
	make();
	test_header();
	test_segments();
	test_interpreter();
	test_shapes();
	test_errors();
	test_real();
	return done();
}
