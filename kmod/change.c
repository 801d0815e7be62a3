// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking a running co-kernel for a change of its CPUs or its memory. */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/wait.h>

#include "change.h"
#include "control.h"
#include "enclave.h"
#include "memory.h"

/*
 * A co-kernel that has not answered after this long does not answer any more; if it has
 * memory to clear, with a millisecond more for each 256 KiB, which is slow.
 */
#define ANSWER_WAIT_MS 10000
#define CLEAR_BYTES_PER_MS (256u << 10)

/* ---- what it says; in interrupts ---- */

const char *change_changed_locked(struct enclave *e, const struct pisces_message *message)
{
	struct change *change = &e->change;
	s64 result = message->arg[0];

	lockdep_assert_held(&e->lock);
	if (change->state == CHANGE_NONE || message->tag != change->tag)
		return "the co-kernel answered a change that nobody has asked for";
	if (result > 0 || result < -MAX_ERRNO)
		return "the co-kernel answered a change with nonsense";
	if (change->state == CHANGE_ASKED) {
		change->result = result;
		change->available = message->arg[1];
	}
	WRITE_ONCE(change->state, CHANGE_NONE);
	wake_up_all(&e->changed);
	return NULL;
}

const char *change_given_locked(struct enclave *e, const struct pisces_message *message)
{
	struct change *change = &e->change;
	u64 base = message->arg[0], size = message->arg[1];

	lockdep_assert_held(&e->lock);
	if (change->state == CHANGE_NONE || message->tag != change->tag || !change->wanted)
		return "the co-kernel gave memory that nobody has asked for";
	if (change->state == CHANGE_ABANDONED)
		return NULL;
	if (!size || base % PISCES_MEMORY_ALIGN || size % PISCES_MEMORY_ALIGN)
		return "the co-kernel gave memory in pieces that are none";
	if (size > change->wanted - change->given || change->count == change->capacity)
		return "the co-kernel gave more memory than it was asked for";
	/* Whether it has it at all is looked at where there is time to. */
	change->pieces[change->count++] = (struct change_piece){ .base = base, .size = size };
	change->given += size;
	return NULL;
}

/* ---- asking ---- */

static bool is_answered(const struct enclave *e)
{
	return READ_ONCE(e->change.state) == CHANGE_NONE || enclave_is_over(e) ||
	       READ_ONCE(e->ending);
}

/* The ring has room for thousands: if it is full, the co-kernel is busy or dead. */
static int change_send(struct enclave *e, struct pisces_message *message, ktime_t limit)
{
	struct change *change = &e->change;
	unsigned long flags;
	int ret;

	for (;;) {
		spin_lock_irqsave(&e->lock, flags);
		message->tag = change->tag + 1;
		ret = control_send_locked(e, message, 1, false);
		if (!ret) {
			change->tag++;
			WRITE_ONCE(change->state, CHANGE_ASKED);
		}
		spin_unlock_irqrestore(&e->lock, flags);
		if (ret != -EAGAIN || READ_ONCE(e->ending) || ktime_after(ktime_get(), limit))
			return ret;
		usleep_range(500, 1000);
	}
}

int change_ask(struct enclave *e, struct pisces_message *message, u64 bytes)
{
	unsigned int wait_ms = ANSWER_WAIT_MS + div_u64(bytes, CLEAR_BYTES_PER_MS);
	ktime_t limit = ktime_add_ms(ktime_get(), wait_ms);
	struct change *change = &e->change;
	char reason[PISCES_REASON_LEN];
	unsigned long flags;
	int ret;

	lockdep_assert_held(&e->mutex);
	ret = change_send(e, message, limit);
	if (ret && ret != -EAGAIN)
		return ret;
	if (!ret)
		wait_event_timeout(e->changed, is_answered(e), msecs_to_jiffies(wait_ms));

	spin_lock_irqsave(&e->lock, flags);
	if (!ret && change->state == CHANGE_NONE) {
		ret = change->result;
	} else if (enclave_is_over(e) || READ_ONCE(e->ending)) {
		ret = -ESHUTDOWN;
	} else {
		snprintf(reason, sizeof(reason),
			 "the co-kernel did not answer in %u s what it was asked to change",
			 wait_ms / 1000);
		enclave_die_locked(e, true, reason);
		ret = -ETIMEDOUT;
	}
	if (change->state == CHANGE_ASKED)
		change->state = CHANGE_ABANDONED;
	spin_unlock_irqrestore(&e->lock, flags);
	return ret;
}

/* ---- memory ---- */

static int compare_pieces(const void *a, const void *b)
{
	const struct change_piece *left = a, *right = b;

	return left->base < right->base ? -1 : left->base > right->base;
}

static bool is_of_image(const struct enclave *e, const struct change_piece *piece)
{
	return piece->base < e->image_base + e->image_bytes &&
	       e->image_base < piece->base + piece->size;
}

/* Both are sorted. NULL, or what is wrong with the pieces. */
static const char *pieces_check(const struct enclave *e, const struct change_piece *pieces,
				size_t count, u32 node)
{
	struct memory_range *range = list_first_entry(&e->ranges, struct memory_range, link);
	size_t i;

	for (i = 0; i < count; i++) {
		const struct change_piece *piece = &pieces[i];
		u64 granule;

		while (!list_entry_is_head(range, &e->ranges, link) &&
		       piece->base - range->base >= range->size && piece->base > range->base)
			range = list_next_entry(range, link);
		if (list_entry_is_head(range, &e->ranges, link) || piece->base < range->base ||
		    piece->size > range->size - (piece->base - range->base))
			return "the co-kernel gave memory that it does not have";
		granule = 1ull << range->granule_shift;
		if (range->node != node)
			return "the co-kernel gave memory of another NUMA node than it was asked for";
		if (piece->base % granule || piece->size % granule)
			return "the co-kernel gave memory in pieces that Linux cannot take";
		if (i && pieces[i - 1].base + pieces[i - 1].size > piece->base)
			return "the co-kernel gave the same memory twice";
		if (is_of_image(e, piece))
			return "the co-kernel gave the memory that it runs in";
	}
	return NULL;
}

/* Leaves no way for an interrupt to the pieces. */
static void change_forget(struct enclave *e)
{
	struct change *change = &e->change;
	unsigned long flags;

	spin_lock_irqsave(&e->lock, flags);
	change->pieces = NULL;
	change->capacity = 0;
	if (change->state == CHANGE_NONE)
		change->wanted = 0;
	spin_unlock_irqrestore(&e->lock, flags);
}

int change_ask_memory(struct enclave *e, u64 size, u32 node, struct change_piece **pieces,
		      size_t *count, u64 *available)
{
	struct pisces_message message = {
		.type = PISCES_MSG_MEMORY_REMOVE,
		.arg = { size, node },
	};
	struct change *change = &e->change;
	const char *wrong = NULL;
	unsigned long flags;
	int ret;

	/* It has no more than that; if more is wanted, it says how much there could be. */
	u64 most = min(size, enclave_memory(e)) / PISCES_MEMORY_ALIGN;
	struct change_piece *made = kvmalloc_array(most, sizeof(*made), GFP_KERNEL);

	if (!made)
		return -ENOMEM;
	spin_lock_irqsave(&e->lock, flags);
	change->pieces = made;
	change->capacity = most;
	change->count = 0;
	change->wanted = size;
	change->given = 0;
	change->available = 0;
	spin_unlock_irqrestore(&e->lock, flags);

	ret = change_ask(e, &message, 0);
	*count = change->count;
	if (!ret && change->given != size)
		wrong = "the co-kernel gave less memory than it was asked for";
	else if (ret != -ESHUTDOWN && ret != -ETIMEDOUT && ret && change->given)
		wrong = "the co-kernel gave memory and said that it did not";
	*available = change->available & ~(PISCES_MEMORY_ALIGN - 1);
	change_forget(e);
	if (!ret && !wrong) {
		sort(made, *count, sizeof(*made), compare_pieces, NULL);
		wrong = pieces_check(e, made, *count, node);
	}
	if (wrong) {
		enclave_die(e, true, wrong);
		ret = -ESHUTDOWN;
	}
	if (ret)
		kvfree(made);
	else
		*pieces = made;
	return ret;
}
