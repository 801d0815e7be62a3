/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/pipe_ring.h"

#include "lib/errno.h"
#include "mm/direct.h"
#include "mm/heap.h"
#include "mm/local.h"
#include "mm/page.h"
#include "syscall/vector.h"

void pipe_cursor_advance(struct pipe_cursor *cursor, uint64_t bytes)
{
	cursor->left -= bytes;
	cursor->done += bytes;
	cursor->skip += bytes;
	while (cursor->left > 0 && cursor->skip >= cursor->parts->size) {
		cursor->skip -= cursor->parts->size;
		cursor->parts++;
	}
}

/* ---- pages ---- */

static uint8_t *take_page(struct pipe_ring *ring)
{
	uint8_t *page = ring->spare;
	phys_addr_t new;

	ring->spare = NULL;
	if (page)
		return page;
	do {
		new = page_alloc(0, mm_this_node(), 0);
	} while (new == PAGE_NONE && mm_shrink(true));
	return new == PAGE_NONE ? NULL : phys_to_virt(new);
}

/* A pipe through which messages go one by one allocates nothing. */
static void give_page(struct pipe_ring *ring, uint8_t *page)
{
	if (!ring->spare)
		ring->spare = page;
	else
		page_free(virt_to_phys(page), 0);
}

/* ---- slots ---- */

static void set_used(struct pipe_ring *ring, uint32_t used)
{
	__atomic_store_n(&ring->used, used, __ATOMIC_SEQ_CST);
}

/* The one that is INDEX behind the oldest. */
static struct pipe_slot *slot_at(const struct pipe_ring *ring, uint32_t index)
{
	return &ring->slots[(ring->first + index) & (ring->room - 1)];
}

bool pipe_ring_init(struct pipe_ring *ring, uint32_t room)
{
	ring->slots = heap_alloc(room * sizeof(*ring->slots));
	ring->room = room;
	ring->first = ring->used = 0;
	ring->spare = NULL;
	return ring->slots != NULL;
}

void pipe_ring_destroy(struct pipe_ring *ring)
{
	while (ring->used != 0)
		pipe_ring_drop_first(ring);
	if (ring->spare)
		page_free(virt_to_phys(ring->spare), 0);
	heap_free(ring->slots);
}

int pipe_ring_resize(struct pipe_ring *ring, uint32_t room)
{
	struct pipe_slot *slots;
	uint32_t i;

	if (ring->used > room)
		return -EBUSY;
	slots = heap_alloc(room * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < ring->used; i++)
		slots[i] = *slot_at(ring, i);
	heap_free(ring->slots);
	ring->slots = slots;
	ring->first = 0;
	/* Who waits for room looks at both, without our turn. */
	__atomic_store_n(&ring->room, room, __ATOMIC_SEQ_CST);
	return 0;
}

uint64_t pipe_ring_bytes(const struct pipe_ring *ring)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < ring->used; i++)
		bytes += slot_at(ring, i)->length;
	return bytes;
}

const struct pipe_slot *pipe_ring_first(const struct pipe_ring *ring)
{
	return ring->used ? slot_at(ring, 0) : NULL;
}

void pipe_ring_drop_first(struct pipe_ring *ring)
{
	give_page(ring, slot_at(ring, 0)->page);
	ring->first++;
	set_used(ring, ring->used - 1);
}

/* ---- bytes ---- */

int pipe_ring_merge(struct pipe_ring *ring, struct pipe_cursor *from)
{
	/* What whole pages behind it leave: they get slots of their own. */
	uint64_t bytes = from->left % PAGE_SIZE;
	struct pipe_slot *last;

	if (bytes == 0 || ring->used == 0)
		return 0;
	last = slot_at(ring, ring->used - 1);
	if (last->packet || last->offset + last->length + bytes > PAGE_SIZE)
		return 0;
	if (vector_gather(last->page + last->offset + last->length, from->parts, from->skip,
			  bytes) != 0)
		return -EFAULT;
	last->length += (uint32_t)bytes;
	pipe_cursor_advance(from, bytes);
	return 0;
}

int pipe_ring_put(struct pipe_ring *ring, struct pipe_cursor *from, bool packet)
{
	uint64_t bytes;
	uint8_t *page;

	while (from->left > 0 && ring->used < ring->room) {
		mm_turn(ring->used);
		page = take_page(ring);
		if (!page)
			return -ENOMEM;
		bytes = min_u64(from->left, PAGE_SIZE);
		if (vector_gather(page, from->parts, from->skip, bytes) != 0) {
			give_page(ring, page);
			return -EFAULT;
		}
		*slot_at(ring, ring->used) = (struct pipe_slot){
			.page = page,
			.length = (uint32_t)bytes,
			.packet = packet,
		};
		set_used(ring, ring->used + 1);
		pipe_cursor_advance(from, bytes);
	}
	return 0;
}

int pipe_ring_get(struct pipe_ring *ring, struct pipe_cursor *to)
{
	struct pipe_slot *slot;
	uint64_t bytes;
	bool packet;

	while (to->left > 0 && ring->used > 0) {
		mm_turn(ring->used);
		slot = slot_at(ring, 0);
		packet = slot->packet;
		bytes = min_u64(to->left, slot->length);
		if (vector_scatter(slot->page + slot->offset, to->parts, to->skip, bytes) != 0)
			return -EFAULT;
		slot->offset += (uint32_t)bytes;
		slot->length -= (uint32_t)bytes;
		/* What a read does not take of a packet is lost. */
		if (slot->length == 0 || packet)
			pipe_ring_drop_first(ring);
		pipe_cursor_advance(to, bytes);
		if (packet)
			break;
	}
	return 0;
}
