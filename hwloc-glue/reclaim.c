/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving Linux what no enclave has any more: memory blocks and cpusets. */
#include "blocks.h"
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* For how long blocks are looked after that others may be bringing online, too: 5 s. */
#define AGAIN_NS   100000000
#define AGAIN_MOST 50

/* All blocks there are at *LIST, to be freed. Returns how many, or -1 with errno. */
static int list_blocks(int device, struct pisces_block **list)
{
	struct pisces_blocks request = {0};

	*list = NULL;
	for (;;) {
		free(*list);
		*list = NULL;
		request.capacity = request.count + 16;
		*list = calloc(request.capacity, sizeof(**list));
		if (!*list)
			return -1;
		request.blocks = (uint64_t)(uintptr_t)*list;
		if (ioctl(device, PISCES_IOC_BLOCKS, &request) < 0) {
			free(*list);
			*list = NULL;
			return -1;
		}
		if (request.count <= request.capacity)
			return (int)request.count;
	}
}

static bool waits(const struct pisces_block *block)
{
	return block->state == PISCES_BLOCK_OFFLINE || block->state == PISCES_BLOCK_REMOVED;
}

/*
 * Brings online what waits for it. Returns how many blocks wait still, as others may be at it,
 * or -1 with *ERROR; the address of one in *FIRST, and in *WHY why it could not be brought.
 */
static int bring_online(int device, uint64_t *first, int *why, struct pisces_error *error)
{
	struct pisces_block *list;
	int count, left = 0;

	*why = 0;
	/* What it cannot do is in the list of blocks. */
	ioctl(device, PISCES_IOC_RECLAIM);
	count = list_blocks(device, &list);
	for (int i = 0; i < count; i++) {
		const struct pisces_block *block = &list[i];

		if (block->state == PISCES_BLOCK_OFFLINE &&
		    pisces_block_set(block->base / block->size,
				     block->movable ? "online_movable" : "online") < 0)
			*why = errno;
	}
	free(list);
	if (count >= 0)
		count = list_blocks(device, &list);
	if (count < 0)
		return pisces_fail(error, "the memory blocks of node %s cannot be listed: %s",
				   pisces_node_name(), strerror(errno));
	/* Not what was written above counts: another one may have been at it too. */
	for (int i = 0; i < count; i++) {
		if (waits(&list[i]) && left++ == 0)
			*first = list[i].base;
	}
	free(list);
	return left;
}

int pisces_reclaim(struct pisces_error *error)
{
	int device = pisces_device_open(PISCES_DEVICE_LOOK, error), left, why;
	const struct timespec pause = {.tv_nsec = AGAIN_NS};
	unsigned int cpusets;
	uint64_t first = 0;

	if (device < 0)
		return -1;
	/* Enclaves that end meanwhile give more back, which the module's own call brings. */
	left = bring_online(device, &first, &why, error);
	for (int i = 0; i < AGAIN_MOST && left > 0; i++) {
		nanosleep(&pause, NULL);
		left = bring_online(device, &first, &why, error);
	}
	cpusets = (unsigned int)pisces_cpusets_restore(device);
	close(device);
	if (left < 0)
		return -1;
	if (left)
		return pisces_fail(error,
				   "%d memory block%s of node %s not online again, as that at 0x%" PRIx64
				   " (%s): see dmesg; to try again: pisces reclaim",
				   left, left == 1 ? " is" : "s are", pisces_node_name(), first,
				   why ? strerror(why) : "it could not be added to Linux");
	if (cpusets)
		return pisces_fail(error,
				   "%u cpuset%s of cgroup v1 on node %s without the CPUs that came "
				   "back; to try again: pisces reclaim",
				   cpusets, cpusets == 1 ? " is" : "s are", pisces_node_name());
	return 0;
}
