/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking memory of one NUMA node in the way that is asked for, and what that way cannot
 * give in the next one: remove, block, contig. Never without a word.
 */
#include "blocks.h"
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* For how long Linux is asked to make room, in all. */
#define COMPACT_LIMIT_S 10

/* For how long blocks are tried; one that Linux cannot free may take seconds. */
#define BLOCKS_LIMIT_S 60

/* Attempts in a row that bring nothing, after which the rest of the time is not worth it. */
#define COMPACT_VAIN 3

static const char *const way_names[] = {"contig", "block", "remove"};

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int cannot_take_memory(const struct pisces_add_memory *add, struct pisces_error *error)
{
	char asked[32], available[32];

	pisces_size_format(add->size, asked, sizeof(asked));
	switch (errno) {
	case ENOMEM:
		return pisces_fail(
			error,
			"%s of memory were asked of NUMA node %u of %s, and Linux can free %s "
			"there in large pieces: ask for less, or for CPUs of another NUMA node",
			asked, add->node, pisces_node_name(),
			pisces_size_format(add->available, available, sizeof(available)));
	case ESHUTDOWN:
		return pisces_fail(error, "the enclave is ending, or its co-kernel has died");
	case EINVAL:
		return pisces_fail(error, "node %s has no NUMA node %u to take %s of memory from",
				   pisces_node_name(), add->node, asked);
	case ENOSPC:
		return pisces_fail(error,
				   "the memory of NUMA node %u is too scattered: %s would need "
				   "more than %u pieces; ask for less",
				   add->node, asked, PISCES_MAX_RANGES);
	default:
		return pisces_fail(
			error, "Linux does not give %s of NUMA node %u away: %s; see dmesg on %s",
			asked, add->node, strerror(errno), pisces_node_name());
	}
}

__attribute__((format(printf, 2, 3))) static void note_add(char *note, const char *format, ...)
{
	size_t used = strlen(note);
	va_list args;

	if (used + 2 < PISCES_NOTE_LEN && used)
		used += (size_t)snprintf(note + used, PISCES_NOTE_LEN - used, "; ");
	va_start(args, format);
	vsnprintf(note + used, PISCES_NOTE_LEN - used, format, args);
	va_end(args);
}

/* ---- contig ---- */

static int take_contig(int fd, uint64_t size, uint32_t node, struct pisces_error *error)
{
	struct pisces_add_memory add = {
		.size = size,
		.node = node,
		.way = PISCES_MEMORY_CONTIG,
	};
	const time_t limit = now_s() + COMPACT_LIMIT_S;
	unsigned int vain = 0, attempts = 0;
	uint64_t most = 0;
	char path[64], text[32], has[32];

	pisces_doing("taking %s of memory of NUMA node %u",
		     pisces_size_format(size, text, sizeof(text)), node);
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%" PRIu32 "/compact", node);
	for (;;) {
		if (ioctl(fd, PISCES_IOC_ADD_MEMORY, &add) == 0)
			return 0;
		if (errno != ENOMEM)
			return cannot_take_memory(&add, error);
		if (add.available >= size)
			return pisces_fail(error,
					   "the enclave has too little memory free to map so much more: "
					   "add it in smaller pieces");
		vain = add.available > most ? 0 : vain + 1;
		if (add.available > most)
			most = add.available;
		if (vain == COMPACT_VAIN || now_s() >= limit)
			break;
		pisces_doing("having Linux free %s of NUMA node %u in large pieces (it has %s)",
			     pisces_size_format(size, text, sizeof(text)), node,
			     pisces_size_format(most, has, sizeof(has)));
		/* Gently at first: the page cache is of use to Linux. */
		if (attempts++)
			pisces_write_text("/proc/sys/vm/drop_caches", "1");
		pisces_write_text(path, "1");
	}
	add.available = most;
	errno = ENOMEM;
	return cannot_take_memory(&add, error);
}

/* ---- block and remove ---- */

/* One block. 0, or -errno. */
static int take_block(int fd, uint32_t number, uint64_t size, uint32_t node, int way)
{
	struct pisces_add_memory add = {
		.size = size,
		.node = node,
		.way = (uint32_t)way,
		.base = number * size,
	};

	if (way == PISCES_MEMORY_BLOCK) {
		struct pisces_reserve_block reserve = {.base = add.base, .size = size};
		const time_t start = now_s();

		if (ioctl(fd, PISCES_IOC_RESERVE_BLOCK, &reserve) < 0)
			return -errno;
		if (pisces_block_set(number, "offline") < 0) {
			/* A signal, or the module that had waited long enough? */
			if (errno == EINTR && now_s() - start >= (time_t)PISCES_OFFLINE_LIMIT_S)
				return -EBUSY;
			return -errno;
		}
	}
	if (ioctl(fd, PISCES_IOC_ADD_MEMORY, &add) == 0)
		return 0;
	/* It is offline, and nobody has it: the next one would be as well. */
	if (way == PISCES_MEMORY_BLOCK && (errno == EBUSY || errno == EINVAL || errno == EAGAIN))
		return -EIO;
	return -errno;
}

/*
 * Takes up to SIZE bytes, rounded up to whole blocks of BLOCK; how much in *TAKEN. Returns
 * 0, or -errno of what stopped it: blocks that Linux needs itself, or cannot remove, are
 * passed over.
 */
static int take_blocks(int fd, uint64_t size, uint64_t block, uint32_t node, int way,
		       uint64_t *taken)
{
	const time_t limit = now_s() + BLOCKS_LIMIT_S;
	uint32_t *list;
	int count, passed = -EBUSY, result = 0;
	char text[32];

	*taken = 0;
	pisces_doing("taking %s of memory of NUMA node %u by way %s",
		     pisces_size_format(size, text, sizeof(text)), node, way_names[way]);
	count = pisces_blocks_online(node, &list);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count && *taken < size && !result; i++) {
		int failed;

		pisces_still_doing();
		failed = take_block(fd, list[i], block, node, way);

		switch (-failed) {
		case 0:
			*taken += block;
			break;
		case EOPNOTSUPP:
			passed = failed;
			break;
		case EBUSY:
		case EINVAL:
		case EAGAIN:
			if (now_s() >= limit)
				result = -ETIME;
			break;
		default:
			result = failed;
		}
	}
	free(list);
	if (*taken >= size)
		return 0;
	return result ? result : passed;
}

/* Why a way has not given all, for people. */
static const char *why_not(int result)
{
	switch (-result) {
	case EOPNOTSUPP:
		return "Linux maps it in pages of 1 GiB, of which it cannot remove a part (boot with nogbpages)";
	case ENOMEM:
		return "Linux needs the rest itself";
	case ENOENT:
	case ENODEV:
		return "Linux has no memory blocks (CONFIG_MEMORY_HOTPLUG)";
	case ETIME:
		return "Linux did not free more in 60 s";
	case EBUSY:
	case EINVAL:
	case EAGAIN:
		return "Linux cannot free more whole blocks";
	default:
		return strerror(-result);
	}
}

static int default_way(void)
{
	char text[16];
	int way;

	if (pisces_read_text("/sys/module/pisces/parameters/memory_way", text, sizeof(text)) < 0)
		return PISCES_MEMORY_CONTIG;
	way = pisces_way_parse(text);
	return way < 0 ? PISCES_MEMORY_CONTIG : way;
}

int pisces_memory_take(int enclave_fd, uint64_t size, uint32_t node, int way, char *note,
		       struct pisces_error *error)
{
	uint64_t block = pisces_block_size(), left = size, taken;
	char text[32], more[32];

	note[0] = '\0';
	if (way == PISCES_WAY_DEFAULT)
		way = default_way();
	while (way != PISCES_MEMORY_CONTIG && left) {
		int result = -ENODEV, next = way - 1;

		taken = 0;
		if (block)
			result = take_blocks(enclave_fd, left, block, node, way, &taken);
		if (result == -ESHUTDOWN || result == -ETIMEDOUT || result == -ENOSPC ||
		    result == -EPERM) {
			struct pisces_add_memory add = {.size = left, .node = node};

			errno = -result;
			return cannot_take_memory(&add, error);
		}
		if (taken > left)
			note_add(note, "way %s takes whole blocks of %s: NUMA node %u gave %s more",
				 way_names[way], pisces_size_format(block, text, sizeof(text)),
				 node, pisces_size_format(taken - left, more, sizeof(more)));
		left = taken < left ? left - taken : 0;
		/* Blocks that cannot be emptied are as little of use to way block. */
		if (result == -ETIME)
			next = PISCES_MEMORY_CONTIG;
		if (left)
			note_add(note, "way %s: %s; took %s of NUMA node %u by way %s instead",
				 way_names[way], why_not(result),
				 pisces_size_format(left, text, sizeof(text)), node,
				 way_names[next]);
		way = next;
	}
	return left ? take_contig(enclave_fd, left, node, error) : 0;
}
