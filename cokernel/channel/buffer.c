/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data area, handed out in runs of pages. A call that may block for long
 * keeps its run, so one call never gets so much that another could get nothing:
 * a page stays free for each call that can still be sent. The last page is for
 * reports, which must get through whatever the program does (calls.c keeps them
 * a call as well).
 */
#include "channel/internal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "task/process.h"
#include "task/thread.h"

void channel_space_init(struct channel *channel)
{
	wait_queue_init(&channel->space);
	channel->free_calls = PISCES_CHANNEL_CALLS;
	channel->data_pages = channel->layout.data_size / PAGE_SIZE;
	channel->free_pages = channel->data_pages;
}

static bool is_taken(const struct channel *channel, uint64_t page)
{
	return channel->taken[page / 64] >> (page % 64) & 1;
}

static void mark(struct channel *channel, uint64_t first, uint64_t count, bool taken)
{
	uint64_t page;

	for (page = first; page < first + count; page++) {
		if (taken)
			channel->taken[page / 64] |= 1ull << (page % 64);
		else
			channel->taken[page / 64] &= ~(1ull << (page % 64));
	}
}

/* The first run of WANTED free pages, or else the longest there is. Returns its length. */
static uint64_t find_run(const struct channel *channel, uint64_t wanted, uint64_t *first)
{
	uint64_t page, length = 0, best = 0;

	for (page = 0; page < channel->data_pages; page++) {
		length = is_taken(channel, page) ? 0 : length + 1;
		if (length > best) {
			best = length;
			*first = page + 1 - length;
		}
		if (best == wanted)
			break;
	}
	return best;
}

/* Pages for a call that asks for WANTED: all it may have now, 0 for none. */
static uint64_t allowance(const struct channel *channel, uint64_t wanted, bool all)
{
	uint64_t kept = channel->free_calls;

	if (channel->free_pages <= 1)
		return 0;
	if (wanted == 1 || wanted + kept <= channel->free_pages)
		return wanted;
	if (all)
		/* It cannot do with less; alone in the channel it may take what there is. */
		return channel->free_pages == channel->data_pages ? wanted : 0;
	return channel->free_pages > kept ? channel->free_pages - kept : 1;
}

/* Marks COUNT pages from FIRST on as BUFFER's, of which SIZE bytes are used. */
static int64_t hand_out(struct channel *channel, uint64_t first, uint64_t count, uint64_t size,
			struct channel_buffer *buffer)
{
	mark(channel, first, count, true);
	channel->free_pages -= count;
	buffer->offset = first * PAGE_SIZE;
	buffer->memory = channel->memory + channel->layout.data + buffer->offset;
	buffer->size = min_u64(size, count * PAGE_SIZE);
	buffer->done = false;
	return (int64_t)buffer->size;
}

/*
 * For the last thread, which nobody gives anything back: what the calls of the others, which
 * were broken off, have left. COUNT pages of the WANTED ones, or 0.
 */
static uint64_t last_run(const struct channel *channel, uint64_t wanted, bool all, uint64_t *first)
{
	uint64_t count = find_run(channel, min_u64(wanted, channel->free_pages), first);

	return all && count < wanted ? 0 : count;
}

static int64_t take(struct channel *channel, uint64_t size, bool all,
		    struct channel_buffer *buffer)
{
	uint64_t wanted = align_up(max_u64(size, 1), PAGE_SIZE) / PAGE_SIZE;
	uint64_t first = 0, count;
	enum wait_mode mode = channel_wait_mode(channel);
	int64_t result = 0;

	if (all && wanted >= channel->data_pages)
		return -E2BIG;
	lock_take(&channel->space.lock);
	while (result == 0) {
		count = allowance(channel, wanted, all);
		if (count != 0)
			count = find_run(channel, count, &first);
		if (count == 0 && channel->phase == CHANNEL_LAST)
			count = last_run(channel, wanted, all, &first);
		if (count == wanted || (count != 0 && !all)) {
			result = hand_out(channel, first, count, size, buffer);
			break;
		}
		if (channel->abandoned || channel->broken || channel->phase == CHANNEL_LAST)
			result = -EIO;
		else if (wait_on_mode(&channel->space, NSEC_FOREVER, mode) == -EINTR)
			result = -ERESTARTSYS;
	}
	lock_drop(&channel->space.lock);
	return result;
}

int64_t channel_buffer_take_report(struct channel *channel, struct channel_buffer *buffer)
{
	uint64_t first = 0;
	int64_t result = -EIO;

	lock_take(&channel->space.lock);
	while (!channel->abandoned && !channel->broken) {
		if (find_run(channel, 1, &first) == 1) {
			result = hand_out(channel, first, 1, PAGE_SIZE, buffer);
			break;
		}
		wait_on(&channel->space, NSEC_FOREVER, false);
	}
	lock_drop(&channel->space.lock);
	return result;
}

int64_t channel_buffer_take(struct channel *channel, uint64_t size, struct channel_buffer *buffer)
{
	return take(channel, min_u64(size, CHANNEL_PIECE), false, buffer);
}

bool channel_buffer_try(struct channel *channel, uint64_t size, struct channel_buffer *buffer)
{
	uint64_t wanted = align_up(max_u64(size, 1), PAGE_SIZE) / PAGE_SIZE, first = 0;
	bool found;

	lock_take(&channel->space.lock);
	found = allowance(channel, wanted, false) == wanted &&
		find_run(channel, wanted, &first) == wanted;
	if (found)
		hand_out(channel, first, wanted, size, buffer);
	lock_drop(&channel->space.lock);
	return found;
}

int64_t channel_buffer_take_all(struct channel *channel, uint64_t size,
				struct channel_buffer *buffer)
{
	return take(channel, size, true, buffer);
}

void channel_buffer_give(struct channel *channel, struct channel_buffer *buffer)
{
	uint64_t count = align_up(max_u64(buffer->size, 1), PAGE_SIZE) / PAGE_SIZE;

	/* The proxy may still be reading or filling what a thread of a process that ends left. */
	if (__atomic_load_n(&process_current()->ending, __ATOMIC_SEQ_CST) &&
	    !thread_current()->firm && !buffer->done && channel->phase != CHANNEL_LAST)
		return;
	lock_take(&channel->space.lock);
	mark(channel, buffer->offset / PAGE_SIZE, count, false);
	channel->free_pages += count;
	wake_all(&channel->space);
	lock_drop(&channel->space.lock);
}
