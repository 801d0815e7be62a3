/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/own.h"

#include <asm/unistd_64.h>

#include "arch/cpu.h"
#include "boot/boot.h"
#include "channel/channel.h"
#include "fs/own_nodes.h"
#include "fs/page_cache.h"
#include "fs/status.h"
#include "fs/text.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/page.h"
#include "mm/policy.h"
#include "task/process.h"
#include "task/thread.h"

/* Of open(2) and memfd_create(2). */
#define ACCESS_MODE 3u
#define CLOSE_ON_EXEC 02000000u
#define MEMFD_CLOSE_ON_EXEC 1u

/* ---- what is in them ---- */

static void add_region(user_addr_t start, user_addr_t end, unsigned int prot, void *argument)
{
	user_addr_t stack = process_current()->stack_top;
	const char *name = stack > start && stack <= end ? "[stack]" : "";

	text_add(argument, "%012lx-%012lx %c%c%cp 00000000 00:00 0 %26s\n", start, end,
		 prot & ASPACE_READ ? 'r' : '-', prot & ASPACE_WRITE ? 'w' : '-',
		 prot & ASPACE_EXEC ? 'x' : '-', name);
}

static void write_maps(struct text *text)
{
	aspace_for_each(process_current()->aspace, add_region, text);
}

/* The enclave's CPUs by Linux's numbers. */
static void cpus_of_linux(uint64_t set[PISCES_CPU_WORDS])
{
	cpu_id_t cpu;

	FOR_EACH_ONLINE_CPU(cpu) {
		uint32_t number = boot_block->cpus[cpu].linux_cpu;

		if (number < PISCES_MAX_CPUS)
			set[number / 64] |= 1ull << (number % 64);
	}
}

static void write_cpus(struct text *text)
{
	uint64_t set[PISCES_CPU_WORDS] = { 0 };

	cpus_of_linux(set);
	text_add_list(text, set, PISCES_CPU_WORDS);
}

/* From 0 on, as programs take their number for the highest one. */
static void write_possible_cpus(struct text *text)
{
	uint64_t set[PISCES_CPU_WORDS] = { 0 };
	bool above = false;

	cpus_of_linux(set);
	for (unsigned int i = PISCES_CPU_WORDS; i > 0; i--) {
		uint64_t word = set[i - 1];

		if (above)
			set[i - 1] = UINT64_MAX;
		else if (word != 0)
			set[i - 1] = UINT64_MAX >> __builtin_clzll(word);
		above |= word != 0;
	}
	text_add_list(text, set, PISCES_CPU_WORDS);
}

static void write_memory(struct text *text)
{
	uint64_t total = page_total() / 1024, free = page_free_bytes() / 1024;

	text_add(text, "MemTotal:       %8lu kB\n", total);
	text_add(text, "MemFree:        %8lu kB\n", free);
	text_add(text, "MemAvailable:   %8lu kB\n", free + page_cache_bytes() / 1024);
	text_add(text, "Buffers:        %8u kB\n", 0);
	text_add(text, "Cached:         %8lu kB\n", page_cache_bytes() / 1024);
	text_add(text, "SwapTotal:      %8u kB\n", 0);
	text_add(text, "SwapFree:       %8u kB\n", 0);
}

static void write_status(struct text *text)
{
	struct process *process = process_current();
	uint64_t cpus[PISCES_CPU_WORDS] = { 0 }, nodes = policy_all_nodes();

	text_add(text, "Name:\t%s\n", process_name(process));
	text_add(text, "State:\tR (running)\n");
	text_add(text, "Tgid:\t%u\nPid:\t%u\nPPid:\t0\n", process->pid, process->pid);
	text_add(text, "Uid:\t%u\t%u\t%u\t%u\n", process->uid, process->uid, process->uid,
		 process->uid);
	text_add(text, "Gid:\t%u\t%u\t%u\t%u\n", process->gid, process->gid, process->gid,
		 process->gid);
	text_add(text, "VmSize:\t%8lu kB\n", aspace_reserved(process->aspace) / 1024);
	text_add(text, "VmHWM:\t%8lu kB\n", aspace_peak(process->aspace) / 1024);
	text_add(text, "VmRSS:\t%8lu kB\n", aspace_resident(process->aspace) / 1024);
	text_add(text, "Threads:\t%u\n", process->thread_count);
	cpus_of_linux(cpus);
	text_add(text, "Cpus_allowed:\t");
	text_add_mask(text, cpus, PISCES_CPU_WORDS);
	text_add(text, "Cpus_allowed_list:\t");
	write_cpus(text);
	text_add(text, "Mems_allowed:\t");
	text_add_mask(text, &nodes, 1);
	text_add(text, "Mems_allowed_list:\t");
	text_add_list(text, &nodes, 1);
}

static const struct {
	const char *path; /* with "/proc/self/" for the program's own */
	void (*write)(struct text *text);
} files[] = {
	{ "/proc/self/maps", write_maps },
	{ "/proc/self/status", write_status },
	{ "/proc/meminfo", write_memory },
	{ "/sys/devices/system/cpu/online", write_cpus },
	{ "/sys/devices/system/cpu/present", write_cpus },
	{ "/sys/devices/system/cpu/possible", write_possible_cpus },
};

/* PATH as it is in the table: /proc/PID/ and /proc/thread-self/ are /proc/self/. */
static void to_self(const char *path, char *normal, size_t size)
{
	char own[32];
	size_t length;

	format_text(own, sizeof(own), "/proc/%u/", process_current()->pid);
	length = strlen(own);
	if (strncmp(path, own, length) == 0)
		format_text(normal, size, "/proc/self/%s", path + length);
	else if (strncmp(path, "/proc/thread-self/", 18) == 0)
		format_text(normal, size, "/proc/self/%s", path + 18);
	else
		strlcpy(normal, path, size);
}

/* ---- a memory file of the proxy ---- */

/* Writes all of TEXT to offset 0 on of FD; the descriptor's own position stays there. */
static int64_t fill(int64_t fd, const struct text *text)
{
	struct channel *channel = process_current()->channel;
	struct channel_buffer buffer;
	uint64_t done = 0;
	int64_t bytes;

	while (done < text->used) {
		bytes = channel_buffer_take(channel, text->used - done, &buffer);
		if (bytes < 0)
			return bytes;
		memcpy(buffer.memory, text->bytes + done, buffer.size);
		bytes = channel_call_own(__NR_pwrite64, (uint64_t)fd, buffer.offset, buffer.size,
					 done, 0, 0);
		channel_buffer_give(channel, &buffer);
		if (bytes <= 0)
			return bytes < 0 ? bytes : -EIO;
		done += (uint64_t)bytes;
	}
	return 0;
}

static int64_t make_file(const char *name, const struct text *text, uint32_t flags)
{
	int64_t error, fd = call_with_name(__NR_memfd_create, 0, name,
					   flags & CLOSE_ON_EXEC ? MEMFD_CLOSE_ON_EXEC : 0, 0);

	if (fd < 0)
		return fd;
	error = fill(fd, text);
	if (error == 0)
		return fd;
	channel_call_own(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	return error;
}

bool own_open(const char *path, uint32_t flags, int64_t *result)
{
	char normal[OWN_PATH_MOST + 16];
	struct text text;
	unsigned int i;

	if (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0)
		return false;
	to_self(path, normal, sizeof(normal));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(normal, files[i].path) == 0)
			break;
	}
	if (i == ARRAY_SIZE(files) && !own_is_node_file(normal))
		return false;
	*result = -EACCES;
	if ((flags & ACCESS_MODE) != 0)
		return true;
	text_init(&text, TEXT_MOST);
	if (i < ARRAY_SIZE(files))
		files[i].write(&text);
	else
		own_write_node_file(normal, &text);
	*result = text_is_whole(&text) ? make_file(normal, &text, flags) : -ENOMEM;
	text_free(&text);
	return true;
}

const char *own_link(const char *path)
{
	char normal[OWN_PATH_MOST + 16];

	if (strncmp(path, "/proc/", 6) != 0)
		return NULL;
	to_self(path, normal, sizeof(normal));
	return strcmp(normal, "/proc/self/exe") == 0 ? process_current()->executable : NULL;
}
