/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Benchmark of the partition: what taking, giving back, booting and ending cost,
 * each beside Linux's own operation that is its floor, in turn in one run. Prints
 * rows "WHAT|OURS|FLOOR|GOAL", times in ms, medians. Runs on the node, as root, with
 * floor.ko loaded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pisces/build_id.h>
#include <pisces/ioctl.h>

#define IMAGE "/usr/lib/pisces/cokernel.bin"
#define MIB (UINT64_C(1) << 20)
#define ROUNDS_MAX 101

static unsigned int rounds = 7;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;
	int error = errno;

	va_start(args, format);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(1);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct series {
	double value[ROUNDS_MAX];
	unsigned int count;
};

static void note(struct series *series, double value)
{
	series->value[series->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct series *series)
{
	qsort(series->value, series->count, sizeof(double), compare);
	return series->count ? series->value[series->count / 2] : 0;
}

static void row(struct series *ours, struct series *floor, const char *goal, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	printf("|%.1f|%.1f|%s\n", median(ours), median(floor), goal);
	fflush(stdout);
	ours->count = floor->count = 0;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Writes TEXT to PATH and returns what that took, in ms. */
static double time_put(const char *path, const char *text)
{
	double start = now_ms();

	if (!put(path, text))
		die("%s > %s", text, path);
	return now_ms() - start;
}

/* Linux's own time for taking, giving back and clearing (contig only) memory, ms each. */
struct floor {
	double take, give, clear;
};

static bool floor_memory(const char *what, uint64_t where, uint64_t bytes, struct floor *floor)
{
	char text[64];
	uint64_t take_ns, give_ns, clear_ns;
	FILE *file;

	snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64, what, where, bytes);
	if (!put("/proc/pisces-floor", text))
		return false;
	file = fopen("/proc/pisces-floor", "r");
	if (!file || fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64, &take_ns, &give_ns,
			    &clear_ns) != 3)
		die("/proc/pisces-floor");
	fclose(file);
	floor->take = (double)take_ns / 1e6;
	floor->give = (double)give_ns / 1e6;
	floor->clear = (double)clear_ns / 1e6;
	return true;
}

/* ---- an enclave ---- */

static int enclave_make(void)
{
	struct pisces_create create = { .abi = PISCES_ABI_VERSION, .build_id = PISCES_BUILD_ID };
	int device = open(PISCES_DEVICE, O_RDWR | O_CLOEXEC), fd;

	if (device < 0)
		device = open(PISCES_DEVICE, O_RDONLY | O_CLOEXEC);
	if (device < 0)
		die("%s", PISCES_DEVICE);
	fd = ioctl(device, PISCES_IOC_CREATE, &create);
	if (fd < 0)
		die("making an enclave");
	close(device);
	return fd;
}

static void add_cpu(int fd, unsigned int cpu)
{
	struct pisces_add_cpu add = { .linux_cpu = cpu };

	if (ioctl(fd, PISCES_IOC_ADD_CPU, &add) < 0)
		die("taking CPU %u", cpu);
}

static bool add_memory(int fd, uint64_t size, uint32_t node, uint32_t way, uint64_t base)
{
	struct pisces_add_memory add = { .size = size, .node = node, .way = way, .base = base };

	return ioctl(fd, PISCES_IOC_ADD_MEMORY, &add) == 0;
}

static bool remove_memory(int fd, uint64_t size, uint32_t node)
{
	struct pisces_remove_memory remove = { .size = size, .node = node };

	return ioctl(fd, PISCES_IOC_REMOVE_MEMORY, &remove) == 0;
}

static void boot(int fd)
{
	struct pisces_boot boot = { 0 };
	struct stat stat;
	int file = open(IMAGE, O_RDONLY);
	void *bytes;

	if (file < 0 || fstat(file, &stat) < 0)
		die("%s", IMAGE);
	bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
	if (bytes == MAP_FAILED)
		die("%s", IMAGE);
	boot.image = (uintptr_t)bytes;
	boot.image_size = (uint64_t)stat.st_size;
	if (ioctl(fd, PISCES_IOC_BOOT, &boot) < 0)
		die("booting");
	munmap(bytes, (size_t)stat.st_size);
	close(file);
}

/* ---- CPUs ---- */

static double time_online(unsigned int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return time_put(path, online ? "1" : "0");
}

static void bench_cpus(void)
{
	static struct series add, remove, offline, online;
	struct pisces_remove_cpu gone = { .linux_cpu = 3 };
	int fd = enclave_make();

	add_cpu(fd, 1);
	if (!add_memory(fd, 256 * MIB, 0, PISCES_MEMORY_CONTIG, 0))
		die("taking memory");
	boot(fd);
	for (unsigned int i = 0; i < rounds; i++) {
		double start;

		note(&offline, time_online(3, false));
		note(&online, time_online(3, true));
		start = now_ms();
		add_cpu(fd, 3);
		note(&add, now_ms() - start);
		start = now_ms();
		if (ioctl(fd, PISCES_IOC_REMOVE_CPU, &gone) < 0)
			die("giving CPU 3 back");
		note(&remove, now_ms() - start);
	}
	row(&add, &offline, "1.2", "add a CPU to a running enclave / remove_cpu");
	row(&remove, &online, "1.2", "give a CPU of it back / add_cpu");
	close(fd);
}

/* ---- memory ---- */

static void bench_contig(int fd)
{
	static struct series add, remove, take, give;

	for (unsigned int i = 0; i < rounds; i++) {
		struct floor floor;
		double start;

		if (!floor_memory("contig", 0, 128 * MIB, &floor))
			die("the floor of contig");
		note(&take, floor.take);
		note(&give, floor.give + floor.clear);
		start = now_ms();
		if (!add_memory(fd, 128 * MIB, 0, PISCES_MEMORY_CONTIG, 0))
			die("adding 128 MiB, contig");
		note(&add, now_ms() - start);
		start = now_ms();
		if (!remove_memory(fd, 128 * MIB, 0))
			die("giving back 128 MiB, contig");
		note(&remove, now_ms() - start);
	}
	row(&add, &take, "1.2", "add 128 MiB, way contig / alloc_contig_range");
	row(&remove, &give, "-", "give 128 MiB back, scrubbed, way contig / clear it, free_contig_range");
}

static uint64_t block_size(void)
{
	FILE *file = fopen("/sys/devices/system/memory/block_size_bytes", "r");
	uint64_t size;

	if (!file || fscanf(file, "%" SCNx64, &size) != 1)
		die("the size of a memory block");
	fclose(file);
	return size;
}

static void block_path(char *path, size_t size, uint64_t base, uint64_t block, const char *what)
{
	snprintf(path, size, "/sys/devices/system/memory/memory%" PRIu64 "/%s", base / block,
		 what);
}

/* A block of node 1 that Linux can take offline now; it is online again. */
static uint64_t find_block(uint64_t block)
{
	for (int64_t number = 1 << 16; number >= 0; number--) {
		char path[80];
		uint64_t base = (uint64_t)number * block;

		block_path(path, sizeof(path), base, block, "node1");
		if (access(path, F_OK) != 0)
			continue;
		block_path(path, sizeof(path), base, block, "state");
		if (put(path, "offline") && put(path, "online"))
			return base;
	}
	die("no memory block of NUMA node 1 can go offline");
}

/* What clearing BYTES takes, in ms: of another node, so that it changes nothing on that of blocks. */
static double floor_clear(uint64_t bytes)
{
	struct floor floor;

	if (!floor_memory("contig", 0, bytes, &floor))
		die("the floor of clearing");
	return floor.clear;
}

static void bench_block(int fd)
{
	static struct series add, same, take, cleared, remove, give;
	uint64_t block = block_size(), base = find_block(block);
	struct pisces_reserve_block reserve = { .base = base, .size = block };
	char state[80];

	block_path(state, sizeof(state), base, block, "state");
	for (unsigned int i = 0; i < rounds; i++) {
		double clear = floor_clear(block), start = now_ms();

		note(&take, time_put(state, "offline"));
		note(&cleared, now_ms() - start + clear);
		note(&give, time_put(state, "online") + clear);
		start = now_ms();
		if (ioctl(fd, PISCES_IOC_RESERVE_BLOCK, &reserve) < 0 || !put(state, "offline") ||
		    !add_memory(fd, block, 1, PISCES_MEMORY_BLOCK, base))
			die("adding a block");
		note(&add, now_ms() - start);
		note(&same, add.value[i]);
		start = now_ms();
		if (!remove_memory(fd, block, 1))
			die("giving a block back");
		note(&remove, now_ms() - start);
	}
	row(&add, &take, "1.2", "add a block of %" PRIu64 " MiB, way block / offline it", block / MIB);
	row(&same, &cleared, "1.2", "  beside: offline it and clear it");
	row(&remove, &give, "-", "give it back, scrubbed and online again / clear it, online it");
}

static void bench_remove(int fd)
{
	static struct series add, same, take, cleared, remove, give;
	uint64_t block = block_size(), base = find_block(block);
	char state[80];

	block_path(state, sizeof(state), base, block, "state");
	for (unsigned int i = 0; i < rounds; i++) {
		double clear = floor_clear(block), start;
		struct floor floor;

		if (!floor_memory("remove", base, block, &floor)) {
			fprintf(stderr, "bench: this kernel does not remove memory: %s\n",
				strerror(errno));
			return;
		}
		note(&take, floor.take);
		note(&cleared, floor.take + clear);
		/* Where Linux does not do that by itself. */
		start = now_ms();
		put(state, "online");
		note(&give, floor.give + now_ms() - start + clear);
		start = now_ms();
		if (!add_memory(fd, block, 1, PISCES_MEMORY_REMOVE, base))
			die("adding a block, way remove");
		note(&add, now_ms() - start);
		note(&same, add.value[i]);
		start = now_ms();
		if (!remove_memory(fd, block, 1))
			die("giving a removed block back");
		note(&remove, now_ms() - start);
	}
	row(&add, &take, "1.2", "add a block of %" PRIu64 " MiB, way remove / offline_and_remove_memory",
	    block / MIB);
	row(&same, &cleared, "1.2", "  beside: remove it and clear it");
	row(&remove, &give, "-",
	    "give it back, scrubbed and online again / add_memory, clear it, online it");
}

static void bench_memory(void)
{
	int fd = enclave_make();

	add_cpu(fd, 1);
	if (!add_memory(fd, 256 * MIB, 0, PISCES_MEMORY_CONTIG, 0))
		die("taking memory");
	boot(fd);
	bench_contig(fd);
	bench_block(fd);
	bench_remove(fd);
	close(fd);
}

/* ---- whole lives ---- */

struct life {
	double total, boot, end;
	double clear; /* of the floor: its memory by one CPU; not in the total */
};

/* Half of the memory of each of the two nodes, by the CPUs that go next, as libpisces does. */
static void take_halves(int fd, unsigned int cpus, uint64_t memory)
{
	cpu_set_t all, next;

	CPU_ZERO(&next);
	for (unsigned int i = 1; i <= cpus; i++)
		CPU_SET(i, &next);
	if (sched_getaffinity(0, sizeof(all), &all) < 0 ||
	    sched_setaffinity(0, sizeof(next), &next) < 0)
		die("affinity");
	for (uint32_t node = 0; node < 2; node++)
		if (!add_memory(fd, memory / 2, node, PISCES_MEMORY_CONTIG, 0))
			die("taking %" PRIu64 " MiB", memory / 2 / MIB);
	sched_setaffinity(0, sizeof(all), &all);
}

static struct life live(unsigned int cpus, uint64_t memory)
{
	double start = now_ms(), taken, booted;
	int fd = enclave_make();
	struct life life;

	take_halves(fd, cpus, memory);
	for (unsigned int i = 1; i <= cpus; i++)
		add_cpu(fd, i);
	taken = now_ms();
	boot(fd);
	booted = now_ms();
	close(fd);
	life.end = now_ms() - booted;
	life.boot = booted - taken;
	life.total = now_ms() - start;
	return life;
}

/* The same by Linux alone: take all CPUs and the memory, give all back. */
static struct life live_floor(unsigned int cpus, uint64_t memory)
{
	struct life life = { 0 };
	struct floor floor;

	for (unsigned int i = 1; i <= cpus; i++)
		life.total += time_online(i, false);
	for (unsigned int node = 0; node < 2; node++) {
		if (!floor_memory("contig", node, memory / 2, &floor))
			die("the floor of %" PRIu64 " MiB", memory / 2 / MIB);
		life.total += floor.take;
		life.end += floor.give;
		life.clear += floor.clear;
	}
	for (unsigned int i = 1; i <= cpus; i++)
		life.end += time_online(i, true);
	life.total += life.end;
	return life;
}

static void bench_lives(void)
{
	static const uint64_t sizes[] = { 128, 512, 2048 };
	static struct series total, same, floor, cleared, boots, nothing, end, floor_end;

	for (unsigned int cpus = 1; cpus <= 3; cpus++) {
		for (unsigned int s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			for (unsigned int i = 0; i < rounds; i++) {
				struct life least = live_floor(cpus, sizes[s] * MIB);
				struct life ours = live(cpus, sizes[s] * MIB);

				note(&total, ours.total);
				note(&floor, least.total);
				note(&same, ours.total);
				note(&cleared, least.total + least.clear);
				note(&boots, ours.boot);
				note(&nothing, least.total);
				note(&end, ours.end);
				note(&floor_end, least.end);
			}
			row(&total, &floor, "1.2",
			    "take, boot, end: %u CPUs, %" PRIu64 " MiB / take and give back by Linux",
			    cpus, sizes[s]);
			row(&same, &cleared, "1.2", "  beside: take, clear, give back");
			row(&boots, &nothing, "-", "  of these the boot alone");
			row(&end, &floor_end, "-", "  and the end");
		}
	}
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("ROUNDS");

	if (wanted)
		rounds = (unsigned int)atoi(wanted);
	if (rounds < 1 || rounds > ROUNDS_MAX)
		rounds = 7;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "cpus") == 0)
			bench_cpus();
		else if (strcmp(argv[i], "memory") == 0)
			bench_memory();
		else if (strcmp(argv[i], "lives") == 0)
			bench_lives();
	}
	return 0;
}
