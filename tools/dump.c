/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pisces dump: an enclave's memory and registers in a file for gdb. */
#include "dump.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: pisces dump [-o FILE] ENCLAVE\n"
	"\n"
	"Writes the memory of ENCLAVE (a number or a name) and the registers of its CPUs to an\n"
	"ELF core file, for gdb with the co-kernel's symbols. The enclave goes on: what it\n"
	"changes meanwhile may be in the file or not. Of an enclave whose co-kernel has died,\n"
	"the registers are those it died with. Needs root.\n"
	"\n"
	"  -o, --output=FILE    the file (default: enclave-NUMBER.core)\n"
	"\n"
	"The file has all that the programs there have in memory: keep it to yourself.\n";

static int fails(struct pisces_error *error, const char *what, uint32_t enclave)
{
	snprintf(error->text, sizeof(error->text), "%s of enclave %" PRIu32 ": %s", what, enclave,
		 strerror(errno));
	return -1;
}

/* A CPU that did not answer this time still has what it said to an earlier dump. */
static void forget_old_registers(struct dump *dump)
{
	uint64_t newest = 0;

	for (unsigned int i = 0; i < dump->cpu_count; i++) {
		if (dump->registers[i].snapshot > newest)
			newest = dump->registers[i].snapshot;
	}
	/* Of the dead, CPUs that Linux had asked just before belong to it. */
	for (unsigned int i = 0; newest != PISCES_SNAPSHOT_DEATH && i < dump->cpu_count; i++) {
		if (dump->registers[i].snapshot != newest)
			dump->registers[i].snapshot = 0;
	}
}

static int get_registers(struct dump *dump, struct pisces_error *error)
{
	struct pisces_snapshot ask = {.count = PISCES_MAX_CPUS};

	dump->registers = calloc(PISCES_MAX_CPUS, sizeof(*dump->registers));
	ask.registers = (uint64_t)(uintptr_t)dump->registers;
	if (!dump->registers || ioctl(dump->fd, PISCES_IOC_SNAPSHOT, &ask) < 0) {
		if (errno == EBUSY) {
			snprintf(error->text, sizeof(error->text),
				 "enclave %" PRIu32 " has not been booted: there is nothing to see "
				 "in it yet",
				 dump->info.enclave);
			return -1;
		}
		return fails(error, "the registers", dump->info.enclave);
	}
	dump->cpu_count = ask.count < PISCES_MAX_CPUS ? ask.count : PISCES_MAX_CPUS;
	forget_old_registers(dump);
	return 0;
}

static void add_piece(struct dump *dump, uint64_t base, uint64_t size)
{
	dump->pieces[dump->piece_count++] = (struct dump_piece){.base = base, .size = size};
	dump_add_segment(dump, PISCES_DIRECT_BASE + base, base, size);
}

/* All ranges of the layout, however many there are: it may be resized meanwhile. */
static int ask_layout(struct dump *dump)
{
	struct pisces_layout *layout = &dump->layout;
	uint32_t room = 0;

	for (;;) {
		*layout = (struct pisces_layout){
			.capacity = room,
			.ranges = (uint64_t)(uintptr_t)dump->ranges,
		};
		if (ioctl(dump->fd, PISCES_IOC_LAYOUT, layout) < 0)
			return -1;
		if (dump->ranges && layout->count <= room)
			return 0;
		room = layout->count;
		free(dump->ranges);
		dump->ranges = calloc(room + 1, sizeof(*dump->ranges));
		if (!dump->ranges)
			return -1;
	}
}

/* Where its memory is. All of it stays 0 if that is Linux's again. */
static int get_layout(struct dump *dump, struct pisces_error *error)
{
	struct pisces_layout *layout = &dump->layout;

	dump->boot = calloc(1, sizeof(*dump->boot));
	if (!dump->boot)
		return fails(error, "the layout", dump->info.enclave);
	if (ask_layout(dump) < 0 ||
	    pread(dump->fd, dump->boot, sizeof(*dump->boot), (off_t)layout->shared_base) !=
		    (ssize_t)sizeof(*dump->boot)) {
		free(dump->boot);
		dump->boot = NULL;
		*layout = (struct pisces_layout){0};
		return errno == ESHUTDOWN ? 0 : fails(error, "the layout", dump->info.enclave);
	}
	dump->pieces = calloc((size_t)layout->count + 1, sizeof(*dump->pieces));
	if (!dump->pieces)
		return fails(error, "the layout", dump->info.enclave);
	add_piece(dump, layout->shared_base, layout->shared_size);
	for (uint32_t i = 0; i < layout->count; i++)
		add_piece(dump, dump->ranges[i].base, dump->ranges[i].size);
	return 0;
}

static int compare_segments(const void *a, const void *b)
{
	const struct dump_segment *left = a, *right = b;

	return (left->virtual_base > right->virtual_base) -
	       (left->virtual_base < right->virtual_base);
}

static void get_segments(struct dump *dump)
{
	const struct pisces_layout *layout = &dump->layout;

	if (layout->image_size)
		dump_add_segment(dump, layout->image_virtual, layout->image_base,
				 layout->image_size);
	for (unsigned int i = 0; i < dump->cpu_count; i++) {
		if (dump->registers[i].snapshot) {
			dump_walk(dump, dump->registers[i].cr3);
			break;
		}
	}
	if (dump->segment_count)
		qsort(dump->segments, dump->segment_count, sizeof(*dump->segments),
		      compare_segments);
}

static int gather(struct dump *dump, uint32_t enclave, struct pisces_error *error)
{
	if (pisces_info(enclave, &dump->info, error) < 0)
		return -1;
	dump->fd = pisces_enclave_open(enclave, error);
	if (dump->fd < 0)
		return -1;
	/* First of all: a program does not wait until its memory has been read. */
	if (get_registers(dump, error) < 0 || get_layout(dump, error) < 0)
		return -1;
	get_segments(dump);
	return 0;
}

/* What the user is to know of the file FILE, to TO if all is well. */
static void tell(const struct dump *dump, const char *file, uint64_t lost, FILE *to)
{
	const char *image = pisces_image_path(NULL);
	size_t length = strlen(image);
	uint64_t size = 0;
	char text[32];

	for (unsigned int i = 0; i < dump->cpu_count; i++) {
		if (!dump->registers[i].snapshot)
			fprintf(stderr, "enclave: CPU number %u of the enclave did not say what is "
					"in its registers: it is not in the dump\n",
				i);
	}
	if (!dump->boot)
		fprintf(stderr, "enclave: the memory of enclave %" PRIu32 " is Linux's again: the "
				"dump has the registers only\n",
			dump->info.enclave);
	if (lost)
		fprintf(stderr, "enclave: %s were given back meanwhile and are zeros in the dump\n",
			pisces_size_format(lost, text, sizeof(text)));
	for (unsigned int i = 0; i < dump->piece_count; i++)
		size += dump->pieces[i].size;
	fprintf(to, "%s: %s of enclave %" PRIu32 ", %u CPUs\n", file,
		pisces_size_format(size, text, sizeof(text)), dump->info.enclave, dump->cpu_count);
	/* Beside the image is the same with symbols. */
	if (length > 4 && strcmp(image + length - 4, ".bin") == 0)
		length -= 4;
	fprintf(to, "to look at it: gdb %.*s.elf %s\n", (int)length, image, file);
}

/* FILE, empty, for nobody else's eyes: not what somebody has put there to read it later. */
static int open_file(const char *file, struct pisces_error *error)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat what;

	if (fd < 0) {
		snprintf(error->text, sizeof(error->text), "%s: %s", file, strerror(errno));
		return -1;
	}
	if (fstat(fd, &what) < 0 || !S_ISREG(what.st_mode) || what.st_uid != geteuid() ||
	    what.st_nlink != 1) {
		snprintf(error->text, sizeof(error->text),
			 "%s is no file of yours alone: name another one for the dump", file);
	} else if (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0) {
		snprintf(error->text, sizeof(error->text), "%s: %s", file, strerror(errno));
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

static int write_file(struct dump *dump, const char *file, FILE *to, struct pisces_error *error)
{
	uint64_t lost;
	int result, fd;

	fd = open_file(file, error);
	if (fd < 0)
		return -1;
	result = dump_write(dump, fd, &lost, error);
	if (close(fd) < 0 && result == 0) {
		snprintf(error->text, sizeof(error->text), "%s: %s", file, strerror(errno));
		result = -1;
	}
	if (result < 0)
		unlink(file);
	else
		tell(dump, file, lost, to);
	return result;
}

int dump_enclave(uint32_t enclave, const char *file, FILE *to, struct pisces_error *error)
{
	struct dump dump = {.fd = -1};
	int result = gather(&dump, enclave, error);

	if (result == 0)
		result = write_file(&dump, file, to, error);
	if (dump.fd >= 0)
		close(dump.fd);
	free(dump.registers);
	free(dump.ranges);
	free(dump.pieces);
	free(dump.segments);
	free(dump.boot);
	return result;
}

static bool set_output(int option, void *context)
{
	(void)option;
	*(const char **)context = optarg;
	return true;
}

int command_dump(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		TOOL_OPTION_HELP,
		{0},
	};
	struct tool_arguments arguments = {
		.help = help, .least = 1, .most = 1, .wanted = TOOL_ONE_ENCLAVE};
	struct pisces_error error;
	const char *file = NULL;
	uint32_t enclave;
	char name[64];
	int code = tool_arguments(argc, argv, ":o:h", options, &arguments, set_output, &file);

	if (code >= 0)
		return code;
	if (pisces_find_any(argv[optind], &enclave, &error) < 0)
		return tool_failed(&error);
	if (!file) {
		snprintf(name, sizeof(name), "enclave-%" PRIu32 ".core", enclave);
		file = name;
	}
	if (dump_enclave(enclave, file, stdout, &error) < 0)
		return tool_failed(&error);
	return TOOL_OK;
}
